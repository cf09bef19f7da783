"""Search: one question, one SQL statement, under a lens; the audit row is written on the same connection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, literal_column, not_, select

from carelink.audit.trail import looked
from carelink.consent.lens import Lens
from carelink.db.tables import resource
from carelink.errors import NotFound
from carelink.ids import PersonKey, ResourceKey
from carelink.record import care_dates, kept
from carelink.record.chains import criterion, refers
from carelink.record.criteria import LOCATED
from carelink.record.keyset import after, token
from carelink.record.ordering import orders
from carelink.record.parts import Over, Part, all_of, negated
from carelink.record.query import Criterion, Page, Query, Row

_T = resource


def run(conn: Connection, lens: Lens, query: Query) -> Page:
    """The page of resources that match and that this requester may see, newest first unless `query.sort` says otherwise.

    Raises `Invalid` for a parameter or value that can't be searched. Audited as `search`, without values that tell who.
    """
    page = unkept(conn, lens, query)
    keep(conn, lens, query, page.rows)
    return page


def keep(conn: Connection, lens: Lens, query: Query, rows: Sequence[Row]) -> None:
    """Keep the look of that search: by which parameters, without values that tell who, and what was shown."""
    looked(conn, lens, "search", _asked(query), rows, query.person)


def unkept(conn: Connection, lens: Lens, query: Query) -> Page:
    """The same for a read of several searches, which keeps one look of them all."""
    by = orders(query.types, query.sort)
    parts = _parts(lens, query) + ([after(query.after, by)] if query.after else [])
    met = all_of(parts)

    def make(lens: Lens, binds: Sequence[Any]) -> Select[Any]:
        over, *given = _over(lens, query, binds)
        most, *values = given
        sorted_by = [order.sql(over) for order in by]
        told = [one.label(f"by{number}") for number, one in enumerate(sorted_by)]
        turned = [one.desc() if order.falling else one.asc() for order, one in zip(by, sorted_by, strict=True)]
        found = _columns(over).add_columns(*told).where(*_whose(over), _seen(over), met.sql(over, *values))
        return found.order_by(*turned, _T.c.key).limit(most)

    shape = ("search", query.person is None, tuple(order.shape for order in by), met.shape)
    found = kept.run(conn, lens, shape, [*_person(query), query.count + 1, *met.values], make).all()
    rows = tuple(_row(lens, one) for one in found[: query.count])
    more = len(found) > query.count
    return Page(rows, token(found[query.count - 1][COLUMNS:], rows[-1].key) if more else "")


def unkept_whole(conn: Connection, lens: Lens, query: Query) -> list[Row]:
    """All pages of it, for a read that keeps one look of them all."""
    rows: list[Row] = []
    while True:
        page = unkept(conn, lens, query)
        rows += page.rows
        if not page.next:
            return rows
        query = replace(query, after=page.next)


def get(conn: Connection, lens: Lens, type_: str, key: ResourceKey) -> Row:
    """The current version of one resource. Raises `NotFound` where there is none that this requester may know of."""
    found = kept.run(conn, lens, "get", (key, type_), _one).one_or_none()
    if found is None:
        looked(conn, lens, "read", type_, (), resource=key)
        raise NotFound("There is no such resource, or you may not see it")
    row = _row(lens, found)
    looked(conn, lens, "read", type_, (row,), resource=key)
    return row


def _one(lens: Lens, binds: Sequence[Any]) -> Select[Any]:
    over = _of_many(lens)
    return _columns(over).where(_T.c.key == binds[0], _T.c.type == binds[1], _seen(over))


def count(conn: Connection, lens: Lens, query: Query) -> int:
    """How many match that this requester may see."""
    met = all_of(_parts(lens, query))

    def make(lens: Lens, binds: Sequence[Any]) -> Select[Any]:
        over, *values = _over(lens, query, binds)
        return select(func.count()).select_from(over.rows).where(*_whose(over), _seen(over), met.sql(over, *values))

    shape = ("count", query.person is None, met.shape)
    number: int = kept.run(conn, lens, shape, [*_person(query), *met.values], make).scalar_one()
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
    return tuple(_row(lens, one) for one in kept.run(conn, lens, "by keys", [wanted], _several))


def _several(lens: Lens, binds: Sequence[Any]) -> Select[Any]:
    over = _of_many(lens)
    return _columns(over).where(_T.c.key == binds[0].any_(), _seen(over)).order_by(_T.c.key)


def _seen(over: Over) -> ColumnElement[bool]:
    return and_(not_(over.t.c.deleted), over.lens.where(over.t, over.whom))


def referring(
    conn: Connection, lens: Lens, type_: str, parameter: str, keys: Sequence[ResourceKey], most: int
) -> tuple[Row, ...]:
    """What refers to any of these by that parameter, the first of them by their keys; the look is the caller's to keep."""
    met = refers(type_, parameter, keys)

    def make(lens: Lens, binds: Sequence[Any]) -> Select[Any]:
        over = _of_many(lens)
        found = _columns(over).where(_T.c.type == binds[0], _seen(over), met.sql(over, *binds[2:]))
        return found.order_by(_T.c.key).limit(binds[1])

    shape = ("referring", met.shape)
    return tuple(_row(lens, one) for one in kept.run(conn, lens, shape, [type_, most, *met.values], make))


