"""When something that is held is due to be erased, by the schedules of the place. Pure.

Of several schedules that fit an item the longest counts. What none fits is kept, and so is what a schedule fits whose
event is not known: nobody's record is erased for want of a date.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from carelink.cases.subject_access_clock import add_months
from carelink.place import Schedule

OF_REQUESTS = "answer"  # schedules after this event are about requests for records
_GROWN_UP = 18


@dataclass(frozen=True)
class Person:
    """What is known of whom it is about."""

    born: date | None = None
    died: date | None = None
    codes: frozenset[tuple[str, str]] = frozenset()  # those of `whose` that their record holds


@dataclass(frozen=True)
class Kept:
    """One item, as far as schedules ask."""

    type: str
    category: str
    custodian: str
    custodian_type: str


@dataclass(frozen=True)
class Due:
    """From which day on an item may go, and the schedule that says so."""

    day: date
    schedule: str


def due(schedules: Sequence[Schedule], item: Kept, person: Person, last: date | None) -> Due | None:
    """When the item may go; None: it is kept. `last` is the last contact of the person with the item's custodian."""
    found = [(one, _ends(one, person, last)) for one in schedules if _fits(one, item, person, last)]
    if not found or any(day is None for _, day in found):
        return None
    return max((Due(day, one.id) for one, day in found if day is not None), key=lambda one: one.day)


def _fits(schedule: Schedule, item: Kept, person: Person, last: date | None) -> bool:
    return (
        schedule.after != OF_REQUESTS
        and (not schedule.custodians or bool(schedule.custodians & {item.custodian, item.custodian_type}))
        and (not schedule.categories or item.category in schedule.categories)
        and (not schedule.types or item.type in schedule.types)
        and (not schedule.whose or bool(schedule.whose & person.codes))
        and _of_age(schedule, person, last)
    )


def _of_age(schedule: Schedule, person: Person, last: date | None) -> bool:
    """Whose birth or last contact is not known may have been a child and may have been none: both fit."""
    if schedule.people == "any" or person.born is None or last is None:
        return True
    return (age(person.born, last) < _GROWN_UP) == (schedule.people == "children")


def age(born: date, at: date) -> int:
    """In whole years."""
    return at.year - born.year - ((at.month, at.day) < (born.month, born.day))


def _ends(schedule: Schedule, person: Person, last: date | None) -> date | None:
    event = {"last-contact": last, "death": person.died, "birth": person.born}[schedule.after]
    ends = [_years(event, _length(schedule, person, last))] if event else []
    if schedule.years_after_death and person.died:
        ends.append(_years(person.died, schedule.years_after_death))
    return min(ends, default=None)


def _length(schedule: Schedule, person: Person, last: date | None) -> int:
    """Records Management Code: until the 25th birthday, or the 26th where care ended at 17."""
    seen_at_17 = person.born is not None and last is not None and age(person.born, last) == _GROWN_UP - 1
    return schedule.years_if_seen_at_17 if schedule.years_if_seen_at_17 and seen_at_17 else schedule.years


def _years(day: date, years: int) -> date:
    return add_months(day, 12 * years)


def last_of(days: Iterable[Due | None]) -> Due | None:
    """When all of them may go: with the last, or not at all."""
    found = list(days)
    known = [one for one in found if one is not None]
    return max(known, key=lambda one: one.day) if known and len(known) == len(found) else None
