"""Who is in a GP record, STU3 to UK Core R4: the person, who works for whom, organisations and places."""

from __future__ import annotations

from typing import Any

import pytest
from gp_connect_cases import (
    HL7_UK,
    NHS_UK,
    PATIENT,
    UKCORE,
    UKCORE_CODES,
    Case,
    concept,
    holds,
    mapped,
    ref,
    whole,
)

from fhir_adapters.gp_connect import map_record

VERIFICATION = "https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-NHSNumberVerificationStatus-1"
PROFICIENCY = "http://hl7.org/fhir/StructureDefinition/patient-proficiency"
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
SPOKEN: list[dict[str, Any]] = [
    {"url": "language", "valueCodeableConcept": concept("https://x/CareConnect-HumanLanguage-1", "de", "German")},
    {"url": "preferred", "valueBoolean": True},
    {"url": "communicationProficiency", "valueCodeableConcept": {"coding": [{"code": "E"}]}},
    {"url": "modeOfCommunication", "valueCodeableConcept": {"text": "in writing"}},
    {"url": "interpreterRequired", "valueBoolean": False},
]

STAFF = [
    Case(
        "a practitioner's languages have an element",
        "Practitioner",
        {
            "name": [{"family": "Gilbert"}],
            "extension": [{"url": f"{NHS_UK}GPC-NHSCommunication-1", "extension": SPOKEN[:1]}],
        },
        {"name": [{"family": "Gilbert"}], "communication": [SPOKEN[0]["valueCodeableConcept"]]},
    ),
    Case(
        "how well a practitioner speaks it has no place, and is told in the trace",
        "Practitioner",
        {"extension": [{"url": f"{HL7_UK}NHSCommunication-1", "extension": SPOKEN[:2]}]},
        {"communication": [SPOKEN[0]["valueCodeableConcept"]]},
        ("GP-no-place-in-r4",),
    ),
    Case(
        "a role: who, where, as what",
        "PractitionerRole",
        {
            "practitioner": ref("Practitioner/gp1"),
            "organization": ref("Organization/org1"),
            "code": [concept("https://fhir.hl7.org.uk/STU3/CodeSystem/CareConnect-SDSJobRoleName-1", "R0260")],
        },
        {
            "practitioner": ref("Practitioner/gp1"),
            "organization": ref("Organization/org1"),
            "code": [concept(f"{UKCORE_CODES}SDSJobRoleName", "R0260")],
        },
    ),
    Case(
        "somebody related in one way is related in several in R4",
        "RelatedPerson",
        {"relationship": {"text": "daughter"}},
        {"relationship": [{"text": "daughter"}]},
    ),
]

PLACES = [
    Case(
        "an organisation and its main location",
        "Organization",
        {
            "identifier": [{"system": ODS, "value": "B82617"}],
            "name": "COXWOLD SURGERY",
            "extension": [{"url": f"{NHS_UK}GPC-MainLocation-1", "valueReference": ref("Organization/org1")}],
        },
        {
            "identifier": [{"system": ODS, "value": "B82617"}],
            "name": "COXWOLD SURGERY",
            "extension": [{"url": f"{UKCORE}MainLocation", "valueReference": ref("Organization/org1")}],
        },
    ),
    Case(
        "a location has one type of several", "Location", {"type": {"text": "Surgery"}}, {"type": [{"text": "Surgery"}]}
    ),
    Case(
        "an address in a list of one is that address",
        "Location",
        {"address": [{"city": "Leeds"}]},
        {"address": {"city": "Leeds"}},
        ("GP-list-of-one",),
    ),
    Case(
        "a service: who may use it, and its programmes",
        "HealthcareService",
        {
            "category": {"text": "GP"},
            "comment": "Ring first",
            "eligibility": {"text": "registered"},
            "eligibilityNote": "also visitors",
            "programName": ["Stop smoking"],
        },
        {
            "category": [{"text": "GP"}],
            "comment": "Ring first",
            "eligibility": [{"code": {"text": "registered"}, "comment": "also visitors"}],
            "program": [{"text": "Stop smoking"}],
        },
    ),
]


@pytest.mark.parametrize("case", [*STAFF, *PLACES], ids=str)
def test_who_and_where_mean_the_same_in_r4(case: Case) -> None:
    holds(case)


def patient(**elements: Any) -> dict[str, Any]:
    item = map_record({"entry": [{"resource": PATIENT | elements}]}, "P81001", "9990000018").items[0]
    return item.body


