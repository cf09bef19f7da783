"""PATCH by a system: of what it may update, the whole of it, once, and only where the version is the one that it saw."""

from __future__ import annotations

import base64
from typing import Any
from uuid import uuid4

import pytest
from fhir_builders import HER_ITEMS, HIS_ITEMS, read, trail, wrong
from flask.testing import FlaskClient
from ingest_builders import key
from push_builders import Pushing, body, bundle, consent, entry, id_of, named, observation, pushing_in
from sqlalchemy import Engine

from carelink.fhir import xml_writing
from carelink.place import Place
from fhir_adapters import exact_json

ROOT = "/fhir/R4"
JSON_PATCH = "application/json-patch+json"
AMEND = [{"op": "replace", "path": "/status", "value": "amended"}]
Json = dict[str, Any]


def parameters(type_: str, path: str, **parts: Any) -> Json:
    said = {"type": {"valueCode": type_}, "path": {"valueString": path}, **parts}
    part = [{"name": name, **one} for name, one in said.items()]
    return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": part}]}


AMENDED = parameters("replace", "Observation.status", value={"valueCode": "amended"})


@pytest.fixture
def pushing(engine: Engine, place: Place) -> Pushing:
    return pushing_in(engine, place)


@pytest.fixture
def there(pushing: Pushing) -> str:
    """The path of an observation that the ward wrote."""
    answer = pushing.ward.post(f"{ROOT}/Observation", **body(observation(pushing.ann, identifier=named("7"))))
    assert answer.status_code == 201, answer.text
    return f"{ROOT}/Observation/{id_of(answer.headers['Location'])}"


def patch(browser: FlaskClient, path: str, sent: Any, kind: str = JSON_PATCH, **headers: str) -> Any:
    data = sent if isinstance(sent, bytes) else exact_json.dumps(sent)
    named_ = {name.replace("_", "-"): value for name, value in headers.items()}
    return browser.patch(path, data=data, headers={"Content-Type": kind, **named_})


def status(browser: FlaskClient, path: str) -> tuple[str, str]:
    found = read(browser.get(path))
    return found["status"], found["meta"]["versionId"]


SENT = [
    (AMEND, JSON_PATCH),
    (AMENDED, "application/fhir+json"),
    (xml_writing.written(AMENDED), "application/fhir+xml"),
    ({"resourceType": "Binary", "contentType": JSON_PATCH, "data": base64.b64encode(exact_json.dumps(AMEND)).decode()}, "application/fhir+json"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "kind"), SENT, ids=["JSON Patch", "FHIRPath Patch", "FHIRPath Patch in XML", "JSON Patch in a Binary"])  # fmt: skip
def test_each_kind_of_patch_makes_a_new_version_with_the_rest_as_it_was(
    pushing: Pushing, there: str, sent: Any, kind: str
) -> None:
    before = read(pushing.ward.get(there))
    answer = patch(pushing.ward, there, sent, kind, If_Match='W/"1"')
    assert (answer.status_code, answer.headers["ETag"]) == (200, 'W/"2"'), answer.text
    after = read(pushing.ward.get(there))
    assert exact_json.dumps({**after, "meta": 0}) == exact_json.dumps({**before, "status": "amended", "meta": 0})
    assert read(pushing.ward.get(f"{there}/_history/1"))["status"] == "final"
    assert [one.action for one in trail(pushing.engine)].count("update") == 1


def test_a_patch_of_an_older_version_is_refused_and_one_that_changes_nothing_makes_none(
    pushing: Pushing, there: str
) -> None:
    assert patch(pushing.ward, there, AMEND).status_code == 200
    wrong(patch(pushing.ward, there, AMEND, If_Match='W/"1"'), 412, "conflict")
    wrong(patch(pushing.ward, there, AMEND, If_Match="one"), 400, "invalid")
    again = patch(pushing.ward, there, AMEND, If_Match='W/"2"', Prefer="return=representation")
    assert (again.status_code, read(again)["meta"]["versionId"]) == (200, "2")


