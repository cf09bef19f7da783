"""My caseload: the people I, or my team, are allocated to, with what a morning needs to know of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from carelink.audit.trail import Event, append
from carelink.cases.banner import Banner, banner
from carelink.cases.wording import TASK_OVER, Body, say
from carelink.consent.lens import Lens
from carelink.db.tables import relationship, resource
from carelink.ids import Ods, PersonKey, ResourceKey
from carelink.place import Place
from carelink.record.query import Row
from fhir_adapters import exact_json

TYPES = ("Patient", "Flag", "Task", "Encounter")
MOST = 500  # people of one worker or team
SORTS = {"name": "Name", "due": "Next due", "hospital": "In hospital", "alerts": "Alerts"}


@dataclass(frozen=True)
class Due:
    """An open assessment; `on` is an ISO date, empty where none was set."""

    title: str
    on: str


@dataclass(frozen=True)
class Case:
    banner: Banner
    mine: bool  # allocated to me; else to my team
    alerts: tuple[str, ...]
    due: Due | None
    in_hospital: str  # where, or "yes"; empty: not


def caseload(conn: Connection, place: Place, lens: Lens, sort: str = "name") -> tuple[Case, ...]:
    """The requester's people who are visible to them, sorted by a key of `SORTS`."""
    allocated = _allocated(conn, lens)
    rows = _rows(conn, lens, list(allocated))
    cases = [one for person, mine in allocated.items() if (one := _case(person, mine, rows.get(person, ()), place))]
    return tuple(sorted(cases, key=lambda one: _order(one, sort)))


def _allocated(conn: Connection, lens: Lens) -> dict[PersonKey, bool]:
    """Person -> whether it is the requester in person who is allocated."""
    asked, r = lens.requester, relationship.c
    if asked is None or asked.person is not None:
        return {}
    of_team = and_(r.user.is_(None), r.organisation == asked.organisation, r.team == asked.team)
    statement = (
        select(r.person, r.user)
        .where(
            r.kind == "caseload",
            or_(r.user == asked.user, of_team),
            r.starts <= lens.at,
            or_(r.ends.is_(None), r.ends > lens.at),
        )
        .limit(2 * MOST)
    )
    people: dict[PersonKey, bool] = {}
    for row in conn.execute(statement):
        people[PersonKey(row.person)] = people.get(PersonKey(row.person), False) or row.user is not None
    return people


def _rows(conn: Connection, lens: Lens, people: Sequence[PersonKey]) -> Mapping[PersonKey, list[Row]]:
    """What is visible of all of them, in one statement."""
    if not people:
        return {}
    t = resource.c
    columns = (t.key, t.type, t.person, t.version, t.last_updated, t.clinical, t.source, t.custodian, t.category)
    statement = select(*columns, lens.body().label("body")).where(
        t.person.in_(people), t.type.in_(TYPES), t.deleted.is_(False), lens.where()
    )
    found: dict[PersonKey, list[Row]] = {}
    count = 0
    for one in conn.execute(statement):
        count += 1
        found.setdefault(PersonKey(one.person), []).append(_row(one))
    append(
        conn, Event("search", lens.requester, query="my caseload", count=count, detail={"people": len(people)}), lens.at
    )
    return found


def _row(one: Any) -> Row:
    return Row(
        ResourceKey(one.key),
        one.type,
        PersonKey(one.person),
        one.version,
        one.last_updated,
        one.clinical,
        one.source,
        Ods(one.custodian),
        one.category,
        one.body,
    )


def _case(person: PersonKey, mine: bool, rows: Iterable[Row], place: Place) -> Case | None:
    by_type: dict[str, list[Row]] = {type_: [] for type_ in TYPES}
    for row in rows:
        by_type[row.type].append(row)
    top = banner(person, by_type["Patient"], place)
    if top is None:
        return None
    return Case(top, mine, _alerts(by_type["Flag"]), _due(by_type["Task"]), _in_hospital(by_type["Encounter"]))


def _alerts(rows: Sequence[Row]) -> tuple[str, ...]:
    said = (say("Flag", exact_json.loads(row.body)) for row in rows)
    return tuple(sorted({one.title for one in said if not one.over}))


def _due(rows: Sequence[Row]) -> Due | None:
    """The open task that is due first; those without a date come last."""
    open_ = [body for row in rows if (body := exact_json.loads(row.body)).get("status") not in TASK_OVER]
    dues = [Due(say("Task", body).title, _by(body)) for body in open_]
    return min(dues, key=lambda one: (one.on or "9999", one.title), default=None)


def _by(body: Body) -> str:
    period = (body.get("restriction") or {}).get("period") or body.get("executionPeriod") or {}
    return str(period.get("end", ""))[:10]


def _in_hospital(rows: Sequence[Row]) -> str:
    for row in rows:
        said = say("Encounter", exact_json.loads(row.body))
        if said.state == "in hospital now":
            return said.by or "yes"
    return ""


def _order(case: Case, sort: str) -> tuple[Any, ...]:
    first: Any = 0
    if sort == "due":
        first = case.due.on or "9998" if case.due else "9999"
    elif sort == "hospital":
        first = not case.in_hospital
    elif sort == "alerts":
        first = -len(case.alerts)
    return (first, case.banner.name.split()[-1].lower(), str(case.banner.person))


def overdue(case: Case, at: datetime) -> bool:
    """Whether its next task should have been done before today."""
    return bool(case.due and case.due.on and case.due.on < at.date().isoformat())
