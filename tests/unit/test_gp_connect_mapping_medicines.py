"""Medicines, STU3 to UK Core R4: what was ordered, what is taken, how, how often, and why it was stopped."""

from __future__ import annotations

import pytest
from gp_connect_cases import HL7_UK, NHS_UK, SNOMED, STU3, TERMINOLOGY, UKCORE, UKCORE_CODES, Case, concept, holds, ref

from fhir_adapters.exact_json import ExactDecimal

COURSE = f"{TERMINOLOGY}medicationrequest-course-of-therapy"
PRESCRIPTION = "https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-PrescriptionType-1"
STOPPED = [
    {"url": "statusReason", "valueCodeableConcept": {"text": "No longer indicated"}},
    {"url": "statusChangeDate", "valueDateTime": "2018-10-27"},
]


def prescription(code: str, display: str) -> dict[str, object]:
    return {"url": f"{NHS_UK}GPC-PrescriptionType-1", "valueCodeableConcept": concept(PRESCRIPTION, code, display)}


def course(system: str, code: str, display: str, *own: str) -> dict[str, object]:
    """UK Core's course of therapy, and beside it the GP system's own code."""
    told = [{"system": system, "code": code, "display": display}] if code else []
    return {"coding": [*told, {"system": f"{UKCORE_CODES}PrescriptionType", "code": own[0], "display": own[1]}]}


def repeats(*parts: tuple[str, str, object]) -> list[dict[str, object]]:
    return [{"url": url, kind: value} for url, kind, value in parts]


DOSE = {
    "text": "1 tablet once a day",
    "patientInstruction": "Take in the morning",
    "doseQuantity": {"value": ExactDecimal("1.0"), "unit": "tablet"},
    "rateRatio": {"numerator": {"value": 1}, "denominator": {"value": 24}},
}
DOSE_R4 = {
    "text": "1 tablet once a day",
    "patientInstruction": "Take in the morning",
    "doseAndRate": [
        {
            "doseQuantity": {"value": ExactDecimal("1.0"), "unit": "tablet"},
            "rateRatio": {"numerator": {"value": 1}, "denominator": {"value": 24}},
        }
    ],
}

REQUESTS = [
    Case(
        "who asked for what, in which encounter, and how it is taken",
        "MedicationRequest",
        {
            "status": "active",
            "intent": "plan",
            "medicationReference": ref("Medication/m1"),
            "context": ref("Encounter/e1"),
            "authoredOn": "2017-11-10T00:00:00+00:00",
            "requester": {"agent": ref("Practitioner/gp1"), "onBehalfOf": ref("Organization/org1")},
            "recorder": ref("Practitioner/gp1"),
            "category": {"text": "community"},
            "dosageInstruction": [DOSE],
        },
        {
            "status": "active",
            "intent": "plan",
            "medicationReference": ref("Medication/m1"),
            "encounter": ref("Encounter/e1"),
            "authoredOn": "2017-11-10T00:00:00+00:00",
            "requester": ref(
                "Practitioner/gp1",
                extension=[
                    {
                        "url": f"{STU3}MedicationRequest.requester.onBehalfOf",
                        "valueReference": ref("Organization/org1"),
                    }
                ],
            ),
            "recorder": ref("Practitioner/gp1"),
            "category": [{"text": "community"}],
            "dosageInstruction": [DOSE_R4],
        },
    ),
    Case(
        "acute is a short course",
        "MedicationRequest",
        {"extension": [prescription("acute", "Acute")]},
        {"courseOfTherapyType": course(COURSE, "acute", "Short course (acute) therapy", "acute", "Acute")},
    ),
    Case(
        "repeat is continuous",
        "MedicationRequest",
        {"extension": [prescription("repeat", "Repeat")]},
        {"courseOfTherapyType": course(COURSE, "continuous", "Continuous long term therapy", "repeat", "Repeat")},
    ),
    Case(
        "repeat dispensing has UK Core's own code",
        "MedicationRequest",
        {"extension": [prescription("repeat-dispensing", "Repeat dispensing")]},
        {
            "courseOfTherapyType": course(
                f"{UKCORE_CODES}MedicationRequestCourseOfTherapy",
                "continuous-repeating-dispensing",
                "Continuous long term (repeat dispensing)",
                "repeat-dispensing",
                "Repeat dispensing",
            )
        },
    ),
    Case(
        "a prescription type without a course in R4 keeps its code",
        "MedicationRequest",
        {"extension": [prescription("delayed-prescribing", "Delayed prescribing")]},
        {"courseOfTherapyType": course("", "", "", "delayed-prescribing", "Delayed prescribing")},
    ),
    Case(
        "why it was stopped has an element, and when stays with it in the extension",
        "MedicationRequest",
        {"status": "stopped", "extension": [{"url": f"{NHS_UK}GPC-MedicationStatusReason-1", "extension": STOPPED}]},
        {
            "status": "stopped",
            "statusReason": {"text": "No longer indicated"},
            "extension": [{"url": f"{NHS_UK}GPC-MedicationStatusReason-1", "extension": STOPPED}],
        },
    ),
    Case(
        "how often it was issued is UK Core's number; how often it may be stays beside it",
        "MedicationRequest",
        {
            "extension": [
                {
                    "url": f"{NHS_UK}GPC-MedicationRepeatInformation-1",
                    "extension": repeats(
                        ("numberOfRepeatPrescriptionsAllowed", "valuePositiveInt", 12),
                        ("numberOfRepeatPrescriptionsIssued", "valuePositiveInt", 11),
                        ("authorisationExpiryDate", "valueDateTime", "2019-01-01"),
                    ),
                }
            ]
        },
        {
            "extension": [
                {
                    "url": f"{UKCORE}MedicationRepeatInformation",
                    "extension": repeats(
                        ("numberOfRepeatPrescriptionsAllowed", "valuePositiveInt", 12),
                        ("numberOfPrescriptionsIssued", "valueUnsignedInt", 11),
                        ("authorisationExpiryDate", "valueDateTime", "2019-01-01"),
                    ),
                }
            ]
        },
    ),
    Case(
        "what is dispensed: amounts keep their text, and a quantity that is only words",
        "MedicationRequest",
        {
            "dispenseRequest": {
                "quantity": {
                    "value": ExactDecimal("28.0"),
                    "extension": [{"url": f"{NHS_UK}GPC-MedicationQuantityText-1", "valueString": "28 tablets"}],
                },
                "expectedSupplyDuration": {"value": 28, "unit": "day", "code": ["d"]},
                "performer": ref("Organization/org1"),
            },
            "substitution": {"allowed": False, "reason": {"text": "Brand"}},
        },
        {
            "dispenseRequest": {
                "quantity": {
                    "value": ExactDecimal("28.0"),
                    "extension": [{"url": f"{UKCORE}MedicationQuantityText", "valueString": "28 tablets"}],
                },
                "expectedSupplyDuration": {"value": 28, "unit": "day", "code": "d"},
                "performer": ref("Organization/org1"),
            },
            "substitution": {"allowedBoolean": False, "reason": {"text": "Brand"}},
        },
        ("GP-list-of-one",),
    ),
]

