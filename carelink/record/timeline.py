"""One person's story across the sources, in plain words: what happened when, where it comes from, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection

from carelink.consent.lens import Lens
from carelink.ids import Ods, PersonKey, ResourceKey
from carelink.record import search
from carelink.record.indexing import clinical_text
from carelink.record.query import Query, Row
from carelink.record.timeline_dates import LONDON, Precision, precision
from carelink.record.timeline_names import names_in, opened
from carelink.record.timeline_values import Body, Names
from carelink.record.timeline_words import KINDS, say

__all__ = ["EVENTS", "Entry", "Filters", "Precision", "Timeline", "by_year", "entry", "timeline"]

# What is of a person but nothing that happened: it stands in the summary, or says how other things are arranged.
_NO_EVENTS = frozenset({"RelatedPerson", "List", "Device", "Specimen"})
EVENTS = tuple(sorted(set(KINDS) - _NO_EVENTS))


@dataclass(frozen=True)
class Entry:
    """One item in plain words. `when` is its first moment, in UTC; `precision` says how much of that is known.

    `kind` is what a line of it is called ("Medicine"), `title` never repeats it; `until` is a FHIR date.
    """

    when: datetime | None
    precision: Precision
    until: str
    kind: str
    title: str
    lines: tuple[str, ...]
    state: str  # "ended", "high risk", "in hospital now", ...; empty: nothing to add
    over: bool
    category: str
    source: str  # name in the place pack
    custodian: Ods
    key: ResourceKey
    type: str
    version: int
    last_updated: datetime


@dataclass(frozen=True)
class Filters:
    """What the reader wants of the story; empty: everything. `since` and `until` bound when it happened."""

    types: tuple[str, ...] = EVENTS
    categories: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    count: int = 200
    after: str = ""  # the `next` of the part before


@dataclass(frozen=True)
class Timeline:
    """One part of the story; `next` is empty where there is nothing older."""

    entries: tuple[Entry, ...]
    next: str = ""


def timeline(
    conn: Connection,
    lens: Lens,
    person: PersonKey,
    filters: Filters | None = None,
    told: Mapping[ResourceKey, Entry] | None = None,
) -> Timeline:
    """The part of the story that the filters ask for, newest first, what has no date last. Two statements.

    `told` is what was said through the same lens just now, by a summary: those items are not put into words twice.
    """
    asked = filters or Filters()
    query = Query(
        types=asked.types,
        person=person,
        count=asked.count,
        after=asked.after,
        sources=asked.sources,
        categories=asked.categories,
        since=asked.since,
        until=asked.until,
    )
    page = search.run(conn, lens, query)
    known = {one.key: one for row in page.rows if (one := (told or {}).get(row.key)) and one.version == row.version}
    new = [row for row in page.rows if row.key not in known]
    names = names_in(conn, lens, new)
    known |= {row.key: entry(row, body, names) for row, body in opened(new)}
    return Timeline(tuple(known[row.key] for row in page.rows), page.next)


def entry(row: Row, body: Body, names: Names) -> Entry:
    """The row in plain words."""
    words = say(body, names)
    return Entry(
        when=row.clinical,
        precision=precision(clinical_text(row.type, body)),
        until=words.until,
        kind=words.kind,
        title=words.title,
        lines=words.lines,
        state=words.state,
        over=words.over,
        category=row.category,
        source=row.source,
        custodian=row.custodian,
        key=row.key,
        type=row.type,
        version=row.version,
        last_updated=row.last_updated,
    )


def by_year(entries: Iterable[Entry]) -> Iterator[tuple[str, tuple[Entry, ...]]]:
    """Entries that are in order, under the year (in Europe/London) of each; empty for those without a date."""

    def year(one: Entry) -> str:
        return str(one.when.astimezone(LONDON).year) if one.when else ""

    return ((title, tuple(group)) for title, group in groupby(entries, key=year))
