"""Resources as they were: single versions and histories, each under the lens of today and of then.

An old version is seen where its own labels and those of today allow it. Of what was deleted, the labels of today are those
that it had last: whoever could see it then is told that it is gone, and nobody else that it was ever there.

Of a golden Patient only the current version is told. The older ones are made of what the sources shared then; who may see
that is decided for each source's own Patient, and can't be decided for what was made of several.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Integer,
    Select,
    Uuid,
    case,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    tuple_,
)

from carelink.audit.trail import looked
from carelink.consent.lens import MADE_HERE, Lens
from carelink.db.tables import resource, resource_version
from carelink.errors import Gone, Invalid, NotFound
from carelink.ids import PersonKey, ResourceKey
from carelink.record import search
from carelink.record.query import Row

_T = resource_version.c
_NEWEST_FIRST = (_T.last_updated, _T.key, _T.version)
MOST = 2_147_483_647  # a version is counted so far and no further
NONE = "There is no such resource, or you may not see it"


@dataclass(frozen=True)
class Past:
    """A history that is asked for: of one resource, or of a type. `since` and `at` as R4 3.1.0.10.1 means them."""

    type: str
    key: ResourceKey | None = None
    since: datetime | None = None  # made at or after
    at: tuple[datetime, datetime] | None = None  # current at some time from the first until before the second
    count: int = 50
    after: str = ""  # the `next` of the page before


class Version(NamedTuple):
    """One version, as it may be seen; one that says that it was deleted has nothing to show."""

    row: Row
    deleted: bool


class Versions(NamedTuple):
    """A page of a history; `next` is empty where there are no more."""

    found: tuple[Version, ...]
    next: str


def past(conn: Connection, lens: Lens, asked: Past) -> Versions:
    """The page of versions that this requester may see, newest first. Audited as `history`.

    Raises `NotFound` for a resource of which they may see none, `Invalid` for a place that no page ended at.
    """
    wanted = _versions(lens, asked.type, asked.key).where(*_narrowed(lens, asked)).order_by(*_falling())
    found = _found(lens, conn.execute(wanted.limit(asked.count + 1)))
    page = found[: asked.count]
    looked(conn, lens, "history", _said(asked), [one.row for one in page], resource=asked.key)
    if not page and asked.key is not None and not _any(conn, lens, asked.type, asked.key):
        raise NotFound(NONE)
    return Versions(page, _token(page[-1].row) if len(found) > asked.count else "")


def count(conn: Connection, lens: Lens, asked: Past) -> int:
    """How many versions of that history this requester may see, on all pages. Raises as `past`."""
    wanted = _versions(lens, asked.type, asked.key).where(*_narrowed(lens, asked)).subquery()
    number = conn.execute(select(func.count()).select_from(wanted)).scalar_one()
    looked(conn, lens, "history", f"{_said(asked)} (count)", (), count=number, resource=asked.key)
    if not number and asked.key is not None and not _any(conn, lens, asked.type, asked.key):
        raise NotFound(NONE)
    return number


def history(conn: Connection, lens: Lens, type_: str, key: ResourceKey) -> tuple[Row, ...]:
    """Every version of one resource that this requester may see, newest first. Raises `NotFound` where there is none."""
    found = _found(lens, conn.execute(_versions(lens, type_, key).order_by(*_falling())))
    rows = tuple(one.row for one in found if not one.deleted)
    looked(conn, lens, "history", type_, rows, resource=key)
    if not rows:
        raise NotFound(NONE)
    return rows


def vread(conn: Connection, lens: Lens, type_: str, key: ResourceKey, version: int) -> Row:
    """One version as it was. Raises `NotFound` where there is none that this requester may see, `Gone` for a deletion."""
    wanted = _versions(lens, type_, key).where(_T.version == min(version, MOST))
    found = _found(lens, conn.execute(wanted))
    rows = tuple(one.row for one in found if not one.deleted)
    looked(conn, lens, "vread", type_, rows, resource=key)
    if not found:
        raise NotFound(NONE)
    if not rows:
        raise Gone("It was deleted: this version says so")
    return rows[0]


def current(conn: Connection, lens: Lens, type_: str, key: ResourceKey) -> Row:
    """The current version. Raises `NotFound`, and `Gone` to whom could see it until it was deleted."""
    try:
        return search.get(conn, lens, type_, key)
    except NotFound:
        _must_not_be_gone(conn, lens, type_, key)
        raise


def _must_not_be_gone(conn: Connection, lens: Lens, type_: str, key: ResourceKey) -> None:
    """Nothing for what never was there for this requester. Raises `Gone` for what they could see until it was deleted.

    For whoever did not find it: what was never there and what is hidden are asked about alike, and told alike.
    """
    now = resource.alias("last")
    latest = exists().where(now.c.key == _T.key, now.c.version == _T.version)
    if conn.execute(_versions(lens, type_, key).where(_T.deleted, latest)).first() is not None:
        raise Gone("It was deleted; its history says what it was")


def _any(conn: Connection, lens: Lens, type_: str, key: ResourceKey) -> bool:
    return conn.execute(_versions(lens, type_, key).limit(1)).first() is not None


# The statement --------------------------------------------------------------------------------------


def _versions(lens: Lens, type_: str, key: ResourceKey | None) -> Select[Any]:
    t, body = _T, lens.body(resource_version).label("sent")
    ground = lens.ground(resource_version).label("ground")
    columns = (t.key, t.type, t.person, t.version, t.last_updated, t.custodian, t.category, t.deleted, body, ground)
    whose = t.key == literal(key, Uuid) if key is not None else true()
    told = _told_now() if type_ == "Patient" else true()
    return select(*columns).where(t.type == type_, whose, lens.where(resource_version), told, _seen_last(lens))


def _seen_last(lens: Lens) -> ColumnElement[bool]:
    """What it said before it was deleted may be seen: the row that says that it is gone has no content to decide by."""
    now, was, later = resource.alias("now"), resource_version.alias("was"), resource_version.alias("later")
    gone = select(now.c.deleted).where(now.c.key == _T.key).scalar_subquery()
    last = not_(exists().where(later.c.key == was.c.key, later.c.version > was.c.version, not_(later.c.deleted)))
    then = select(func.bool_or(lens.where(was))).where(was.c.key == _T.key, not_(was.c.deleted), last)
    return case((gone, func.coalesce(then.scalar_subquery(), false())), else_=true())


def _told_now() -> ColumnElement[bool]:
    """Of a golden Patient the current version alone."""
    now = resource.alias("golden")
    told = or_(now.c.source != MADE_HERE, now.c.version == _T.version)
    return func.coalesce(select(told).where(now.c.key == _T.key).scalar_subquery(), false())


def _narrowed(lens: Lens, asked: Past) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if asked.since is not None:
        found.append(_T.last_updated >= asked.since)
    if asked.at is not None:
        first, end = asked.at
        found += [_T.last_updated < end, not_(_replaced(lens, first))]
    if asked.after:
        found.append(_beyond(asked.after))
    return found


def _replaced(lens: Lens, by: datetime) -> ColumnElement[bool]:
    """Whether a later version was there by then: one that may be seen, or the answer would tell when others were made."""
    following: FromClause = resource_version.alias("following")
    later = following.c
    return exists().where(
        later.key == _T.key, later.version > _T.version, later.last_updated <= by, lens.where(following)
    )


# Order and pages ------------------------------------------------------------------------------------


def _falling() -> list[ColumnElement[Any]]:
    return [column.desc() for column in _NEWEST_FIRST]


def _token(last: Row) -> str:
    return f"{last.last_updated.isoformat()}|{last.key}|{last.version}"


def _beyond(after: str) -> ColumnElement[bool]:
    """All that comes after that place. Raises `Invalid` for what is no place of ours."""
    try:
        moment, key, version = after.split("|")
        place = (datetime.fromisoformat(moment), UUID(key), int(version))
    except ValueError as wrong:
        raise Invalid("after", "is not the next link of a history of ours") from wrong
    at, key_, number = place
    return tuple_(*_NEWEST_FIRST) < tuple_(literal(at), literal(key_, Uuid), literal(number, Integer))


def _said(asked: Past) -> str:
    return asked.type if asked.key is not None else f"{asked.type}/_history"


# The answer -----------------------------------------------------------------------------------------


def _found(lens: Lens, rows: Iterable[Any]) -> tuple[Version, ...]:
    return tuple(Version(_row(lens, one), one.deleted) for one in rows)


def _row(lens: Lens, one: Any) -> Row:
    ground = lens.shown_by(one.ground)
    return Row(
        key=ResourceKey(one.key),
        type=one.type,
        person=PersonKey(one.person) if one.person else None,
        version=one.version,
        last_updated=one.last_updated,
        clinical=None,
        source="",
        custodian=lens.holder("", one.custodian, hidden=ground.hidden)[1],
        category=one.category,
        body=one.sent,
        hidden=ground.hidden,
        rule=ground.rule,
    )
