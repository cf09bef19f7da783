"""Allergies and problems, STU3 to UK Core R4.

Beside each table the pages of HL7 that it follows: R4's "Differences from R3" of the type, and UK Core's extensions.
"""

from __future__ import annotations

import pytest
from gp_connect_cases import (
    HL7_UK,
    NHS_UK,
    SNOMED,
    STU3,
    TERMINOLOGY,
    UKCORE,
    Case,
    concept,
    holds,
    mapped,
    ref,
    whole,
)

ALLERGY = f"{TERMINOLOGY}allergyintolerance-"
CONDITION = f"{TERMINOLOGY}condition-"
PEANUT = concept(SNOMED, "91935009", "Allergy to peanuts")
ENDED = [
    {"url": "endDate", "valueDateTime": "2016-11-01"},
    {"url": "reasonEnded", "valueString": "Desensitised to peanuts"},
]

ALLERGIES = [
    Case(
        "the codes of its status are concepts in R4, and asserted is recorded",
        "AllergyIntolerance",
        {"clinicalStatus": "active", "verificationStatus": "unconfirmed", "assertedDate": "2019-05", "code": PEANUT},
        {
            "clinicalStatus": concept(f"{ALLERGY}clinical", "active"),
            "verificationStatus": concept(f"{ALLERGY}verification", "unconfirmed"),
            "recordedDate": "2019-05",
            "code": PEANUT,
        },
    ),
    Case(
        "type, categories and criticality are the same in both",
        "AllergyIntolerance",
        {"type": "intolerance", "category": ["food", "medication"], "criticality": "high"},
        {"type": "intolerance", "category": ["food", "medication"], "criticality": "high"},
    ),
    Case(
        "when and why it ended stands on the status in UK Core",
        "AllergyIntolerance",
        {
            "clinicalStatus": "resolved",
            "extension": [{"url": f"{NHS_UK}GPC-AllergyIntoleranceEnd-1", "extension": ENDED}],
            "lastOccurrence": "2016-11-01T00:00:00+00:00",
        },
        {
            "clinicalStatus": concept(f"{ALLERGY}clinical", "resolved")
            | {"extension": [{"url": f"{UKCORE}AllergyIntoleranceEnd", "extension": ENDED}]},
            "lastOccurrence": "2016-11-01T00:00:00+00:00",
        },
    ),
    Case(
        "without a status the end stays where it is, and is not lost",
        "AllergyIntolerance",
        {"extension": [{"url": f"{HL7_UK}AllergyIntoleranceEnd-1", "extension": ENDED}]},
        {"extension": [{"url": f"{UKCORE}AllergyIntoleranceEnd", "extension": ENDED}]},
    ),
    Case(
        "the encounter is an element in R4",
        "AllergyIntolerance",
        {
            "extension": [
                {
                    "url": "http://hl7.org/fhir/StructureDefinition/encounter-associatedEncounter",
                    "valueReference": ref("Encounter/e1"),
                }
            ]
        },
        {"encounter": ref("Encounter/e1")},
    ),
    Case(
        "a reaction with what was seen and how bad it was is the same",
        "AllergyIntolerance",
        {"reaction": [{"manifestation": [concept(SNOMED, "267036007", "Breathless")], "severity": "severe"}]},
        {"reaction": [{"manifestation": [concept(SNOMED, "267036007", "Breathless")], "severity": "severe"}]},
    ),
    Case(
        "what stood beside a status is kept with it",
        "AllergyIntolerance",
        {"clinicalStatus": "active", "_clinicalStatus": {"extension": [{"url": "urn:x", "valueString": "y"}]}},
        {
            "clinicalStatus": concept(f"{ALLERGY}clinical", "active")
            | {"extension": [{"url": "urn:x", "valueString": "y"}]}
        },
    ),
    Case(
        "a status in another spelling is that status, and a trace says so",
        "AllergyIntolerance",
        {"clinicalStatus": "Active "},
        {"clinicalStatus": concept(f"{ALLERGY}clinical", "active")},
        ("GP-code-spelling",),
    ),
]

