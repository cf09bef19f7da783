"""Rules for medicines: what was ordered, what is taken, and how."""

from __future__ import annotations

from fhir_adapters.gp_connect.codes import TERMINOLOGY, UKCORE
from fhir_adapters.gp_connect.elements import Body, extend, objects, text
from fhir_adapters.gp_connect.extensions import name_of, part, take, value_of
from fhir_adapters.gp_connect.rules import Agent, Context, Keep, Rename, Single, Special, Trail, TypeRules

# CareConnect prescription type -> R4's (and UK Core's) course of therapy.
COURSE = {
    "acute": (f"{TERMINOLOGY}medicationrequest-course-of-therapy", "acute", "Short course (acute) therapy"),
    "repeat": (f"{TERMINOLOGY}medicationrequest-course-of-therapy", "continuous", "Continuous long term therapy"),
    "repeat-dispensing": (
        f"{UKCORE}MedicationRequestCourseOfTherapy",
        "continuous-repeating-dispensing",
        "Continuous long term (repeat dispensing)",
    ),
}
DOSE = ("doseRange", "doseQuantity", "rateRatio", "rateRange", "rateQuantity")


def _doses(element: str) -> Special:
    def move(body: Body, trail: Trail) -> None:
        for dosage in objects(body.get(element)):
            amounts = {name: dosage.pop(name) for name in DOSE if name in dosage}
            if amounts:
                dosage["doseAndRate"] = [amounts]

    return Special(move, "R4 groups a dose with its rate")


def _course(body: Body, trail: Trail) -> None:
    """The prescription type as R4's course of therapy; the GP system's own code stays beside it."""
    types = take(body, "PrescriptionType")
    concept = value_of(types[0]) if types else None
    if not isinstance(concept, dict) or "courseOfTherapyType" in body:
        extend(body, *types) if types else None
        return
    codings = objects(concept.get("coding"))
    known = [COURSE[code] for one in codings if (code := text(one.get("code"))) in COURSE]
    r4 = [{"system": system, "code": code, "display": display} for system, code, display in known]
    body["courseOfTherapyType"] = concept | {"coding": [*r4, *codings]}
    if types[1:]:
        extend(body, *types[1:])


def _status_reason(body: Body, trail: Trail) -> None:
    """Why it was stopped has a place in R4, when it was has none: the extension that says both stays."""
    for extension in objects(body.get("extension")):
        if name_of(str(extension.get("url", ""))) == "MedicationStatusReason" and "statusReason" not in body:
            why = part(extension, "statusReason")
            if isinstance(why, dict):
                body["statusReason"] = why


def _not_taken(body: Body, trail: Trail) -> None:
    """STU3 asks apart whether it is taken; R4 says only `not-taken`, in the status."""
    if body.get("taken") == "n" and body.get("status") != "entered-in-error":
        trail.note("GP-not-taken", "status", body.get("status", ""), "STU3's taken = n is a status in R4")
        body["status"] = "not-taken"


REQUEST = TypeRules(
    "MedicationRequest",
    (
        Context(),
        Rename("category", "category", many=True),
        Agent(),
        Special(_course, "R4 has courseOfTherapyType for what CareConnect had an extension for"),
        Special(_status_reason, "R4 has statusReason for what CareConnect had an extension for"),
        _doses("dosageInstruction"),
        Single("code", at="dispenseRequest.expectedSupplyDuration"),  # seen in the specification's own examples
        Rename("allowed", "allowedBoolean", at="substitution"),  # R4 lets a code stand in its place
        Keep("definition", "Reference"),
    ),
    about="subject",
)
STATEMENT = TypeRules(
    "MedicationStatement",
    (
        Special(_not_taken, "R4 has no `taken`"),
        Keep("taken", "Code"),
        Rename("reasonNotTaken", "statusReason"),
        _doses("dosage"),
    ),
    about="subject",
)
MEDICINES = {"MedicationRequest": REQUEST, "MedicationStatement": STATEMENT}
