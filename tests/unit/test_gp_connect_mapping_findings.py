"""What was found and done, STU3 to UK Core R4: observations, reports, procedures, vaccinations.

As R4's "Differences from R3" of each type says, and UK Core's extensions.
"""

from __future__ import annotations

import pytest
from gp_connect_cases import HL7_UK, SNOMED, STU3, TERMINOLOGY, UKCORE, Case, concept, holds, ref

from fhir_adapters.exact_json import ExactDecimal

ABNORMAL = concept(f"{TERMINOLOGY}v2-0078", "A", "Abnormal")
OBSERVATIONS = [
    Case(
        "context, interpretation and comment",
        "Observation",
        {
            "status": "final",
            "context": ref("Encounter/e1"),
            "interpretation": concept("http://hl7.org/fhir/v2/0078", "A", "Abnormal"),
            "comment": "Haemolysed",
            "component": [{"code": {"text": "Systolic"}, "interpretation": ABNORMAL}],
        },
        {
            "status": "final",
            "encounter": ref("Encounter/e1"),
            "interpretation": [ABNORMAL],
            "note": [{"text": "Haemolysed"}],
            "component": [{"code": {"text": "Systolic"}, "interpretation": [ABNORMAL]}],
        },
    ),
    Case(
        "a group of EMIS keeps its members, and each other tie its kind",
        "Observation",
        {
            "related": [
                {"type": "has-member", "target": ref("Observation/o2")},
                {"type": "derived-from", "target": ref("Observation/o2")},
                {"type": "has-member", "target": ref("Observation/x")},
                {"type": "sequel-to", "target": ref("Observation/o2")},
                {"type": "qualified-by", "target": ref("Observation/o2")},
                {"target": ref("Observation/o2")},
            ]
        },
        {
            "hasMember": [ref("Observation/o2"), ref("Observation/x")],
            "derivedFrom": [ref("Observation/o2")],
            "extension": [
                {
                    "url": "http://hl7.org/fhir/StructureDefinition/observation-sequelTo",
                    "valueReference": ref("Observation/o2"),
                },
                {
                    "url": f"{STU3}Observation.related",
                    "extension": [
                        {"url": "type", "valueCode": "qualified-by"},
                        {"url": "target", "valueReference": ref("Observation/o2")},
                    ],
                },
                {
                    "url": f"{STU3}Observation.related",
                    "extension": [{"url": "target", "valueReference": ref("Observation/o2")}],
                },
            ],
        },
    ),
    Case(
        "a value keeps its text, and its range",
        "Observation",
        {
            "valueQuantity": {"value": ExactDecimal("7.10"), "unit": "mmol/L"},
            "referenceRange": [{"low": {"value": ExactDecimal("3.50")}, "text": "less than 3.8 to 5"}],
        },
        {
            "valueQuantity": {"value": ExactDecimal("7.10"), "unit": "mmol/L"},
            "referenceRange": [{"low": {"value": ExactDecimal("3.50")}, "text": "less than 3.8 to 5"}],
        },
    ),
    Case(
        "an attachment is no value in R4",
        "Observation",
        {"valueAttachment": {"title": "ECG"}, "component": [{"valueAttachment": {"title": "Lead II"}}]},
        {
            "extension": [{"url": f"{STU3}Observation.valueAttachment", "valueAttachment": {"title": "ECG"}}],
            "component": [
                {
                    "extension": [
                        {
                            "url": f"{STU3}Observation.component.valueAttachment",
                            "valueAttachment": {"title": "Lead II"},
                        }
                    ]
                }
            ],
        },
    ),
    Case(
        "what has not the shape of STU3 stays, for validation to refuse",
        "Observation",
        {"comment": 7, "related": ["Observation/o2"]},
        {"comment": 7, "related": ["Observation/o2"]},
    ),
]

REPORTS = [
    Case(
        "a report of TPP: whose it is, what it is based on, who made it, and its results in order",
        "DiagnosticReport",
        {
            "status": "final",
            "context": ref("Encounter/e1"),
            "category": concept("http://hl7.org/fhir/v2/0074", "HM"),
            "basedOn": [ref("ProcedureRequest/pr1")],
            "performer": [{"actor": ref("Organization/org1"), "role": {"text": "laboratory"}}],
            "result": [ref("Observation/x"), ref("Observation/o2")],
            "codedDiagnosis": [{"text": "Anaemia"}],
            "image": [{"comment": "film", "link": ref("Observation/o2")}],
        },
        {
            "status": "final",
            "encounter": ref("Encounter/e1"),
            "category": [concept(f"{TERMINOLOGY}v2-0074", "HM")],
            "basedOn": [ref("ServiceRequest/ProcedureRequest.pr1")],
            "performer": [
                ref(
                    "Organization/org1",
                    extension=[
                        {
                            "url": f"{STU3}DiagnosticReport.performer.role",
                            "valueCodeableConcept": {"text": "laboratory"},
                        }
                    ],
                )
            ],
            "result": [
                {
                    "type": "Observation",
                    "identifier": {
                        "value": "x",
                        "assigner": {
                            "identifier": {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "P81001"}
                        },
                    },
                },
                ref("Observation/o2"),
            ],
            "conclusionCode": [{"text": "Anaemia"}],
            "media": [{"comment": "film", "link": ref("Observation/o2")}],
        },
        ("GP-reference-leads-out",),
    ),
]