# code in CareConnect | UK Core's system for it
STATUSES = [
    ("01", "NHSNumberVerificationStatusEngland"),
    ("08", "NHSNumberVerificationStatusEngland"),
    ("number-present-and-verified", "NHSNumberVerificationStatus"),
]


@pytest.mark.parametrize("host", [NHS_UK + "GPC-", NHS_UK, HL7_UK, HL7_UK + "GPC-"])
@pytest.mark.parametrize(("code", "system"), STATUSES)
def test_whether_the_nhs_number_is_verified_is_said_as_uk_core_says_it(host: str, code: str, system: str) -> None:
    verified = {"url": f"{host}NHSNumberVerificationStatus-1", "valueCodeableConcept": concept(VERIFICATION, code)}
    number = PATIENT["identifier"][0] | {"extension": [verified]}
    assert patient(identifier=[number])["identifier"][0]["extension"] == [
        {
            "url": f"{UKCORE}NHSNumberVerificationStatus",
            "valueCodeableConcept": concept(f"{UKCORE_CODES}{system}", code),
        }
    ]


def test_the_languages_of_the_person_and_how_they_use_them_are_kept() -> None:
    told = patient(extension=[{"url": f"{NHS_UK}GPC-NHSCommunication-1", "extension": SPOKEN}])
    assert told["communication"] == [
        {
            "language": SPOKEN[0]["valueCodeableConcept"],
            "preferred": True,
            "extension": [
                {
                    "url": PROFICIENCY,
                    "extension": [
                        {"url": "level", "valueCoding": {"code": "E"}},
                        {"url": "type", "valueCoding": {"display": "in writing"}},
                    ],
                }
            ],
        }
    ]
    assert told["extension"] == [
        {"url": "http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired", "valueBoolean": False}
    ]


@pytest.mark.parametrize(
    ("code", "system"), [("A", "EthnicCategoryEngland"), ("99", "EthnicCategoryEngland"), ("CA", "EthnicCategory")]
)
def test_an_ethnic_category_that_england_does_not_count_keeps_a_system_that_has_it(code: str, system: str) -> None:
    category = concept("https://fhir.hl7.org.uk/STU3/CodeSystem/CareConnect-EthnicCategory-1", code)
    told = patient(extension=[{"url": f"{HL7_UK}EthnicCategory-1", "valueCodeableConcept": category}])
    assert told["extension"] == [
        {"url": f"{UKCORE}EthnicCategory", "valueCodeableConcept": concept(f"{UKCORE_CODES}{system}", code)}
    ]


def test_the_practice_that_holds_the_record_is_among_the_persons_practitioners() -> None:
    told = patient(generalPractitioner=[{"display": "Dr Gilbert"}])
    assert told["generalPractitioner"] == [
        {"display": "Dr Gilbert"},
        {"identifier": {"system": ODS, "value": "P81001"}, "type": "Organization"},
    ]


def test_staff_and_organisations_are_known_by_what_means_the_same_everywhere() -> None:
    doctor = {
        "resourceType": "Practitioner",
        "id": "1",
        "identifier": [{"system": "https://fhir.nhs.uk/Id/sds-user-id", "value": "G13579135"}],
    }
    seen: dict[str, Any] = {"resourceType": "Encounter", "id": "e", "subject": ref("Patient/p")}
    seen |= {"participant": [{"individual": ref("Practitioner/1", display="Dr Gilbert")}]}
    encounter = next(item for item in whole(doctor, seen).items if item.type == "Encounter")
    assert encounter.body["participant"][0]["individual"] == {
        "reference": "Practitioner/1",
        "display": "Dr Gilbert",
        "type": "Practitioner",
        "identifier": {"system": "https://fhir.nhs.uk/Id/sds-user-id", "value": "G13579135"},
    }


def test_an_animal_is_told_in_the_trace_and_the_registration_stays() -> None:
    registered = {"url": f"{NHS_UK}GPC-RegistrationDetails-1", "extension": [{"url": "registrationPeriod"}]}
    item = mapped(
        "Patient", identifier=PATIENT["identifier"], animal={"species": {"text": "cat"}}, extension=[registered]
    )
    assert item.body["extension"] == [registered]
    assert [(one.rule, one.was) for one in item.repairs] == [("GP-no-place-in-r4", '{"species":{"text":"cat"}}')]
