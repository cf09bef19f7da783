"""Whatever is sent to a route that systems ask, the answer is not 5xx, says what is wrong, and tells of nobody.

The routes are taken from the application's own URL map: one that is added is asked without anybody adding it here.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from export_builders import serving
from fhir_builders import basic, involve
from flask import Flask
from fuzz_requests import Draft, Known, drafts, filled, rules
from hypothesis import HealthCheck, Phase, given, settings
from sqlalchemy import Engine, select, text
from structlog.testing import capture_logs
from werkzeug.routing import Rule
from werkzeug.test import EnvironBuilder, TestResponse
from worlds_asking import client
from worlds_bodies import BODIES, NUMBERS, person
from worlds_records import World, store, world

from carelink import clock
from carelink.db import sync
from carelink.db.embedded import Embedded
from carelink.db.engine import engine_for
from carelink.db.tables import resource
from carelink.identity import clients
from carelink.place import Place
from fhir_adapters.simulators.ehr import token

SOAK = bool(os.environ.get("CARELINK_SOAK"))
REQUESTS = int(os.environ.get("CARELINK_FUZZ", 10_000 if SOAK else 1_500))
SECRET = "x" * 40
EACH = 8  # of each route, at least
WORLD = 11
WRITES = "system/*.cruds system/Consent.cruds"
CLIENTS = {
    "all": client("ward", "RDV", "nurse", WRITES),
    "lead": client("board", "QDM", "ig-lead", WRITES),
    "some": client("some", "RDV", "nurse", "system/Patient.rs system/Condition.r"),
    "stranger": client("stranger", "902", "social-worker", WRITES),
}
OF_OURS = re.compile(rb"Traceback|psycopg|sqlalchemy|\.py\b|site-packages|select .* from ", re.IGNORECASE)

_MADE = re.compile(r"/([A-Za-z]+)/([0-9a-f-]{36})")


@dataclass
class Fuzzed:
    """An application over a database in which people are, and what was found wrong so far."""

    app: Flask
    examples: tuple[Any, ...]
    known: Known
    personal: tuple[bytes, ...]
    secret: str
    seen: Counter[tuple[str, int]] = field(default_factory=Counter)
    wrong: dict[str, str] = field(default_factory=dict)  # what was wrong -> the first request that showed it

    def ask(self, draft: Draft) -> None:
        sent = _sent(self, draft)
        with capture_logs() as logs:
            answer = self.app.test_client().open(sent, buffered=True)
        self.seen[draft.endpoint, answer.status_code] += 1
        for why in _faults(self, draft, answer, logs):
            self.wrong.setdefault(why, f"{draft!r}"[:900])
        for name in ("Location", "Content-Location"):
            for type_, id_ in _MADE.findall(answer.headers.get(name, "")):
                self.known.add(type_, id_)


def _sent(fuzzed: Fuzzed, draft: Draft) -> EnvironBuilder:
    known = fuzzed.known
    query = "&".join(
        filter(None, [draft.raw_query, *(f"{_quoted(n)}={_quoted(filled(v, known))}" for n, v in draft.query)])
    )
    body = filled(draft.body.decode("latin-1"), known).encode("latin-1")
    headers = {**_authorization(fuzzed, draft), **dict(draft.headers)}
    path = filled(draft.path, known)
    return EnvironBuilder(
        path=path, method=draft.method, query_string=query, headers=headers, input_stream=None, data=body
    )


def _quoted(text: str) -> str:
    return quote(text, safe=":$.")


def _authorization(fuzzed: Fuzzed, draft: Draft) -> dict[str, str]:
    if draft.who not in CLIENTS:
        return {}
    if draft.path.startswith("/cds-services"):
        return {"Authorization": f"Bearer {token(f'http://localhost{draft.path}', clock.now().timestamp())}"}
    if draft.path.startswith("/oauth2") and draft.who == "all":
        return basic(CLIENTS["all"].id, fuzzed.secret)
    tokens, asks = fuzzed.app.extensions["carelink.fhir"].tokens, CLIENTS[draft.who]
    return {"Authorization": f"Bearer {tokens.make(asks, asks.scopes, clock.now())}"}


# What is wrong with an answer -------------------------------------------------------------------------


def _faults(fuzzed: Fuzzed, draft: Draft, answer: TestResponse, logs: Sequence[Any]) -> Iterator[str]:
    if answer.status_code >= 500:
        yield f"{answer.status_code} of {draft.endpoint}: {_where(logs)}"
        return
    if answer.status_code < 400:
        return
    if draft.method != "HEAD" and (why := _says_nothing(draft, answer)):
        yield f"{answer.status_code} of {draft.method} {draft.endpoint} {why}"
    if found := OF_OURS.search(answer.data):
        yield f"{answer.status_code} of {draft.endpoint} tells of our code: {found[0]!r}"
    sent = repr(draft).encode()
    if told := [one for one in fuzzed.personal if one in answer.data and one not in sent]:
        yield f"{answer.status_code} of {draft.endpoint} tells of somebody: {told[0]!r}"


def _where(logs: Sequence[Any]) -> str:
    """The last steps on the way to a fault."""
    found = [one for one in logs if one.get("where")]
    return f"{found[0]['kind']} {' < '.join(reversed(found[0]['where'][-3:]))}" if found else "nothing was logged"


def _says_nothing(draft: Draft, answer: TestResponse) -> str:
    """What its body lacks: an OperationOutcome that names something, or an error of OAuth2."""
    if "xml" in answer.content_type:
        return (
            "" if b"<OperationOutcome" in answer.data and b"<diagnostics" in answer.data else "is no OperationOutcome"
        )
    try:
        told = json.loads(answer.data)
    except ValueError:
        if draft.path.startswith("/fhir/") or not answer.content_type.startswith("text/html"):
            return f"is not JSON: {answer.content_type} {answer.data[:60]!r}"
        return ""  # a page, for somebody who signs in
    if not draft.path.startswith("/fhir/") and isinstance(told.get("error"), str):
        return ""
    named = [one.get("diagnostics") for one in told.get("issue", [])]
    return (
        ""
        if told.get("resourceType") == "OperationOutcome" and named and all(named)
        else f"names nothing: {answer.data[:100]!r}"
    )


# The world that is asked ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine(postgres: Embedded, place: Place) -> Iterator[Engine]:
    made = engine_for(postgres.database("fuzzed", template="template_carelink"), keeps_plans=True)
    with made.begin() as conn:
        sync.sync(conn, place)
        for one in CLIENTS.values():
            clients.register(conn, place, one.id, one.organisation, one.role, one.scopes, SECRET)
        store(conn, place, world(WORLD))
        for number in range(world(WORLD).people):
            involve(conn, person(number), "RDV")
        for name in (
            conn.execute(text("select sequencename from pg_sequences where schemaname = 'public'")).scalars().all()
        ):
            conn.execute(text(f"select setval('{name}', 1000000)"))  # the world numbers its rows itself
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def fuzzed(engine: Engine, place: Place, tmp_path_factory: pytest.TempPathFactory) -> Fuzzed:
    there = world(WORLD)
    with engine.connect() as conn:
        stored = conn.execute(select(resource.c.type, resource.c.key).order_by(resource.c.source, resource.c.key)).all()
    known = Known()
    for type_, key in stored:
        known.add(type_, str(key))
    for type_, id_ in (("CodeSystem", "alert"), ("ValueSet", "hiv"), ("ConceptMap", "council-a-alert")):
        known.add(type_, id_)
    app = serving(engine, place, Path(tmp_path_factory.mktemp("fuzzed")))
    return Fuzzed(app, _examples(there), known, _personal(there), SECRET)


def _examples(there: World) -> tuple[Any, ...]:
    """One real resource of each type."""
    found: dict[str, Any] = {}
    for one in there.things:
        if one.type not in found:
            found[one.type] = json.loads(
                json.dumps({"resourceType": one.type, **BODIES[one.type].said(one, one.said[-1])}, default=str)
            )
    return tuple(found.values())


def _personal(there: World) -> tuple[bytes, ...]:
    """What would tell who somebody is, or what is said of them."""
    marks = {said.mark for one in there.things for said in one.said}
    names = {f"{name}{number}" for name in ("Family", "Given") for number in range(there.people)}
    return tuple(one.encode() for one in sorted({*marks, *names, *NUMBERS[: there.people]}) if len(one) > 5)


def _ask(fuzzed: Fuzzed, asked: Sequence[Rule], number: int) -> None:
    """So many requests of these routes."""

    @settings(
        max_examples=number,
        derandomize=not SOAK,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(drafts(asked, fuzzed.examples))
    def answered(draft: Draft) -> None:
        fuzzed.ask(draft)

    answered()


def test_no_request_is_answered_by_a_fault_and_no_refusal_is_silent_or_tells_of_anybody(fuzzed: Fuzzed) -> None:
    asked = rules(fuzzed.app.url_map)
    for rule in asked:
        _ask(fuzzed, [rule], EACH)
    _ask(fuzzed, asked, REQUESTS - fuzzed.seen.total())
    sys.stdout.write(f"{fuzzed.seen.total()} requests: {_told(fuzzed.seen)}\n")
    if fuzzed.wrong:
        pytest.fail("\n\n".join(f"{why}\n    {how}" for why, how in sorted(fuzzed.wrong.items())), pytrace=False)


def _told(seen: Counter[tuple[str, int]]) -> dict[int, int]:
    by: Counter[int] = Counter()
    for (_, status), number in seen.items():
        by[status] += number
    return dict(sorted(by.items()))


def test_every_route_was_asked_and_much_of_it_was_done(fuzzed: Fuzzed) -> None:
    """A harness that only ever meets 400s finds nothing."""
    asked = {rule.endpoint for rule in rules(fuzzed.app.url_map)}
    assert asked - {endpoint for endpoint, _ in fuzzed.seen} == set()
    good = {endpoint for endpoint, status in fuzzed.seen if status < 400}
    assert len(good) >= len(asked) // 2, sorted(asked - good)
