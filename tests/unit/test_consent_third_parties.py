"""The form of a resource for the person's own page: without who told it where that is somebody around them."""

from __future__ import annotations

from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from carelink.consent.third_parties import for_the_person

DAUGHTER = {"reference": "RelatedPerson/d1", "display": "Rose Hart"}
NURSE = {"reference": "Practitioner/n1", "display": "Nadia Rahman"}
CODE = {"text": "Falls"}
ANN = {"reference": "Patient/ann"}

CASES: list[tuple[str, dict[str, Any], dict[str, Any] | None]] = [
    ("a problem that the daughter told of", {"resourceType": "Condition", "subject": ANN, "code": CODE, "asserter": DAUGHTER}, {"resourceType": "Condition", "subject": ANN, "code": CODE}),
    ("one that a nurse told of", {"resourceType": "Condition", "subject": ANN, "code": CODE, "asserter": NURSE}, None),
    ("one that nobody is said to have told of", {"resourceType": "Condition", "subject": ANN, "code": CODE}, None),
    ("one that is told by what kind of person it is", {"resourceType": "Condition", "subject": ANN, "asserter": {"type": "RelatedPerson", "display": "Rose Hart"}}, {"resourceType": "Condition", "subject": ANN}),
    ("the words that repeat it go too", {"resourceType": "Condition", "subject": ANN, "asserter": DAUGHTER, "text": {"status": "generated", "div": "<div>told by Rose</div>"}}, {"resourceType": "Condition", "subject": ANN}),
    ("of two who measured, the worker stays", {"resourceType": "Observation", "status": "final", "code": CODE, "performer": [NURSE, DAUGHTER]}, {"resourceType": "Observation", "status": "final", "code": CODE, "performer": [NURSE]}),
    ("of one, nobody does", {"resourceType": "Observation", "status": "final", "code": CODE, "performer": [DAUGHTER]}, {"resourceType": "Observation", "status": "final", "code": CODE}),
    ("a note of hers is kept without her name", {"resourceType": "Observation", "status": "final", "code": CODE, "note": [{"authorReference": DAUGHTER, "text": "worse at night"}]}, {"resourceType": "Observation", "status": "final", "code": CODE, "note": [{"text": "worse at night"}]}),
    ("so is one signed in words", {"resourceType": "Observation", "status": "final", "code": CODE, "note": [{"authorString": "Rose H", "text": "x"}]}, {"resourceType": "Observation", "status": "final", "code": CODE, "note": [{"text": "x"}]}),
    ("one of a nurse keeps hers", {"resourceType": "Observation", "status": "final", "code": CODE, "note": [{"authorReference": NURSE, "text": "x"}]}, None),
    ("where to reach the daughter is hers", {"resourceType": "RelatedPerson", "patient": ANN, "name": [{"text": "Rose"}], "telecom": [{"value": "1"}], "birthDate": "1970-01-01"}, {"resourceType": "RelatedPerson", "patient": ANN, "name": [{"text": "Rose"}]}),
    ("also on the Patient", {"resourceType": "Patient", "contact": [{"name": {"text": "Rose"}, "telecom": [{"value": "1"}]}]}, {"resourceType": "Patient", "contact": [{"name": {"text": "Rose"}}]}),
    ("a relative's illness without the name", {"resourceType": "FamilyMemberHistory", "status": "completed", "patient": ANN, "relationship": CODE, "name": "Ada"}, {"resourceType": "FamilyMemberHistory", "status": "completed", "patient": ANN, "relationship": CODE}),
]  # fmt: skip


@pytest.mark.parametrize(("what", "body", "wanted"), CASES, ids=[what for what, *_ in CASES])
def test_what_the_person_sees(what: str, body: dict[str, Any], wanted: dict[str, Any] | None) -> None:
    before = repr(body)
    assert for_the_person(body["resourceType"], body) == wanted
    assert repr(body) == before, "what workers see stays as it is"


@pytest.mark.parametrize("body", [wanted for _, _, wanted in CASES if wanted], ids=str)
def test_it_is_still_fhir(body: dict[str, Any]) -> None:
    get_fhir_model_class(body["resourceType"]).model_validate(body)
