"""What passes untouched, and what does not, with the place of each mistake."""

from __future__ import annotations

from typing import Any

import pytest

from carelink.record.validation import check
from fhir_adapters import exact_json

OBSERVATION = {"resourceType": "Observation", "id": "o1", "status": "final", "code": {"text": "pulse"}}
PATIENT = {"resourceType": "Patient", "id": "p1"}
MEDICINE = {
    "resourceType": "MedicationRequest",
    "id": "m1",
    "status": "active",
    "intent": "order",
    "medicationCodeableConcept": {"text": "Ramipril 5 mg"},
    "subject": {"reference": "Patient/p1"},
}


def problems(body: dict[str, Any]) -> list[tuple[str, str]]:
    checked = check(body["resourceType"], body)
    return [(one.place, one.why) for one in checked.problems]


def test_what_is_sound_comes_back_as_the_very_same_object_without_a_trace() -> None:
    body = exact_json.loads('{"resourceType":"Observation","id":"o","status":"final","code":{"text":"HbA1c"}}')
    checked = check("Observation", body)
    assert checked.body is body
    assert (checked.repairs, checked.problems) == ((), ())


def test_an_impossible_date_in_an_extension_costs_no_more_than_that_date() -> None:
    ended = {"url": "endDate", "valueDateTime": "19"}
    status = {"text": "ended", "extension": [{"url": "https://x.example/ended", "extension": [ended]}]}
    body = {"resourceType": "AllergyIntolerance", "id": "a", "patient": {"reference": "Patient/p1"}}
    checked = check("AllergyIntolerance", body | {"clinicalStatus": status})
    assert checked.problems == ()
    assert [(one.rule, one.was) for one in checked.repairs] == [("R07-impossible-date", "19")]
    (told,) = checked.body["clinicalStatus"]["extension"][0]["extension"]
    assert told.keys() == {"url", "_valueDateTime"}
    assert check("AllergyIntolerance", checked.body).repairs == ()
    assert problems(PATIENT | {"extension": [{"url": "https://x.example/ended", "_valueDateTime": "odd"}]})
    assert problems(PATIENT | {"extension": [{"url": "https://x.example/ended", "_valueOdd": {"id": "1"}}]})


def test_a_decimal_keeps_its_text_through_validation() -> None:
    body = exact_json.loads(
        '{"resourceType":"Observation","id":"o","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.00}}'
    )
    assert b'"value":1.00' in exact_json.dumps(check("Observation", body).body)


# what is sent, and the FHIRPath and words of what is wrong with it
REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("no status", {**OBSERVATION, "status": None}, "Observation.status", "is required"),
    ("a status that there is not", {**OBSERVATION, "status": "done"}, "Observation.status", "'done' is not one of"),
    ("no code once the empty one is gone", {**OBSERVATION, "code": {}}, "Observation.code", "is required"),
    ("text for an object", {**OBSERVATION, "code": "pulse"}, "Observation.code", "must be an object"),
    (
        "text that looks like an object",
        {**OBSERVATION, "code": '{"text": "pulse"}'},
        "Observation.code",
        "must be an object",
    ),
    (
        "a value in quotation marks",
        {**OBSERVATION, "valueQuantity": {"value": "72"}},
        "Observation.valueQuantity.value",
        "must be a number",
    ),
    (
        "a float, whose text is lost",
        {**OBSERVATION, "valueQuantity": {"value": 0.1}},
        "Observation.valueQuantity.value",
        "must be a number",
    ),
    (
        "a value and the reason why there is none",
        {**OBSERVATION, "valueString": "72", "dataAbsentReason": {"text": "not done"}},
        "Observation",
        "obs-6",
    ),
    ("two values", {**OBSERVATION, "valueString": "a", "valueInteger": 1}, "Observation", "Any of one field value"),
    (
        "what may turn the meaning round",
        {**OBSERVATION, "modifierExtension": [{"url": "https://x.example/not", "valueBoolean": True}]},
        "Observation.modifierExtension",
        "https://x.example/not",
    ),
    (
        "the same deep inside",
        {
            **MEDICINE,
            "dosageInstruction": [{"modifierExtension": [{"url": "https://x.example/not", "valueCode": "n"}]}],
        },
        "MedicationRequest.dosageInstruction[0].modifierExtension",
        "https://x.example/not",
    ),
    ("an element that FHIR does not know", {**PATIENT, "shoeSize": "9"}, "Patient.shoeSize", "is not an element"),
    ("a number for truth", {**PATIENT, "active": 1}, "Patient.active", "must be true or false"),
    ("too great a number", {**PATIENT, "multipleBirthInteger": 2**31}, "Patient.multipleBirthInteger", ""),
    (
        "bytes that are none",
        {**PATIENT, "photo": [{"contentType": "image/png", "data": "%%%"}]},
        "Patient.photo[0].data",
        "must be base64",
    ),
    (
        "something contained in something contained",
        {
            **PATIENT,
            "managingOrganization": {"reference": "#a"},
            "contained": [
                {
                    "resourceType": "Organization",
                    "id": "a",
                    "name": "A",
                    "contained": [{"resourceType": "Organization", "id": "b", "name": "B"}],
                }
            ],
        },
        "Patient.contained[0]",
        "dom-2",
    ),
    ("a type that there is not", {"resourceType": "Nonsense"}, "Nonsense", "is not a resource type"),
    ("a type that came with R4B", {"resourceType": "NutritionProduct"}, "NutritionProduct", "is not a resource type"),
    ("a datatype", {"resourceType": "HumanName"}, "HumanName", "is not a resource type"),
]


