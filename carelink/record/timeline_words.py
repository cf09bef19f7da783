"""Each type of resource as a line of a person's story: this table is what a clinical reader checks. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from carelink.record import timeline_care as care
from carelink.record import timeline_clinical as clinical
from carelink.record.timeline_said import Words
from carelink.record.timeline_values import Body, Names

__all__ = ["KINDS", "UNNAMED", "Kind", "Words", "say"]

UNNAMED = "Not named"  # by its source
_PERIOD = ("period", "end")


@dataclass(frozen=True)
class Kind:
    """What a line about this type is called, how it is said, and in which element its end stands."""

    name: str
    said: Callable[[Body, Names], Words]
    ends: tuple[str, ...] = ()


KINDS: Mapping[str, Kind] = {
    "AllergyIntolerance": Kind("Allergy", clinical.allergy),
    "Appointment": Kind("Appointment", clinical.appointment),
    "CarePlan": Kind("Plan", care.plan, _PERIOD),
    "CareTeam": Kind("Care team", care.team, _PERIOD),
    "Communication": Kind("Message", clinical.coded("topic", "category")),
    "Composition": Kind("Document", clinical.coded("title", "type")),
    "Condition": Kind("Problem", clinical.condition, ("abatementDateTime",)),
    "Consent": Kind("Consent", care.consent, ("provision", "period", "end")),
    "Device": Kind("Equipment", clinical.coded("type")),
    "DiagnosticReport": Kind("Report", clinical.report),
    "DocumentReference": Kind("Document", care.document),
    "Encounter": Kind("Contact or stay", clinical.encounter, _PERIOD),
    "EpisodeOfCare": Kind("Care package", care.package, _PERIOD),
    "FamilyMemberHistory": Kind("Family history", clinical.coded("name", "relationship")),
    "Flag": Kind("Alert", care.flag, _PERIOD),
    "Goal": Kind("Goal", care.goal),
    "Immunization": Kind("Vaccination", clinical.coded("vaccineCode")),
    "List": Kind("List", clinical.coded("title", "code")),
    "MedicationRequest": Kind("Prescription", clinical.medicine),
    "MedicationStatement": Kind("Medicine", clinical.medicine, ("effectivePeriod", "end")),
    "Observation": Kind("Observation", clinical.observation),
    "Procedure": Kind("Procedure", clinical.coded("code")),
    "QuestionnaireResponse": Kind("Form", care.form),
    "RelatedPerson": Kind("Person involved", care.relative, _PERIOD),
    "ServiceRequest": Kind("Referral", care.referral),
    "Specimen": Kind("Sample", clinical.coded("type")),
    "Task": Kind("Task", care.task),
}


def say(body: Body, names: Names) -> Words:
    """The resource in words; a type that the table has not by its name alone."""
    type_ = str(body.get("resourceType", ""))
    kind = KINDS.get(type_) or Kind(type_, clinical.coded("code", "type"))
    words = kind.said(body, names)
    return replace(
        words,
        title=words.title or UNNAMED,
        kind=words.kind or kind.name,
        until=words.until or _end(body, kind.ends),
    )


def _end(body: Body, path: tuple[str, ...]) -> str:
    here: object = body if path else ""
    for name in path:
        here = here.get(name, "") if isinstance(here, Mapping) else ""
    return here if isinstance(here, str) else ""
