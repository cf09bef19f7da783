"""What is due to be erased by the place's schedules, and erasing it (Records Management Code 2021; UK GDPR Art 5(1)(e))."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, Engine, func, select

from carelink.audit.trail import Event, append
from carelink.cases.retention_due import OF_REQUESTS, Due, Kept, due, last_of
from carelink.cases.retention_known import Item, Known, held_back, known
from carelink.cases.subject_access_clock import add_months
from carelink.cases.whose import must_handle
from carelink.clock import LONDON
from carelink.consent.lens import Lens
from carelink.db.tables import person, subject_request
from carelink.ids import PersonKey, ResourceKey
from carelink.place import Place
from carelink.record import erasing
from carelink.record.erasing import Erased

PART = 200  # people that are looked at together
WITH_THE_REST = "with-the-rest"  # of who somebody was, when nothing else is left; in `erasure.schedule`


@dataclass
class Report:
    """How many items are due by each schedule, of how many people, and how many people are held back."""

    items: Counter[str] = field(default_factory=Counter)
    people: int = 0
    whole: int = 0  # people of whom nothing stays
    held: int = 0  # due, but for a legal hold or an open request
    answers: int = 0  # answers to requests


@dataclass(frozen=True)
class Case:
    """What is due of one person."""

    person: PersonKey
    gone: tuple[Erased, ...]
    whole: bool  # nothing else is held of them


def what_is_due(conn: Connection, place: Place, lens: Lens) -> Report:
    """Counts by schedule; nothing is erased. Audited. Raises `Forbidden` for roles that don't handle requests."""
    must_handle(lens)
    report = Report(answers=len(_answers(conn, place, lens)))
    system = Lens.system("retention: what is due", lens.at, lens.user)
    for keys in _parts(conn):
        held = held_back(conn, keys)
        for case in cases(place, known(conn, place, system, keys), _today(system)):
            _count(report, case, case.person in held)
    append(conn, Event("retention", lens.requester, query="due", count=report.items.total(), user=lens.user), lens.at)
    return report


def _count(report: Report, case: Case, held: bool) -> None:
    if held:
        report.held += 1
        return
    report.items.update(one.schedule for one in case.gone)
    report.people += 1
    report.whole += case.whole


def run(engine: Engine, place: Place, lens: Lens) -> Report:
    """Erase what is due, person by person, each in a transaction of its own that also audits it.

    Takes a system lens, whose reason is kept: no role of a place may do this.
    """
    if lens.requester is not None:
        raise TypeError("erasing is for a system lens, with its reason")
    report = Report()
    with engine.begin() as conn:
        report.answers = _forget_answers(conn, place, lens)
        parts = list(_parts(conn))
    for keys in parts:
        with engine.connect() as conn:
            found = [case.person for case in cases(place, known(conn, place, lens, keys), _today(lens))]
        for key in found:
            with engine.begin() as conn:
                _erase(conn, place, lens, key, report)
    return report


def _erase(conn: Connection, place: Place, lens: Lens, key: PersonKey, report: Report) -> None:
    """Looked at again under the lock: somebody may have been in contact, or put a hold on it, since."""
    erasing.begin(conn, [key])
    for case in cases(place, known(conn, place, lens, [key]), _today(lens)):
        held = key in held_back(conn, [key])
        _count(report, case, held)
        if held:
            continue
        erasing.forget_answers(
            conn, (subject_request.c.person == key) & erasing.quoting([one.key for one in case.gone])
        )
        erasing.erase(conn, place, key, case.gone, lens.user, lens.at)
        if case.whole:
            erasing.erase_person(conn, key, WITH_THE_REST, lens.user, lens.at)
        schedules = tuple(sorted({one.schedule for one in case.gone}))
        event = Event("erase", None, key, "retention", len(case.gone), schedules, reason=lens.reason, user=lens.user)
        append(conn, event, lens.at)


def _parts(conn: Connection) -> Iterator[list[PersonKey]]:
    keys = [PersonKey(key) for key in conn.execute(select(person.c.key).order_by(person.c.key)).scalars()]
    return (keys[start : start + PART] for start in range(0, len(keys), PART))


def _today(lens: Lens) -> date:
    return lens.at.astimezone(LONDON).date()


# Deciding ------------------------------------------------------------------------------------------


def cases(place: Place, found: Known, today: date) -> Iterator[Case]:
    """What is due of each of these people; those of whom nothing is are left out. Pure."""
    for key, items in found.items.items():
        gone = _gone(place, found, key, items, today)
        if gone:
            yield Case(key, tuple(gone), len(gone) == len(items))


def _gone(place: Place, found: Known, key: PersonKey, items: Sequence[Item], today: date) -> list[Erased]:
    if key not in found.persons:
        return []
    days = {one.key: _due(place, found, key, one) for one in items}
    days |= _patients(items, days)
    over = {one: day for one, day in days.items() if day is not None and day.day <= today}
    if len(over) < len(items) and not any(one.type == "Patient" and one.key not in over for one in items):
        over = {one.key: over[one.key] for one in items if one.key in over and one.type != "Patient"}
    return [Erased(one.key, one.type, over[one.key].schedule) for one in items if one.key in over]


def _due(place: Place, found: Known, key: PersonKey, item: Item) -> Due | None:
    organisation = place.organisations.get(item.custodian)
    kept = Kept(item.type, item.category, item.custodian, organisation.type if organisation else "")
    return due(place.schedules, kept, found.persons[key], found.last.get((key, item.custodian)))


def _patients(items: Sequence[Item], days: Mapping[ResourceKey, Due | None]) -> dict[ResourceKey, Due | None]:
    """A source's Patient goes with the last that hangs on it: without it the rest would be of nobody."""
    hang: dict[UUID, list[Due | None]] = {}
    for one in items:
        hang.setdefault(one.patient or one.key, []).append(days[one.key])
    return {one.key: last_of([days[one.key], *hang.get(one.key, ())]) for one in items if one.type == "Patient"}


# Answers to requests -------------------------------------------------------------------------------


def _answers(conn: Connection, place: Place, lens: Lens) -> list[int]:
    """Requests whose answer is kept longer than the place says."""
    years = max((one.years for one in place.schedules if one.after == OF_REQUESTS), default=None)
    if years is None:
        return []
    t = subject_request.c
    answered = func.coalesce(t.released_at, t.ended_at)
    asked = select(t.id, answered.label("at")).where(
        answered.is_not(None), t.package.is_not(None) | t.printed.is_not(None)
    )
    return [
        row.id
        for row in conn.execute(asked)
        if add_months(row.at.astimezone(LONDON).date(), 12 * years) <= _today(lens)
    ]


def _forget_answers(conn: Connection, place: Place, lens: Lens) -> int:
    ids = _answers(conn, place, lens)
    if not ids:
        return 0
    number = erasing.forget_answers(conn, subject_request.c.id.in_(ids))
    event = Event("erase", query="answers to requests", count=number, reason=lens.reason, user=lens.user)
    append(conn, event, lens.at)
    return number
