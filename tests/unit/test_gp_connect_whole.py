"""When a practice's answer is all that it has of a person, so that what it left out is gone."""

from __future__ import annotations

from typing import Any

from fhir_adapters.gp_connect.record import map_record

NUMBER = "9990000018"
PATIENT = {
    "resourceType": "Patient",
    "id": "1",
    "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": NUMBER}],
}
ALLERGIES = {
    "resourceType": "List",
    "id": "allergies",
    "status": "current",
    "mode": "snapshot",
    "code": {"coding": [{"system": "http://snomed.info/sct", "code": "886921000000105"}]},
    "subject": {"reference": "Patient/1"},
}
WARNING = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "not-supported"}]}
REQUEST = {"resourceType": "ProcedureRequest", "id": "r", "subject": {"reference": "Patient/2"}, "status": "active"}


def whole_of(*resources: dict[str, Any]) -> Any:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}
    return map_record(bundle, "P81001", NUMBER).whole


def test_a_record_with_its_lists_is_whole_and_names_all_that_it_told() -> None:
    whole = whole_of(PATIENT, ALLERGIES)
    assert whole.namespace == f"P81001/{NUMBER}"
    assert whole.ids == {("Patient", "1"), ("List", "allergies")}


def test_a_record_without_lists_or_with_a_word_about_itself_is_not() -> None:
    assert whole_of(PATIENT) is None
    assert whole_of(PATIENT, ALLERGIES, WARNING) is None
    assert whole_of(ALLERGIES) is None


def test_what_was_rejected_is_told_by_the_type_that_it_would_be_stored_as() -> None:
    other = {"resourceType": "Patient", "id": "2"}
    assert ("ServiceRequest", "ProcedureRequest.r") in whole_of(PATIENT, ALLERGIES, REQUEST, other).ids