def test_what_meets_a_condition_is_patched(pushing: Pushing, there: str) -> None:
    assert patch(pushing.ward, f"{ROOT}/Observation?identifier=urn:ward:results|7", AMEND).status_code == 200
    assert status(pushing.ward, there) == ("amended", "2")
    wrong(patch(pushing.ward, f"{ROOT}/Observation?identifier=urn:ward:results|8", AMEND), 404, "not-found")
    wrong(patch(pushing.ward, f"{ROOT}/Observation", AMEND), 400, "invalid")


BAD = [
    (b"{", JSON_PATCH, 400, "patch"),
    (b'[{"op":"test","op":"add"}]', JSON_PATCH, 400, "patch.op"),
    (b"[" * 200 + b"]" * 200, JSON_PATCH, 400, "patch"),
    ({"op": "add"}, JSON_PATCH, 400, "patch"),
    ([{"op": "remove", "path": "/shoe"}], JSON_PATCH, 400, "patch[0].path"),
    ([{"op": "remove", "path": "/status"}], JSON_PATCH, 400, "Observation.status"),
    ([{"op": "replace", "path": "/status", "value": "perhaps"}], JSON_PATCH, 400, "Observation.status"),
    ([{"op": "replace", "path": "/id", "value": str(uuid4())}], JSON_PATCH, 400, "id"),
    (parameters("delete", "Observation.shoe"), "application/fhir+json", 400, "Parameters.parameter[0].path"),
    ({"resourceType": "Observation"}, "application/fhir+json", 400, "resourceType"),
    ({"resourceType": "Binary", "contentType": "text/plain"}, "application/fhir+json", 400, "Binary.contentType"),
    ({"resourceType": "Binary", "contentType": JSON_PATCH, "data": "!"}, "application/fhir+json", 400, "Binary.data"),
    (b"<Parameters/>", "application/fhir+xml", 400, "body"),
]


@pytest.mark.parametrize(("sent", "kind", "status_", "named_"), BAD)
def test_a_patch_that_can_not_be_done_is_refused_with_its_place_and_changes_nothing(
    pushing: Pushing, there: str, sent: Any, kind: str, status_: int, named_: str
) -> None:
    answer = patch(pushing.ward, there, sent, kind)
    issues = read(answer)["issue"]
    assert (answer.status_code, issues[0]["expression"]) == (status_, [named_]), answer.text
    assert status(pushing.ward, there) == ("final", "1")


def test_a_test_that_fails_is_a_conflict(pushing: Pushing, there: str) -> None:
    wrong(patch(pushing.ward, there, [{"op": "test", "path": "/status", "value": "amended"}, *AMEND]), 409, "conflict")
    assert status(pushing.ward, there) == ("final", "1")


def test_another_content_type_is_not_supported(pushing: Pushing, there: str) -> None:
    for kind in ("text/plain", "application/merge-patch+json", "application/json; charset=latin1", "application/fhir+json; fhirVersion=5.0"):  # fmt: skip
        wrong(patch(pushing.ward, there, AMENDED, kind), 415, "not-supported")


# Who may ------------------------------------------------------------------------------------------


def test_what_is_hidden_is_patched_as_what_is_not_there(pushing: Pushing, there: str) -> None:
    unknown = wrong(patch(pushing.ward, f"{ROOT}/Condition/{uuid4()}", AMEND), 404, "not-found")
    hidden = wrong(patch(pushing.ward, f"{ROOT}/Condition/{key(HIS_ITEMS[0])}", AMEND), 404, "not-found")
    assert hidden == unknown
    wrong(patch(pushing.ward, f"{ROOT}/Condition/x", AMEND), 404, "not-found")


