"""Rules for people, organisations and places: the Patient, who works for whom, and where."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from fhir_adapters.gp_connect.elements import Body, extend, objects, pop
from fhir_adapters.gp_connect.extensions import part, take, value_of
from fhir_adapters.gp_connect.rules import Drop, Keep, Rename, Single, Special, Trail, TypeRules

PROFICIENCY = "http://hl7.org/fhir/StructureDefinition/patient-proficiency"
INTERPRETER = "http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired"


def _patient_languages(body: Body, trail: Trail) -> None:
    languages = take(body, "NHSCommunication")
    if not languages:
        return
    present = body.get("communication")
    body["communication"] = [*(present if isinstance(present, list) else []), *map(_communication, languages)]
    told = [wanted for one in languages if isinstance(wanted := part(one, "interpreterRequired"), bool)]
    if told:
        extend(body, {"url": INTERPRETER, "valueBoolean": any(told)})


def _communication(extension: Body) -> Body:
    spoken: Body = {"language": part(extension, "language") or {"text": "not said"}}
    if isinstance(preferred := part(extension, "preferred"), bool):
        spoken["preferred"] = preferred
    skills = [
        {"url": url, "valueCoding": coding}
        for name, url in (("communicationProficiency", "level"), ("modeOfCommunication", "type"))
        for coding in _codings(part(extension, name))
    ]
    if skills:
        spoken["extension"] = [{"url": PROFICIENCY, "extension": skills}]
    return spoken


def _codings(concept: Any) -> list[Body]:
    """The codings of a concept; one that is only words is a coding that has only words."""
    if not isinstance(concept, dict):
        return []
    words = concept.get("text")
    codings = objects(concept.get("coding"))
    return (
        codings
        if words is None or any(one.get("display") == words for one in codings)
        else [*codings, {"display": words}]
    )


def _practitioner_languages(body: Body, trail: Trail) -> None:
    """R4 says only which languages; how well, and which is preferred, is told in the trail."""
    told = take(body, "NHSCommunication")
    spoken = [part(one, "language") or value_of(one) for one in told]
    if any(spoken):
        present = body.get("communication")
        body["communication"] = [*(present if isinstance(present, list) else []), *(one for one in spoken if one)]
    for one in told:
        if more := [inner for inner in objects(one.get("extension")) if inner.get("url") != "language"]:
            trail.note("GP-no-place-in-r4", "communication", more, "R4 has no place for how a practitioner speaks it")


def _eligibility(body: Body, trail: Trail) -> None:
    """STU3's code and note are one backbone element in R4."""
    code = body.get("eligibility")
    note, beside = pop(body, "eligibilityNote")
    who: Body = {"code": code} if isinstance(code, dict) else {}
    who |= ({"comment": note} if note is not None else {}) | ({"_comment": beside} if beside is not None else {})
    if who:
        body["eligibility"] = [who]


def _programmes(body: Body, trail: Trail) -> None:
    """A name is a concept of words; what stands beside the names stays beside the words."""
    names = body.get("programName")
    if isinstance(names, list):
        names, beside = pop(body, "programName")
        extras = beside if isinstance(beside, list) else []
        body["program"] = [
            {"text": name} | ({"_text": extra} if extra else {}) for name, extra in zip_longest(names, extras)
        ]


PATIENT = TypeRules(
    "Patient",
    (
        Special(_patient_languages, "R4 has Patient.communication for what CareConnect had an extension for"),
        Drop("animal", "R4 has no animals in Patient"),
    ),
)
PRACTITIONER = TypeRules(
    "Practitioner",
    (Special(_practitioner_languages, "R4 has Practitioner.communication for what CareConnect had an extension for"),),
)
HEALTHCARE_SERVICE = TypeRules(
    "HealthcareService",
    (
        Rename("category", "category", many=True),
        Special(_eligibility, "R4 has a list of who is eligible, each with code and comment"),
        Special(_programmes, "R4 has codes for programmes, STU3 only names"),
    ),
)
RELATED_PERSON = TypeRules("RelatedPerson", (Rename("relationship", "relationship", many=True),), about="patient")
MEDICATION = TypeRules(
    "Medication",
    (
        Keep("isBrand", "Boolean"),
        Keep("isOverTheCounter", "Boolean"),
        Rename("amount", "strength", at="ingredient"),
        Drop("package", "R4 has no package in Medication"),
        Drop("image", "R4 has no image in Medication"),
    ),
)
LOCATION = TypeRules(
    "Location",
    (
        Rename("type", "type", many=True),
        Single("address"),  # seen in the specification's own examples
    ),
)
PEOPLE = {
    "HealthcareService": HEALTHCARE_SERVICE,
    "Location": LOCATION,
    "Medication": MEDICATION,
    "Organization": TypeRules("Organization"),
    "Patient": PATIENT,
    "Practitioner": PRACTITIONER,
    "PractitionerRole": TypeRules("PractitionerRole"),
    "RelatedPerson": RELATED_PERSON,
}
