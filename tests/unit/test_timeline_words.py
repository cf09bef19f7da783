"""How each kind of item is said to a reader: plain words, nothing that the resource does not say."""

from __future__ import annotations

from typing import Any

import pytest

from carelink.record.timeline_values import Names, called, concept, quantity, whole
from carelink.record.timeline_words import KINDS, say
from fhir_adapters import exact_json

SNOMED = "http://snomed.info/sct"
COMPONENT = "https://carelink.example/StructureDefinition"


def coded(display: str, code: str = "1") -> dict[str, Any]:
    return {"coding": [{"system": SNOMED, "code": code, "display": display}]}


def amount(text: str, unit: str) -> dict[str, Any]:
    return {"value": exact_json.ExactDecimal(text), "unit": unit}


PRESSURE = [
    {"code": coded("Systolic", "271649006"), "valueQuantity": amount("132", "mmHg")},
    {"code": coded("Diastolic", "271650006"), "valueQuantity": amount("84.0", "mmHg")},
]
PACKAGE = [
    {"url": f"{COMPONENT}/planned-units-per-week", "valueDecimal": exact_json.ExactDecimal("14.00")},
    {"url": f"{COMPONENT}/provider", "valueString": "Brightside Care"},
    {"url": f"{COMPONENT}/unit-cost", "valueMoney": {"value": exact_json.ExactDecimal("21.50"), "currency": "GBP"}},
    {"url": f"{COMPONENT}/cost-frequency", "valueString": "Per Hour"},
]

