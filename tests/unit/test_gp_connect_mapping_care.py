"""How care went, STU3 to UK Core R4: encounters, consultations as lists, requests, referrals, documents, forms."""

from __future__ import annotations

import pytest
from gp_connect_cases import (
    NHS_UK,
    SNOMED,
    STU3,
    TERMINOLOGY,
    UKCORE,
    UKCORE_CODES,
    Case,
    concept,
    holds,
    ref,
    whole,
)

AMBULATORY = {"system": f"{TERMINOLOGY}v3-ActCode", "code": "AMB", "display": "ambulatory"}
REFERRAL = concept(SNOMED, "3457005", "Patient referral")

ENCOUNTERS = [
    Case(
        "a consultation: who, where, how long; the class that R4 asks for is told",
        "Encounter",
        {
            "status": "finished",
            "type": [{"text": "Surgery Consultation"}],
            "participant": [
                {
                    "type": [concept("http://hl7.org/fhir/v3/ParticipationType", "PPRF")],
                    "individual": ref("Practitioner/gp1"),
                }
            ],
            "period": {"start": "2019-03-28T10:30:00+00:00"},
            "length": {"value": 8, "code": "min"},
            "serviceProvider": ref("Organization/org1"),
        },
        {
            "status": "finished",
            "class": AMBULATORY,
            "type": [{"text": "Surgery Consultation"}],
            "participant": [
                {"type": [concept(f"{TERMINOLOGY}v3-ParticipationType", "PPRF")], "individual": ref("Practitioner/gp1")}
            ],
            "period": {"start": "2019-03-28T10:30:00+00:00"},
            "length": {"value": 8, "code": "min"},
            "serviceProvider": ref("Organization/org1"),
        },
        ("GP-required-by-r4",),
    ),
    Case(
        "reasons, referral, appointment, and the role of a diagnosis",
        "Encounter",
        {
            "class": {"code": "HH"},
            "reason": [{"text": "Cough"}],
            "incomingReferral": [ref("ProcedureRequest/pr1")],
            "appointment": ref("Encounter/e1"),
            "diagnosis": [
                {
                    "condition": ref("Observation/o2"),
                    "role": concept("http://hl7.org/fhir/diagnosis-role", "CC"),
                    "rank": 1,
                }
            ],
        },
        {
            "class": {"code": "HH"},
            "reasonCode": [{"text": "Cough"}],
            "basedOn": [ref("ServiceRequest/ProcedureRequest.pr1")],
            "appointment": [ref("Encounter/e1")],
            "diagnosis": [
                {"condition": ref("Observation/o2"), "use": concept(f"{TERMINOLOGY}diagnosis-role", "CC"), "rank": 1}
            ],
        },
    ),
]

LISTS = [
    Case(
        "order, grouping, warnings and emptiness of a list are what it means",
        "List",
        {
            "status": "current",
            "mode": "snapshot",
            "title": "Problems",
            "orderedBy": concept("http://hl7.org/fhir/list-order", "event-date", "Sorted by Event Date"),
            "encounter": ref("Encounter/e1"),
            "entry": [{"item": ref("Observation/o2")}, {"item": ref("Encounter/e1")}, {"item": {"display": "Words"}}],
            "note": [{"text": "Items excluded due to confidentiality and/or patient preferences."}],
            "extension": [
                {"url": f"{NHS_UK}GPC-ListWarningCode-1", "valueCode": "confidential-items"},
                {"url": f"{NHS_UK}GPC-ListWarningCode-1", "valueCode": "data-in-transit"},
                {"url": f"{NHS_UK}GPC-ClinicalSetting-1", "valueCodeableConcept": concept(SNOMED, "1060971000000108")},
            ],
        },
        {
            "status": "current",
            "mode": "snapshot",
            "title": "Problems",
            "orderedBy": concept(f"{TERMINOLOGY}list-order", "event-date", "Sorted by Event Date"),
            "encounter": ref("Encounter/e1"),
            "entry": [{"item": ref("Observation/o2")}, {"item": ref("Encounter/e1")}, {"item": {"display": "Words"}}],
            "note": [{"text": "Items excluded due to confidentiality and/or patient preferences."}],
            "extension": [
                {
                    "url": f"{UKCORE}ListWarningCode",
                    "valueCodeableConcept": concept(f"{UKCORE_CODES}ListWarningCode", "confidential-items"),
                },
                {
                    "url": f"{UKCORE}ListWarningCode",
                    "valueCodeableConcept": concept(f"{UKCORE_CODES}ListWarningCode", "data-in-transit"),
                },
                {"url": f"{UKCORE}ClinicalSetting", "valueCodeableConcept": concept(SNOMED, "1060971000000108")},
            ],
        },
    ),
    Case(
        "why a list is empty",
        "List",
        {
            "emptyReason": concept(
                "https://fhir.nhs.uk/STU3/CodeSystem/CareConnect-ListEmptyReasonCode-1", "no-content-recorded"
            )
        },
        {"emptyReason": concept(f"{UKCORE_CODES}ListEmptyReasonCode", "no-content-recorded")},
    ),
]

