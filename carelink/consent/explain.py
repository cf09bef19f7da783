"""Why somebody sees what they see of a person, and why not: each kind of item with the rule that decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from carelink.audit.trail import Event, append
from carelink.consent.facts import Directed, Facts, Labelled, Related
from carelink.consent.holders import KIND, a_kind, holder_name
from carelink.consent.known import facts_of, items_of
from carelink.consent.lens import Lens
from carelink.consent.provisions import OBJECTIONS
from carelink.consent.requester import Requester
from carelink.consent.rules import UNCLEAR, Decision
from carelink.consent.sensitivity import NATIONAL, Sensitivities
from carelink.db import tables
from carelink.errors import NotFound
from carelink.ids import Ods, PersonKey
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
    """What one requester may see of one person, and why; `withheld`: they are told that something is not shown."""

    lens: Lens
    person: PersonKey
    facts: Facts
    lines: tuple[Line, ...]
    withheld: bool
    told: Facts | None = None  # the facts as whoever reads it may be told them, where that is less


def explain(conn: Connection, lens: Lens, person: PersonKey, asked_by: Requester | str) -> Explanation:
    """The decision on everything held about the person, through this lens. Audited as `explain`, by who asked.

    Of a person who was merged into another, that other is explained. Raises `NotFound` for a key of nobody.
    """
    key = followed(conn, person)
    facts = facts_of(conn, key)
    decided = ((one, lens.decide(one, facts)) for one in items_of(conn, key, facts))
    lines = tuple(kinds(decided, known_to(lens)))
    rules = tuple(sorted({line.decision.rule.id for line in lines}))
    who = asked_by if isinstance(asked_by, Requester) else None
    user = "" if isinstance(asked_by, Requester) else asked_by
    event = Event("explain", who, key, count=len(lines), rules=rules, user=user, detail=_explained(lens))
    append(conn, event, lens.at)
    return Explanation(lens, key, facts, lines, lens.withheld(conn, key))


def _explained(lens: Lens) -> dict[str, str]:
    """Whose view it was: they did not look themselves."""
    asked = lens.requester
    if asked is None:
        return {"system": lens.reason}
    return {"view_of": asked.user, "organisation": asked.organisation, "role": asked.role, "purpose": asked.purpose}


def followed(conn: Connection, person: PersonKey) -> PersonKey:
    """Who the person of that key is now. Raises `NotFound` for a key of nobody."""
    t = tables.person.c
    key = conn.execute(select(func.coalesce(t.merged_into, t.key)).where(t.key == person)).scalar_one_or_none()
    if key is None:
        raise NotFound("Nobody of that key is in the record")
    return PersonKey(key)


def known_to(lens: Lens) -> Sensitivities:
    """The sensitivities of the place that this lens is of."""
    return lens.standing.terms.known if lens.standing is not None else NATIONAL


def kinds(decided: Iterable[tuple[Labelled, Decision]], known: Sensitivities) -> Iterator[Line]:
    """Items that differ in nothing that is shown are one line."""
    counted: Counter[tuple[Ods, str, int, Decision]] = Counter(
        (one.custodian, one.category, one.sensitivities, decision) for one, decision in decided
    )
    for kind, items in sorted(counted.items(), key=lambda pair: (pair[0][:3], pair[0][3].rule.id, pair[0][3].detail)):
        yield Line(kind[0], kind[1], known.names(kind[2]), items, kind[3])


def lines(explanation: Explanation, place: Place) -> list[str]:
    """The explanation in words, a line each, without anything that tells who the person is."""
    lens, facts, told = explanation.lens, explanation.facts, explanation.told or explanation.facts
    related = zip(facts.related, told.related, strict=True)
    said = [f"Asked as {_who(lens.requester)}, at {lens.at:%d %B %Y %H:%M} UTC"]
    said += [_relation(one, shown, lens) for one, shown in related] or ["No relationship is recorded"]
    said += [_objection(one, lens) for one in told.directed]
    if facts.restricted:
        shown = "is shown to this role" if lens.may_locate else "is taken out for this role"
        said.append(f"Restricted: what would tell where they are {shown}")
    if explanation.withheld:
        said.append("They are told that some information is not shown")
    return said + ([_kind(line, place) for line in explanation.lines] or ["Nothing is held about this person"])


def _who(asked: Requester | None) -> str:
    if asked is None:
        return "a system job"
    if asked.person is not None:
        return f"the person themselves, purpose {asked.purpose}"
    return f"{asked.name}, {asked.role} at {asked.organisation}, purpose {asked.purpose}"


def _relation(one: Related, told: Related, lens: Lens) -> str:
    until = f" until {one.ends:%d %b %Y}" if one.ends else ""
    whose = told.user or told.team or _organisation(told.organisation)
    return f"Relationship {one.kind}: {whose}{until} ({_holds(one, lens)})"


def _organisation(ods: str) -> str:
    """Its code; where it is hidden which one it is, the kind of it."""
    words = a_kind(ods)
    return f"{words[:1].lower()}{words[1:]}" if ods.startswith(KIND) else ods


def _holds(one: Related, lens: Lens) -> str:
    if lens.requester is None or not one.involves(lens.requester):
        return "not the requester's"
    if one.holds(lens.requester, lens.at):
        return "holds for the requester"
    return "the requester's, but not begun" if lens.at < one.starts else "the requester's, but over"


def _objection(one: Directed, lens: Lens) -> str:
    why = "" if one.rule != UNCLEAR.id else " (a consent that can't be read exactly)"
    force = "" if one.in_force(lens.at) else " (not in force now)"
    until = f" until {one.ends:%d %b %Y}" if one.ends else ""
    kind = "Objection" if one.rule in OBJECTIONS else "Consent"
    return f"{kind}: {'  ' * one.depth}{one.effect} {_what(one, known_to(lens))} to {_whom(one)}{until}{why}{force}"


def _what(one: Directed, known: Sensitivities) -> str:
    """What the provision is about, by the names that the pack and FHIR have for it."""
    parts = [
        ", ".join(sorted(one.categories or ())),
        ", ".join(sorted(one.types or ())),
        ", ".join(known.names(one.sensitivities or 0)),
        ", ".join(code for _, code in sorted(one.codes or ())),
        f"{len(one.items)} items" if one.items else "",
        f"from {', '.join(sorted(map(_organisation, one.custodians)))}" if one.custodians else "",
        "of a time" if one.since or one.until else "",
    ]
    return "; ".join(part for part in parts if part) or "the whole record"


def _whom(one: Directed) -> str:
    parts = [one.organisation and _organisation(one.organisation), one.organisation_type, one.role, one.team, one.user]
    purposes = f"for {', '.join(sorted(one.purposes))}" if one.purposes else ""
    return " ".join(part for part in [*parts, purposes] if part) or "anyone else"


def _kind(line: Line, place: Place) -> str:
    custodian = holder_name(place, line.custodian)
    care = f" [{', '.join(line.sensitivities)}]" if line.sensitivities else ""
    decided = line.decision
    detail = f", {decided.detail}" if decided.detail else ""
    return (
        f"{decided.effect.value:16} {line.items:4} x {place.categories.get(line.category, line.category)}{care} "
        f"of {custodian}: {decided.rule.id}{detail}: {decided.rule.because}"
    )