# type, body, kind, title, lines, state, over
SAID: list[tuple[str, dict[str, Any], str, str, tuple[str, ...], str, bool]] = [
    (
        "Observation",
        {"code": coded("Blood pressure"), "component": PRESSURE},
        "Observation",
        "Blood pressure 132/84",
        (),
        "",
        False,
    ),
    (
        "Observation",
        {"code": coded("HbA1c level"), "valueQuantity": amount("48.0", "mmol/mol"), "interpretation": [coded("High")]},
        "Observation",
        "HbA1c level 48.0 mmol/mol",
        (),
        "High",
        False,
    ),
    (
        "Observation",
        {"code": coded("Smoking status"), "valueCodeableConcept": coded("Ex-smoker"), "note": [{"text": "since 1999"}]},
        "Observation",
        "Smoking status Ex-smoker",
        ("since 1999",),
        "",
        False,
    ),
    (
        "Observation",
        {"code": coded("Weight"), "dataAbsentReason": coded("Refused"), "status": "entered-in-error"},
        "Observation",
        "Weight Refused",
        (),
        "",
        True,
    ),
    (
        "EpisodeOfCare",
        {"status": "active", "type": [{"text": "Home Support"}], "extension": PACKAGE},
        "Care package",
        "Home Support, 14 hours a week",
        ("Provided by Brightside Care", "£21.50 per hour"),
        "",
        False,
    ),
    (
        "EpisodeOfCare",
        {"status": "finished", "type": [{"text": "Meals"}], "period": {"start": "2025", "end": "2026-02-01"}},
        "Care package",
        "Meals",
        (),
        "ended",
        True,
    ),
    ("Task", {"status": "in-progress", "code": {"text": "Assessment"}}, "Task", "Assessment", (), "started", False),
    (
        "Task",
        {"status": "completed", "code": {"text": "Care Act assessment"}, "output": [{"valueString": "Eligible"}]},
        "Task",
        "Care Act assessment",
        ("Outcome: Eligible",),
        "completed",
        True,
    ),
    (
        "AllergyIntolerance",
        {"code": coded("Penicillin"), "criticality": "high", "reaction": [{"manifestation": [coded("Anaphylaxis")]}]},
        "Allergy",
        "Penicillin",
        ("Reaction: Anaphylaxis",),
        "high risk",
        False,
    ),
    (
        "AllergyIntolerance",
        {"code": coded("Peanut allergy (disorder)"), "clinicalStatus": coded("", "resolved"), "criticality": "high"},
        "Allergy",
        "Peanut allergy",
        (),
        "ended",
        True,
    ),
    (
        "AllergyIntolerance",
        {"code": coded("Latex"), "verificationStatus": coded("", "entered-in-error")},
        "Allergy",
        "Latex",
        (),
        "entered in error",
        True,
    ),
    (
        "Condition",
        {"code": coded("Diabetes mellitus (disorder)"), "clinicalStatus": coded("", "active")},
        "Problem",
        "Diabetes mellitus",
        (),
        "",
        False,
    ),
    (
        "Condition",
        {"code": {"text": "Fall"}, "clinicalStatus": coded("", "resolved"), "abatementDateTime": "2026-03"},
        "Problem",
        "Fall",
        (),
        "past",
        True,
    ),
    (
        "Condition",
        {"code": {"text": "Support with memory"}, "category": [{"text": "Primary support reason"}]},
        "Primary support reason",
        "Support with memory",
        (),
        "",
        False,
    ),
    (
        "MedicationRequest",
        {
            "status": "stopped",
            "medicationCodeableConcept": coded("Ramipril 5mg capsules"),
            "dosageInstruction": [{"text": "One daily"}],
            "dispenseRequest": {"quantity": amount("28", "capsule")},
        },
        "Prescription",
        "Ramipril 5mg capsules",
        ("One daily", "Quantity: 28 capsule"),
        "stopped",
        True,
    ),
    (
        "MedicationStatement",
        {"status": "active", "medicationReference": {"reference": "Medication/m"}},
        "Medicine",
        "Insulin glargine",
        (),
        "",
        False,
    ),
    (
        "MedicationStatement",
        {
            "status": "active",
            "medicationReference": {"reference": "#a"},
            "contained": [{"resourceType": "Medication", "id": "a", "code": {"text": "Salbutamol"}}],
        },
        "Medicine",
        "Salbutamol",
        (),
        "",
        False,
    ),
    (
        "Encounter",
        {
            "status": "in-progress",
            "class": {"code": "IMP", "display": "inpatient encounter"},
            "participant": [{"individual": {"reference": "Practitioner/p"}}],
            "location": [{"location": {"display": "Ward 3"}}],
            "serviceProvider": {"display": "Dale Valley Hospitals"},
        },
        "Contact or stay",
        "Hospital stay",
        ("With Dr Anjali Desai", "Ward 3, Dale Valley Hospitals"),
        "in hospital now",
        False,
    ),
    (
        "Encounter",
        {"status": "finished", "class": {"code": "AMB", "display": "ambulatory"}},
        "Contact or stay",
        "Ambulatory",
        (),
        "",
        True,
    ),
    (
        "ServiceRequest",
        {"status": "revoked", "code": {"text": "Physiotherapy"}, "performer": [{"display": "Northdale"}]},
        "Referral",
        "Physiotherapy",
        ("To Northdale",),
        "withdrawn",
        True,
    ),
    ("Flag", {"status": "active", "code": {"text": "Key safe"}}, "Alert", "Key safe", (), "", False),
    ("Flag", {"status": "inactive", "code": {"text": "Falls"}}, "Alert", "Falls", (), "ended", True),
    (
        "CareTeam",
        {
            "status": "active",
            "name": "adults-north",
            "participant": [
                {"role": [{"text": "Key worker"}], "member": {"reference": "Practitioner/p"}},
                {"role": [{"text": "Team"}]},
            ],
        },
        "Care team",
        "adults-north",
        ("Key worker: Dr Anjali Desai", "Team"),
        "",
        False,
    ),
    (
        "RelatedPerson",
        {
            "name": [{"given": ["Jo"], "family": "Hart"}],
            "relationship": [{"text": "Daughter"}],
            "telecom": [{"value": "01632 960002"}],
        },
        "Person involved",
        "Jo Hart",
        ("Daughter", "01632 960002"),
        "",
        False,
    ),
    (
        "Consent",
        {"status": "active", "provision": {"type": "deny", "code": [{"text": "Mental health"}]}},
        "Consent",
        "Objection to sharing",
        ("Mental health",),
        "",
        False,
    ),
    (
        "Appointment",
        {
            "status": "noshow",
            "serviceType": [{"text": "Falls clinic"}],
            "participant": [
                {"actor": {"reference": "Patient/x", "display": "Nora"}},
                {"actor": {"display": "Clinic 4"}},
            ],
        },
        "Appointment",
        "Falls clinic",
        ("With Clinic 4",),
        "not attended",
        True,
    ),
    ("Immunization", {"vaccineCode": coded("Influenza")}, "Vaccination", "Influenza", (), "", False),
    ("Immunization", {"status": "not-done", "vaccineCode": coded("MMR")}, "Vaccination", "MMR", (), "not done", True),
    ("QuestionnaireResponse", {"questionnaire": "https://x/q|1"}, "Form", "Completed", (), "", False),
    ("Media", {"type": {"text": "Photo"}}, "Media", "Photo", (), "", False),
    (
        "Task",
        {"status": "ready", "code": {"text": "Review"}, "restriction": {"period": {"end": "2026-12-03"}}},
        "Task",
        "Review",
        ("Due 3 December 2026",),
        "to be done",
        False,
    ),
    (
        "Flag",
        {"status": "active", "code": {"text": "Two falls this year"}, "category": [{"text": "Falls"}]},
        "Alert",
        "Two falls this year",
        ("Falls",),
        "",
        False,
    ),
    (
        "ServiceRequest",
        {"status": "active", "intent": "plan", "code": {"text": "Influenza vaccination"}},
        "Diary entry",
        "Influenza vaccination",
        (),
        "",
        False,
    ),
    (
        "ServiceRequest",
        {"status": "active", "intent": "plan", "category": [coded("Patient referral", "3457005")]},
        "Referral",
        "Patient referral",
        (),
        "",
        False,
    ),
    ("Goal", {"lifecycleStatus": "active"}, "Goal", "Not named", (), "", False),
]
NAMES = Names({"Practitioner/p": "Dr Anjali Desai", "Medication/m": "Insulin glargine"})