COLUMNS = 11  # of `_columns`, before those that it is sorted by


def _columns(over: Over) -> Select[Any]:
    t = over.t.c
    return select(
        t.key,
        t.type,
        t.person,
        t.version,
        t.last_updated,
        t.clinical,
        t.source,
        t.custodian,
        t.category,
        over.lens.body(over.t, over.whom).label("sent"),
        over.lens.ground(over.t, over.whom).label("ground"),
    ).select_from(over.rows)


def _row(lens: Lens, one: Any) -> Row:
    """From what `_columns` asks for, in its order; made for each row of each answer."""
    key, type_, person, version, updated, clinical, source, custodian, category, body, ground = one[:COLUMNS]
    rule, hidden = lens.shown_by(ground)
    if hidden:
        source, custodian = lens.holder(source, custodian, hidden=hidden)
    return Row(key, type_, person, version, updated, clinical, source, custodian, category, body, hidden, rule)


def _person(query: Query) -> list[PersonKey]:
    return [] if query.person is None else [query.person]


def _over(lens: Lens, query: Query, binds: Sequence[Any]) -> tuple[Any, ...]:
    """The rows of a search, and those of the bound values that are not the person's key."""
    if query.person is None:
        return (_of_many(lens), *binds)
    return (Over(_T, lens, binds[0]), *binds[1:])


def _of_many(lens: Lens) -> Over:
    return Over(_T, lens, bits=lens.each(_T))


def _whose(over: Over) -> list[ColumnElement[bool]]:
    return [] if over.person is None else [over.t.c.person == over.person]


GOLDEN = Part(
    "golden",
    (),
    lambda over: and_(over.t.c.type == literal_column("'Patient'"), over.t.c.source == literal_column("'carelink'")),
)


def _parts(lens: Lens, query: Query) -> list[Part]:
    found = [_one_of(column, values) for column, values in _lists(query) if values]
    if query.sources:  # or else asking for one source after the other would tell
        found.append(LOCATED)
    if query.since is not None:
        found.append(Part("since", (query.since,), lambda over, first: over.t.c.clinical >= first))
    if query.until is not None:
        found.append(Part("until", (query.until,), lambda over, last: over.t.c.clinical < last))
    if query.care is not None and query.care != (None, None):
        found.append(care_dates.within(*query.care))
    if query.goldens is not None:
        found.append(GOLDEN if query.goldens else negated(GOLDEN))
    return found + [criterion(query.types, asked, lens.at) for asked in query.criteria]


def _one_of(column: str, values: tuple[str, ...]) -> Part:
    return Part(("one of", column), (list(values),), lambda over, them: over.t.c[column] == them.any_())


def _lists(query: Query) -> Sequence[tuple[str, tuple[str, ...]]]:
    return (("type", query.types), ("source", query.sources), ("category", query.categories))


def _asked(query: Query) -> str:
    return f"{','.join(query.types) or '*'}?{'&'.join(map(_name, query.criteria))}"


def _name(one: Criterion) -> str:
    """The parameter as it was asked, without its values."""
    if one.chained is None:
        return one.parameter + (f":{one.modifier}" if one.modifier else "")
    if one.referring:
        return f"_has:{one.referring}:{one.parameter}:{_name(one.chained)}"
    return f"{one.parameter}{f':{one.modifier}' if one.modifier else ''}.{_name(one.chained)}"
