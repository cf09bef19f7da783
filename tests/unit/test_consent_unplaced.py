"""What tells which organisation holds an item is taken out of it, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from carelink.consent.unplaced import unplaced
from carelink.ids import NHS_NUMBER, ODS
from fhir_adapters import exact_json

MASKED = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"},
    ]
}
SNOMED = {"system": "http://snomed.info/sct", "code": "73211009", "display": "Diabetes mellitus"}
LOCAL = {"system": "https://northdale.example/codes", "code": "D1", "display": "Diabetes"}


def left(part: dict[str, Any], *, own: str = "901", own_item: bool = False) -> dict[str, Any]:
    text = exact_json.dumps({"resourceType": "Condition", **part}).decode()
    told: dict[str, Any] = exact_json.loads(unplaced(text, own, own_item=own_item))
    assert told.pop("resourceType") == "Condition"
    return told


STAYS = [
    ("a code of everywhere", {"code": {"coding": [SNOMED], "text": "Diabetes"}}),
    ("a reference within the record", {"subject": {"reference": "Patient/1", "display": "Ann Hart"}}),
    ("an NHS number", {"identifier": [{"system": NHS_NUMBER, "value": "9990000034"}]}),
    ("an extension of the standard", {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/x", "valueCode": "a"}]}),
    ("an extension without an address", {"extension": [{"url": "part", "valueCode": "a"}]}),
    ("a date and a number as it is written", {"onsetDateTime": "2026-11-24", "count": 1}),
    ("a coding with a display alone", {"securityLabel": [{"display": "restricted"}]}),
    ("the own organisation", {"recorder": {"identifier": {"system": ODS, "value": "901"}}}),
    ("what the record quotes of itself", {"evidence": [{"reference": "#1"}], "contained": [{"resourceType": "Observation", "id": "1"}]}),
    ("a place of null beside an extension", {"given": [None, "Ann"]}),
]  # fmt: skip


@pytest.mark.parametrize(("what", "part"), STAYS, ids=[what for what, _ in STAYS])
def test_what_names_no_organisation_stays_as_it_is(what: str, part: dict[str, Any]) -> None:
    assert left(part) == part


GOES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("where it came from", {"meta": {"source": "urn:x", "tag": [{"code": "a"}], "versionId": "1"}}, {"meta": {"versionId": "1"}}),
    ("the system of a local code", {"code": {"coding": [LOCAL]}}, {"code": {"coding": [{"code": "D1", "display": "Diabetes"}]}}),
    ("a local identifier", {"identifier": [{"system": "https://northdale.example/person", "value": "N1"}]}, {}),
    ("an identifier without a system", {"identifier": [{"value": "N1"}]}, {}),
    ("who gave an identifier", {"identifier": [{"system": NHS_NUMBER, "value": "9", "assigner": {"display": "North"}}]}, {"identifier": [{"system": NHS_NUMBER, "value": "9"}]}),
    ("a local extension", {"extension": [{"url": "https://northdale.example/x", "valueCode": "a"}]}, {}),
    ("from which source an element is", {"extension": [{"url": "https://carelink.example/StructureDefinition/element-source", "valueUri": "urn:x"}]}, {}),
    ("an organisation", {"managingOrganization": {"reference": "Organization/1", "display": "North"}}, {"managingOrganization": MASKED}),
    ("an organisation by its code", {"recorder": {"identifier": {"system": ODS, "value": "RDV"}}}, {"recorder": MASKED}),
    ("an organisation by its name alone", {"custodian": {"display": "Northdale Hospital"}}, {"custodian": MASKED}),
    ("a worker", {"recorder": {"reference": "Practitioner/1"}}, {"recorder": MASKED}),
    ("a worker told by type", {"recorder": {"type": "PractitionerRole", "display": "Dr Desai"}}, {"recorder": MASKED}),
    ("a reference to elsewhere", {"subject": {"reference": "https://northdale.example/Patient/1"}}, {"subject": MASKED}),
    ("an organisation that it contains", {"asserter": {"reference": "#o"}, "contained": [{"resourceType": "Organization", "id": "o"}]}, {"asserter": MASKED}),
    ("a worker that it contains", {"asserter": {"reference": "#w"}, "contained": [{"resourceType": "Practitioner", "id": "w"}]}, {"asserter": MASKED}),
    ("the address of a file", {"content": [{"attachment": {"url": "https://northdale.example/1", "title": "Letter"}}]}, {"content": [{"attachment": {"title": "Letter"}}]}),
    ("who wrote a note", {"note": [{"authorString": "Dr Desai", "text": "Well"}]}, {"note": [{"text": "Well"}]}),
    ("a narrative", {"text": {"status": "generated", "div": "<div>North</div>"}}, {}),
    ("what stands beside a primitive", {"_status": {"extension": [{"url": "https://northdale.example/x"}]}}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("what", "part", "told"), GOES, ids=[what for what, *_ in GOES])
def test_what_names_an_organisation_goes(what: str, part: dict[str, Any], told: dict[str, Any]) -> None:
    assert left(part) == told


def test_who_holds_it_themselves_reads_their_own_workers_and_no_others() -> None:
    part = {"recorder": {"reference": "Practitioner/1"}, "managingOrganization": {"reference": "Organization/1"}}
    assert left(part, own_item=True) == {"recorder": part["recorder"], "managingOrganization": MASKED}
    held = {"asserter": {"reference": "#w"}, "contained": [{"resourceType": "Practitioner", "id": "w"}]}
    assert left(held, own_item=True) == held


def test_to_whom_somebody_denies_what_stays_exact() -> None:
    provision = {"type": "deny", "actor": [{"reference": {"identifier": {"system": ODS, "value": "RDV"}}}]}
    text = exact_json.dumps({"resourceType": "Consent", "provision": provision, "organization": [{"display": "N"}]})
    told = exact_json.loads(unplaced(text.decode(), "901", own_item=False))
    assert told == {"resourceType": "Consent", "provision": provision, "organization": [MASKED]}


def test_numbers_and_their_order_are_as_they_were_stored() -> None:
    text = '{"resourceType":"Observation","valueQuantity":{"system":"http://unitsofmeasure.org","value":1.00}}'
    assert unplaced(text, "901", own_item=False) == text
    assert unplaced("", "901", own_item=False) == "", "what was erased has no text"