@pytest.mark.parametrize(
    ("type_", "body", "kind", "title", "lines", "state", "over"), SAID, ids=[f"{t}: {w}" for t, _, _, w, *_ in SAID]
)
def test_an_item_is_said_in_plain_words(
    type_: str, body: dict[str, Any], kind: str, title: str, lines: tuple[str, ...], state: str, over: bool
) -> None:
    words = say({"resourceType": type_, **body}, NAMES)
    assert (words.kind, words.title, words.lines, words.state, words.over) == (kind, title, lines, state, over)


@pytest.mark.parametrize("type_", sorted(KINDS))
def test_an_item_that_says_nothing_of_itself_still_has_a_kind_and_a_title(type_: str) -> None:
    words = say({"resourceType": type_}, Names())
    assert words.kind
    assert words.title


ENDS = [
    ("EpisodeOfCare", {"status": "finished", "period": {"start": "2025", "end": "2026-02-01"}}, "2026-02-01"),
    ("Condition", {"code": {"text": "Fall"}, "abatementDateTime": "2026-03"}, "2026-03"),
    ("MedicationStatement", {"effectivePeriod": {"start": "2020", "end": "2021"}}, "2021"),
    ("Encounter", {"period": {"start": "2026-01-02T14:20:00Z", "end": "2026-01-09T11:05:00Z"}}, "2026-01-09T11:05:00Z"),
    ("Task", {"status": "completed", "executionPeriod": {"start": "2026-01", "end": "2026-02"}}, "2026-02"),
    ("Task", {"status": "in-progress", "executionPeriod": {"start": "2026-01", "end": "2026-02"}}, ""),
    ("Flag", {"status": "active", "period": {"start": "2026-01-02"}}, ""),
]


@pytest.mark.parametrize(("type_", "body", "until"), ENDS, ids=[f"{type_}: {until}" for type_, _, until in ENDS])
def test_an_end_is_kept_as_exactly_as_it_is_known(type_: str, body: dict[str, Any], until: str) -> None:
    assert say({"resourceType": type_, **body}, Names()).until == until


def test_a_stay_says_where_the_person_is_now_not_where_they_were_before() -> None:
    moved = [
        {"location": {"display": "Assessment unit"}, "status": "completed"},
        {"location": {"display": "Ward 7"}, "status": "active"},
    ]
    assert "Ward 7" in say({"resourceType": "Encounter", "location": moved}, Names()).lines


CONCEPTS = [
    ({"text": "What I saw", "coding": [{"display": "Other"}]}, "What I saw", "the clinician's own words"),
    ({"coding": [{"display": "A"}, {"display": "B", "userSelected": True}]}, "B", "the coding that they chose"),
    ({"coding": [{"code": "1"}, {"display": "A"}]}, "A", "any display rather than a code"),
    ({"coding": [{"code": "C10.."}]}, "C10..", "a code rather than nothing"),
    ([{"coding": []}, {"text": "Second"}], "Second", "the first that has words"),
    ({"coding": [{"display": "Asthma (disorder)"}]}, "Asthma", "no semantic tags"),
    ({"text": "Pain (knee)"}, "Pain (knee)", "other words in brackets stay"),
    (None, "", "nothing"),
]


@pytest.mark.parametrize(("value", "words", "why"), CONCEPTS, ids=[why for *_, why in CONCEPTS])
def test_a_concept_is_said_by(value: Any, words: str, why: str) -> None:
    assert concept(value) == words


def test_results_keep_the_digits_that_were_measured_and_plans_lose_idle_ones() -> None:
    assert quantity(amount("7.10", "mmol/L")) == "7.10 mmol/L"
    assert quantity({"comparator": "<", **amount("5", "%")}) == "<5%"
    assert [whole(exact_json.ExactDecimal(text)) for text in ("14.00", "14.50", "0.0", "10")] == [
        "14",
        "14.50",
        "0",
        "10",
    ]


def test_whoever_is_named_is_called_as_the_directory_says_else_as_the_reference_does() -> None:
    worker = {"reference": "Practitioner/p", "display": "A. D."}
    assert NAMES.of(worker) == "Dr Anjali Desai"
    assert Names().of(worker) == "A. D."
    assert Names().of([{"reference": "Practitioner/unknown"}, {"display": "Second"}]) == "Second"
    assert called({"resourceType": "Organization", "name": "Riverside Surgery"}) == "Riverside Surgery"
    assert called({"resourceType": "PractitionerRole", "code": [{"text": "GP"}]}) == "GP"
