"""All that somebody may see, row by row in one order, for an export: a page of rows is in memory and no more.

Of people first, person by person, so that whoever reads on knows when they have all of somebody; then of nobody, the
directory that others name. Source Patients are among it, and golden ones: references point at the former (decision 1).
Keys are the order, so a reading of the same snapshot says the same again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, Result, Row, Select, not_, select, text

from carelink.consent.lens import Lens
from carelink.db.among import among, one_of
from carelink.db.tables import resource
from carelink.ids import PersonKey, ResourceKey

PAGE = 500  # rows that are held at once
_T = resource.c
_OF_PEOPLE = (_T.person, _T.type, _T.key)  # the index resource_person
_OF_NOBODY = (_T.type, _T.last_updated, _T.key)  # the index resource_type
# In the order of an index, whatever the planner makes of it: sorted, all bodies would go through the disk first.
_BY_INDEX = text("set local enable_sort = off; set local enable_bitmapscan = off; set local enable_seqscan = off")


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
    yield from _read(conn, lens, _of_people(lens, wanted).where(not_(_T.deleted)))


def ended(conn: Connection, lens: Lens, wanted: Wanted) -> Iterator[Line]:
    """What is about people and was ended after `since`; nothing where that is not said."""
    if wanted.since is not None:
        yield from _read(conn, lens, _of_people(lens, wanted).where(_T.deleted))


def of_nobody(conn: Connection, lens: Lens, wanted: Wanted) -> Iterator[Line]:
    """The directory of organisations, workers and places, which is about nobody."""
    statement = _changed(lens, wanted).where(_T.person.is_(None), not_(_T.deleted)).order_by(*_OF_NOBODY)
    yield from _read(conn, lens, statement)


def people_of(conn: Connection, lens: Lens, patients: Iterable[UUID]) -> tuple[PersonKey, ...]:
    """The people whose golden Patients these are, or of whom a source gave them; those whom one may see."""
    found = select(_T.person).where(among(_T.key, patients), _T.type == "Patient", not_(_T.deleted))
    rows = conn.execute(found.where(_T.person.is_not(None), lens.where(resource)).distinct().order_by(_T.person))
    return tuple(PersonKey(one) for one in rows.scalars())


def _of_people(lens: Lens, wanted: Wanted) -> Select[Any]:
    statement = _changed(lens, wanted).where(_T.person.is_not(None)).order_by(*_OF_PEOPLE)
    return statement if wanted.persons is None else statement.where(among(_T.person, wanted.persons))


def _changed(lens: Lens, wanted: Wanted) -> Select[Any]:
    body, ground = lens.body(resource).label("sent"), lens.ground(resource).label("ground")
    statement = select(_T.person, _T.type, _T.key, body, ground)
    statement = statement.where(one_of(_T.type, wanted.types), lens.where(resource))
    return statement if wanted.since is None else statement.where(_T.last_updated > wanted.since)


def _read(conn: Connection, lens: Lens, statement: Select[Any]) -> Iterator[Line]:
    """Through a cursor of the database, which keeps the rest."""
    conn.execute(_BY_INDEX)
    for page in _pages(conn.execute(statement, execution_options={"yield_per": PAGE})):
        for one in page:
            yield Line(one.person, one.type, one.key, one.sent, lens.shown_by(one.ground).rule)


def _pages(result: Result[Any]) -> Iterator[Sequence[Row[Any]]]:
    return result.partitions()
