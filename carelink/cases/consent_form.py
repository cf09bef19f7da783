"""What a person wishes for their record, as values, and the FHIR Consent (R4) that says it. Pure.

A Consent holds one provision; what is excepted from it is nested in it with the other effect. In one provision the
recipients are any of those named, and so are the kinds and the purposes; all three must fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from carelink.clock import LONDON
from carelink.consent.sensitivity import ACT_CODE, CODINGS, OWN_CODE
from carelink.ids import ODS, Ods, PersonKey, ResourceKey, UserId

CATEGORY = "https://carelink.example/category"
ROLE = "https://carelink.example/CodeSystem/role"
ORGANISATION_TYPE = "https://carelink.example/CodeSystem/organisation-type"
USER = "https://carelink.example/CodeSystem/user"
OBTAINED = "https://carelink.example/StructureDefinition/consent-obtained"
WITHDRAWN = "https://carelink.example/StructureDefinition/consent-withdrawn"
PURPOSE = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
OWN_PURPOSE = "https://carelink.example/CodeSystem/purpose"
NOT_HL7 = frozenset({"SAFEGUARDING"})  # purposes that v3-ActReason doesn't have
EMERGENCY = ("ETREAT", "BTG")
_SCOPE = {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
_KIND = {"system": "http://loinc.org", "code": "59284-0", "display": "Consent Document"}
_RECIPIENT = {"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}

Json = dict[str, Any]
Names = Mapping[tuple[str, str], str]  # (system, code) -> how this place calls it


class Effect(StrEnum):
    """What the person does; its value is the FHIR provision's type."""

    OBJECTS = "deny"
    AGREES = "permit"

    @property
    def other(self) -> Effect:
        """What an exception to it has."""
        return Effect.AGREES if self is Effect.OBJECTS else Effect.OBJECTS


class How(StrEnum):
    """How a consent was obtained."""

    FACE_TO_FACE = "face-to-face"
    TELEPHONE = "telephone"
    LETTER = "letter"
    ONLINE = "online"  # by the person, on their own page
    SYSTEM = "system"  # recorded elsewhere and sent by the FHIR API


@dataclass(frozen=True)
class Terms:
    """To whom, of what, for what. What is empty sets no condition."""

    organisations: tuple[Ods, ...] = ()
    organisation_types: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    workers: tuple[UserId, ...] = ()
    categories: tuple[str, ...] = ()
    sensitivities: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()

    @property
    def names_recipients(self) -> bool:
        """Whether it says to whom."""
        return bool(self.organisations or self.organisation_types or self.roles or self.workers)


@dataclass(frozen=True)
class Wish:
    """What the person wants. `until` is the last day on which it holds, `starts` the first where that is not today."""

    effect: Effect
    terms: Terms = Terms()
    until: date | None = None
    exceptions: tuple[Terms, ...] = ()
    starts: date | None = None


@dataclass(frozen=True)
class Taken:
    """Who decided, and how, when and by whom it was taken down."""

    person: PersonKey
    performer: Mapping[str, Any]  # a FHIR Reference: the person, or who decides for them
    how: How
    at: datetime
    organisation: Ods
    by: UserId | None = None  # the worker; None: the person alone
    by_name: str = ""
    names: Names = field(default_factory=dict)  # for display


def consent(key: ResourceKey, wish: Wish, taken: Taken) -> Json:
    """The active Consent that says this wish, as FHIR R4 wants it."""
    return {
        "resourceType": "Consent",
        "id": str(key),
        "extension": [obtained(taken)],
        "status": "active",
        "scope": {"coding": [_SCOPE]},
        "category": [{"coding": [_KIND]}],
        "patient": {"reference": f"Patient/{taken.person}"},
        "dateTime": _stamp(taken.at),
        "performer": [dict(taken.performer)],
        "organization": [_organisation(taken.organisation, taken.names)],
        "policyRule": {
            "coding": [{"system": ACT_CODE, "code": "OPTOUT" if wish.effect is Effect.OBJECTS else "OPTIN"}]
        },
        "verification": [
            {"verified": True, "verifiedWith": dict(taken.performer), "verificationDate": _stamp(taken.at)}
        ],
        "provision": _provision(wish, taken.names),
    }