PROCEDURES = [
    Case(
        "done, with the function of who did it",
        "Procedure",
        {
            "status": "completed",
            "notDone": False,
            "context": ref("Encounter/e1"),
            "performer": [{"role": {"text": "surgeon"}, "actor": ref("Practitioner/gp1")}],
        },
        {
            "status": "completed",
            "encounter": ref("Encounter/e1"),
            "performer": [{"function": {"text": "surgeon"}, "actor": ref("Practitioner/gp1")}],
        },
    ),
    Case(
        "not done is a status, with its reason",
        "Procedure",
        {"status": "completed", "notDone": True, "notDoneReason": {"text": "Declined"}},
        {"status": "not-done", "statusReason": {"text": "Declined"}},
        ("GP-not-done",),
    ),
    Case(
        "what was entered in error is not turned into something that was not done",
        "Procedure",
        {"status": "entered-in-error", "notDone": True},
        {"status": "entered-in-error"},
        ("GP-no-place-in-r4",),
    ),
    Case(
        "words for the same status",
        "Procedure",
        {"status": "aborted"},
        {"status": "stopped"},
        ("GP-recoded",),
    ),
]


NHS_VACCINE = {
    "url": f"{HL7_UK}VaccinationProcedure-1",
    "valueCodeableConcept": concept(SNOMED, "170378007", "First hepatitis A vaccination"),
}
UKCORE_VACCINE = NHS_VACCINE | {"url": f"{UKCORE}VaccinationProcedure"}
WHEN = {"date": "2019-06-28"}
THEN = {"occurrenceDateTime": "2019-06-28"}
VACCINATIONS = [
    Case(
        "given: when, by whom, where in its course, and why",
        "Immunization",
        {
            "status": "completed",
            "notGiven": False,
            "date": "2019-06-28",
            "practitioner": [
                {
                    "role": concept("http://hl7.org/fhir/stu3/valueset-immunization-role.html", "AP"),
                    "actor": ref("Practitioner/gp1"),
                }
            ],
            "explanation": {"reason": [{"text": "Due"}]},
            "vaccinationProtocol": [
                {
                    "doseSequence": 1,
                    "seriesDoses": 3,
                    "targetDisease": [{"text": "Hepatitis A"}],
                    "doseStatus": {"text": "Counts"},
                    "description": "Travel",
                }
            ],
            "extension": [{"url": f"{HL7_UK}DateRecorded-1", "valueDateTime": "2019-06-28T10:00:00+01:00"}],
        },
        {
            "status": "completed",
            "occurrenceDateTime": "2019-06-28",
            "performer": [{"function": concept(f"{TERMINOLOGY}v2-0443", "AP"), "actor": ref("Practitioner/gp1")}],
            "reasonCode": [{"text": "Due"}],
            "protocolApplied": [
                {
                    "doseNumberPositiveInt": 1,
                    "seriesDosesPositiveInt": 3,
                    "targetDisease": [{"text": "Hepatitis A"}],
                    "extension": [
                        {"url": f"{STU3}Immunization.vaccinationProtocol.description", "valueString": "Travel"},
                        {
                            "url": f"{STU3}Immunization.vaccinationProtocol.doseStatus",
                            "valueCodeableConcept": {"text": "Counts"},
                        },
                    ],
                }
            ],
            "recorded": "2019-06-28T10:00:00+01:00",
        },
    ),
    Case(
        "not given is a status, with its first reason; further ones are kept",
        "Immunization",
        WHEN
        | {
            "status": "completed",
            "notGiven": True,
            "explanation": {"reasonNotGiven": [{"text": "Declined"}, {"text": "Ill"}]},
        },
        THEN
        | {
            "status": "not-done",
            "statusReason": {"text": "Declined"},
            "extension": [
                {
                    "url": f"{STU3}Immunization.explanation.reasonNotGiven",
                    "valueCodeableConcept": {"text": "Ill"},
                }
            ],
        },
        ("GP-not-done",),
    ),
    Case(
        "entered in error stays so, given or not",
        "Immunization",
        WHEN | {"status": "entered-in-error", "notGiven": True},
        THEN | {"status": "entered-in-error"},
        ("GP-no-place-in-r4",),
    ),
    Case(
        "what R4 asks for and nobody knows is said to be not known",
        "Immunization",
        {"vaccinationProtocol": [{"targetDisease": [{"text": "Measles"}]}]},
        {
            "occurrenceString": "not known",
            "protocolApplied": [{"targetDisease": [{"text": "Measles"}], "doseNumberString": "not known"}],
        },
        ("GP-required-by-r4", "GP-required-by-r4"),
    ),
    Case(
        "a vaccine that is called unknown takes the words of its procedure, and the code stays",
        "Immunization",
        WHEN
        | {
            "vaccineCode": concept("http://hl7.org/fhir/v3/NullFlavor", "UNK") | {"text": "Unknown"},
            "extension": [NHS_VACCINE],
        },
        THEN
        | {
            "vaccineCode": concept(f"{TERMINOLOGY}v3-NullFlavor", "UNK") | {"text": "First hepatitis A vaccination"},
            "extension": [UKCORE_VACCINE],
        },
        ("GP-vaccine-in-words",),
    ),
    Case(
        "a vaccine that is known stays as it is",
        "Immunization",
        WHEN | {"vaccineCode": concept(SNOMED, "1", "Havrix"), "extension": [NHS_VACCINE]},
        THEN | {"vaccineCode": concept(SNOMED, "1", "Havrix"), "extension": [UKCORE_VACCINE]},
    ),
]


@pytest.mark.parametrize("case", [*OBSERVATIONS, *REPORTS, *PROCEDURES, *VACCINATIONS], ids=str)
def test_what_was_found_and_done_means_the_same_in_r4(case: Case) -> None:
    holds(case)
