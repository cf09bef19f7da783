"""Labels that are put on resources at ingest: one category and any sensitivities, by the rules of the place pack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from carelink.consent.sensitivity import ACT_CODE, NAMES, OWN_CODE, mask
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
_CODED = ("code", "type", "category", "medicationCodeableConcept", "vaccineCode", "reasonCode", "class", "serviceType")
_SYSTEMS = (ACT_CODE, OWN_CODE)


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
        bits, category = _told(body), ""
        rules = self._rules[key]
        if rules:
            codes = frozenset(_codes(body))
            for rule in rules:
                if not rule.codes or not codes.isdisjoint(rule.codes):
                    bits |= mask(rule.sensitivities)
                    category = category or rule.category
        return Label(category or _category(type_, body), bits)


def _applies(rule: LabelRule, source: str, type_: str) -> bool:
    return (not rule.sources or source in rule.sources) and (not rule.types or type_ in rule.types)


def _category(type_: str, body: Mapping[str, Any]) -> str:
    if type_ == "Task" and ("focus" in body or "basedOn" in body):
        return "referrals"  # the fulfilment of a request, not an assessment
    return CATEGORY.get(type_, "other")


def _told(body: Mapping[str, Any]) -> int:
    """The sensitivities that the source itself put into meta.security."""
    meta = body.get("meta")
    if not meta or "security" not in meta:
        return 0
    told = (coding for coding in meta["security"] if isinstance(coding, Mapping))
    return mask(c["code"] for c in told if c.get("system") in _SYSTEMS and c.get("code") in NAMES)


def _codes(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for element in _CODED:
        found = body.get(element)
        if found is not None:
            for concept in found if isinstance(found, list) else (found,):
                yield from _codings(concept)


def _codings(concept: Any) -> Iterator[tuple[str, str]]:
    if isinstance(concept, Mapping):
        codings = concept.get("coding")
        for coding in codings if isinstance(codings, list) else (concept,):
            if isinstance(coding, Mapping) and "code" in coding:
                yield (coding.get("system", ""), coding["code"])


_labellers: dict[int, Labeller] = {}


def label(place: Place, source: str, type_: str, body: Mapping[str, Any]) -> Label:
    """The label of a resource by the rules of the place; the rules are arranged once a place."""
    found = _labellers.get(id(place))
    if found is None or found.place is not place:
        found = _labellers[id(place)] = Labeller(place)
    return found.label(source, type_, body)
