"""Rules for how care went: encounters, referrals and requests, documents, forms, lists, appointments."""

from __future__ import annotations

from fhir_adapters.gp_connect.codes import SNOMED, TERMINOLOGY
from fhir_adapters.gp_connect.rules import (
    STU3_ELEMENT,
    Agent,
    Body,
    Fill,
    Keep,
    Recode,
    Rename,
    Special,
    Trail,
    TypeRules,
    extend,
    objects,
    pop,
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
REFERRAL = {"coding": [{"system": SNOMED, "code": "3457005", "display": "Patient referral"}]}


def _referral_kind(body: Body, trail: Trail) -> None:
    """In R4 a referral is a ServiceRequest, known by its category; the source's own type stays beside that."""
    kind, _ = pop(body, "type")
    body["category"] = [REFERRAL, *objects(kind)]


def _service_requested(body: Body, trail: Trail) -> None:
    services = objects(body.pop("serviceRequested", None))
    if services:
        body["code"] = services[0]
    if services[1:]:
        body["orderDetail"] = services[1:]


def _description(body: Body, trail: Trail) -> None:
    """ServiceRequest has no description: what the referrer wrote is the first of the notes."""
    text, _ = pop(body, "description")
    if isinstance(text, str):
        notes = body.get("note")
        body["note"] = [{"text": text}, *(notes if isinstance(notes, list) else [])]


REFERRAL_REQUEST = TypeRules(
    "ServiceRequest",
    (
        Rename("context", "encounter"),
        Recode("status", REQUEST_STATUS, "R4 has another code for the same"),
        Special(_referral_kind, "a referral must stay known as one"),
        Special(_service_requested, "R4 has one code, and details of it"),
        Special(_description, "R4 has no description"),
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
        Rename("context", "encounter"),
        Recode("status", REQUEST_STATUS, "R4 has another code for the same"),
        Agent(),
        Rename("performer", "performer", many=True),
        Keep("definition", "Reference"),
    ),
    about="subject",
)


def _created(body: Body, trail: Trail) -> None:
    """When the document was written: R4 has it on each attachment."""
    created, _ = pop(body, "created")
    if created is None:
        return
    attachments = [one["attachment"] for one in objects(body.get("content")) if isinstance(one.get("attachment"), dict)]
    for attachment in attachments:
        attachment.setdefault("creation", created)
    if not attachments or any(one["creation"] != created for one in attachments):
        extend(body, {"url": f"{STU3_ELEMENT}DocumentReference.created", "valueDateTime": created})


def _related_documents(body: Body, trail: Trail) -> None:
    for context in objects(body.get("context")):
        related = objects(context.get("related"))
        if related:
            context["related"] = [_related_document(one) for one in related]


def _related_document(one: Body) -> Body:
    if "ref" not in one:
        return one
    leads = one["ref"] if isinstance(one["ref"], dict) else {}
    return leads | ({"identifier": one["identifier"]} if "identifier" in one else {})


DOCUMENT_REFERENCE = TypeRules(
    "DocumentReference",
    (
        Rename("indexed", "date"),
        Rename("class", "category", many=True),
        Special(_created, "R4 has no created"),
        Rename("encounter", "encounter", at="context", many=True),
        Special(_related_documents, "R4 has a reference where STU3 had one inside"),
    ),
    about="subject",
)


def _questionnaire(body: Body, trail: Trail) -> None:
    asked = body.get("questionnaire")
    if not isinstance(asked, dict):
        return
    del body["questionnaire"]
    if isinstance(asked.get("reference"), str):
        body["questionnaire"] = asked["reference"]
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
        Rename("context", "encounter"),
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
CARE = {
    "Appointment": APPOINTMENT,
    "DocumentReference": DOCUMENT_REFERENCE,
    "Encounter": ENCOUNTER,
    "List": TypeRules("List", about="subject"),
    "ProcedureRequest": PROCEDURE_REQUEST,
    "QuestionnaireResponse": QUESTIONNAIRE_RESPONSE,
    "ReferralRequest": REFERRAL_REQUEST,
    "Schedule": TypeRules("Schedule", (Rename("serviceCategory", "serviceCategory", many=True),)),
    "Slot": TypeRules("Slot", (Rename("serviceCategory", "serviceCategory", many=True),)),
}
