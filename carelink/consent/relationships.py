"""Legitimate relationships, derived from what the record holds, by a table of rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select

from carelink.consent.kept_out import KEPT_OUT_OF, ROLES, kept_out
from carelink.consent.members import CATEGORIES, coded, member
from carelink.consent.periods import Span, Unclear, span
from carelink.db import tables
from carelink.db.among import among
from carelink.db.tables import relationship, resource
from carelink.db.turns import take_turns
from carelink.ids import ODS, Ods, PersonKey, UserId
from carelink.place import Place
from fhir_adapters import exact_json


@dataclass(frozen=True)
class Involvement:
    """One row of `relationship` to be; grace is already in `ends`."""

    person: PersonKey
    kind: str
    organisation: Ods
    starts: datetime
    ends: datetime | None = None
    team: str | None = None
    user: UserId | None = None


def derive(type_: str, body: Mapping[str, Any], person: PersonKey, place: Place) -> tuple[Involvement, ...]:
    """The involvements that one resource shows; none where the place does not count its kind, or a period is unclear."""
    rule = RULES.get(type_)
    if rule is None:
        return ()
    return tuple(_with_grace(one, place) for one in rule(body, person, place) if one.kind in place.relationships)


def _with_grace(one: Involvement, place: Place) -> Involvement:
    if one.ends is None:
        return one
    try:
        return replace(one, ends=one.ends + timedelta(days=place.relationships[one.kind].grace_days))
    except OverflowError:
        return replace(one, ends=None)


def _known(period: Any) -> Span | None:
    """The period, or None where it can't be told: then nobody is involved by it."""
    try:
        return span(period)
    except Unclear:
        return None


def _registered(body: Mapping[str, Any], person: PersonKey, place: Place) -> Iterator[Involvement]:
    for practice in body.get("generalPractitioner", ()):
        ods, period = _ods(practice), _known(practice.get("identifier", {}).get("period"))
        if ods and period:
            yield Involvement(person, "registered-practice", ods, period.starts, period.ends)


_IN_CARE = frozenset({"arrived", "triaged", "in-progress", "onleave"})


def _encounter(body: Mapping[str, Any], person: PersonKey, place: Place) -> Iterator[Involvement]:
    ods, period, status = _ods(body.get("serviceProvider")), _known(body.get("period")), body.get("status")
    if ods and period and _counts(status, _IN_CARE, "finished", period):
        yield Involvement(person, "encounter", ods, period.starts, period.ends)


def _counts(status: Any, now: frozenset[str], over: str, period: Span) -> bool:
    """What is over counts for its grace, so it must be known since when; an end that is said counts in any status."""
    return status in now or (status == over and period.ends is not None)


# https://carelink.example/CodeSystem/care-team, of a CareTeam -> the kind of involvement of who is in it.
TEAMS: Mapping[str, str] = {"mdt": "mdt", "care-team": "care-team", "safeguarding-enquiry": "care-team"}
LOINC = "http://loinc.org"  # the care team categories of HL7; a council's allocation has none


def _team(body: Mapping[str, Any], person: PersonKey, place: Place) -> Iterator[Involvement]:
    """A CareTeam involves its members, each for as long as they are in it; without members, the team that it names.

    But not whom it keeps out: the alleged source of harm of an enquiry is in it too.
    """
    kind, period = _kind(body), _known(body.get("period"))
    if kind is None or period is None or not _counts(body.get("status"), frozenset({"active"}), "inactive", period):
        return
    participants = body.get("participant", ())
    for participant in participants:
        stay = _known(participant.get("period"))
        if stay is not None and not coded(participant.get("role", ()), ROLES) & KEPT_OUT_OF.keys():
            yield from _member(participant, person, kind, period.within(stay), place)
    if kind == "caseload" and not any(one.get("member") for one in participants):
        for organisation, team in _teams_named(body, place):
            yield Involvement(person, "caseload", organisation, period.starts, period.ends, team)


def _kind(body: Mapping[str, Any]) -> str | None:
    """None for a court's order, which involves nobody."""
    categories = body.get("category", ())
    own = coded(categories, CATEGORIES)
    if "court-order" in own:
        return None
    if coded(categories, LOINC) and not own:
        return "care-team"
    return next((TEAMS[code] for code in sorted(own) if code in TEAMS), "caseload")


def _member(
    participant: Mapping[str, Any], person: PersonKey, kind: str, period: Span, place: Place
) -> Iterator[Involvement]:
    """A worker; where they are allocated, their team too. A whole organisation only where it is in a care team."""
    who = member(participant, place)
    if who is None or (who.user is None and not who.team and kind != "care-team"):
        return
    yield Involvement(
        person, kind, who.organisation, period.starts, period.ends, (not who.user and who.team) or None, who.user
    )
    if kind == "caseload" and who.user and who.team:
        yield Involvement(person, kind, who.organisation, period.starts, period.ends, who.team)


