"""All that somebody may see, row by row in one order, for an export: a page of rows is in memory and no more.

Of people first, person by person, so that whoever reads on knows when they have all of somebody; then of nobody, the
directory that others name. Source Patients are among it, and golden ones: references point at the former (decision 1).
Keys are the order, so a reading of the same snapshot says the same again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Select, not_, select, tuple_

from carelink.consent.lens import Lens
from carelink.db.among import among, one_of
from carelink.db.tables import resource
from carelink.ids import PersonKey, ResourceKey

PAGE = 500  # rows that are held at once
_T = resource.c
_OF_PEOPLE = (_T.person, _T.type, _T.key)  # the index resource_person
_OF_NOBODY = (_T.type, _T.last_updated, _T.key)  # the index resource_type
_NONE = UUID(int=0)


@dataclass(frozen=True)
class Wanted:
    """What is exported: of these types, changed after `since`, of these people (None: of everybody)."""

    types: tuple[str, ...]
    since: datetime | None = None
    persons: tuple[PersonKey, ...] | None = None


class Line(NamedTuple):
    """One current version as it may be seen, or one that was ended; `rule` is that by which it is shown."""

    person: PersonKey | None
    type: str
    key: ResourceKey
    body: str
    rule: str


def of_people(conn: Connection, lens: Lens, wanted: Wanted) -> Iterator[Line]:
    """What is about people, those of one person together. Kept by who writes it out: one look of them all."""
    yield from _read(conn, lens, _of_people(lens, wanted).where(not_(_T.deleted)), _person_place, (_NONE, "", _NONE))


def ended(conn: Connection, lens: Lens, wanted: Wanted) -> Iterator[Line]:
    """What is about people and was ended after `since`; nothing where that is not said."""
    if wanted.since is not None:
        yield from _read(conn, lens, _of_people(lens, wanted).where(_T.deleted), _person_place, (_NONE, "", _NONE))


def of_nobody(conn: Connection, lens: Lens, wanted: Wanted) -> Iterator[Line]:
    """The directory of organisations, workers and places, which is about nobody."""
    statement = _changed(lens, wanted).where(_T.person.is_(None), not_(_T.deleted)).order_by(*_OF_NOBODY)
    yield from _read(conn, lens, statement, _nobody_place, None)


def people_of(conn: Connection, lens: Lens, patients: Iterable[UUID]) -> tuple[PersonKey, ...]:
    """The people whose golden Patients these are, or of whom a source gave them; those whom one may see."""
    found = select(_T.person).where(among(_T.key, patients), _T.type == "Patient", not_(_T.deleted))
    rows = conn.execute(found.where(_T.person.is_not(None), lens.where(resource)).distinct().order_by(_T.person))
    return tuple(PersonKey(one) for one in rows.scalars())


def _of_people(lens: Lens, wanted: Wanted) -> Select[Any]:
    statement = _changed(lens, wanted).order_by(*_OF_PEOPLE)
    return statement if wanted.persons is None else statement.where(among(_T.person, wanted.persons))


def _changed(lens: Lens, wanted: Wanted) -> Select[Any]:
    body, ground = lens.body(resource).label("sent"), lens.ground(resource).label("ground")
    statement = select(_T.person, _T.type, _T.key, _T.last_updated, body, ground)
    statement = statement.where(one_of(_T.type, wanted.types), lens.where(resource))
    return statement if wanted.since is None else statement.where(_T.last_updated > wanted.since)


_Place = tuple[Any, ...]


def _person_place(one: Any) -> _Place:
    return one.person, one.type, one.key


def _nobody_place(one: Any) -> _Place:
    return one.type, one.last_updated, one.key


def _read(
    conn: Connection, lens: Lens, statement: Select[Any], place_of: Callable[[Any], _Place], after: _Place | None
) -> Iterator[Line]:
    """Page after page by key, so that no cursor holds more."""
    order = _OF_PEOPLE if place_of is _person_place else _OF_NOBODY
    while True:
        asked = statement if after is None else statement.where(tuple_(*order) > tuple_(*after))
        rows = conn.execute(asked.limit(PAGE)).all()
        for one in rows:
            yield Line(one.person, one.type, one.key, one.sent, lens.shown_by(one.ground).rule)
        if len(rows) < PAGE:
            return
        after = place_of(rows[-1])
