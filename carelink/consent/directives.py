"""FHIR Consent -> directives: what a person denied or permitted, to whom, of what, from when until when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, delete, insert, select

from carelink.consent.periods import ALWAYS, Span, Unclear, span
from carelink.consent.rules import OBJECTION, UNCLEAR
from carelink.db.among import among
from carelink.db.tables import directive, quarantine, resource
from carelink.db.turns import take_turns
from carelink.ids import ODS, Ods, PersonKey, resource_key
from carelink.place import Place
from fhir_adapters import exact_json

CATEGORY = "https://carelink.example/category"
# http://terminology.hl7.org/CodeSystem/consentscope: what is about something else than sharing.
OTHER_SCOPES = frozenset({"adr", "research", "treatment"})
# v3-ParticipationType: the actor is one to whom the information goes. A custodian (CST), say, is one whom it comes from.
RECIPIENTS = frozenset({"IRCP", "PRCP"})
# What a provision may hold; anything else (purpose, dataPeriod, securityLabel, nested provisions, ...) would narrow it.
COMPILED = frozenset({"id", "type", "period", "actor", "class", "code"})


@dataclass(frozen=True)
class Directive:
    """One rule of a Consent. `rule` says how it came about: compiled, or the stricter reading of what can't be."""

    effect: str
    starts: datetime
    ends: datetime | None = None
    organisation: Ods | None = None
    category: str | None = None
    rule: str = OBJECTION.id


HIDES_ALL = Directive("deny", ALWAYS, rule=UNCLEAR.id)


def compile_consent(body: Mapping[str, Any], categories: Mapping[str, str]) -> tuple[Directive, ...]:
    """The directives of a Consent: none where it is not active or not about sharing.

    What can't be compiled is never half-applied: it falls back to the stricter reading, the whole record to nobody.
    """
    if body.get("status") != "active" or not _about_sharing(body):
        return ()
    try:
        return tuple(_rules(body, categories))
    except Unclear:
        return (HIDES_ALL,)


def _about_sharing(body: Mapping[str, Any]) -> bool:
    """A scope that we don't know may be about sharing."""
    scopes = {coding.get("code") for coding in body.get("scope", {}).get("coding", ())}
    return not scopes or not scopes <= OTHER_SCOPES


def _rules(body: Mapping[str, Any], categories: Mapping[str, str]) -> Iterator[Directive]:
    provision = body.get("provision", {})
    if "modifierExtension" in body or set(provision) - COMPILED:
        raise Unclear("it holds what CareLink does not compile")
    if provision.get("type") not in ("deny", "permit"):
        raise Unclear("it says neither deny nor permit")
    if provision["type"] == "permit":
        return  # sharing is by agreement; a plain permit widens nothing
    period = _period(provision)
    for organisation in _actors(provision) or [None]:
        for category in _classes(provision, categories) or [None]:
            yield Directive("deny", period.starts, period.ends, organisation, category)


def _period(provision: Mapping[str, Any]) -> Span:
    found = span(provision.get("period"))
    if found.ends == found.starts:
        raise Unclear("it ends when it starts")
    return found


def _actors(provision: Mapping[str, Any]) -> list[Ods | None]:
    return [_actor(actor) for actor in provision.get("actor", ())]


def _actor(actor: Mapping[str, Any]) -> Ods:
    roles = {coding.get("code") for coding in actor.get("role", {}).get("coding", ())}
    identifier = actor.get("reference", {}).get("identifier", {})
    if not roles or not roles <= RECIPIENTS:
        raise Unclear("it names an actor who may be no recipient")
    if identifier.get("system") != ODS or not identifier.get("value"):
        raise Unclear("it names an actor whom we can't tell by an organisation code")
    return Ods(identifier["value"])


def _classes(provision: Mapping[str, Any], categories: Mapping[str, str]) -> list[str | None]:
    return [_category(coding, categories) for coding in _codings(provision)]


def _codings(provision: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from provision.get("class", ())
    for concept in provision.get("code", ()):
        if not concept.get("coding"):
            raise Unclear("it names a kind of information in words alone")
        yield from concept["coding"]


def _category(coding: Mapping[str, Any], categories: Mapping[str, str]) -> str:
    if coding.get("system") != CATEGORY or coding.get("code") not in categories:
        raise Unclear("it names a kind of information that this place does not know")
    return str(coding["code"])


def refresh(conn: Connection, place: Place, persons: Sequence[PersonKey], now: datetime) -> None:
    """Compile the Consents of these people anew; it takes effect on the next request, everywhere.

    One that could not be stored may be an objection: until it can be read, it hides the whole record.
    """
    wanted = sorted(set(persons))
    if not wanted:
        return
    take_turns(conn, wanted)
    t = resource.c
    stored = conn.execute(
        select(t.key, t.person, t.body)
        .where(among(t.person, wanted), t.type == "Consent", t.deleted.is_(False))
        .order_by(t.person, t.key)
    )
    rows = [
        _row(one, row.person, row.key)
        for row in stored
        for one in compile_consent(exact_json.loads(row.body), place.categories)
    ]
    rows += [_row(HIDES_ALL, row.person, _key(row)) for row in conn.execute(_refused(wanted))]
    conn.execute(delete(directive).where(among(directive.c.person, wanted)))
    if rows:
        conn.execute(insert(directive), rows)


def _refused(persons: Sequence[PersonKey]) -> Select[Any]:
    q = quarantine.c
    open_ = (q.type == "Consent", q.resolved_at.is_(None), among(q.person, persons))
    return select(q.source, q.namespace, q.source_id, q.person).where(*open_).order_by(q.id)


def _key(row: Any) -> UUID:
    """The key that it would be stored under."""
    return resource_key(row.source, row.namespace, "Consent", row.source_id)


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
