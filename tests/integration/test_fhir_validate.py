"""`$validate`: every published example of UK Core, what is wrong with what is wrong, and who may ask."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from fhir_builders import ANN, HER_ITEMS, HIS_ITEMS, api, people, read, system, trail, wrong
from flask.testing import FlaskClient
from ingest_builders import key
from sqlalchemy import Engine, func, select
from werkzeug.test import TestResponse

from carelink.db.tables import resource
from carelink.place import Place
from fhir_adapters import exact_json
from fhir_adapters.simulators.xml_reading import read as read_xml

ROOT = "/fhir/R4"
UK_CORE = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-"
NHS = "https://fhir.nhs.uk/Id/nhs-number"
Json = dict[str, Any]


@pytest.fixture
def asks(engine: Engine, place: Place) -> Iterator[FlaskClient]:
    people(engine, place)
    with system(api(engine, place), place, "ward-system", "RDV", "nurse", "system/*.rs") as client:
        yield client


def validated(asks: FlaskClient, body: Any, path: str = "", **query: str) -> list[Json]:
    """The issues of the answer, which is always 200."""
    text = body if isinstance(body, bytes) else exact_json.dumps(body)
    path = path or f"{ROOT}/{body['resourceType']}/$validate"
    answer = asks.post(path, data=text, content_type="application/fhir+json", query_string=query)
    return issues(answer)


def issues(answer: TestResponse) -> list[Json]:
    assert (answer.status_code, answer.content_type) == (200, "application/fhir+json"), answer.text
    told = read(answer)
    assert told["resourceType"] == "OperationOutcome"
    for one in told["issue"]:
        assert one["diagnostics"], "it says what to do"
        assert len(one["expression"]) == 1, "it says where"
    return list(told["issue"])


def at(issue: Json) -> tuple[str, str, str]:
    return issue["severity"], issue["code"], issue["expression"][0]


# What is said of the published examples that are not all well; of every other, that they are.
SAID: Mapping[str, list[tuple[str, str, str]]] = {
    "Extension-UKCore-AddressKey-Example": [
        ("warning", "value", "Patient.address[0].extension[0].extension[1].valueString"),  # a PAF key with letters
        ("warning", "business-rule", "Patient.name"),
    ],
    "Extension-UKCore-ContactPreference-Example": [("warning", "business-rule", "Patient.name")],
    "Extension-UKCore-CopyCorrespondenceIndicator-Example": [("warning", "business-rule", "Patient.name")],
    "Extension-UKCore-MedicalApplianceSupplier-Example": [("warning", "business-rule", "Patient.name")],
    "Extension-UKCore-OtherContactSystem-Example": [("warning", "business-rule", "Patient.name")],
    "Extension-UKCore-OverseasVisitorChargingCategory-Example": [("warning", "business-rule", "Patient.name")],
    "Extension-UKCore-ResidentialStatus-Example": [("warning", "business-rule", "Patient.name")],
    "UKCore-Organization-WhiteRoseMedicalCentre-Example": [
        ("warning", "value", "Organization.address[0].postalCode")  # LS1288T
    ],
    "UKCore-Patient-Sn-Photo-Example": [("warning", "business-rule", "Patient.name")],
}


def test_every_published_example_of_uk_core_is_judged_as_the_table_says(
    asks: FlaskClient, shared_examples: Path
) -> None:
    told = {}
    paths = sorted((shared_examples / "uk-core").glob("*.xml"))
    for path in paths:
        body = read_xml(path.read_bytes())
        found = [at(one) for one in validated(asks, body)]
        if found != [("information", "informational", body["resourceType"])]:
            told[path.stem] = found
    assert len(paths) > 100
    assert told == SAID


def test_the_same_is_said_of_what_is_sent_as_xml(asks: FlaskClient, shared_examples: Path) -> None:
    text = (shared_examples / "uk-core/UKCore-Organization-WhiteRoseMedicalCentre-Example.xml").read_bytes()
    answer = asks.post(f"{ROOT}/Organization/$validate", data=text, content_type="application/fhir+xml")
    assert [at(one) for one in issues(answer)] == SAID["UKCore-Organization-WhiteRoseMedicalCentre-Example"]


def patient(**elements: Any) -> Json:
    return {"resourceType": "Patient", "name": [{"use": "official", "family": "Hill"}], **elements}


def test_every_fault_is_told_at_once_with_its_place(asks: FlaskClient) -> None:
    body = patient(
        gender="Male",
        birthDate="1961-04-93",
        colour="blue",
        telecom=[{"value": "1"}],
        identifier=[{"system": NHS, "value": "999 000 0018"}],
        address=[{"postalCode": "LS1288T"}],
        maritalStatus={},
    )
    assert {at(one) for one in validated(asks, body)} == {
        ("error", "code-invalid", "Patient.gender"),
        ("error", "value", "Patient.birthDate"),
        ("error", "structure", "Patient.colour"),
        ("error", "structure", "Patient.maritalStatus"),
        ("error", "invariant", "Patient.telecom[0]"),
        ("error", "value", "Patient.identifier[0].value"),
        ("warning", "business-rule", "Patient.identifier[0]"),
        ("warning", "value", "Patient.address[0].postalCode"),
    }


def test_what_is_wrong_in_a_resource_of_a_bundle_is_told_at_its_place_there(asks: FlaskClient) -> None:
    entry = {"resource": patient(gender="Male", identifier=[{"system": NHS, "value": "1"}])}
    found = {at(one) for one in validated(asks, {"resourceType": "Bundle", "type": "collection", "entry": [entry]})}
    assert ("error", "code-invalid", "Bundle.entry[0].resource.gender") in found
    assert ("error", "value", "Bundle.entry[0].resource.identifier[0].value") in found


def parameters(**said: Any) -> Json:
    return {"resourceType": "Parameters", "parameter": [{"name": name, **value} for name, value in said.items()]}


REQUEST: Json = {
    "resourceType": "MedicationRequest",
    "status": "active",
    "intent": "order",
    "medicationCodeableConcept": {"text": "Aspirin"},
    "subject": {"reference": "Patient/1"},
}


@pytest.mark.parametrize("kind", ["valueUri", "valueCanonical"])
def test_a_profile_that_is_asked_for_is_held_to(asks: FlaskClient, kind: str) -> None:
    said = parameters(resource={"resource": REQUEST}, profile={kind: f"{UK_CORE}MedicationRequest"})
    path = f"{ROOT}/MedicationRequest/$validate"
    assert [at(one) for one in validated(asks, said, path)] == [("error", "required", "MedicationRequest.substitution")]
    by_address = validated(asks, REQUEST, profile=f"{UK_CORE}MedicationRequest")
    assert [at(one) for one in by_address] == [("error", "required", "MedicationRequest.substitution")]
    assert [at(one) for one in validated(asks, REQUEST)] == [("warning", "required", "MedicationRequest.substitution")]


def test_a_vital_sign_is_held_to_the_profile_that_it_claims(asks: FlaskClient) -> None:
    body = {
        "resourceType": "Observation",
        "meta": {"profile": [f"{UK_CORE}Observation-VitalSigns-HeartRate"]},
        "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": "Patient/1"},
        "effectiveDateTime": "2026-11-01",
        "valueQuantity": {"value": 72, "unit": "bpm", "system": "http://unitsofmeasure.org", "code": "/min"},
    }  # fmt: skip
    assert [at(one) for one in validated(asks, body)] == [("error", "value", "Observation.valueQuantity.code")]
    body["valueQuantity"]["unit"] = "per minute"  # type: ignore[index]
    assert [one["severity"] for one in validated(asks, body)] == ["information"]


def test_a_profile_that_is_not_known_is_said_not_to_be_supported(asks: FlaskClient) -> None:
    [issue] = validated(asks, patient(), profile="https://x.example/StructureDefinition/p")
    assert at(issue) == ("error", "not-supported", "Patient")
    assert "UKCore-Patient" in issue["diagnostics"]
    assert [one["severity"] for one in validated(asks, patient(), profile=f"{UK_CORE}Patient|2.6.1")] == ["information"]
    base = "http://hl7.org/fhir/StructureDefinition/Patient"
    assert [one["severity"] for one in validated(asks, patient(), profile=base)] == ["information"]


def test_nothing_is_stored(asks: FlaskClient, engine: Engine) -> None:
    counted = select(func.count()).select_from(resource)
    with engine.connect() as conn:
        before = conn.execute(counted).scalar()
    validated(asks, patient(id=str(uuid4())))
    with engine.connect() as conn:
        assert conn.execute(counted).scalar() == before


def test_what_is_stored_is_validated_under_the_lens_and_kept_as_a_read(asks: FlaskClient, engine: Engine) -> None:
    hers, his = key(HER_ITEMS[1]), key(HIS_ITEMS[0])
    for answer in (asks.get(f"{ROOT}/Condition/{hers}/$validate"), asks.post(f"{ROOT}/Condition/{hers}/$validate")):
        assert [at(one) for one in issues(answer)] == [("information", "informational", "Condition")]
    assert (trail(engine)[-1].action, trail(engine)[-1].detail["resource"]) == ("read", str(hers))
    nobody = wrong(asks.get(f"{ROOT}/Condition/{uuid4()}/$validate"), 404, "not-found")
    assert wrong(asks.get(f"{ROOT}/Condition/{his}/$validate"), 404, "not-found") == nobody
    sent = asks.post(f"{ROOT}/Condition/{his}/$validate", json={"resourceType": "Condition", "id": str(his)})
    assert wrong(sent, 404, "not-found") == nobody


def test_the_next_version_of_a_resource_has_its_id(asks: FlaskClient) -> None:
    path = f"{ROOT}/Patient/{key(ANN)}/$validate"
    assert [at(one) for one in validated(asks, patient(), path)] == [("error", "invariant", "Patient.id")]
    assert [one["severity"] for one in validated(asks, patient(id=str(key(ANN))), path)] == ["information"]


def test_a_mode_says_what_for(asks: FlaskClient) -> None:
    assert [at(one) for one in validated(asks, patient(), mode="update")][:1] == [("error", "required", "Patient.id")]
    assert [one["severity"] for one in validated(asks, patient(), mode="create")] == ["information"]
    deleted = asks.post(f"{ROOT}/Patient/{key(ANN)}/$validate", query_string={"mode": "delete"})
    assert [one["severity"] for one in issues(deleted)] == ["information"]


def post(asks: FlaskClient, body: bytes, type_: str = "Patient", **more: Any) -> TestResponse:
    return asks.post(f"{ROOT}/{type_}/$validate", data=body, content_type="application/fhir+json", **more)


# what is sent, the place that is named
BAD: list[tuple[str, bytes, str]] = [
    ("no JSON", b'{"resourceType": "Patient"', "Patient"),
    ("a name twice", b'{"resourceType": "Patient", "gender": "male", "gender": "female"}', "Patient.gender"),
    ("no UTF-8", b'{"resourceType": "Patient", "id": "\xff"}', "Patient"),
    ("an endless number", b'{"resourceType": "Patient", "multipleBirthInteger": 1e400}', "Patient.multipleBirthInteger"),
    ("nested without end", b'{"resourceType": "Patient", "a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", "Patient"),
    ("another type", b'{"resourceType": "Observation"}', "resourceType"),
    ("a list", b"[]", "Patient"),
    ("nothing", b"", "Parameters.parameter"),
    ("Parameters without it", json.dumps(parameters(mode={"valueCode": "create"})).encode(), "Parameters.parameter"),
    ("another type within", json.dumps(parameters(resource={"resource": REQUEST})).encode(), "Parameters.parameter[0]"),
    ("an unknown mode", json.dumps(parameters(resource={"resource": patient()}, mode={"valueCode": "guess"})).encode(), "mode"),
    ("no profile to go with it", json.dumps(parameters(resource={"resource": patient()}, mode={"valueCode": "profile"})).encode(), "profile"),
    ("an unknown parameter", json.dumps(parameters(resource={"resource": patient()}, strict={"valueBoolean": True})).encode(), "strict"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "where"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_bad_input_is_refused_with_its_place(asks: FlaskClient, body: bytes, where: str) -> None:
    answer = post(asks, body)
    assert 400 <= answer.status_code < 500
    assert read(answer)["issue"][0]["expression"] == [where]


def test_what_is_too_large_to_be_looked_at_is_said_to_be_so(asks: FlaskClient) -> None:
    [issue] = validated(asks, patient(extension=[{"url": "https://x.example/"}] * 20_000))
    assert at(issue) == ("error", "too-costly", "Patient")
    assert post(asks, b" " * 20_000_000).status_code == 413


def test_a_thousand_faults_are_not_all_told(asks: FlaskClient) -> None:
    found = validated(asks, patient(identifier=[{"system": NHS, "value": "1"}] * 1000))
    assert len(found) < 250
    assert at(found[-1])[:2] == ("information", "incomplete")


def test_wrong_addresses_and_wrong_bodies_have_their_own_words(asks: FlaskClient) -> None:
    wrong(post(asks, b'{"resourceType": "Foo"}', "Foo"), 404, "not-found")
    wrong(post(asks, b'{"resourceType": "Citation"}', "Citation"), 404, "not-found")
    wrong(asks.post(f"{ROOT}/Patient/$validate", data="x", content_type="text/plain"), 415, "not-supported")
    wrong(asks.get(f"{ROOT}/Patient/{key(ANN)}/$validate?strict=true"), 400, "invalid")


@pytest.mark.parametrize(
    ("scopes", "status"),
    [("system/Patient.r", 200), ("system/Patient.c", 200), ("system/Patient.u", 200), ("system/Condition.cruds", 403)],
)
def test_whoever_reads_or_writes_a_type_may_ask(engine: Engine, place: Place, scopes: str, status: int) -> None:
    people(engine, place)
    with system(api(engine, place), place, "ward-system", "RDV", "nurse", scopes) as client:
        assert post(client, b'{"resourceType": "Patient"}').status_code == status


def test_without_a_token_nothing_is_looked_at(asks: FlaskClient) -> None:
    del asks.environ_base["HTTP_AUTHORIZATION"]
    wrong(post(asks, b'{"resourceType": "Patient"}'), 401, "login")
