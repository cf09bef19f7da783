"""One person's story, as filtered by whoever reads it: from the filters of a page to those of the timeline, and by year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection

from carelink.cases.standing import labels
from carelink.clock import LONDON
from carelink.consent.lens import Lens
from carelink.errors import Invalid, NotFound
from carelink.ids import PersonKey, ResourceKey
from carelink.place import Place
from carelink.record.timeline import Entry, Filters, by_year, timeline

PAGE = 200  # items shown at once


@dataclass(frozen=True)
class Wanted:
    """What the reader wants to see; empty: everything. Both days are shown."""

    category: str = ""
    source: str = ""
    since: date | None = None
    until: date | None = None
    after: str = ""  # the `next` of the part before

    @property
    def any(self) -> bool:
        """Whether something is filtered out."""
        return bool(self.category or self.source or self.since or self.until)

    @property
    def filters(self) -> Filters:
        """The same, for the timeline."""
        return Filters(
            categories=(self.category,) if self.category else (),
            sources=(self.source,) if self.source else (),
            since=_start(self.since) if self.since else None,
            until=_start(self.until + timedelta(days=1)) if self.until else None,
            count=PAGE,
            after=self.after,
        )


@dataclass(frozen=True)
class Year:
    """The items of one year; `title` is empty for those without a date."""

    title: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Story:
    years: tuple[Year, ...]
    count: int
    next: str  # empty: there are no older ones


def wanted(given: Mapping[str, str], place: Place) -> Wanted:
    """The filters of a request. Raises `Invalid` for what this place doesn't know and for dates that are none."""
    category, source = given.get("category", ""), given.get("source", "")
    if category and category not in place.categories:
        raise Invalid("category", "there is no such category here")
    if source and source not in labels(place):
        raise Invalid("source", "there is no such source here")
    return Wanted(category, source, _day(given, "since"), _day(given, "until"), given.get("after", ""))


def _day(given: Mapping[str, str], name: str) -> date | None:
    text = given.get(name, "").strip()
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError as wrong:
        raise Invalid(name, "must be a date") from wrong
    if day is not None and not 1800 <= day.year <= 2200:
        raise Invalid(name, "must be a date that somebody may remember")
    return day


def story(
    conn: Connection,
    lens: Lens,
    person: PersonKey,
    asked: Wanted,
    told: Mapping[ResourceKey, Entry] | None = None,
) -> Story:
    """One part of the story, at most `PAGE` items; `told` is what the summary on the same page says already."""
    part = timeline(conn, lens, person, asked.filters, told)
    years = tuple(Year(title, entries) for title, entries in by_year(part.entries))
    return Story(years, len(part.entries), part.next)


def story_alone(conn: Connection, lens: Lens, person: PersonKey, asked: Wanted) -> Story:
    """The part of the page that is refreshed. Raises `NotFound` for a person whom the requester may not know."""
    if not lens.person_visible(conn, person):
        raise NotFound("There is no such person, or you are not involved with them")
    return story(conn, lens, person, asked)


def _start(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=LONDON).astimezone(UTC)