@pytest.mark.parametrize(("sent", "place", "why"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_cannot_be_made_safe_is_told_by_its_place(sent: dict[str, Any], place: str, why: str) -> None:
    found = problems(sent)
    assert [one for one in found if one[0] == place and why in one[1]], found


def test_every_mistake_of_a_resource_is_told_not_only_the_first() -> None:
    body = {**OBSERVATION, "status": "done", "valueQuantity": {"value": "72"}}
    assert {place for place, _ in problems(body)} == {"Observation.status", "Observation.valueQuantity.value"}


def test_mistakes_that_remain_do_not_undo_the_trace_of_what_was_repaired() -> None:
    checked = check("Observation", {**OBSERVATION, "status": "done", "issued": "2026-05-01"})
    assert [one.rule for one in checked.repairs] == ["R04-day-for-instant"]
    assert [one.place for one in checked.problems] == ["Observation.status"]


@pytest.mark.parametrize("depth", [400, 50_000])
def test_nesting_without_end_is_a_problem_and_no_crash(depth: int) -> None:
    item: dict[str, Any] = {"linkId": "1"}
    for _ in range(depth):
        item = {"linkId": "1", "item": [item]}
    body = {"resourceType": "QuestionnaireResponse", "id": "q", "status": "completed", "item": [item]}
    assert problems(body)


def test_a_required_choice_may_be_there_by_the_reason_of_its_absence_alone() -> None:
    absent = {
        "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]
    }
    body = {
        "resourceType": "Immunization",
        "id": "i",
        "status": "completed",
        "vaccineCode": {"text": "MMR"},
        "patient": {"reference": "Patient/p"},
        "_occurrenceDateTime": absent,
    }
    assert check("Immunization", body).problems == ()
    assert problems({**body, "status": "later"})[0][0] == "Immunization.status"
    assert problems({**body, "vaccineCode": "MMR"})[0][0] == "Immunization.vaccineCode"
    assert problems({key: value for key, value in body.items() if key != "_occurrenceDateTime"})


def test_a_resource_of_a_bundle_stands_by_itself_and_is_not_judged_as_contained() -> None:
    owner = {"resourceType": "Organization", "id": "o", "name": "A"}
    entry = {
        "resourceType": "Patient",
        "id": "p",
        "meta": {"versionId": "3", "security": [{"code": "R"}]},
        "managingOrganization": {"reference": "#o"},
        "contained": [owner],
    }
    body = {"resourceType": "Bundle", "id": "b", "type": "collection", "entry": [{"resource": entry}]}
    checked = check("Bundle", body)
    assert (checked.body, checked.repairs, checked.problems) == (body, (), ())
    dangling = {**entry, "managingOrganization": {"reference": "#nobody"}}
    told = check("Bundle", {**body, "entry": [{"resource": dangling}]})
    assert {(one.rule, one.path) for one in told.repairs} == {
        ("dom-3", "Bundle.entry[0].resource"),
        ("ref-1", "Bundle.entry[0].resource.managingOrganization.reference"),
    }
