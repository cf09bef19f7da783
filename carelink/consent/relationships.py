"""Legitimate relationships, derived from what the record holds, by a table of rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, insert, select

from carelink.db.tables import relationship, resource
from carelink.ids import ODS, Ods, PersonKey, UserId
from carelink.place import Place
from fhir_adapters import exact_json

LONDON = ZoneInfo("Europe/London")
ALWAYS = datetime(1900, 1, 1, tzinfo=UTC)


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
    """The involvements that one resource shows; none where the place does not count its kind."""
    rule = RULES.get(type_)
    if rule is None:
        return ()
    return tuple(_with_grace(one, place) for one in rule(body, person, place) if one.kind in place.relationships)


def _with_grace(one: Involvement, place: Place) -> Involvement:
    if one.ends is None:
        return one
    grace = timedelta(days=place.relationships[one.kind].grace_days)
    return Involvement(one.person, one.kind, one.organisation, one.starts, one.ends + grace, one.team, one.user)


def _registered(body: Mapping[str, Any], person: PersonKey, place: Place) -> Iterator[Involvement]:
    for practice in body.get("generalPractitioner", ()):
        ods = _ods(practice)
        if ods:
            period = practice.get("identifier", {}).get("period", {})
            yield Involvement(person, "registered-practice", ods, _start(period), _end(period))


def _encounter(body: Mapping[str, Any], person: PersonKey, place: Place) -> Iterator[Involvement]:
    ods = _ods(body.get("serviceProvider"))
    if not ods or body.get("status") not in ("arrived", "triaged", "in-progress", "onleave", "finished"):
        return
    period = body.get("period", {})
    ends = _end(period)
    if body["status"] == "finished" and ends is None:
        return  # over, but nobody said when: it can't be told whether grace has passed
    yield Involvement(person, "encounter", ods, _start(period), ends if body["status"] == "finished" else None)


def _caseload(body: Mapping[str, Any], person: PersonKey, place: Place) -> Iterator[Involvement]:
    """A CareTeam allocates its members; without a member the team of the organisation is meant."""
    period = body.get("period", {})
    starts, ends = _start(period), _end(period)
    if body.get("status") not in ("active", "inactive") or (body["status"] == "inactive" and ends is None):
        return
    workers = _staff(place)
    for participant in body.get("participant", ()):
        one = workers.get(_identifier(participant.get("member")))
        if one is not None:
            user, organisation, team = one
            yield Involvement(person, "caseload", organisation, starts, ends, None, user)
            if team:
                yield Involvement(person, "caseload", organisation, starts, ends, team)
    if not any(one.get("member") for one in body.get("participant", ())):
        for organisation, team in _teams_named(body, place):
            yield Involvement(person, "caseload", organisation, starts, ends, team)


def _teams_named(body: Mapping[str, Any], place: Place) -> Iterator[tuple[Ods, str]]:
    """The team that a CareTeam without members is called after, at each organisation that answers for it."""
    teams = {(worker.organisation, worker.team) for worker in place.staff.values() if worker.team}
    for managing in body.get("managingOrganization", ()):
        named = (_ods(managing), str(body.get("name", "")))
        if named[0] and named in teams:
            yield named[0], named[1]


def _referral(body: Mapping[str, Any], person: PersonKey, place: Place) -> Iterator[Involvement]:
    ods = _ods(body.get("owner"))
    if not ods or not ("focus" in body or "basedOn" in body):
        return
    period = body.get("executionPeriod", {}) or {"start": body.get("authoredOn", "")}
    status = body.get("status")
    if status in ("accepted", "in-progress", "on-hold"):
        yield Involvement(person, "referral", ods, _start(period))
    elif status == "completed" and _end(period) is not None:
        yield Involvement(person, "referral", ods, _start(period), _end(period))


RULES: Mapping[str, Callable[[Mapping[str, Any], PersonKey, Place], Iterable[Involvement]]] = {
    "Patient": _registered,
    "Encounter": _encounter,
    "CareTeam": _caseload,
    "Task": _referral,
}


def refresh(conn: Connection, place: Place, persons: Sequence[PersonKey], now: datetime) -> None:
    """Recompute the rows of these people from their stored resources; the same resources give the same rows."""
    wanted = sorted(set(persons))
    if not wanted:
        return
    t = resource.c
    stored = conn.execute(
        select(t.key, t.type, t.person, t.body)
        .where(t.person.in_(wanted), t.type.in_(list(RULES)), t.deleted.is_(False))
        .order_by(t.person, t.key)
    )
    rows = [
        row_of(one) | {"origin": row.key}
        for row in stored
        for one in derive(row.type, exact_json.loads(row.body), PersonKey(row.person), place)
    ]
    conn.execute(delete(relationship).where(relationship.c.person.in_(wanted)))
    if rows:
        conn.execute(insert(relationship), rows)


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


def _staff(place: Place) -> dict[str, tuple[UserId, Ods, str]]:
    return {
        identifier: (worker.id, worker.organisation, worker.team)
        for worker in place.staff.values()
        for identifier in worker.identifiers
    }


def _identifier(reference: Any) -> str:
    found = (reference or {}).get("identifier", {})
    return f"{found.get('system', '')}|{found.get('value', '')}"


def _ods(reference: Any) -> Ods | None:
    system, _, value = _identifier(reference).partition("|")
    return Ods(value) if system == ODS and value else None


def _start(period: Mapping[str, Any]) -> datetime:
    return moment(period.get("start"), last=False) or ALWAYS


def _end(period: Mapping[str, Any]) -> datetime | None:
    return moment(period.get("end"), last=True)


def moment(text: Any, *, last: bool) -> datetime | None:
    """A FHIR dateTime as an instant: a partial one from its first, or to its last, moment in Europe/London."""
    if not isinstance(text, str) or not text:
        return None
    if "T" in text:
        moment = datetime.fromisoformat(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=LONDON)
    parts = [int(part) for part in text.split("-")]
    year, month, day = (*parts, 1, 1)[:3]
    first = datetime.combine(datetime(year, month, day).date(), time(), tzinfo=LONDON)  # noqa: DTZ001
    if not last:
        return first
    if len(parts) == 3:
        return first + timedelta(days=1)
    return first.replace(year=year + 1) if len(parts) == 1 else _next_month(first)


def _next_month(first: datetime) -> datetime:
    return first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
