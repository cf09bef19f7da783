"""Rules for what was found and done: allergies, problems, observations, vaccinations, reports."""

from __future__ import annotations

from fhir_adapters.gp_connect.codes import TERMINOLOGY
from fhir_adapters.gp_connect.elements import STU3_ELEMENT, Body, extend, objects, pop_objects, text
from fhir_adapters.gp_connect.extensions import take
from fhir_adapters.gp_connect.immunization import IMMUNIZATION
from fhir_adapters.gp_connect.rules import (
    Concept,
    Context,
    Keep,
    NotDone,
    Note,
    Recode,
    Rename,
    Special,
    Trail,
    TypeRules,
)


def _same(*codes: str) -> dict[str, str]:
    return {code: code for code in codes}


def _allergy_encounter(body: Body, trail: Trail) -> None:
    url = "http://hl7.org/fhir/StructureDefinition/encounter-associatedEncounter"
    tied = [one for one in objects(body.get("extension")) if one.get("url") == url and "valueReference" in one]
    if len(tied) == 1 and "encounter" not in body:
        body["encounter"] = tied[0]["valueReference"]
        left = [one for one in body.pop("extension") if one is not tied[0]]
        body.update({"extension": left} if left else {})


def _allergy_ended(body: Body, trail: Trail) -> None:
    """When and why an allergy ended: UK Core R4 has the extension on the status, CareConnect on the resource."""
    status = body.get("clinicalStatus")
    if isinstance(status, dict):
        extend(status, *take(body, "AllergyIntoleranceEnd"))


ALLERGY = TypeRules(
    "AllergyIntolerance",
    (
        Concept(
            "clinicalStatus",
            f"{TERMINOLOGY}allergyintolerance-clinical",
            _same("active", "inactive", "resolved"),
        ),
        Concept(
            "verificationStatus",
            f"{TERMINOLOGY}allergyintolerance-verification",
            _same("unconfirmed", "confirmed", "refuted", "entered-in-error"),
        ),
        Rename("assertedDate", "recordedDate"),
        Special(_allergy_ended, "UK Core R4 has this extension on the status"),
        Special(_allergy_encounter, "R4 has AllergyIntolerance.encounter for what STU3 had an extension for"),
    ),
    about="patient",
)

CONDITION = TypeRules(
    "Condition",
    (
        Concept(
            "clinicalStatus",
            f"{TERMINOLOGY}condition-clinical",
            _same("active", "recurrence", "relapse", "inactive", "remission", "resolved"),
        ),
        Concept(
            "verificationStatus",
            f"{TERMINOLOGY}condition-ver-status",
            _same("unconfirmed", "provisional", "differential", "confirmed", "refuted", "entered-in-error"),
        ),
        Context(),
        Rename("assertedDate", "recordedDate"),
        Rename("stage", "stage", many=True),
        Keep("abatementBoolean", "Boolean"),
    ),
    about="subject",
)

# STU3 Observation.related.type -> R4 element; the two below it are HL7's R4 extensions.
RELATED_ELEMENT = {"has-member": "hasMember", "derived-from": "derivedFrom"}
RELATED_EXTENSION = {
    "sequel-to": "http://hl7.org/fhir/StructureDefinition/observation-sequelTo",
    "replaces": "http://hl7.org/fhir/StructureDefinition/observation-replaces",
}


def _related(body: Body, trail: Trail) -> None:
    for one in pop_objects(body, "related"):
        kind, target = text(one.get("type")), one.get("target")
        plain = isinstance(target, dict) and one.keys() <= {"type", "_type", "target"}
        trail.beside("related.type", one.get("_type"))
        if plain and kind in RELATED_ELEMENT:
            body.setdefault(RELATED_ELEMENT[kind], []).append(target)
        elif plain and kind in RELATED_EXTENSION:
            extend(body, {"url": RELATED_EXTENSION[kind], "valueReference": target})
        else:
            extend(body, _related_as_it_was(one))


def _related_as_it_was(related: Body) -> Body:
    """A tie that says no type, or one that R4 does not have, or more than R4 has place for."""
    parts = [{"url": "type", "valueCode": related["type"]}] if "type" in related else []
    parts += [{"url": "target", "valueReference": related["target"]}] if "target" in related else []
    return {"url": f"{STU3_ELEMENT}Observation.related", "extension": [*parts, *objects(related.get("extension"))]}


OBSERVATION = TypeRules(
    "Observation",
    (
        Context(),
        Rename("interpretation", "interpretation", many=True),
        Rename("interpretation", "interpretation", at="component", many=True),
        Note("comment"),
        Special(_related, "R4 has an element for each kind of tie between observations"),
        Keep("valueAttachment", "Attachment"),
        Keep("valueAttachment", "Attachment", at="component"),
    ),
    about="subject",
)


def _report_performers(body: Body, trail: Trail) -> None:
    performers = body.get("performer")
    if isinstance(performers, list):
        body["performer"] = [_actor(one) if isinstance(one, dict) else one for one in performers]


def _actor(performer: Body) -> Body:
    if not isinstance(performer.get("actor"), dict):
        return performer
    actor = dict(performer["actor"])
    extend(actor, *objects(performer.get("extension")))
    if "role" in performer:
        extend(
            actor, {"url": f"{STU3_ELEMENT}DiagnosticReport.performer.role", "valueCodeableConcept": performer["role"]}
        )
    return actor


DIAGNOSTIC_REPORT = TypeRules(
    "DiagnosticReport",
    (
        Context(),
        Rename("category", "category", many=True),
        Special(_report_performers, "R4's performer is the actor itself"),
        Rename("image", "media"),
        Rename("codedDiagnosis", "conclusionCode"),
    ),
    about="subject",
)


PROCEDURE = TypeRules(
    "Procedure",
    (
        Context(),
        Recode("status", {"suspended": "on-hold", "aborted": "stopped"}, "R4 has another code for the same"),
        NotDone("notDone"),
        Rename("notDoneReason", "statusReason"),
        Rename("role", "function", at="performer"),
        Keep("definition", "Reference"),
    ),
    about="subject",
)
CLINICAL = {
    "AllergyIntolerance": ALLERGY,
    "Condition": CONDITION,
    "DiagnosticReport": DIAGNOSTIC_REPORT,
    "Immunization": IMMUNIZATION,
    "Observation": OBSERVATION,
    "Procedure": PROCEDURE,
    "Specimen": TypeRules("Specimen", about="subject"),
}
