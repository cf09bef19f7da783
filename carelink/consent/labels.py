"""Labels that are put on resources at ingest: one category and any sensitivities, by the rules of the place pack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from carelink.consent.per_place import PerPlace
from carelink.consent.sensitivity import Sensitivity, confidential, mask, told
from carelink.place import LabelRule, Place

# Where no rule of the place says otherwise: what kind of information each type is.
CATEGORY: Mapping[str, str] = {
    "Patient": "demographics",
    "RelatedPerson": "contacts",
    "CareTeam": "contacts",
    "Practitioner": "directory",
    "PractitionerRole": "directory",
    "Organization": "directory",
    "Location": "directory",
    "HealthcareService": "directory",
    "Condition": "problems",
    "FamilyMemberHistory": "problems",
    "Procedure": "problems",
    "AllergyIntolerance": "allergies",
    "Medication": "medicines",
    "MedicationRequest": "medicines",
    "MedicationStatement": "medicines",
    "MedicationDispense": "medicines",
    "MedicationAdministration": "medicines",
    "Immunization": "immunisations",
    "Observation": "results",
    "DiagnosticReport": "results",
    "Specimen": "results",
    "Encounter": "encounters",
    "Appointment": "encounters",
    "Communication": "encounters",
    "EpisodeOfCare": "services",
    "Device": "services",
    "Task": "assessments",
    "QuestionnaireResponse": "assessments",
    "ServiceRequest": "referrals",
    "DocumentReference": "documents",
    "Composition": "documents",
    "CarePlan": "plans",
    "Goal": "plans",
    "Flag": "alerts",
    "Consent": "consent",
}
# What says which kind of thing an item is. What makes it sensitive may stand anywhere in it.
_CODED = ("code", "type", "category", "medicationCodeableConcept", "vaccineCode", "reasonCode", "class", "serviceType")


@dataclass(frozen=True)
class Label:
    """What kind of information an item is, and why it may need more care."""

    category: str
    sensitivities: int = 0


class Labeller:
    """The rules of one place, arranged so that labelling a resource costs a few look-ups."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._rules: dict[tuple[str, str], tuple[LabelRule, ...]] = {}

    def label(self, source: str, type_: str, body: Mapping[str, Any]) -> Label:
        """The label of a resource of that source: the first rule that gives a category wins, sensitivities add up."""
        key = (source, type_)
        if key not in self._rules:
            self._rules[key] = tuple(rule for rule in self.place.labels if _applies(rule, source, type_))
        bits, category = _told(type_, body), ""
        rules = self._rules[key]
        if rules:
            inside = frozenset(_codes(body))
            kinds = frozenset(_kinds(body))
            for rule in rules:
                if not rule.codes or not inside.isdisjoint(rule.codes):
                    bits |= mask(rule.sensitivities)
                if not category and (not rule.codes or not kinds.isdisjoint(rule.codes)):
                    category = rule.category
        return Label(category or _category(type_, body), bits)


def _applies(rule: LabelRule, source: str, type_: str) -> bool:
    return (not rule.sources or source in rule.sources) and (not rule.types or type_ in rule.types)


def _category(type_: str, body: Mapping[str, Any]) -> str:
    if type_ == "Task" and ("focus" in body or "basedOn" in body):
        return "referrals"  # the fulfilment of a request, not an assessment
    return CATEGORY.get(type_, "other")


def _told(type_: str, body: Mapping[str, Any]) -> int:
    """What the source itself says. On a Patient, confidentiality is about where they are: that is the redacted form's."""
    unsaid = Sensitivity.RESTRICTED if type_ != "Patient" and confidential(body) else 0
    return told(body) | unsaid


def _kinds(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The codes of what it is."""
    for element in _CODED:
        if element in body:
            yield from _codes(body[element])


def _codes(value: Any) -> Iterator[tuple[str, str]]:
    """Every coding in it, however deep: a value, a reaction, an answer, a contained medicine."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            code = one.get("code")
            if isinstance(code, str):
                yield (one.get("system", ""), code)
            left += [inner for inner in one.values() if isinstance(inner, _NESTS)]
        elif isinstance(one, list):
            left += [inner for inner in one if isinstance(inner, _NESTS)]


_NESTS = (dict, list)


_labeller = PerPlace(Labeller)


def label(place: Place, source: str, type_: str, body: Mapping[str, Any]) -> Label:
    """The label of a resource by the rules of the place; the rules are arranged once a place."""
    return _labeller(place).label(source, type_, body)