REQUESTS = [
    Case(
        "a request: status in R4's words, who asked, of whom",
        "ProcedureRequest",
        {
            "status": "suspended",
            "intent": "order",
            "doNotPerform": True,
            "context": ref("Encounter/e1"),
            "requester": {"agent": ref("Practitioner/gp1")},
            "performer": ref("Organization/org1"),
            "occurrenceDateTime": "2020-10-26",
        },
        {
            "status": "on-hold",
            "intent": "order",
            "doNotPerform": True,
            "encounter": ref("Encounter/e1"),
            "requester": ref("Practitioner/gp1"),
            "performer": [ref("Organization/org1")],
            "occurrenceDateTime": "2020-10-26",
        },
        ("GP-recoded",),
    ),
    Case(
        "a referral is a ServiceRequest that is known as one",
        "ReferralRequest",
        {
            "status": "cancelled",
            "intent": "order",
            "priority": "urgent",
            "type": {"text": "Outpatient"},
            "serviceRequested": [{"text": "Physiotherapy"}, {"text": "Hydrotherapy"}],
            "description": "Swollen legs",
            "specialty": {"text": "Physiotherapy"},
            "recipient": [ref("Organization/org1")],
            "groupIdentifier": {"value": "G1"},
            "note": [{"text": "Mode: written"}],
        },
        {
            "status": "revoked",
            "intent": "order",
            "priority": "urgent",
            "category": [REFERRAL, {"text": "Outpatient"}],
            "code": {"text": "Physiotherapy"},
            "orderDetail": [{"text": "Hydrotherapy"}],
            "performerType": {"text": "Physiotherapy"},
            "performer": [ref("Organization/org1")],
            "requisition": {"value": "G1"},
            "note": [{"text": "Swollen legs"}, {"text": "Mode: written"}],
        },
        ("GP-recoded",),
    ),
    Case(
        "a recipient that is only words is a display",
        "ReferralRequest",
        {"recipient": [ref("Dr Dave")]},
        {"category": [REFERRAL], "performer": [{"display": "Dr Dave"}]},
        ("GP-reference-in-words",),
    ),
]

DOCUMENTS = [
    Case(
        "a document: what kind, when written, when filed, of which encounter",
        "DocumentReference",
        {
            "status": "current",
            "docStatus": "appended",
            "class": {"text": "Letter"},
            "type": {"text": "Referral"},
            "created": "2020-12-22T14:53:00+00:00",
            "indexed": "2020-12-22T14:55:58.567+00:00",
            "content": [{"attachment": {"contentType": "application/msword", "url": "Binary/1", "size": 13}}],
            "context": {
                "encounter": ref("Encounter/e1"),
                "related": [{"identifier": {"value": "R"}, "ref": ref("Observation/o2")}],
            },
        },
        {
            "status": "current",
            "docStatus": "amended",
            "category": [{"text": "Letter"}],
            "type": {"text": "Referral"},
            "date": "2020-12-22T14:55:58.567+00:00",
            "content": [
                {
                    "attachment": {
                        "contentType": "application/msword",
                        "url": "Binary/1",
                        "size": 13,
                        "creation": "2020-12-22T14:53:00+00:00",
                    }
                }
            ],
            "context": {
                "encounter": [ref("Encounter/e1")],
                "related": [ref("Observation/o2", identifier={"value": "R"})],
            },
        },
        ("GP-recoded",),
    ),
    Case(
        "when it was written is kept where its attachment says another time",
        "DocumentReference",
        {"created": "2020", "content": [{"attachment": {"creation": "2019"}}]},
        {
            "content": [{"attachment": {"creation": "2019"}}],
            "extension": [{"url": f"{STU3}DocumentReference.created", "valueDateTime": "2020"}],
        },
    ),
    Case(
        "a composition: its class is a category, and each way of attesting stands for itself",
        "Composition",
        {
            "status": "final",
            "class": {"text": "Summary"},
            "attester": [{"mode": ["legal", "personal"], "time": "2020"}],
            "section": [{"title": "Plan", "entry": [ref("Observation/o2"), ref("Encounter/e1")]}],
        },
        {
            "status": "final",
            "category": [{"text": "Summary"}],
            "attester": [{"mode": "legal", "time": "2020"}, {"mode": "personal", "time": "2020"}],
            "section": [{"title": "Plan", "entry": [ref("Observation/o2"), ref("Encounter/e1")]}],
        },
    ),
]

