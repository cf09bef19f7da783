"""Bad input to what reads and searches: a 4xx with an OperationOutcome that names the place, little work, and nothing kept.

A row a line of the list. Work is counted by statements, and bounded where it is done: bodies by their length and depth,
questions by how much they may name. What is written is in the tests of writing.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from fhir_builders import api, people, read, statements, system
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from carelink.db import embedded
from carelink.db.engine import engine_for
from carelink.ids import PersonKey
from carelink.place import Place

ROOT = "/fhir/R4"
JSON, FORM = "application/fhir+json", "application/x-www-form-urlencoded"
ASYNC = {"Prefer": "respond-async"}
DEEP = 10_000
MOST_STATEMENTS = 8  # for what is refused: who asks, the refusal's own row, and what it was about
GROWTH = 400_000  # bytes that a hundred such requests may leave behind; one body of theirs may be five million


@dataclass(frozen=True)
class Bad:
    """A request, and what its refusal must say: its status and the place."""

    what: str
    path: str
    place: str
    body: bytes | None = None
    type: str = JSON
    statuses: tuple[int, ...] = (400,)
    headers: dict[str, str] = field(default_factory=dict)


def asked(**given: str) -> bytes:
    return urlencode(given).encode()


# Bodies of operations that read ------------------------------------------------------------------------

OPERATIONS = (
    "/$export",
    "/Patient/$export",
    "/Patient/$match",
    "/CodeSystem/$lookup",
    "/ValueSet/$expand",
    "/ConceptMap/$translate",
)
BODIES: tuple[tuple[str, bytes, str, str, tuple[int, ...]], ...] = (
    ("malformed JSON", b'{"resourceType":', JSON, "Parameters", (400,)),
    ("no JSON object", b"[1]", JSON, "Parameters", (400,)),
    ("duplicate keys", b'{"resourceType":"Parameters","parameter":[{"name":"a","name":"b","valueCode":"c"}]}', JSON, "Parameters.name", (400,)),
    ("invalid UTF-8", b'{"resourceType":"Parameters","parameter":[{"name":"\xff\xfe","valueCode":"c"}]}', JSON, "Parameters", (400,)),
    ("half a surrogate", b'{"resourceType":"Parameters","parameter":[{"name":"\\ud800","valueCode":"c"}]}', JSON, "Parameters", (400,)),
    ("1e400", b'{"resourceType":"Parameters","parameter":[{"name":"count","valueDecimal":1e400}]}', JSON, "Parameters", (400,)),
    ("nesting 10,000 deep, of lists", b'{"resourceType":"Parameters","parameter":' + b"[" * DEEP + b"]" * DEEP + b"}", JSON, "Parameters", (400,)),
    ("nesting 10,000 deep, of objects", b'{"resourceType":"Parameters","parameter":' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b"}", JSON, "Parameters", (400,)),
    ("a wrong resource", b'{"resourceType":"Patient"}', JSON, "resourceType", (400,)),
    ("a wrong content type", b'{"resourceType":"Parameters"}', "text/csv", "", (415,)),
    ("another version of FHIR", b'{"resourceType":"Parameters"}', f"{JSON}; fhirVersion=5.0", "", (415,)),
    ("20 MB", b" " * 20_000_000, JSON, "", (413,)),
    ("parameters that are no list", b'{"resourceType":"Parameters","parameter":{"name":"x"}}', JSON, "Parameters.parameter", (400,)),
    ("a parameter without a value", b'{"resourceType":"Parameters","parameter":[{"name":"x"}]}', JSON, "Parameters.parameter[0]", (400,)),
)  # fmt: skip


def bodies() -> Iterator[Bad]:
    for path in OPERATIONS:
        for what, body, type_, place, statuses in BODIES:
            yield Bad(f"{path}: {what}", path, place, body, type_, statuses, ASYNC)


# Searches and reads -------------------------------------------------------------------------------------

QUESTIONS: tuple[tuple[str, dict[str, str], str], ...] = (
    ("10,000 OR values", {"patient": "{ann}", "code": ",".join(f"c{number}" for number in range(10_000))}, "code"),
    ("10,000 commas", {"patient": "{ann}", "code": "," * 10_000}, "code"),
    ("_count=-1", {"patient": "{ann}", "_count": "-1"}, "_count"),
    ("_count of many digits", {"patient": "{ann}", "_count": "9" * 400}, "_count"),
    ("a bad date", {"patient": "{ann}", "recorded-date": "2026-13-45"}, "recorded-date"),
    ("a date past all dates", {"patient": "{ann}", "recorded-date": "ge99999-01-01"}, "recorded-date"),
    ("a NUL", {"patient": "{ann}", "code": "a\0b"}, "code"),
    ("an unknown parameter", {"patient": "{ann}", "colour": "red"}, "colour"),
    ("an unknown modifier", {"patient": "{ann}", "code:nonsense": "x"}, "code:nonsense"),
    ("a modifier that is not there", {"patient": "{ann}", "code:": "x"}, "code"),
    ("a chain through nothing", {"patient.nonsense": "x"}, "nonsense"),
    ("a chain of fifty", {".".join(["encounter"] * 50): "x"}, "encounter"),
    ("_has of nothing", {"_has:Nonsense:patient:code": "x"}, "_has"),
    ("_has of fifty", {"_has:Observation:encounter:" * 50 + "code": "x"}, "_has"),
    ("an unknown order", {"patient": "{ann}", "_sort": "nonsense"}, "_sort"),
    ("an order of five hundred", {"patient": "{ann}", "_sort": "_lastUpdated," * 500}, "_sort"),
    ("an include of nothing", {"patient": "{ann}", "_include": "Condition:nonsense"}, "nonsense"),
    ("an unknown form", {"patient": "{ann}", "_total": "perhaps"}, "_total"),
    ("a page that is none", {"_page": "x.y.z"}, "_page"),
)


def questions() -> Iterator[Bad]:
    for what, given, place in QUESTIONS:
        yield Bad(f"GET: {what}", f"/Condition?{urlencode(given)}", place)
        yield Bad(f"_search: {what}", "/Condition/_search", place, asked(**given), FORM)
    for modifier in ("exact", "not", "nonsense"):
        named = f"code-value-quantity:{modifier}"
        yield Bad(f"a composite with {modifier}", f"/Observation?patient={{ann}}&{named}=a%24b", named)
    yield Bad("_search of 20 MB", "/Condition/_search", "", b"code=" + b"a" * 20_000_000, FORM, (413,))
    yield Bad("_search as JSON", "/Condition/_search", "", b"{}", JSON, (415,))
    yield Bad("_search of 2,000 parameters", "/Condition/_search", "", b"&".join([b"code=a"] * 2000), FORM, (400, 413))
    for path in (
        "/Nonsense",
        "/Nonsense/1",
        "/Condition/not-an-id",
        f"/Condition/{'a' * 5000}",
        "/Condition/%00",
        "/Condition/%ff",
        "/Patient/-1/$everything",
        "/bulk/1",
        "/AuditEvent/99999999999999999999",
    ):
        yield Bad(f"GET {path[:40]}", path, "", statuses=(400, 404))
    for name, value in (
        ("_since", "yesterday"),
        ("_type", "Nonsense"),
        ("_count", "-1"),
        ("start", "2026-13-01"),
        ("colour", "red"),
    ):
        yield Bad(f"$everything by {name}", f"/Patient/{{ann}}/$everything?{name}={value}", name)


ALL = (*bodies(), *questions())
every_one = pytest.mark.parametrize("bad", ALL, ids=[one.what for one in ALL])


@pytest.fixture(scope="module")
def there(postgres: embedded.Embedded, place: Place) -> Iterator[tuple[Engine, FlaskClient, PersonKey]]:
    engine = engine_for(postgres.database("bad_input", template="template_carelink"))
    ann = people(engine, place)["ann"]
    yield engine, system(api(engine, place), place, "ward", "RDV", "nurse", "system/*.rs"), ann
    engine.dispose()


def ask(browser: FlaskClient, ann: PersonKey, bad: Bad) -> TestResponse:
    path = f"{ROOT}{bad.path}".replace("{ann}", str(ann)).replace("%7Bann%7D", str(ann))
    if bad.body is None:
        return browser.get(path, headers=bad.headers)
    body = bad.body.replace(b"%7Bann%7D", str(ann).encode())
    return browser.post(path, data=body, headers={**bad.headers, "Content-Type": bad.type})


@every_one
def test_it_is_refused_with_its_place_and_little_work(there: tuple[Engine, FlaskClient, PersonKey], bad: Bad) -> None:
    engine, browser, ann = there
    with statements(engine) as said:
        answer = ask(browser, ann, bad)
    assert answer.status_code in bad.statuses, answer.text[:300]
    told: dict[str, Any] = read(answer)
    assert told["resourceType"] == "OperationOutcome"
    assert all(one["diagnostics"] for one in told["issue"])
    places = " ".join(one for issue in told["issue"] for one in issue.get("expression", ()))
    assert bad.place in places
    assert len(answer.data) < 8000, "a refusal does not say back what was sent"
    assert len(said) <= MOST_STATEMENTS, said


def test_a_hundred_of_them_leave_nothing_behind(there: tuple[Engine, FlaskClient, PersonKey]) -> None:
    _, browser, ann = there
    chosen = [one for number, one in enumerate(ALL) if number % 4 == 0]
    for bad in chosen:  # what is made once is made
        ask(browser, ann, bad)
    tracemalloc.start()
    before = _held()
    for _ in range(100 // len(chosen) + 1):
        for bad in chosen:
            ask(browser, ann, bad)
    left = _held() - before
    tracemalloc.stop()
    assert left < GROWTH


def _held() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def test_includes_that_could_go_on_for_ever_end(there: tuple[Engine, FlaskClient, PersonKey]) -> None:
    """Observations name encounters, which name the episodes and persons that name them."""
    engine, browser, ann = there
    given = [("patient", str(ann)), ("_include:iterate", "Observation:encounter"), ("_revinclude:iterate", "Observation:encounter"), ("_include:iterate", "Encounter:subject"), ("_revinclude:iterate", "Encounter:subject")]  # fmt: skip
    with statements(engine) as said:
        answer = browser.get(f"{ROOT}/Observation?{urlencode(given)}")
    assert answer.status_code in (200, 400)
    assert len(said) < 60
    if answer.status_code == 200:
        ids = [one["fullUrl"] for one in read(answer)["entry"]]
        assert len(ids) == len(set(ids))


def test_a_read_asks_nothing_by_if_match(there: tuple[Engine, FlaskClient, PersonKey]) -> None:
    _, browser, ann = there
    for etag in ('W/"1"', '"9"', "*", "nonsense"):
        answer = browser.get(f"{ROOT}/Patient/{ann}", headers={"If-Match": etag})
        assert (answer.status_code, read(answer)["id"]) == (200, str(ann))
