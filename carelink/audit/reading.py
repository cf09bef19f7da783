"""Reading the audit: for the role that may, and for the person of what is about themselves; a look at it is kept too."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, and_, false, literal_column, not_, or_, select, tuple_, union

from carelink.audit.trail import Event, append
from carelink.consent.lens import Lens
from carelink.consent.rules import OWN
from carelink.db.among import among, one_of
from carelink.db.tables import audit_event, person
from carelink.errors import Forbidden, Invalid, NotFound
from carelink.ids import PersonKey

MAY_READ = "read-audit"
ACTION = "audit"  # of the row that says who read the audit
_T = audit_event.c
# Word for word as the index has it: with a value in its place a prepared statement could not use that index.
_SEVERAL = _T.detail.op("?", is_comparison=True)(literal_column("'persons'"))


@dataclass(frozen=True)
class Kept:
    """One row of the audit, as it was kept."""

    id: int
    at: datetime
    action: str
    outcome: str = "success"
    user: str | None = None
    organisation: str | None = None
    role: str | None = None
    purpose: str | None = None
    reason: str | None = None
    person: PersonKey | None = None
    query: str | None = None
    count: int | None = None
    rules: tuple[str, ...] = ()
    request: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def persons(self) -> frozenset[PersonKey]:
        """Everybody whom it is about."""
        named = {PersonKey(UUID(one)) for one in self.detail.get("persons", ())}
        return frozenset(named | ({self.person} if self.person else set()))

    @property
    def viewed_as(self) -> str:
        """Whose view it was, where somebody looked at what another could see; else empty."""
        return str(self.detail.get("view_of", ""))


@dataclass(frozen=True)
class Asked:
    """Which rows: all conditions must hold; none is asked where it is empty."""

    id: int | None = None
    person: PersonKey | None = None
    user: str = ""
    organisation: str = ""
    purpose: str = ""
    actions: frozenset[str] | None = None
    without: frozenset[str] = frozenset()  # actions
    outcomes: frozenset[str] | None = None
    resource: UUID | None = None
    since: datetime | None = None  # at or after
    until: datetime | None = None  # before
    count: int = 50
    after: str = ""  # the `next` of the page before


@dataclass(frozen=True)
class Found:
    rows: tuple[Kept, ...]
    next: str = ""  # empty: there are no more


def may_read(lens: Lens) -> bool:
    """Whether this requester reads the audit of everybody (`read-audit` in staff.toml)."""
    return lens.requester is None or MAY_READ in lens.may


def must_read(lens: Lens) -> None:
    """Raises `Forbidden` for a role that does not read the audit."""
    if not may_read(lens):
        raise Forbidden("Your role does not read the audit", rule=MAY_READ)


def find(conn: Connection, lens: Lens, asked: Asked, query: str) -> Found:
    """The rows that fit and that this requester may see, newest first; none for who may see none.

    `query` says for the audit itself what was asked, without values. Raises `Invalid` for a `next` that is not ours.
    """
    statement = _newest_first(_rows(conn, lens, asked)).limit(asked.count + 1)
    found = [_kept(row) for row in conn.execute(statement)]
    rows = tuple(found[: asked.count])
    _tell(conn, lens, asked.person, query, len(rows))
    return Found(rows, place_of(rows[-1]) if len(found) > asked.count else "")


def get(conn: Connection, lens: Lens, id_: int, query: str, without: frozenset[str] = frozenset()) -> Kept:
    """One row, of another action than these. Raises `NotFound` where there is none that this requester may see."""
    row = conn.execute(_rows(conn, lens, Asked(id=id_, without=without))).one_or_none()
    _tell(conn, lens, row.person if row else None, query, int(row is not None))
    if row is None:
        raise NotFound("There is no such resource, or you may not see it")
    return _kept(row)


def _tell(conn: Connection, lens: Lens, person_: PersonKey | None, query: str, count: int) -> None:
    asks = lens.requester
    about = person_ or (asks.person if asks else None)
    rules = (OWN.id,) if asks and asks.person else (MAY_READ,) if may_read(lens) else ()
    event = Event(ACTION, asks, about, query=query, count=count, rules=rules, reason=lens.reason, user=lens.user)
    append(conn, event, lens.at)


def _rows(conn: Connection, lens: Lens, asked: Asked) -> Select[Any]:
    conditions, about = _conditions(asked), asked.person
    if not may_read(lens):
        own = lens.requester.person if lens.requester else None
        if own is None or about not in (None, own):
            return select(audit_event).where(false())
        about = own
    if about is None:
        return select(audit_event).where(*conditions)
    return _about(_keys(conn, about), conditions, asked.count + 1)


def _about(keys: Sequence[UUID], conditions: Sequence[ColumnElement[bool]], most: int) -> Select[Any]:
    """Rows that are about one person alone and rows in which they are one of several: each part has its index."""
    part = _newest_first(select(_T.id).where(*conditions)).limit(most)
    listed = or_(*[_T.detail.contains({"persons": [str(key)]}) for key in keys])
    ids = union(
        part.where(among(_T.person, keys)).subquery().select(),
        part.where(_SEVERAL, listed).subquery().select(),
    ).subquery()
    return select(audit_event).join(ids, ids.c.id == _T.id)


def _keys(conn: Connection, key: PersonKey) -> list[UUID]:
    """The person's key, and those that they were kept under before records were found to be theirs."""
    before = select(person.c.key).where(person.c.merged_into == key)
    return [key, *conn.execute(before).scalars()]


def _conditions(asked: Asked) -> list[ColumnElement[bool]]:
    found = [column == value for column, value in _equal(asked) if value]
    found += [one_of(column, values) for column, values in _among(asked) if values is not None]
    if asked.without:
        found.append(not_(one_of(_T.action, asked.without)))
    if asked.id is not None:
        found.append(_T.id == asked.id)
    if asked.resource is not None:
        found.append(_T.detail["resource"].astext == str(asked.resource))
    if asked.since is not None:
        found.append(_T.at >= asked.since)
    if asked.until is not None:
        found.append(_T.at < asked.until)
    if asked.after:
        found.append(_after(asked.after))
    return found


def _equal(asked: Asked) -> tuple[tuple[ColumnElement[Any], str], ...]:
    return ((_T.user, asked.user), (_T.organisation, asked.organisation), (_T.purpose, asked.purpose))


def _among(asked: Asked) -> tuple[tuple[ColumnElement[Any], frozenset[str] | None], ...]:
    return ((_T.action, asked.actions), (_T.outcome, asked.outcomes))


def _newest_first(statement: Select[Any]) -> Select[Any]:
    return statement.order_by(_T.at.desc(), _T.id.desc())


def place_of(last: Kept) -> str:
    """The opaque place of a row: what comes after it is asked for by it."""
    return base64.urlsafe_b64encode(f"{last.at.isoformat()}|{last.id}".encode()).decode().rstrip("=")


def _after(text: str) -> ColumnElement[bool]:
    try:
        moment, _, last = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition("|")
        at, row = datetime.fromisoformat(moment), int(last)
    except ValueError as wrong:
        raise Invalid("after", "is not the next link of a page of ours") from wrong
    return and_(_T.at <= at, tuple_(_T.at, _T.id) < tuple_(at, row))


def _kept(row: Any) -> Kept:
    values = dict(row._mapping)
    return Kept(**values | {"rules": tuple(row.rules), "detail": row.detail or {}})
