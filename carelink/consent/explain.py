"""Why somebody sees what they see of a person, and why not: each kind of item with the rule that decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, func, select

from carelink.audit.trail import Event, append
from carelink.consent.facts import Directed, Facts, Labelled, Related
from carelink.consent.lens import Lens
from carelink.consent.rules import Decision
from carelink.consent.sensitivity import names
from carelink.db import tables
from carelink.db.tables import directive, relationship, resource
from carelink.ids import Ods, PersonKey, UserId
from carelink.place import Place


@dataclass(frozen=True)
class Line:
    """Items of one custodian, category and set of sensitivities: they share one decision."""

    custodian: Ods
    category: str
    sensitivities: tuple[str, ...]
    items: int
    decision: Decision


@dataclass(frozen=True)
class Explanation:
    """What one requester may see of one person, and why."""

    lens: Lens
    person: PersonKey
    facts: Facts
    lines: tuple[Line, ...]


def explain(conn: Connection, lens: Lens, person: PersonKey, asked_by: str) -> Explanation:
    """The decision on everything held about the person, through this lens. Audited as `explain` by who asked."""
    facts = facts_of(conn, person)
    lines = tuple(_line(lens, facts, person, row) for row in _kinds(conn, person))
    rules = tuple(sorted({line.decision.rule.id for line in lines}))
    event = Event("explain", lens.requester, person, count=len(lines), rules=rules, detail={"asked_by": asked_by})
    append(conn, event, lens.at)
    return Explanation(lens, person, facts, lines)


def facts_of(conn: Connection, person: UUID) -> Facts:
    """What the decision must know of the person, from the tables."""
    related = conn.execute(select(relationship).where(relationship.c.person == person).order_by(relationship.c.id))
    directed = conn.execute(select(directive).where(directive.c.person == person).order_by(directive.c.id))
    restricted = conn.execute(select(tables.person.c.restricted).where(tables.person.c.key == person)).scalar()
    return Facts(
        tuple(
            Related(r.kind, Ods(r.organisation), r.starts, r.ends, r.team, r.user and UserId(r.user)) for r in related
        ),
        tuple(
            Directed(d.effect, d.starts, d.ends, d.organisation and Ods(d.organisation), d.category) for d in directed
        ),
        bool(restricted),
    )


def _kinds(conn: Connection, person: UUID) -> Iterator[tuple[str, str, int, bool, int]]:
    t = resource.c
    locating = t.redacted.is_not(None)
    kinds = (t.custodian, t.category, t.sensitivities, locating)
    asked = select(*kinds, func.count()).where(t.person == person, t.deleted.is_(False)).group_by(*kinds)
    for row in conn.execute(asked.order_by(*kinds)):
        yield row[0], row[1], row[2], row[3], row[4]


def _line(lens: Lens, facts: Facts, person: PersonKey, row: tuple[str, str, int, bool, int]) -> Line:
    custodian, category, bits, locating, items = row
    item = Labelled(person, Ods(custodian), category, bits, locating)
    return Line(item.custodian, category, names(bits), items, lens.decide(item, facts))


def lines(explanation: Explanation, place: Place) -> list[str]:
    """The explanation in words, a line each, without anything that tells who the person is."""
    asked = explanation.lens.requester
    who = f"{asked.name}, {asked.role} at {asked.organisation}, purpose {asked.purpose}" if asked else "a system job"
    told = [f"Asked as {who}, at {explanation.lens.at:%d %B %Y %H:%M} UTC"]
    told += [_relation(one, explanation) for one in explanation.facts.related] or ["No relationship is recorded"]
    told += [_objection(one) for one in explanation.facts.directed]
    if explanation.facts.restricted:
        told.append("Restricted: what tells where this person is goes only to roles that may see it")
    return told + [_kind(line, place) for line in explanation.lines]


def _relation(one: Related, explanation: Explanation) -> str:
    asked = explanation.lens.requester
    mine = "holds for the requester" if asked and one.holds(asked, explanation.lens.at) else "not the requester's"
    until = f" until {one.ends:%d %b %Y}" if one.ends else ""
    return f"Relationship {one.kind}: {one.user or one.team or one.organisation}{until} ({mine})"


def _objection(one: Directed) -> str:
    return f"Objection: {one.effect} {one.category or 'the whole record'} to {one.organisation or 'anyone else'}"


def _kind(line: Line, place: Place) -> str:
    organisation = place.organisations.get(line.custodian)
    custodian = organisation.name if organisation else line.custodian
    care = f" [{', '.join(line.sensitivities)}]" if line.sensitivities else ""
    decided = line.decision
    detail = f", {decided.detail}" if decided.detail else ""
    return (
        f"{decided.effect.value:16} {line.items:4} x {place.categories.get(line.category, line.category)}{care} "
        f"of {custodian}: {decided.rule.id}{detail}: {decided.rule.because}"
    )
