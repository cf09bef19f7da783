"""Bad input where systems write: a 4xx that names the place, nothing stored, and no failure on our side."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from fhir_builders import read
from push_builders import Pushing, body, bundle, entry, observation, pushing_in
from sqlalchemy import Engine, func, select

from carelink.db.tables import resource
from carelink.place import Place

Json = dict[str, Any]
GOOD = b'{"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"ANN"}'
ROUTES = (
    ("POST", "/fhir/R4/Observation"),
    ("PUT", "/fhir/R4/Observation/c0ffee00-0000-4000-8000-000000000001"),
    ("PUT", "/fhir/R4/Observation?identifier=x"),
    ("POST", "/fhir/R4"),
)


@pytest.fixture(scope="module")
def pushing(postgres: Any, place: Place) -> Iterator[Pushing]:
    """One database for all of them: nothing of it is changed."""
    engine = _engine(postgres)
    yield pushing_in(engine, place)
    engine.dispose()


def _engine(postgres: Any) -> Engine:
    from carelink.db.engine import engine_for

    return engine_for(postgres.database("bad_writes", template="template_carelink"))


def count(pushing: Pushing) -> int:
    with pushing.engine.connect() as conn:
        return int(conn.execute(select(func.count()).select_from(resource)).scalar_one())


def refused(pushing: Pushing, method: str, path: str, sent: bytes, **headers: str) -> Json:
    """The first issue of the refusal."""
    before = count(pushing)
    answer = pushing.ward.open(path, method=method, **body(sent, **headers))
    assert 400 <= answer.status_code < 500, answer.text[:500]
    told = read(answer)
    assert told["resourceType"] == "OperationOutcome"
    assert len(answer.data) < 100_000
    assert count(pushing) == before
    issue: Json = told["issue"][0]
    return issue


def deep(levels: int, opened: bytes = b'{"a":', closed: bytes = b"}") -> bytes:
    return b'{"resourceType":"Observation","extension":' + opened * levels + b"1" + closed * levels + b"}"


MALFORMED = {
    "nothing": b"",
    "half an object": b'{"resourceType":"Observation"',
    "an array": b"[]",
    "a text": b'"Observation"',
    "null": b"null",
    "no UTF-8": b'{"resourceType":"Observation","id":"\xff\xfe"}',
    "half a surrogate": b'{"resourceType":"Observation","id":"\\ud800"}',
    "not a number": b'{"resourceType":"Observation","valueInteger":NaN}',
    "infinity": b'{"resourceType":"Observation","valueInteger":Infinity}',
    "a byte order mark": b'\xef\xbb\xbf{"resourceType":"Observation"}',
    "1e400": b'{"resourceType":"Observation","valueQuantity":{"value":1e400}}',
    "a tiny number": b'{"resourceType":"Observation","valueQuantity":{"value":1e-400}}',
    "an endless number": b'{"resourceType":"Observation","valueQuantity":{"value":' + b"9" * 5000 + b"}}",
    "a name twice": b'{"resourceType":"Observation","status":"final","status":"amended"}',
    "a name twice, escaped": b'{"resourceType":"Observation","status":"final","st\\u0061tus":"amended"}',
    "a name twice, deep": b'{"resourceType":"Observation","code":{"text":"a","coding":[],"text":"b"}}',
    "10,000 objects deep": deep(10_000),
    "10,000 lists deep": deep(10_000, b"[", b"]"),
    "500 deep": deep(500),
    "another type": b'{"resourceType":"Patient"}',
    "no type": b"{}",
    "a type that is no text": b'{"resourceType":["Observation"]}',
    "a type that is not in R4": b'{"resourceType":"Spaceship"}',
}


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize("what", MALFORMED)
def test_what_is_no_resource_is_refused(pushing: Pushing, what: str, method: str, path: str) -> None:
    assert refused(pushing, method, path, MALFORMED[what])["expression"]


def test_what_stands_twice_is_named(pushing: Pushing) -> None:
    told = [refused(pushing, "POST", "/fhir/R4/Observation", MALFORMED[f"a name twice{end}"]) for end in ("", ", deep")]
    assert [one["expression"] for one in told] == [["Observation.status"], ["Observation.text"]]


def test_a_number_that_can_not_be_held_is_named(pushing: Pushing) -> None:
    told = refused(pushing, "POST", "/fhir/R4/Observation", MALFORMED["1e400"])
    assert told["expression"] == ["Observation.valueQuantity.value"]


def test_a_name_in_a_text_is_no_name(pushing: Pushing) -> None:
    note = [{"text": 'She said "status": "final", and \\"status\\": again'}]
    answer = pushing.ward.post("/fhir/R4/Observation", **body(observation("Patient/x", note=note)))
    assert read(answer)["issue"][0]["expression"] == ["Observation.subject.reference"]  # it was read


OF_THE_WRONG_KIND: list[Json] = [
    {"status": ["final"]},
    {"status": {}},
    {"status": 7},
    {"status": ""},
    {"status": "\0"},
    {"code": [{"text": "x"}]},
    {"code": "x"},
    {"code": {}},
    {"code": {"coding": {"code": "x"}}},
    {"category": {"text": "x"}},
    {"subject": []},
    {"subject": "Patient/x"},
    {"subject": {"reference": []}},
    {"subject": {"reference": {"reference": "Patient/x"}}},
    {"identifier": "x"},
    {"identifier": [7]},
    {"identifier": [{"value": 7}]},
    {"meta": "x"},
    {"meta": {"security": "R"}},
    {"meta": {"security": [7]}},
    {"id": 7},
    {"valueQuantity": {"value": "7"}},
    {"effectiveDateTime": 2026},
    {"component": [None]},
    {"contained": [{"resourceType": "Spaceship"}]},
    {"contained": ["x"]},
    {"extension": [{}]},
    {"_status": "x"},
    {"nonsense": True},
    {"text": {"status": "generated", "div": "no markup"}},
]


@pytest.mark.parametrize("wrong_", OF_THE_WRONG_KIND, ids=lambda one: json.dumps(one)[:40])
def test_elements_of_the_wrong_kind_are_refused_or_repaired_alone_and_in_bundles(
    pushing: Pushing, wrong_: Json
) -> None:
    """About nobody, so that nothing is stored even where a rule repairs it."""
    sent = observation(f"Patient/{uuid4()}") | wrong_
    refused(pushing, "POST", "/fhir/R4/Observation", json.dumps(sent, default=str).encode())
    for kind in ("transaction", "batch"):
        whole = json.dumps(bundle(kind, entry("POST", "Observation", sent)), default=str).encode()
        answer = pushing.ward.post("/fhir/R4", **body(whole))
        assert answer.status_code < 500
        if kind == "batch":
            assert read(answer)["entry"][0]["response"]["status"][0] == "4"
        else:
            assert read(answer)["issue"][0]["expression"][0].startswith("Bundle.entry[0]")


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "nonsense"]
)
@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_what_is_sent_as_something_else_is_refused(pushing: Pushing, kind: str, method: str, path: str) -> None:
    issue = refused(pushing, method, path, GOOD + b"}", Content_Type=kind)
    assert issue["code"] == "not-supported"


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_what_is_too_large_is_refused(pushing: Pushing, method: str, path: str) -> None:
    large = GOOD + b',"note":[{"text":"' + b"x" * 20_000_000 + b'"}]}'
    assert refused(pushing, method, path, large)["code"] == "too-long"


@pytest.mark.parametrize("type_", ["Spaceship", "observation", "Observation%00", "*", "$nothing", "Observation/x/y/z"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_a_type_that_is_none_is_refused(pushing: Pushing, method: str, type_: str) -> None:
    refused(pushing, method, f"/fhir/R4/{type_}", GOOD + b"}")


@pytest.mark.parametrize("id_", ["1", "x" * 2000, "a%2Fb", "%00", "..", "urn:uuid:1", "{}".format("0" * 36)])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_an_id_that_is_none_is_refused(pushing: Pushing, method: str, id_: str) -> None:
    refused(pushing, method, f"/fhir/R4/Observation/{id_}", GOOD + b"}")


HEADERS = [
    ("If-Match", "W/"),
    ("If-Match", '"99999999999999999999"'),
    ("If-Match", "\x00"),
    ("If-None-Exist", "%%%"),
    ("If-None-Exist", "&&&"),
    ("If-None-Exist", "identifier=" + "x" * 100_000),
    ("If-None-Exist", "&".join(["identifier=x"] * 10_000)),
    ("If-None-Exist", "identifier=%00"),
    ("If-None-Exist", "date=yesterday"),
    ("If-None-Exist", "_has:Observation:subject:code=x"),
]


@pytest.mark.parametrize(("name", "value"), HEADERS)
def test_a_header_that_says_nothing_is_refused(pushing: Pushing, name: str, value: str) -> None:
    path, method = ("/fhir/R4/Observation", "POST") if name == "If-None-Exist" else (f"/fhir/R4/Observation/{uuid4()}", "PUT")  # fmt: skip
    refused(pushing, method, path, json.dumps(observation("Patient/x"), default=str).encode(), **{name: value})


def test_a_nul_in_a_text_that_is_searched_by_is_stored_or_refused_but_breaks_nothing(pushing: Pushing) -> None:
    sent = {"resourceType": "Patient", "name": [{"family": "Mo\0ss", "given": ["\0"]}], "identifier": [{"system": "\0", "value": "a\0b"}]}  # fmt: skip
    for one in (sent, observation(pushing.ann, note=[{"text": "a\0b"}], identifier=[{"value": "\0"}])):
        answer = pushing.ward.post(f"/fhir/R4/{one['resourceType']}", **body(one))
        assert answer.status_code < 500, answer.text


def test_names_and_references_that_are_none_are_refused_in_a_bundle(pushing: Pushing) -> None:
    for reference in ("urn:uuid:", "Patient/", "Patient?", "?", "/", "Patient?identifier=" + "x" * 5000, "\0"):
        whole = bundle("transaction", entry("POST", "Observation", observation(reference), "urn:uuid:1"))
        answer = pushing.ward.post("/fhir/R4", **body(whole))
        assert 400 <= answer.status_code < 500, (reference, answer.text)
