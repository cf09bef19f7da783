"""One person's story across the sources, newest first, as filtered by whoever reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from sqlalchemy import Connection

from carelink.cases.sections import Line, labels, line, names_of_medicines, opened
from carelink.cases.wording import TYPES
from carelink.clock import LONDON
from carelink.consent.lens import Lens
from carelink.errors import Invalid
from carelink.ids import PersonKey
from carelink.place import Place
from carelink.record import search
from carelink.record.query import Query

PAGE = 200  # items shown at once
EVENTS = tuple(sorted(set(TYPES) - {"RelatedPerson", "List", "Device"}))


@dataclass(frozen=True)
class Filters:
    """What the reader wants to see; empty: everything."""

    category: str = ""
    source: str = ""
    since: date | None = None
    until: date | None = None
    after: str = ""  # the `next` of the part before

    @property
    def any(self) -> bool:
        return bool(self.category or self.source or self.since or self.until)


@dataclass(frozen=True)
class Year:
    """The items of one year; `title` is empty for those without a date."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Story:
    years: tuple[Year, ...]
    count: int
    next: str  # empty: there are no older ones


def filters(given: Mapping[str, str], place: Place) -> Filters:
    """The filters of a request. Raises `Invalid` for what this place doesn't know and for dates that are none."""
    category, source = given.get("category", ""), given.get("source", "")
    if category and category not in place.categories:
        raise Invalid("category", "there is no such category here")
    if source and source not in labels(place):
        raise Invalid("source", "there is no such source here")
    return Filters(category, source, _day(given, "since"), _day(given, "until"), given.get("after", ""))


def _day(given: Mapping[str, str], name: str) -> date | None:
    text = given.get(name, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as wrong:
        raise Invalid(name, "must be a date") from wrong


def story(conn: Connection, place: Place, lens: Lens, person: PersonKey, wanted: Filters) -> Story:
    """One part of the story, at most `PAGE` items."""
    query = Query(
        types=(*EVENTS, "Medication"),
        person=person,
        count=PAGE,
        after=wanted.after,
        sources=(wanted.source,) if wanted.source else (),
        categories=(wanted.category,) if wanted.category else (),
        since=_start(wanted.since) if wanted.since else None,
        until=_start(wanted.until + timedelta(days=1)) if wanted.until else None,
    )
    page = search.run(conn, lens, query)
    read = opened(page.rows)
    named, medicines = labels(place), names_of_medicines(read)
    lines = [line(row, body, named, medicines) for row, body in read if row.type != "Medication"]
    return Story(_years(lines), len(lines), page.next)


def _start(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=LONDON).astimezone(UTC)


def _years(lines: Sequence[Line]) -> tuple[Year, ...]:
    def year(one: Line) -> str:
        return str(one.when.astimezone(LONDON).year) if one.when else ""

    return tuple(Year(title, tuple(group)) for title, group in groupby(lines, key=year))
