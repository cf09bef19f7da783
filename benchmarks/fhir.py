"""What systems ask of the FHIR API, over real HTTP with a token, beside a bare Flask view over the same gunicorn.

The clients run on the same cores as the server and PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection
from json import loads
from urllib.parse import quote, urlencode
from uuid import UUID

from sqlalchemy import func, select

from benchmarks import bare
from benchmarks.figures import Figure, Floor, typical
from benchmarks.filled import SECRET, Filled, filled
from benchmarks.serving import Asked, Clients, Server, served
from benchmarks.world import NOW, World
from carelink.consent.lens import Lens
from carelink.db.tables import index_token, resource
from carelink.fhir.endpoint import ROOT
from carelink.identity import clients
from carelink.identity.scopes import EVERY_TYPE
from carelink.identity.tokens import Tokens
from carelink.ids import NHS_NUMBER, PersonKey
from carelink.record.parameters import of_type

ROUNDS = 6
CLIENT, SECRET_OF_CLIENT = "bench", "benchmark " * 4
ORGANISATION, ROLE = "P81001", "gp"
FLOOR = "/row"
SIZE = 52  # resources of $everything, as the peer was asked
PEOPLE = 100  # whom the requests are about, in turn


@dataclass(frozen=True)
class Question:
    """One kind of request; `peer` is Medplum's figure for the nearest that it was asked."""

    name: str
    paths: list[str]
    count: int  # requests a round
    peer: float | None = None
    asked: list[Asked] = field(default_factory=list)


def figures(world: World) -> Iterator[Figure]:
    """Requests a second, and the server's CPU milliseconds for one."""
    here = filled(world)
    people, size, whole, _ = _people(here)
    questions = [
        Question("Patient read", [f"{ROOT}/Patient/{key}" for key, _ in people], 800, 1076),
        Question("one person's observations, sorted, 20 a page", [_newest(key) for key, _ in people], 640, 662),
        Question("Patient search by identifier", [_search(number) for _, number in people], 640),
        Question(f"$everything of {size} resources", [f"{ROOT}/Patient/{whole}/$everything"], 240, 36),
    ]
    floor = Question(FLOOR, [f"{FLOOR}/{key}" for key, _ in people], 1600)
    with (
        served(here, "fhir", "carelink.wsgi:create()") as server,
        served(here, "bare", "benchmarks.bare:create()") as low,
        Clients() as asking,
    ):
        bearer = {"Authorization": f"Bearer {_token(server)}", "Accept": "application/fhir+json"}
        for one in questions:
            asking.ask(here, server, one.paths, bearer, one.count)  # each worker's statements are made and planned
        for _ in range(ROUNDS):
            floor.asked.append(asking.ask(here, low, floor.paths, {}, floor.count))
            for one in questions:
                one.asked.append(asking.ask(here, server, one.paths, bearer, one.count))
    least = Floor(f"{bare.IS}, over the same gunicorn", *_typical(floor.asked))
    for one in questions:
        value, cpu = _typical(one.asked)
        rounds = tuple(each.a_second for each in one.asked)
        yield Figure(one.name, value, "requests/s", cpu, least, at_least=True, rounds=rounds, peer=one.peer)


@dataclass(frozen=True)
class Reads:
    """What a client may ask of the FHIR API, and the headers to ask with."""

    patients: list[str]  # paths of Patients whom it may see
    searches: list[str]  # of the same, by their NHS numbers
    newest: list[str]  # the newest observations of each
    whole: list[str]  # paths of those of whom it sees about as much as the peer was asked
    headers: dict[str, str]


def reads(here: Filled) -> Reads:
    """The paths, with a token that was granted."""
    people, _, _, middling = _people(here)
    with here.database.engine.connect() as conn:
        client = clients.find(conn, CLIENT)
    assert client is not None, "it was just registered"
    made = Tokens.of(SECRET, here.settings.base_url, here.world.place).make(client, EVERY_TYPE, NOW)
    headers = {"Authorization": f"Bearer {made}", "Accept": "application/fhir+json"}
    keys, numbers = [key for key, _ in people], [number for _, number in people]
    return Reads(
        [f"{ROOT}/Patient/{key}" for key in keys],
        list(map(_search, numbers)),
        list(map(_newest, keys)),
        [f"{ROOT}/Patient/{key}" for key in middling],
        headers,
    )


def _typical(asked: Sequence[Asked]) -> tuple[float, float]:
    """Requests a second by the clock on the wall, and by the server's CPU seconds."""
    return typical([one.a_second for one in asked]), 1 / typical([one.cpu for one in asked])


def _people(here: Filled) -> tuple[list[tuple[PersonKey, str]], int, PersonKey, list[PersonKey]]:
    """People with an NHS number whom the client may see, and those of whom it sees about as much as the peer was asked."""
    with here.database.engine.begin() as conn:
        clients.register(conn, here.world.place, CLIENT, ORGANISATION, ROLE, EVERY_TYPE, SECRET_OF_CLIENT)
        client = clients.find(conn, CLIENT)
        assert client is not None, "it was just registered"
        tokens = Tokens.of(SECRET, here.settings.base_url, here.world.place)
        granted = tokens.read(tokens.make(client, EVERY_TYPE, NOW), NOW)
        lens, t, i = Lens.compile(here.world.place, granted.requester, NOW), resource.c, index_token.c
        shown = select(t.person, func.count()).where(t.person.is_not(None), lens.where()).group_by(t.person)
        amounts: dict[UUID, int] = {row[0]: row[1] for row in conn.execute(shown)}
        watched = select(t.person).where(t.type == "Observation", lens.where()).distinct()
        observed = set(conn.execute(watched).scalars())  # of whom there is something to find
        same = (i.key == i.person) & (i.parameter == of_type("Patient")["identifier"].number) & (i.system == NHS_NUMBER)
        numbers: dict[UUID, str] = {row[0]: row[1] for row in conn.execute(select(i.person, i.code).where(same))}
    known = sorted((key, number) for key, number in numbers.items() if key in observed)[:PEOPLE]
    middling = [PersonKey(key) for key in sorted(amounts, key=lambda key: (abs(amounts[key] - SIZE), key))[:PEOPLE]]
    return [(PersonKey(key), number) for key, number in known], amounts[middling[0]], middling[0], middling


def _newest(person: PersonKey) -> str:
    return f"{ROOT}/Observation?patient={person}&_sort=-date&_count=20"


def _search(number: str) -> str:
    return f"{ROOT}/Patient?identifier={quote(f'{NHS_NUMBER}|{number}', safe='')}"


def _token(server: Server) -> str:
    """An access token by the client's secret."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=30)
    said = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET_OF_CLIENT}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/oauth2/token", urlencode(said), form)
    return str(loads(connection.getresponse().read())["access_token"])