def withdrawn(body: Mapping[str, Any], why: str, taken: Taken) -> Json:
    """The same Consent, no longer active; it says why, and by whom it was withdrawn."""
    who = {"url": "who", "valueReference": dict(taken.performer)}
    told = {"url": WITHDRAWN, "extension": [{"url": "why", "valueString": why}, who, *obtained(taken)["extension"]]}
    kept = [one for one in body.get("extension", ()) if one.get("url") != WITHDRAWN]
    return {**without_stamp(body), "status": "inactive", "extension": [*kept, told]}


def without_stamp(body: Mapping[str, Any]) -> Json:
    """The body without what the store itself puts into meta."""
    meta = {name: one for name, one in body.get("meta", {}).items() if name not in ("versionId", "lastUpdated")}
    return {**body, "meta": meta} if meta else {name: one for name, one in body.items() if name != "meta"}


def _provision(wish: Wish, names: Names) -> Json:
    ends = {"start": wish.starts, "end": wish.until}
    said = {name: day.isoformat() for name, day in ends.items() if day is not None}
    period: Json = {"period": said} if said else {}
    # An exception ends with what it is excepted from: it says so itself, so that it never outlives it.
    nested = [{"type": wish.effect.other.value, **period, **_terms(one, names)} for one in wish.exceptions]
    return {
        "type": wish.effect.value,
        **period,
        **_terms(wish.terms, names),
        **({"provision": nested} if nested else {}),
    }


def _terms(terms: Terms, names: Names) -> Json:
    said: Mapping[str, list[Json]] = {
        "actor": list(_actors(terms, names)),
        "securityLabel": [_coding(*_label(name), names) for name in terms.sensitivities],
        "purpose": [_coding(OWN_PURPOSE if code in NOT_HL7 else PURPOSE, code, names) for code in terms.purposes],
        "class": [_coding(CATEGORY, code, names) for code in terms.categories],
    }
    return {name: values for name, values in said.items() if values}


def _coding(system: str, code: str, names: Names) -> Json:
    return {"system": system, "code": code, **_display(system, code, names)}


def _display(system: str, code: str, names: Names) -> Json:
    return {"display": names[system, code]} if (system, code) in names else {}


def _label(name: str) -> tuple[str, str]:
    """As `meta.security` has it; a sensitivity of the place alone is one of our own code system."""
    return CODINGS.get(name, {"system": OWN_CODE})["system"], name


def _actors(terms: Terms, names: Names) -> Iterator[Json]:
    for ods in terms.organisations:
        yield _actor(_organisation(ods, names))
    for system, values in ((ORGANISATION_TYPE, terms.organisation_types), (ROLE, terms.roles)):
        yield from (_actor(_identified(system, value, names)) for value in values)
    for worker in terms.workers:
        yield _actor({"type": "Practitioner", **_identified(USER, worker, names)})


def _actor(reference: Json) -> Json:
    return {"role": {"coding": [_RECIPIENT]}, "reference": reference}


def _organisation(ods: Ods, names: Names) -> Json:
    return {"type": "Organization", **_identified(ODS, ods, names)}


def _identified(system: str, value: str, names: Names) -> Json:
    return {"identifier": {"system": system, "value": value}, **_display(system, value, names)}


def obtained(taken: Taken) -> Json:
    """The extension that says how, when and by whom it was taken down."""
    parts: list[Json] = [{"url": "how", "valueCode": taken.how.value}, {"url": "at", "valueDateTime": _stamp(taken.at)}]
    if taken.by is not None:
        worker = {"type": "Practitioner", "identifier": {"system": USER, "value": taken.by}, "display": taken.by_name}
        parts.append({"url": "by", "valueReference": worker})
    return {"url": OBTAINED, "extension": parts}


def _stamp(at: datetime) -> str:
    return at.astimezone(LONDON).isoformat(timespec="seconds")