TAKEN = {"url": f"{STU3}MedicationStatement.taken"}
STATEMENTS = [
    Case(
        "a statement: based on what, since when, last issued when, prescribed where",
        "MedicationStatement",
        {
            "status": "active",
            "taken": "unk",
            "basedOn": [ref("MedicationRequest/x")],
            "context": ref("Encounter/e1"),
            "effectivePeriod": {"start": "2017-11-10"},
            "dosage": [DOSE],
            "extension": [
                {"url": f"{NHS_UK}GPC-MedicationStatementLastIssueDate-1", "valueDateTime": "2018-08-17"},
                {"url": f"{HL7_UK}MedicationStatementDosageLastChanged-1", "valueDateTime": "2018-08-01"},
                {
                    "url": f"{NHS_UK}GPC-PrescribingAgency-1",
                    "valueCodeableConcept": concept(
                        "https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-PrescribingAgency-1",
                        "prescribed-at-gp-practice",
                    ),
                },
            ],
        },
        {
            "status": "active",
            "basedOn": [
                {
                    "type": "MedicationRequest",
                    "identifier": {
                        "value": "x",
                        "assigner": {
                            "identifier": {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "P81001"}
                        },
                    },
                }
            ],
            "context": ref("Encounter/e1"),
            "effectivePeriod": {"start": "2017-11-10"},
            "dosage": [DOSE_R4],
            "extension": [
                {"url": f"{UKCORE}MedicationStatementLastIssueDate", "valueDateTime": "2018-08-17"},
                {"url": f"{UKCORE}MedicationDosageLastChanged", "valueDateTime": "2018-08-01"},
                {
                    "url": f"{UKCORE}MedicationPrescribingOrganizationType",
                    "valueCodeableConcept": concept(
                        f"{UKCORE_CODES}MedicationPrescribingOrganizationType", "prescribed-at-gp-practice"
                    ),
                },
                TAKEN | {"valueCode": "unk"},
            ],
        },
        ("GP-reference-leads-out",),
    ),
    Case(
        "not taken is a status in R4, with its reason",
        "MedicationStatement",
        {"status": "active", "taken": "n", "reasonNotTaken": [{"text": "Nausea"}]},
        {
            "status": "not-taken",
            "statusReason": [{"text": "Nausea"}],
            "extension": [TAKEN | {"valueCode": "n"}],
        },
        ("GP-not-taken",),
    ),
    Case(
        "entered in error stays so, taken or not",
        "MedicationStatement",
        {"status": "entered-in-error", "taken": "n"},
        {"status": "entered-in-error", "extension": [TAKEN | {"valueCode": "n"}]},
    ),
]

MEDICATIONS = [
    Case(
        "the medicine with every coding of it, and which of them was chosen",
        "Medication",
        {
            "code": {
                "coding": [
                    {"system": SNOMED, "code": "9751511000001104", "display": "Sertraline 100mg tablets"},
                    {"system": "https://fhir.hl7.org.uk/Id/emis-drug-codes", "code": "X", "userSelected": True},
                ]
            },
            "isBrand": False,
            "ingredient": [{"itemCodeableConcept": {"text": "Sertraline"}, "amount": {"numerator": {"value": 100}}}],
        },
        {
            "code": {
                "coding": [
                    {"system": SNOMED, "code": "9751511000001104", "display": "Sertraline 100mg tablets"},
                    {"system": "https://fhir.hl7.org.uk/Id/emis-drug-codes", "code": "X", "userSelected": True},
                ]
            },
            "extension": [{"url": f"{STU3}Medication.isBrand", "valueBoolean": False}],
            "ingredient": [{"itemCodeableConcept": {"text": "Sertraline"}, "strength": {"numerator": {"value": 100}}}],
        },
    ),
    Case(
        "a package has no place, and is told in the trace",
        "Medication",
        {"code": {"text": "Paracetamol"}, "package": {"container": {"text": "box"}}},
        {"code": {"text": "Paracetamol"}},
        ("GP-no-place-in-r4",),
    ),
]


@pytest.mark.parametrize("case", [*REQUESTS, *STATEMENTS, *MEDICATIONS], ids=str)
def test_a_medicine_means_the_same_in_r4(case: Case) -> None:
    holds(case)
