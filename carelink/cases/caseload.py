"""My caseload: the people I, or my team, are allocated to, with what a morning needs to know of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select

from carelink.audit.trail import looked
from carelink.cases.banner import Banner, banner
from carelink.clock import LONDON
from carelink.consent.holders import holder_name
from carelink.consent.lens import Lens
from carelink.db.tables import index_token, relationship, resource
from carelink.ids import PersonKey, ResourceKey
from carelink.place import Place
from carelink.record.parameters import of_type
from carelink.record.query import Row
from carelink.record.timeline_care import TASK_OVER, due
from carelink.record.timeline_clinical import IN_HOSPITAL, whereabouts
from carelink.record.timeline_names import Read, names_in, opened
from carelink.record.timeline_values import Body, Names
from carelink.record.timeline_words import say

ONGOING = ("Encounter", "Flag", "Task")
STATUS = of_type("Task")["status"].number
OPEN = ("active", "in-progress", "draft", "requested", "received", "accepted", "ready", "on-hold")
MOST = 500  # people that one page shows


@dataclass(frozen=True)
class Column:
    """A column by which the caseload can be sorted, and which way."""

    label: str
    direction: str  # as aria-sort has it


SORTS: Mapping[str, Column] = {
    "name": Column("Name", "ascending"),
    "alerts": Column("Alerts", "descending"),
    "due": Column("Next due", "ascending"),
    "hospital": Column("In hospital", "descending"),
}


@dataclass(frozen=True)
class Due:
    """An open task; `on` is a FHIR date, empty where none was set; `late`: that day has passed."""

    title: str
    on: str
    late: bool


@dataclass(frozen=True)
class Case:
    banner: Banner
    mine: bool  # allocated to me; else to my team
    alerts: tuple[str, ...]
    due: Due | None
    in_hospital: str  # where; empty: not


@dataclass(frozen=True)
class Caseload:
    """`more`: there are people whom the page has no room for, none of them allocated to me before my team's."""

    cases: tuple[Case, ...]
    more: bool = False

    @property
    def mine(self) -> int:
        """How many are allocated to the requester in person."""
        return sum(one.mine for one in self.cases)


def caseload(conn: Connection, place: Place, lens: Lens, sort: str = "name") -> Caseload:
    """The requester's people who are visible to them, sorted by a key of `SORTS`; by name for any other."""
    allocated = _allocated(conn, lens)
    shown = dict(list(allocated.items())[:MOST])
    found = {person: opened(rows) for person, rows in _rows(conn, lens, list(shown)).items()}
    stays = [row for read in found.values() for row, body in read if _inside(row, body)]
    names = names_in(conn, lens, stays)
    today = lens.at.astimezone(LONDON).date().isoformat()
    cases = [
        case
        for person, mine in shown.items()
        if (case := _case(person, mine, found.get(person, ()), place, names, today)) is not None
    ]
    return Caseload(arranged(cases, sort), len(allocated) > MOST)


def _allocated(conn: Connection, lens: Lens) -> dict[PersonKey, bool]:
    """Person -> whether it is the requester in person who is allocated; those come first."""
    asked, r = lens.requester, relationship.c
    if asked is None or asked.person is not None:
        return {}
    of_team = and_(r.user.is_(None), r.organisation == asked.organisation, r.team == asked.team)
    statement = (
        select(r.person, func.bool_or(r.user.is_not(None)).label("mine"))
        .where(
            r.kind == "caseload",
            or_(r.user == asked.user, of_team),
            r.starts <= lens.at,
            or_(r.ends.is_(None), r.ends > lens.at),
        )
        .group_by(r.person)
        .order_by(func.bool_or(r.user.is_not(None)).desc(), r.person)
        .limit(MOST + 1)
    )
    return {PersonKey(row.person): row.mine for row in conn.execute(statement)}


def _rows(conn: Connection, lens: Lens, people: Sequence[PersonKey]) -> Mapping[PersonKey, list[Row]]:
    """What is visible of all of them and still going on, in one statement."""
    if not people:
        return {}
    t, told = resource.c, index_token.c
    open_ = select(told.key).where(told.person.in_(people), told.parameter == STATUS, told.code.in_(OPEN))
    columns = (t.key, t.type, t.person, t.version, t.last_updated, t.clinical, t.source, t.custodian, t.category)
    statement = select(*columns, lens.body().label("body"), lens.ground().label("ground")).where(
        t.person.in_(people),
        or_(t.type == "Patient", and_(t.type.in_(ONGOING), t.key.in_(open_))),
        t.deleted.is_(False),
        lens.where(),
    )
    rows = [_row(lens, one) for one in conn.execute(statement)]
    looked(conn, lens, "search", "my caseload", rows)
    found: dict[PersonKey, list[Row]] = {}
    for row in rows:
        if row.person is not None:
            found.setdefault(row.person, []).append(row)
    return found


def _row(lens: Lens, one: Any) -> Row:
    ground = lens.shown_by(one.ground)
    source, custodian = lens.holder(one.source, one.custodian, hidden=ground.hidden)
    return Row(
        ResourceKey(one.key),
        one.type,
        PersonKey(one.person),
        one.version,
        one.last_updated,
        one.clinical,
        source,
        custodian,
        one.category,
        one.body,
        ground.hidden,
        ground.rule,
    )


def _case(person: PersonKey, mine: bool, read: Read, place: Place, names: Names, today: str) -> Case | None:
    top = banner(person, [row for row, _ in read if row.type == "Patient"], place)
    if top is None:
        return None
    tasks = (body for row, body in read if row.type == "Task")
    return Case(top, mine, _alerts(read), next_due(tasks, today), _in_hospital(read, place, names))


def _alerts(read: Read) -> tuple[str, ...]:
    said = (say(body, Names()) for row, body in read if row.type == "Flag")
    return tuple(sorted({one.title for one in said if not one.over}))


def next_due(tasks: Iterable[Body], today: str) -> Due | None:
    """The open task that is due first, those without a date last; `today` is an ISO date."""
    found = (_task(body, today) for body in tasks if body.get("status") not in TASK_OVER)
    return min(found, key=lambda one: (not one.on, one.on, one.title), default=None)


def _task(body: Body, today: str) -> Due:
    on = due(body)[:10]
    return Due(say(body, Names()).title, on, bool(on) and on < today[: len(on)])


def _inside(row: Row, body: Body) -> bool:
    return row.type == "Encounter" and say(body, Names()).state == IN_HOSPITAL


def _in_hospital(read: Read, place: Place, names: Names) -> str:
    """The ward and hospital as the stay says them, else who says so, by the place's name for them."""
    for row, body in read:
        if _inside(row, body):
            return whereabouts(body, names) or holder_name(place, row.custodian)
    return ""


def arranged(cases: Iterable[Case], sort: str) -> tuple[Case, ...]:
    """In the order of that column; who is alike there by family name."""
    return tuple(
        sorted(cases, key=lambda one: (_FIRST.get(sort, _alike)(one), one.banner.order, str(one.banner.person)))
    )


def _alike(case: Case) -> Any:
    return 0


def _by_due(case: Case) -> Any:
    return (case.due is None, case.due is not None and (not case.due.on, case.due.on))


_FIRST: Mapping[str, Callable[[Case], Any]] = {
    "alerts": lambda case: -len(case.alerts),
    "due": _by_due,
    "hospital": lambda case: not case.in_hospital,
}
