"""FHIR Consent -> directives: what a person denied or permitted, to whom, of what, from when until when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select

from carelink.consent.relationships import ALWAYS, moment
from carelink.db.tables import directive, resource
from carelink.ids import ODS, Ods, PersonKey
from carelink.place import Place
from fhir_adapters import exact_json

CATEGORY = "https://carelink.example/category"
SHARING = "patient-privacy"  # http://terminology.hl7.org/CodeSystem/consentscope


@dataclass(frozen=True)
class Directive:
    """One rule of a Consent. `rule` says how it came about: compiled, or the stricter reading of what can't be."""

    effect: str
    starts: datetime
    ends: datetime | None = None
    organisation: Ods | None = None
    category: str | None = None
    rule: str = "L7-objection"


class _Unclear(Exception):
    """A provision that we can't hold to exactly."""


def compile_consent(body: Mapping[str, Any], categories: Mapping[str, str]) -> tuple[Directive, ...]:
    """The directives of a Consent: none where it is not active or not about sharing.

    What can't be compiled is never half-applied: it falls back to the stricter reading, the whole record to nobody.
    """
    if body.get("status") != "active" or not _about_sharing(body):
        return ()
    provision = body.get("provision", {})
    starts = moment(provision.get("period", {}).get("start"), last=False) or ALWAYS
    ends = moment(provision.get("period", {}).get("end"), last=True)
    try:
        return tuple(_rules(provision, categories, starts, ends))
    except _Unclear:
        return (Directive("deny", ALWAYS, rule="L7-objection-unclear"),)


def _about_sharing(body: Mapping[str, Any]) -> bool:
    return any(coding.get("code") == SHARING for coding in body.get("scope", {}).get("coding", ()))


def _rules(
    provision: Mapping[str, Any], categories: Mapping[str, str], starts: datetime, ends: datetime | None
) -> Iterator[Directive]:
    if set(provision) - {"type", "period", "actor", "class", "code", "id"}:
        raise _Unclear
    kind = provision.get("type", "")
    if kind not in ("deny", "permit"):
        raise _Unclear
    if kind == "permit":
        return  # sharing is by agreement; a plain permit widens nothing
    for organisation in _actors(provision) or [None]:
        for category in _classes(provision, categories) or [None]:
            yield Directive(kind, starts, ends, organisation, category)


def _actors(provision: Mapping[str, Any]) -> list[Ods | None]:
    found: list[Ods | None] = []
    for actor in provision.get("actor", ()):
        identifier = actor.get("reference", {}).get("identifier", {})
        if identifier.get("system") != ODS or not identifier.get("value"):
            raise _Unclear
        found.append(Ods(identifier["value"]))
    return found


def _classes(provision: Mapping[str, Any], categories: Mapping[str, str]) -> list[str | None]:
    codings = list(provision.get("class", ()))
    codings += [coding for concept in provision.get("code", ()) for coding in concept.get("coding", ())]
    if any(coding.get("system") != CATEGORY or coding.get("code") not in categories for coding in codings):
        raise _Unclear
    return [coding["code"] for coding in codings]


def refresh(conn: Connection, place: Place, persons: Sequence[PersonKey], now: datetime) -> None:
    """Compile the stored Consents of these people anew; it takes effect on the next request, everywhere."""
    wanted = sorted(set(persons))
    if not wanted:
        return
    t = resource.c
    stored = conn.execute(
        select(t.key, t.person, t.body)
        .where(t.person.in_(wanted), t.type == "Consent", t.deleted.is_(False))
        .order_by(t.person, t.key)
    )
    rows = [
        _row(one, row.person, row.key)
        for row in stored
        for one in compile_consent(exact_json.loads(row.body), place.categories)
    ]
    conn.execute(delete(directive).where(directive.c.person.in_(wanted)))
    if rows:
        conn.execute(insert(directive), rows)


def _row(one: Directive, person: UUID, consent: UUID) -> dict[str, Any]:
    return {
        "person": person,
        "consent": consent,
        "rule": one.rule,
        "effect": one.effect,
        "organisation": one.organisation,
        "category": one.category,
        "starts": one.starts,
        "ends": one.ends,
    }
