"""A FHIR Consent back as a wish and as how it was obtained, as far as the form could have made it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from carelink.cases.consent_form import (
    CATEGORY,
    OBTAINED,
    ORGANISATION_TYPE,
    OWN_PURPOSE,
    PURPOSE,
    ROLE,
    USER,
    WITHDRAWN,
    Effect,
    How,
    Terms,
    Wish,
)
from carelink.consent.authority import GIVER
from carelink.consent.capacity import Relation
from carelink.consent.sensitivity import ACT_CODES, OWN_CODE
from carelink.ids import ODS

Body = Mapping[str, Any]
_SAID = frozenset({"id", "type", "period", "actor", "class", "securityLabel", "purpose", "provision"})
_FIELDS = {ODS: "organisations", ORGANISATION_TYPE: "organisation_types", ROLE: "roles", USER: "workers"}
_CODED = {
    "class": (frozenset({CATEGORY}), "categories"),
    "securityLabel": (ACT_CODES | {OWN_CODE}, "sensitivities"),
    "purpose": (frozenset({PURPOSE, OWN_PURPOSE}), "purposes"),
}


class _NotOurs(ValueError):
    """It says what the form can't."""


@dataclass(frozen=True)
class Obtained:
    """How a version came to be: `how` is empty where a source sent it, `by` where no worker took it down."""

    how: str
    by: str
    giver: str  # the name of who decided for the person; empty: they themselves
    relation: Relation
    at: str  # FHIR dateTime
    organisation: str


def wish_of(body: Body) -> Wish | None:
    """The wish that this Consent says; None where the form could not have said it, so that it can't be changed there."""
    provision = body.get("provision", {})
    try:
        return Wish(
            effect=_effect(provision),
            terms=_terms(provision),
            until=_day(provision, "end"),
            exceptions=tuple(_exception(one, provision) for one in provision.get("provision", ())),
            starts=_day(provision, "start"),
        )
    except (_NotOurs, ValueError, KeyError, TypeError, AttributeError):
        return None


def _effect(provision: Body) -> Effect:
    return Effect(provision["type"])


def _exception(one: Body, outer: Body) -> Terms:
    if _effect(one) is not _effect(outer).other or one.get("provision") or one.get("period") != outer.get("period"):
        raise _NotOurs
    return _terms(one)


def _day(provision: Body, edge: str) -> date | None:
    period = provision.get("period", {})
    if set(period) - {"start", "end"}:
        raise _NotOurs
    return date.fromisoformat(period[edge]) if edge in period else None


def _terms(provision: Body) -> Terms:
    if set(provision) - _SAID:
        raise _NotOurs
    found: dict[str, list[str]] = {}
    for field, value in (*_recipients(provision), *_codes(provision)):
        found.setdefault(field, []).append(value)
    return Terms(**{field: tuple(values) for field, values in found.items()})  # type: ignore[arg-type]


def _recipients(provision: Body) -> Iterator[tuple[str, str]]:
    for actor in provision.get("actor", ()):
        identifier = actor["reference"]["identifier"]
        yield _FIELDS[identifier["system"]], identifier["value"]


def _codes(provision: Body) -> Iterator[tuple[str, str]]:
    for element, (systems, field) in _CODED.items():
        for coding in provision.get(element, ()):
            if coding.get("system") not in systems:
                raise _NotOurs
            yield field, coding["code"]


def obtained(body: Body) -> Obtained:
    """How this version was obtained, of its withdrawal where it was withdrawn."""
    told = _extension(body, WITHDRAWN) or _extension(body, OBTAINED) or {}
    parts = _parts(told)
    performer = parts.get("who", {}).get("valueReference") or _first(body, "performer")
    giver = _extension(performer, GIVER)
    relation = _parts(giver or {}).get("relation", {}).get("valueCode")
    return Obtained(
        how=_how(parts.get("how", {}).get("valueCode")),
        by=str(parts.get("by", {}).get("valueReference", {}).get("display", "")),
        giver=str(performer.get("display", "")) if giver else "",
        relation=next((one for one in Relation if one.value == relation), Relation.THE_PERSON),
        at=str(parts.get("at", {}).get("valueDateTime", "") or body.get("dateTime", "")),
        organisation=str(_first(body, "organization").get("display", "")),
    )


def _how(code: Any) -> str:
    return code if code in tuple(How) else ""


def why_withdrawn(body: Body) -> str:
    """The reason that was given; empty where it was not withdrawn here."""
    return str(_parts(_extension(body, WITHDRAWN) or {}).get("why", {}).get("valueString", ""))


def _first(body: Body, element: str) -> Body:
    found: Body = next(iter(body.get(element, ())), {})
    return found


def _parts(extension: Body) -> Mapping[str, Body]:
    return {str(one.get("url")): one for one in extension.get("extension", ())}


def _extension(body: Body, url: str) -> Body | None:
    return next((one for one in body.get("extension", ()) if one.get("url") == url), None)