def _teams_named(body: Mapping[str, Any], place: Place) -> Iterator[tuple[Ods, str]]:
    """The team that a CareTeam without members is called or known by, at each organisation that answers for it."""
    names = {str(body.get("name", "")), *(str(one.get("value", "")) for one in body.get("identifier", ()))}
    teams = {(worker.organisation, worker.team) for worker in place.staff.values() if worker.team}
    for managing in body.get("managingOrganization", ()):
        ods = _ods(managing)
        for called in sorted(names):
            if ods and (ods, called) in teams:
                yield ods, called


_ACCEPTED = frozenset({"accepted", "in-progress", "on-hold"})


def _referral(body: Mapping[str, Any], person: PersonKey, place: Place) -> Iterator[Involvement]:
    ods = _ods(body.get("owner"))
    if not ods or not ("focus" in body or "basedOn" in body):
        return
    period = _known(body.get("executionPeriod") or {"start": body.get("authoredOn", "")})
    if period and _counts(body.get("status"), _ACCEPTED, "completed", period):
        yield Involvement(person, "referral", ods, period.starts, period.ends)


RULES: Mapping[str, Callable[[Mapping[str, Any], PersonKey, Place], Iterable[Involvement]]] = {
    "Patient": _registered,
    "Encounter": _encounter,
    "CareTeam": _team,
    "Task": _referral,
}


def refresh(conn: Connection, place: Place, persons: Sequence[PersonKey], now: datetime) -> None:
    """Recompute who is involved with these people, and who is kept out, from their stored resources.

    The same resources give the same rows.
    """
    wanted = sorted(set(persons))
    if not wanted:
        return
    take_turns(conn, wanted)
    t = resource.c
    stored = conn.execute(
        select(t.key, t.type, t.person, t.source, t.last_updated, t.body)
        .where(among(t.person, wanted), t.type.in_(list(RULES)), t.deleted.is_(False))
        .order_by(t.person, t.key)
    ).all()
    rows = [row_of(one) | {"origin": row.key} for row, one in involved_by(stored, place)]
    barred = [
        {**asdict(one), "person": row.person, "origin": row.key}
        for row in stored
        if row.type == "CareTeam"
        for one in kept_out(exact_json.loads(row.body), place)
    ]
    for table, new in ((relationship, rows), (tables.kept_out, barred)):
        conn.execute(delete(table).where(among(table.c.person, wanted)))
        if new:
            conn.execute(insert(table), new)


def involved_by(stored: Iterable[Any], place: Place) -> list[tuple[Any, Involvement]]:
    """Who is involved, with the stored row that shows it. Of each person all rows of the types of `RULES` are needed."""
    found = [(row, derive(row.type, exact_json.loads(row.body), PersonKey(row.person), place)) for row in stored]
    return [(row, one) for row, involved in _trusted(found, place) for one in involved]


_Found = Sequence[tuple[Any, tuple[Involvement, ...]]]  # a stored row, and what it shows


def _trusted(found: _Found, place: Place) -> _Found:
    """Of several Patients that name a practice, the one that the golden record believes.

    A practice that the person left lives on in the records of those whom nobody told.
    """
    rule = next((one for one in place.survivorship if one.element == "generalPractitioner"), None)
    if rule is None or rule.choose == "all":
        return found
    named = [row for row, involved in found if row.type == "Patient" and involved]
    best: dict[UUID, Any] = {}
    for row in sorted(named, key=lambda row: _doubt(row, rule.sources)):
        best.setdefault(row.person, row)
    return [(row, involved) for row, involved in found if row.type != "Patient" or best.get(row.person) is row]


def _doubt(row: Any, sources: Sequence[str]) -> tuple[int, float, str]:
    """The most trusted source first, then what is newest; last the golden Patient, which is made of the others."""
    known = row.source if row.source in sources else "*"
    rank = sources.index(known) if known in sources else len(sources)
    return (rank if row.key != row.person else len(sources) + 1, -row.last_updated.timestamp(), str(row.key))


def row_of(one: Involvement) -> dict[str, Any]:
    """The involvement as a row."""
    return {
        "person": one.person,
        "kind": one.kind,
        "organisation": one.organisation,
        "starts": one.starts,
        "ends": one.ends,
        "team": one.team,
        "user": one.user,
    }


def _identifier(reference: Any) -> str:
    found = (reference or {}).get("identifier", {})
    return f"{found.get('system', '')}|{found.get('value', '')}"


def _ods(reference: Any) -> Ods | None:
    system, _, value = _identifier(reference).partition("|")
    return Ods(value) if system == ODS and value else None
