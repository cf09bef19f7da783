"""Rules for how care went: encounters, referrals and requests, documents, forms, lists, appointments."""

from __future__ import annotations

from fhir_adapters.gp_connect.codes import SNOMED, TERMINOLOGY
from fhir_adapters.gp_connect.documents import DOCUMENTS
from fhir_adapters.gp_connect.elements import STU3_ELEMENT, Body, extend, objects, pop, pop_objects
from fhir_adapters.gp_connect.rules import (
    Agent,
    Context,
    Fill,
    Keep,
    Note,
    Recode,
    Rename,
    Special,
    Trail,
    TypeRules,
)

AMBULATORY = {"system": f"{TERMINOLOGY}v3-ActCode", "code": "AMB", "display": "ambulatory"}
ENCOUNTER = TypeRules(
    "Encounter",
    (
        Fill("class", AMBULATORY, "R4 asks for a class; what a practice records is ambulatory care"),
        Rename("incomingReferral", "basedOn"),
        Rename("appointment", "appointment", many=True),
        Rename("reason", "reasonCode"),
        Rename("role", "use", at="diagnosis"),
    ),
    about="subject",
)

# One code list for requests in R4.
REQUEST_STATUS = {"suspended": "on-hold", "cancelled": "revoked"}
DISPLAY = "http://hl7.org/fhir/StructureDefinition/display"
REFERRAL = {"coding": [{"system": SNOMED, "code": "3457005", "display": "Patient referral"}]}


def _referral_kind(body: Body, trail: Trail) -> None:
    """In R4 a referral is a ServiceRequest, known by its category; the source's own type stays beside that."""
    body["category"] = [REFERRAL, *pop_objects(body, "type")]


def _service_requested(body: Body, trail: Trail) -> None:
    services = pop_objects(body, "serviceRequested")
    if services:
        body["code"] = services[0]
    if services[1:]:
        body["orderDetail"] = services[1:]


REFERRAL_REQUEST = TypeRules(
    "ServiceRequest",
    (
        Context(),
        Recode("status", REQUEST_STATUS, "R4 has another code for the same"),
        Special(_referral_kind, "a referral must stay known as one"),
        Special(_service_requested, "R4 has one code, and details of it"),
        Note("description"),
        Agent(),
        Rename("groupIdentifier", "requisition"),
        Rename("specialty", "performerType"),
        Rename("recipient", "performer"),
        Keep("definition", "Reference"),
    ),
    about="subject",
)
PROCEDURE_REQUEST = TypeRules(
    "ServiceRequest",
    (
        Context(),
        Recode("status", REQUEST_STATUS, "R4 has another code for the same"),
        Agent(),
        Rename("performer", "performer", many=True),
        Keep("definition", "Reference"),
    ),
    about="subject",
)


def _questionnaire(body: Body, trail: Trail) -> None:
    """R4 names the form by its canonical URL; what it is called stands beside that."""
    asked = body.get("questionnaire")
    if not isinstance(asked, dict):
        return
    del body["questionnaire"]
    if isinstance(asked.get("reference"), str) and asked.keys() <= {"reference", "display"}:
        body["questionnaire"] = asked["reference"]
        if "display" in asked:
            body["_questionnaire"] = {"extension": [{"url": DISPLAY, "valueString": asked["display"]}]}
    else:
        extend(body, {"url": f"{STU3_ELEMENT}QuestionnaireResponse.questionnaire", "valueReference": asked})


def _item_subjects(body: Body, trail: Trail) -> None:
    for item in objects(body.get("item")):
        subject, _ = pop(item, "subject")
        if subject is not None:
            extend(item, {"url": f"{STU3_ELEMENT}QuestionnaireResponse.item.subject", "valueReference": subject})
        _item_subjects(item, trail)
        for answer in objects(item.get("answer")):
            _item_subjects(answer, trail)


QUESTIONNAIRE_RESPONSE = TypeRules(
    "QuestionnaireResponse",
    (
        Context(),
        Rename("parent", "partOf"),
        Special(_questionnaire, "R4 names the form by its canonical URL"),
        Special(_item_subjects, "R4 has no subject of an item"),
    ),
    about="subject",
)
APPOINTMENT = TypeRules(
    "Appointment",
    (
        Rename("serviceCategory", "serviceCategory", many=True),
        Rename("reason", "reasonCode"),
        Rename("indication", "reasonReference"),
        Rename("incomingReferral", "basedOn"),
    ),
)
CARE = DOCUMENTS | {
    "Appointment": APPOINTMENT,
    "Encounter": ENCOUNTER,
    "List": TypeRules("List", about="subject"),
    "ProcedureRequest": PROCEDURE_REQUEST,
    "QuestionnaireResponse": QUESTIONNAIRE_RESPONSE,
    "ReferralRequest": REFERRAL_REQUEST,
    "Schedule": TypeRules("Schedule", (Rename("serviceCategory", "serviceCategory", many=True),)),
    "Slot": TypeRules("Slot", (Rename("serviceCategory", "serviceCategory", many=True),)),
}