SIGNIFICANT = {"valueCode": "major"}
RELATED = [{"url": "type", "valueCode": "parent"}, {"url": "target", "valueReference": ref("Condition/x")}]
PROBLEMS = [
    Case(
        "the header of a problem",
        "Condition",
        {
            "clinicalStatus": "active",
            "category": [concept("http://hl7.org/fhir/condition-category", "problem-list-item")],
            "context": ref("Encounter/e1"),
            "assertedDate": "2020-12-01T00:00:00+00:00",
            "asserter": ref("Practitioner/gp1"),
            "onsetDateTime": "2019",
            "abatementDateTime": "2020-03-23",
        },
        {
            "clinicalStatus": concept(f"{CONDITION}clinical", "active"),
            "category": [concept(f"{CONDITION}category", "problem-list-item")],
            "encounter": ref("Encounter/e1"),
            "recordedDate": "2020-12-01T00:00:00+00:00",
            "asserter": ref("Practitioner/gp1"),
            "onsetDateTime": "2019",
            "abatementDateTime": "2020-03-23",
        },
    ),
    Case(
        "its extensions are UK Core's, from whichever host and with whatever infix they come",
        "Condition",
        {
            "extension": [
                {"url": f"{HL7_UK}ProblemSignificance-1"} | SIGNIFICANT,
                {"url": f"{NHS_UK}GPC-ProblemSignificance-1"} | SIGNIFICANT,
                {"url": f"{HL7_UK}ActualProblem-1", "valueReference": ref("Observation/o2")},
                {"url": f"{NHS_UK}GPC-ActualProblem-1", "valueReference": ref("Observation/o2")},
                {"url": f"{HL7_UK}RelatedClinicalContent-1", "valueReference": ref("ProcedureRequest/pr1")},
                {"url": f"{HL7_UK}RelatedProblemHeader-1", "extension": RELATED},
            ]
        },
        {
            "extension": [
                {"url": f"{UKCORE}ProblemSignificance"} | SIGNIFICANT,
                {"url": f"{UKCORE}ProblemSignificance"} | SIGNIFICANT,
                {"url": f"{UKCORE}ActualProblem", "valueReference": ref("Observation/o2")},
                {"url": f"{UKCORE}ActualProblem", "valueReference": ref("Observation/o2")},
                {
                    "url": f"{UKCORE}RelatedClinicalContent",
                    "valueReference": ref("ServiceRequest/ProcedureRequest.pr1"),
                },
                {"url": f"{UKCORE}RelatedProblemHeader", "extension": RELATED},
            ]
        },
    ),
    Case(
        "a verification that R4 does not have is kept as STU3's element",
        "Condition",
        {"verificationStatus": "unknown"},
        {"extension": [{"url": f"{STU3}Condition.verificationStatus", "valueCode": "unknown"}]},
        ("GP-code-not-in-r4",),
    ),
    Case(
        "entered in error stays so",
        "Condition",
        {"verificationStatus": "entered-in-error"},
        {"verificationStatus": concept(f"{CONDITION}ver-status", "entered-in-error")},
    ),
    Case(
        "a stage is one of several in R4, and an abatement of yes or no has no element",
        "Condition",
        {"stage": {"summary": {"text": "II"}}, "abatementBoolean": True},
        {
            "stage": [{"summary": {"text": "II"}}],
            "extension": [{"url": f"{STU3}Condition.abatementBoolean", "valueBoolean": True}],
        },
    ),
    Case(
        "a context that is an episode of care is no encounter",
        "Condition",
        {"context": ref("EpisodeOfCare/ep1")},
        {
            "extension": [
                {
                    "url": "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare",
                    "valueReference": {
                        "type": "EpisodeOfCare",
                        "identifier": {
                            "value": "ep1",
                            "assigner": {
                                "identifier": {
                                    "system": "https://fhir.nhs.uk/Id/ods-organization-code",
                                    "value": "P81001",
                                }
                            },
                        },
                    },
                }
            ]
        },
        ("GP-reference-leads-out",),
    ),
]


@pytest.mark.parametrize("case", [*ALLERGIES, *PROBLEMS], ids=str)
def test_allergies_and_problems_mean_the_same_in_r4(case: Case) -> None:
    holds(case)


def test_an_ended_allergy_that_comes_only_within_a_list_is_found_by_itself() -> None:
    contained = {
        "resourceType": "AllergyIntolerance",
        "id": "28",
        "clinicalStatus": "resolved",
        "patient": ref("Patient/p"),
        "code": PEANUT,
    }
    ended = {
        "resourceType": "List",
        "title": "Ended allergies",
        "code": concept(SNOMED, "1103671000000101", "Ended allergies"),
        "contained": [contained],
        "entry": [{"item": ref("#28")}],
        "subject": ref("Patient/p"),
    }
    _, found, allergy = whole(ended).items
    assert (found.type, allergy.type) == ("List", "AllergyIntolerance")
    assert allergy.body["clinicalStatus"] == concept(f"{ALLERGY}clinical", "resolved")
    assert allergy.body["code"] == PEANUT
    assert found.body["entry"] == [{"item": ref(f"AllergyIntolerance/{allergy.source_id}")}]
    assert "contained" not in found.body


@pytest.mark.parametrize(
    "code",
    [
        concept(SNOMED, "716186003", "No known allergy"),
        concept("http://read.info/readv2", "1151.", "No known allergies"),
    ],
)
def test_no_known_allergies_stays_the_statement_that_it_is(code: dict[str, object]) -> None:
    item = mapped("AllergyIntolerance", code=code, clinicalStatus="active", verificationStatus="unconfirmed")
    assert item.body["code"] == code
    assert item.body["clinicalStatus"]["coding"][0]["code"] == "active"
