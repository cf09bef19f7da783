"""The types that are read and searched alike, and by what: one table, which `metadata` and the search both follow.

Only what is indexed as FHIR R4 defines it stands here (R4 search parameter registry); the words say what is not so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from carelink.record.parameters import of_type

OF_A_PERSON = ("patient", "subject")

# Of people. `subject` is another name for `patient` where R4 has both.
_OF_PEOPLE: Mapping[str, tuple[str, ...]] = {
    "AllergyIntolerance": ("code", "category", "clinical-status"),
    "Appointment": ("identifier", "status", "date"),
    "CarePlan": ("identifier", "category", "status", "date"),
    "CareTeam": ("status", "date"),
    "Communication": ("status",),
    "Composition": ("type", "status", "date"),
    "Condition": ("code", "category", "clinical-status", "onset-date", "recorded-date", "encounter"),
    "Consent": ("identifier", "category", "status"),
    "DiagnosticReport": ("identifier", "code", "category", "status", "date", "encounter"),
    "DocumentReference": ("identifier", "type", "category", "status", "date"),
    "Encounter": ("identifier", "class", "type", "status", "date"),
    "EpisodeOfCare": ("identifier", "type", "status", "date"),
    "Flag": ("date",),
    "Goal": (),
    "Immunization": ("vaccine-code", "status", "date"),
    "List": ("code", "status", "date"),
    "MedicationRequest": ("code", "status", "authoredon", "encounter"),
    "MedicationStatement": ("code", "status"),
    "Observation": ("code", "category", "status", "date", "encounter"),
    "Procedure": ("code", "status", "date", "encounter"),
    "QuestionnaireResponse": ("identifier",),
    "RelatedPerson": ("identifier", "name"),
    "ServiceRequest": ("identifier", "code", "category", "status", "based-on"),
    "Task": ("identifier", "code", "status", "period", "based-on", "focus"),
}
_NO_SUBJECT = frozenset(
    {"AllergyIntolerance", "Appointment", "Consent", "EpisodeOfCare", "Immunization", "RelatedPerson"}
)
# Of nobody: who and what others name.
_DIRECTORY: Mapping[str, tuple[str, ...]] = {
    "HealthcareService": ("identifier",),
    "Location": ("identifier", "name"),
    "Organization": ("identifier", "name"),
    "Practitioner": ("identifier", "name", "family", "given"),
    "PractitionerRole": ("identifier",),
}
# The date by which `_sort` puts a type in order, as R4 calls it: when it happened.
SORTED_BY: Mapping[str, str] = {
    "Appointment": "date",
    "CarePlan": "date",
    "CareTeam": "date",
    "Composition": "date",
    "Condition": "onset-date",
    "DiagnosticReport": "date",
    "DocumentReference": "date",
    "Encounter": "date",
    "EpisodeOfCare": "date",
    "Flag": "date",
    "Immunization": "date",
    "List": "date",
    "MedicationRequest": "authoredon",
    "Observation": "date",
    "Procedure": "date",
}
TYPES = tuple(sorted({*_OF_PEOPLE, *_DIRECTORY}))


class Asked(NamedTuple):
    """One search parameter, as `metadata` tells it."""

    name: str
    type: str
    words: str


def needs_a_person(type_: str) -> bool:
    """Whether a search of that type must say whose, or by which id or identifier."""
    return type_ in _OF_PEOPLE


def parameters(type_: str) -> tuple[Asked, ...]:
    """All that it is searched by."""
    found = [Asked("_id", "token", "the id here"), Asked("_lastUpdated", "date", "when it was last changed here")]
    if type_ in _OF_PEOPLE:
        found.append(Asked("patient", "reference", "whose: the golden Patient or, of what one source said, its own"))
        if type_ not in _NO_SUBJECT:
            found.append(Asked("subject", "reference", "as patient"))
    known, named = of_type(type_), _OF_PEOPLE.get(type_) or _DIRECTORY.get(type_, ())
    found += [Asked(code, known[code].kind.value, f"{code}, as R4 defines it") for code in named]
    return tuple(found)