def test_what_another_organisation_answers_for_is_not_patched(pushing: Pushing, there: str) -> None:
    pushing.involve("P81001")
    surgery = pushing.system("surgery", "P81001", "gp")
    assert surgery.get(there).status_code == 200
    wrong(patch(surgery, there, AMEND), 403, "forbidden")
    wrong(patch(pushing.system("reader", "RDV", "nurse", "system/*.rs"), there, AMEND), 403, "forbidden")


def test_who_sees_less_than_there_is_patches_nothing(pushing: Pushing, there: str) -> None:
    """A test of what is kept back would tell what it is."""
    pushing.restrict("ann")
    for sent in (AMEND, [{"op": "test", "path": "/device", "value": 1}], [{"op": "remove", "path": "/shoe"}]):
        assert wrong(patch(pushing.ward, there, sent), 403, "forbidden")["diagnostics"].startswith("You see less")


def test_nobody_patches_the_golden_patient_or_the_audit(pushing: Pushing) -> None:
    wrong(patch(pushing.ward, f"{ROOT}/Patient/{pushing.people['ann']}", [{"op": "remove", "path": "/name"}]), 403, "forbidden")  # fmt: skip
    wrong(patch(pushing.ward, f"{ROOT}/AuditEvent/1", AMEND), 405, "not-supported")


def test_patches_stand_in_bundles_too(pushing: Pushing, there: str) -> None:
    where = there.removeprefix(f"{ROOT}/")
    for kind, version in (("batch", 'W/"1"'), ("transaction", 'W/"2"')):
        state = "amended" if kind == "batch" else "corrected"
        sent = parameters("replace", "Observation.status", value={"valueCode": state})
        answer = pushing.ward.post(ROOT, **body(bundle(kind, entry("PATCH", where, sent, ifMatch=version))))
        assert [one["response"]["status"][:3] for one in read(answer)["entry"]] == ["200"], answer.text
        assert status(pushing.ward, there)[0] == state


# Consents ---------------------------------------------------------------------------------------------


def test_a_consent_is_patched_by_the_rules_of_consents(pushing: Pushing) -> None:
    ward = pushing.system("consents", "RDV", "nurse", "system/Consent.cruds")
    sent = consent(f"Patient/{pushing.people['ann']}")
    made = ward.post(f"{ROOT}/Consent", **body(sent))
    assert made.status_code == 201, made.text
    path = f"{ROOT}/Consent/{id_of(made.headers['Location'])}"
    until = [{"op": "add", "path": "/provision/period", "value": {"end": "2027-01-01"}}]
    answer = patch(ward, path, until, If_Match='W/"1"')
    assert (answer.status_code, answer.headers["ETag"]) == (200, 'W/"2"'), answer.text
    found = read(ward.get(path))
    assert (found["provision"]["period"]["end"], found["dateTime"]) == ("2027-01-01", sent["dateTime"])
    wrong(patch(ward, path, until, If_Match='W/"1"'), 412, "conflict")
    other = [{"op": "replace", "path": "/patient/reference", "value": f"Patient/{pushing.people['bob']}"}]
    assert patch(ward, path, other).status_code in (400, 403, 404)
    assert read(ward.get(path))["meta"]["versionId"] == "2"
    wrong(patch(ward, f"{ROOT}/Consent/{uuid4()}", until), 404, "not-found")
    pushing.restrict("ann")
    wrong(patch(ward, path, until), 403, "forbidden")


def test_metadata_says_which_patches_are_taken(pushing: Pushing) -> None:
    told = read(pushing.ward.get(f"{ROOT}/metadata"))
    assert told["patchFormat"] == [JSON_PATCH, "application/fhir+json", "application/fhir+xml"]
    patched = {one["type"] for one in told["rest"][0]["resource"] if {"code": "patch"} in one["interaction"]}
    assert patched >= {"Observation", "Consent", "Patient", "Task"}
    assert "AuditEvent" not in patched
    assert HER_ITEMS[0].type in patched
