"""How fast a client's transactions of 50 resources are stored, over real HTTP, by one web process.

The resources are what the sources gave of people whom the client may see, sent anew: validated, labelled, indexed, and
kept with history and audit. One client asks after the other, so that one process is all that works for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.client import HTTPConnection
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import select

from benchmarks.figures import Figure, typical
from benchmarks.filled import SECRET, Filled, filled
from benchmarks.machine import Meter
from benchmarks.serving import Server, served
from benchmarks.world import NOW, World
from carelink.cases import pushing_references as references
from carelink.consent.lens import Lens
from carelink.db.tables import resource
from carelink.fhir.endpoint import ROOT
from carelink.fhir.writes import TYPES
from carelink.identity import clients
from carelink.identity.tokens import Tokens
from carelink.record.ingest_subjects import DIRECTORY
from fhir_adapters import exact_json

TARGET = 1000  # resources/s in one process
PEER = 244  # Medplum 5, transaction Bundles, on two cores
SIZE = 50  # resources of a transaction
ROUNDS, EACH, WARM = 5, 10, 6  # transactions
CLIENT, SECRET_OF_CLIENT = "bench-writer", "benchmark " * 4
ORGANISATION, ROLE, SCOPES = "P81001", "gp", "system/*.cruds"


def figures(world: World) -> Iterator[Figure]:
    """Resources a second in transactions of 50, and in creates one by one."""
    here = filled(world)
    sent, headers = transactions(here)
    singles = [(f"{ROOT}/{one['resourceType']}", exact_json.dumps(one)) for one in islice(bodies(here), 200)]
    with served(here, "writes", "carelink.wsgi:create()", workers=1) as server:
        together = list(_rounds(here, server, [(ROOT, one) for one in sent], headers, WARM, EACH))
        alone = list(_rounds(here, server, singles, headers, 20, 30))
    for name, size, rounds, target in (
        (f"transaction of {SIZE} resources, one process", SIZE, together, TARGET),
        ("create, one by one, one process", 1, alone, None),
    ):
        walls, cpus = [size * each[0] for each in rounds], [size * each[1] for each in rounds]
        peer = PEER if size > 1 else None
        yield Figure(name, typical(walls), "resources/s", typical(cpus), None, target, True, tuple(walls), peer)


def bodies(here: Filled) -> Iterator[dict[str, Any]]:
    """What is stored of people whom the client may see and its organisation answers for, as if it were new; without end."""
    with here.database.engine.begin() as conn:
        clients.register(conn, here.world.place, CLIENT, ORGANISATION, ROLE, SCOPES, SECRET_OF_CLIENT)
        client = clients.find(conn, CLIENT)
        assert client is not None, "it was just registered"
        tokens = Tokens.of(SECRET, here.settings.base_url, here.world.place)
        lens = Lens.compile(here.world.place, tokens.read(tokens.make(client, SCOPES, NOW), NOW).requester, NOW)
        t = resource.c
        types = sorted(set(TYPES) - DIRECTORY - {"Patient"})
        mine = select(t.body).where(t.type.in_(types), t.custodian == ORGANISATION, t.deleted.is_(False), lens.where())
        seen = set(conn.execute(select(t.key).where(t.deleted.is_(False), lens.where())).scalars())
        found = [exact_json.loads(text) for text in conn.execute(mine.order_by(t.person, t.key).limit(4000)).scalars()]
    found = [one for one in found if all(_is_known(said, seen) for said in references.named(one))]
    while True:
        yield from ({name: value for name, value in one.items() if name not in ("id", "meta")} for one in found)


def _is_known(reference: str, seen: set[UUID]) -> bool:
    """Records of practices name workers whom they do not hold; of a client that is refused."""
    target = references.here(reference)
    return target is None or target[1] in seen


def transactions(here: Filled) -> tuple[list[bytes], dict[str, str]]:
    """The bodies of a run, and the headers to send them with."""
    made = bodies(here)
    sent = [exact_json.dumps(_bundle(list(islice(made, SIZE)))) for _ in range(WARM + ROUNDS * EACH)]
    with here.database.engine.connect() as conn:
        client = clients.find(conn, CLIENT)
    assert client is not None, "it was just registered"
    token = Tokens.of(SECRET, here.settings.base_url, here.world.place).make(client, SCOPES, NOW)
    return sent, {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}


def _bundle(resources: list[dict[str, Any]]) -> dict[str, Any]:
    entries = [{"resource": one, "request": {"method": "POST", "url": one["resourceType"]}} for one in resources]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _rounds(
    here: Filled, server: Server, sent: list[tuple[str, bytes]], headers: dict[str, str], warm: int, each: int
) -> Iterator[tuple[float, float]]:
    """Requests a second of each round: by the clock on the wall, and by CPU time."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    turn = iter(sent)
    for path, body in islice(turn, warm):
        _ask(connection, path, body, headers)
    while asked := list(islice(turn, each)):
        meter, began = Meter(here.world.server, [server.process]), time.perf_counter()
        for path, body in asked:
            _ask(connection, path, body, headers)
        yield len(asked) / (time.perf_counter() - began), len(asked) / meter.spent().cpu


def _ask(connection: HTTPConnection, path: str, body: bytes, headers: dict[str, str]) -> None:
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    said = answer.read()
    if answer.status not in (200, 201):
        raise AssertionError(f"answered {answer.status}: {said[:500].decode(errors='replace')}")