FORMS = [
    Case(
        "templated content of EMIS: what it belongs to, and its answers",
        "QuestionnaireResponse",
        {
            "status": "completed",
            "context": ref("Encounter/e1"),
            "parent": [ref("Observation/o2")],
            "authored": "2011-02-11T14:02:43.4+00:00",
            "item": [{"linkId": "Smoking", "answer": [{"valueReference": ref("Observation/o2")}]}],
        },
        {
            "status": "completed",
            "encounter": ref("Encounter/e1"),
            "partOf": [ref("Observation/o2")],
            "authored": "2011-02-11T14:02:43.4+00:00",
            "item": [{"linkId": "Smoking", "answer": [{"valueReference": ref("Observation/o2")}]}],
        },
    ),
    Case(
        "a form is named by its URL in R4, and what it is called stands beside that",
        "QuestionnaireResponse",
        {"questionnaire": ref("Questionnaire/q1", display="Falls")},
        {
            "questionnaire": "Questionnaire/q1",
            "_questionnaire": {
                "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/display", "valueString": "Falls"}]
            },
        },
    ),
    Case(
        "an item about another than the form is keeps that",
        "QuestionnaireResponse",
        {"item": [{"linkId": "1", "subject": ref("Practitioner/gp1")}]},
        {
            "item": [
                {
                    "linkId": "1",
                    "extension": [
                        {
                            "url": f"{STU3}QuestionnaireResponse.item.subject",
                            "valueReference": ref("Practitioner/gp1"),
                        }
                    ],
                }
            ]
        },
    ),
]

BOOKINGS = [
    Case(
        "an appointment: what for, after which referral, with whom",
        "Appointment",
        {
            "status": "booked",
            "serviceCategory": {"text": "GP"},
            "reason": [{"text": "Cough"}],
            "indication": [ref("Observation/o2")],
            "incomingReferral": [ref("ProcedureRequest/pr1")],
            "participant": [{"actor": ref("Patient/p"), "status": "accepted"}],
        },
        {
            "status": "booked",
            "serviceCategory": [{"text": "GP"}],
            "reasonCode": [{"text": "Cough"}],
            "reasonReference": [ref("Observation/o2")],
            "basedOn": [ref("ServiceRequest/ProcedureRequest.pr1")],
            "participant": [{"actor": ref("Patient/p"), "status": "accepted"}],
        },
    ),
]


@pytest.mark.parametrize("case", [*ENCOUNTERS, *LISTS, *REQUESTS, *DOCUMENTS, *FORMS, *BOOKINGS], ids=str)
def test_how_care_went_means_the_same_in_r4(case: Case) -> None:
    holds(case)


def test_a_consultation_keeps_its_topics_its_headings_and_their_order() -> None:
    def listed(id_: str, *items: str) -> dict[str, object]:
        entries = [{"item": ref(item)} for item in items]
        return {"resourceType": "List", "id": id_, "title": id_, "subject": ref("Patient/p"), "entry": entries}

    notes = [{"resourceType": "Observation", "id": id_, "subject": ref("Patient/p")} for id_ in ("o3", "o1", "o2")]
    record = whole(
        listed("heading-2", "Observation/o3"),
        *notes,
        listed("consultation", "List/topic-2", "List/topic-1"),
        listed("topic-2", "List/heading-2", "List/heading-1"),
        listed("heading-1", "Observation/o2", "Observation/o1"),
        listed("topic-1"),
    )
    found = {
        item.source_id: [entry["item"]["reference"] for entry in item.body["entry"]]
        for item in record.items
        if item.type == "List"
    }
    assert found == {
        "heading-2": ["Observation/o3"],
        "consultation": ["List/topic-2", "List/topic-1"],
        "topic-2": ["List/heading-2", "List/heading-1"],
        "heading-1": ["Observation/o2", "Observation/o1"],
        "topic-1": [],
    }
