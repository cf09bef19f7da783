"""The types that are read and searched alike, and by what: one table, which `metadata` and the search both follow.

By every parameter that FHIR R4 has for the type and that is indexed as R4 defines it (record/parameters); what R4 has
and this server has not stands in `NOT_SUPPORTED`, with the reason, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from carelink.record.parameters import ALIASES, of_type

OF_A_PERSON = ("patient", "subject")

# Of people: a search says whose. `subject` is another name for `patient` where R4 has both.
_OF_PEOPLE = frozenset(
    {
        *("AllergyIntolerance", "Appointment", "CarePlan", "CareTeam", "Communication", "CommunicationRequest"),
        *("Composition", "Condition", "Consent", "DiagnosticReport", "DocumentReference", "Encounter"),
        *("EpisodeOfCare", "Flag", "Goal", "Immunization", "List", "MedicationRequest", "MedicationStatement"),
        *("Observation", "Procedure", "Provenance", "QuestionnaireResponse", "RelatedPerson", "ServiceRequest", "Task"),
    }
)
_NO_SUBJECT = frozenset(
    {
        *("AllergyIntolerance", "Appointment", "Consent", "EpisodeOfCare", "Immunization"),
        *("Provenance", "RelatedPerson"),
    }
)
# Of nobody: who and what others name. A Medication in somebody's record is theirs, and is found by its own parameters.
_DIRECTORY = frozenset(
    {
        *("Group", "HealthcareService", "Location", "Medication", "Organization", "Practitioner", "PractitionerRole"),
        *("Questionnaire", "Schedule", "Slot"),
    }
)
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
TYPES = tuple(sorted({*_OF_PEOPLE, *_DIRECTORY}))  # and Patient, whose own operations stand elsewhere

_BY_SOUND = "R4 names no algorithm; Patient/$match finds by sound"
# What R4 has and this server does not search by: type (empty: every type) -> parameter -> why.
NOT_SUPPORTED: Mapping[str, Mapping[str, str]] = {
    "": {
        "_content": "full text would find by words what a sensitivity keeps back",
        "_text": "as _content: narrative repeats what the codes say",
        "_query": "no named query is defined here",
    },
    "Location": {"near": "no distances are computed: search by address-postalcode"},
    **{type_: {"phonetic": _BY_SOUND} for type_ in ("Organization", "Patient", "Practitioner", "RelatedPerson")},
    "AuditEvent": {
        "_id": "read it by its id",
        "_lastUpdated": "an event is kept once: search by date",
        "_profile": "each meets the same",
        "_security": "each is as confidential as the next",
        "_source": "each is of this server",
        "_tag": "none has one",
        "address": "network addresses are not kept",
        "agent-name": "names change: search by agent",
        "agent-role": "search by agent",
        "altid": "an agent has one id",
        "entity-name": "nothing personal is kept in names of what was looked at",
        "entity-role": "each entity is what was looked at",
        "entity-type": "search by entity, which says its type",
        "policy": "which rule showed something stands in the event; search by patient",
        "site": "there is one",
        "source": "there is one",
    },
    "Subscription": {
        "_lastUpdated": "a client has few",
        "_profile": "each meets the same",
        "_security": "none has a label",
        "_source": "each is of this server",
        "_tag": "none has one",
        "contact": "the client that subscribed is who is told",
        "payload": "each is told in JSON",
        "type": "each is a rest-hook",
    },
}

# Searched by, but by another kind than R4 says, and why.
OTHERWISE: Mapping[tuple[str, str], str] = {
    ("AuditEvent", "agent"): "users are no resources here: a token of their id, or of a client's",
}


class Asked(NamedTuple):
    """One search parameter, as `metadata` tells it."""

    name: str
    type: str
    words: str


_OF_ALL = (
    Asked("_id", "token", "the id here"),
    Asked("_lastUpdated", "date", "when it was last changed here"),
    Asked("_source", "uri", "urn:carelink:source: and the name of the source, as meta.source says it"),
)


def needs_a_person(type_: str) -> bool:
    """Whether a search of that type must say whose, or by which id or identifier."""
    return type_ in _OF_PEOPLE


def parameters(type_: str) -> tuple[Asked, ...]:
    """All that it is searched by."""
    found = list(_OF_ALL)
    if type_ in _OF_PEOPLE:
        found.append(Asked("patient", "reference", "whose: the golden Patient or, of what one source said, its own"))
        if type_ not in _NO_SUBJECT:
            found.append(Asked("subject", "reference", "as patient"))
    known = {code: one for code, one in of_type(type_).items() if type_ in one.offered}
    found += [Asked(code, known[code].kind.value, f"{code}, as R4 defines it") for code in sorted(known)]
    found += [
        Asked(alias, "token", f"{code}, of system {system}")
        for alias, (code, system) in ALIASES.items()
        if code in known
    ]
    return tuple(found)


def unsupported(type_: str = "") -> str:
    """What `metadata` says of the type is not searched by, and why; empty where there is nothing. Of every type: ``."""
    reasons = NOT_SUPPORTED.get(type_, {})
    said = "; ".join(f"{name} ({why})" for name, why in reasons.items())
    return f"Not searched by: {said}." if said else ""
