"""A part of all that is known of a person (FHIR R4, Patient $everything): of some types, of some time, changed since, by pages.

All of it at once is `store.everything`, which asks less.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from carelink.audit.trail import looked
from carelink.consent.lens import Lens
from carelink.errors import NotFound
from carelink.ids import PersonKey, ResourceKey
from carelink.record import search
from carelink.record.query import Criterion, Page, Query, Row

ALONG = frozenset({"Location", "Medication", "Organization", "Practitioner", "PractitionerRole"})  # named by others
REST = "-"  # the place after the golden Patient and before all others
_PART = 1000
_NAMED = re.compile(rf'"reference":"({"|".join(sorted(ALONG))})/([0-9a-f-]{{36}})"')


@dataclass(frozen=True)
class Narrowed:
    """`start` and `end` bound when care was given, `since` when it changed here. `count`: of a page; none: all at once."""

    start: datetime | None = None
    end: datetime | None = None
    since: str = ""  # an instant, as FHIR writes it
    types: frozenset[str] = frozenset()
    count: int | None = None
    after: str = ""


def narrowed(conn: Connection, lens: Lens, person: PersonKey, asked: Narrowed) -> Page:
    """What of the person fits, and what it names; the golden Patient first, then the newest. One look is kept of it.

    What has no date is of any time, and so is what is named (R4). Raises `NotFound` for a person of whom nothing may be
    seen; of another an empty page is an answer.
    """
    page = _page(conn, lens, _query(person, asked), asked)
    rows = [row for row in page.rows if not asked.types or row.type in asked.types]
    named = search.unkept_by_keys(conn, lens, _named(page.rows, asked.types) - {row.key for row in rows})
    whole = (*rows, *named)
    known = whole or search.unkept(conn, lens, Query(person=person, count=1)).rows
    looked(conn, lens, "read", "$everything", whole, person)
    if not known:
        raise NotFound("There is no such person, or you may not see their record")
    return Page(whole, page.next)


def _query(person: PersonKey, asked: Narrowed) -> Query:
    """Where something is wanted that others name, those others are read too, whatever their type."""
    types = () if asked.types & ALONG else tuple(sorted(asked.types))
    since = (Criterion("_lastUpdated", (f"ge{asked.since}",)),) if asked.since else ()
    care = (asked.start, asked.end)
    return Query(types=types, person=person, criteria=since, care=care, count=asked.count or _PART)


def _page(conn: Connection, lens: Lens, query: Query, asked: Narrowed) -> Page:
    if asked.count is None:
        return Page(tuple(_all(conn, lens, query)))
    if asked.after:
        return _rest(conn, lens, query, "" if asked.after == REST else asked.after)
    golden = search.unkept(conn, lens, replace(query, goldens=True, count=1)).rows
    if len(golden) == asked.count:
        return Page(golden, REST)
    rest = _rest(conn, lens, replace(query, count=asked.count - len(golden)), "")
    return Page((*golden, *rest.rows), rest.next)


def _rest(conn: Connection, lens: Lens, query: Query, after: str) -> Page:
    return search.unkept(conn, lens, replace(query, goldens=False, after=after))


def _all(conn: Connection, lens: Lens, query: Query) -> Iterable[Row]:
    golden = search.unkept(conn, lens, replace(query, goldens=True, count=1)).rows
    return [*golden, *search.unkept_whole(conn, lens, replace(query, goldens=False))]


def _named(rows: Sequence[Row], types: frozenset[str]) -> set[ResourceKey]:
    found = (one for row in rows for one in _NAMED.findall(row.body))
    return {ResourceKey(UUID(key)) for type_, key in found if not types or type_ in types}
