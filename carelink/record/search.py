"""Search: one question, one SQL statement, under a lens; the audit row is written on the same connection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, not_, select

from carelink.audit.trail import looked
from carelink.consent.lens import Lens
from carelink.db.among import among, one_of
from carelink.db.tables import resource
from carelink.errors import NotFound
from carelink.ids import PersonKey, ResourceKey
from carelink.record.criteria import condition
from carelink.record.indexing import FAR_PAST
from carelink.record.keyset import after, token
from carelink.record.query import Page, Query, Row

_T = resource.c
_WHEN = func.coalesce(_T.clinical, FAR_PAST)
ORDERS = {
    "-clinical": (_WHEN, True),
    "clinical": (_WHEN, False),
    "-last_updated": (_T.last_updated, True),
    "last_updated": (_T.last_updated, False),
}


def run(conn: Connection, lens: Lens, query: Query) -> Page:
    """The page of resources that match and that this requester may see, newest first unless `query.sort` says otherwise.

    Raises `Invalid` for a parameter or value that can't be searched. Audited as `search`, without values that tell who.
    """
    page = unkept(conn, lens, query)
    looked(conn, lens, "search", _asked(query), page.rows, query.person)
    return page


def unkept(conn: Connection, lens: Lens, query: Query) -> Page:
    """The same for a read of several searches, which keeps one look of them all."""
    value, falling = ORDERS[query.sort]
    key = _T.key
    statement = _columns(lens, value, query.person).where(*_conditions(lens, query))
    if query.after:
        statement = statement.where(after(query.after, value, falling, key))
    order = value.desc() if falling else value.asc()
    found = conn.execute(statement.order_by(order, key).limit(query.count + 1)).all()
    rows = tuple(_row(lens, one) for one in found[: query.count])
    more = len(found) > query.count
    return Page(rows, token(found[query.count - 1].sorted_by, rows[-1].key) if more else "")


def get(conn: Connection, lens: Lens, type_: str, key: ResourceKey) -> Row:
    """The current version of one resource. Raises `NotFound` where there is none that this requester may know of."""
    statement = _columns(lens).where(_T.key == key, _T.type == type_, not_(_T.deleted), lens.where(resource))
    found = conn.execute(statement).one_or_none()
    if found is None:
        looked(conn, lens, "read", type_, (), resource=key)
        raise NotFound("There is no such resource, or you may not see it")
    row = _row(lens, found)
    looked(conn, lens, "read", type_, (row,), resource=key)
    return row


def count(conn: Connection, lens: Lens, query: Query) -> int:
    """How many match that this requester may see."""
    statement = select(func.count()).select_from(resource).where(*_conditions(lens, query))
    number = conn.execute(statement).scalar_one()
    looked(conn, lens, "search", f"{_asked(query)} (count)", (), query.person, number)
    return number


def by_keys(conn: Connection, lens: Lens, keys: Iterable[ResourceKey]) -> tuple[Row, ...]:
    """The resources of those keys that this requester may see, in the order of their keys. Audited where any is asked."""
    wanted = set(keys)
    rows = unkept_by_keys(conn, lens, wanted)
    if wanted:
        looked(conn, lens, "read", "by key", rows)
    return rows


def unkept_by_keys(conn: Connection, lens: Lens, keys: Iterable[ResourceKey]) -> tuple[Row, ...]:
    """The same for a read of several searches, which keeps one look of them all."""
    wanted = sorted(set(keys))
    if not wanted:
        return ()
    statement = _columns(lens).where(among(_T.key, wanted), not_(_T.deleted), lens.where(resource)).order_by(_T.key)
    return tuple(_row(lens, one) for one in conn.execute(statement))


def _columns(lens: Lens, order: ColumnElement[Any] = _WHEN, person: PersonKey | None = None) -> Select[Any]:
    return select(
        _T.key,
        _T.type,
        _T.person,
        _T.version,
        _T.last_updated,
        _T.clinical,
        _T.source,
        _T.custodian,
        _T.category,
        lens.body(resource, person).label("sent"),
        lens.ground(resource, person).label("ground"),
        order.label("sorted_by"),
    )


def _row(lens: Lens, one: Any) -> Row:
    """From what `_columns` asks for, in its order; made for each row of each answer."""
    key, type_, person, version, updated, clinical, source, custodian, category, body, ground, _ = one
    rule, hidden = lens.shown_by(ground)
    if hidden:
        source, custodian = lens.holder(source, custodian, hidden=hidden)
    return Row(key, type_, person, version, updated, clinical, source, custodian, category, body, hidden, rule)


def _conditions(lens: Lens, query: Query) -> list[ColumnElement[bool]]:
    found = [not_(_T.deleted), lens.where(resource, query.person)]
    if query.person is not None:
        found.append(_T.person == query.person)
    found += [one_of(column, values) for column, values in _lists(query) if values]
    if query.sources:
        found.append(lens.locating_allowed(_T.person))  # or else asking for one source after the other would tell
    if query.since is not None:
        found.append(_T.clinical >= query.since)
    if query.until is not None:
        found.append(_T.clinical < query.until)
    if query.goldens is not None:
        golden = and_(_T.type == "Patient", _T.source == "carelink")
        found.append(golden if query.goldens else not_(golden))
    return found + [condition(lens, query, criterion) for criterion in query.criteria]


def _lists(query: Query) -> Sequence[tuple[ColumnElement[Any], tuple[str, ...]]]:
    return ((_T.type, query.types), (_T.source, query.sources), (_T.category, query.categories))


def _asked(query: Query) -> str:
    parameters = "&".join(one.parameter + (f":{one.modifier}" if one.modifier else "") for one in query.criteria)
    return f"{','.join(query.types) or '*'}?{parameters}"
