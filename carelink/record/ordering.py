"""The order of what is found: by when it happened, when it changed, or by what is indexed (FHIR R4 3.1.1.5.1)."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, func, literal_column, select

from carelink.db.tables import index_date, index_number, index_string, index_token
from carelink.errors import Invalid
from carelink.record.indexing import FAR_PAST
from carelink.record.lookups import numbered, tellable
from carelink.record.parameters import Kind, Parameter, of_type
from carelink.record.parts import Over


class Order(NamedTuple):
    """One thing to sort by: what its text hangs on, that text, which way, and how a value of it is read back."""

    shape: Hashable
    sql: Callable[[Over], ColumnElement[Any]]
    falling: bool
    read: Callable[[str], Any]


def _clinical(over: Over) -> ColumnElement[Any]:
    return func.coalesce(over.t.c.clinical, literal_column(f"'{FAR_PAST.isoformat()}'::timestamptz"))


_COLUMNS: Mapping[str, tuple[Callable[[Over], ColumnElement[Any]], Callable[[str], Any]]] = {
    "clinical": (_clinical, datetime.fromisoformat),
    "last_updated": (lambda over: over.t.c.last_updated, datetime.fromisoformat),
    "key": (lambda over: over.t.c.key, UUID),
}


class _Indexed(NamedTuple):
    table: FromClause
    first: Callable[[Any], ColumnElement[Any]]  # of several, the one that stands for them in a rising order
    last: Callable[[Any], ColumnElement[Any]]
    nothing: str  # what sorts before all others: where there is none
    read: Callable[[str], Any]


_TEXT = "''"
_INDEXED: Mapping[Kind, _Indexed] = {
    Kind.DATE: _Indexed(
        index_date,
        lambda i: func.min(i.low),
        lambda i: func.max(i.high),
        f"'{FAR_PAST.isoformat()}'::timestamptz",
        datetime.fromisoformat,
    ),
    Kind.STRING: _Indexed(index_string, lambda i: func.min(i.value), lambda i: func.max(i.value), _TEXT, str),
    Kind.TOKEN: _Indexed(
        index_token, lambda i: func.min(i.code.collate("C")), lambda i: func.max(i.code.collate("C")), _TEXT, str
    ),
    Kind.QUANTITY: _Indexed(
        index_number, lambda i: func.min(i.low), lambda i: func.max(i.high), "'-infinity'::numeric", Decimal
    ),
}


def orders(types: tuple[str, ...], said: str) -> tuple[Order, ...]:
    """What `Query.sort` asks for. Raises `Invalid` for what these types can't be sorted by."""
    return tuple(_order(types, one.strip()) for one in said.split(","))


def _order(types: tuple[str, ...], said: str) -> Order:
    falling, name = said.startswith("-"), said.removeprefix("-")
    if name in _COLUMNS:
        sql, read = _COLUMNS[name]
        return Order((name, falling), sql, falling, read)
    found = {of_type(type_).get(name) for type_ in types}
    parameter = found.pop() if len(found) == 1 else None
    if parameter is None or parameter.kind not in _INDEXED:
        raise Invalid("_sort", f"{name[:100]} is nothing that {', '.join(types) or 'all types'} can be sorted by")
    return Order((parameter.number, falling), _by(parameter, falling), falling, _INDEXED[parameter.kind].read)


def _by(parameter: Parameter, falling: bool) -> Callable[[Over], ColumnElement[Any]]:
    """By the first of its values, or the last where the last come first; nothing where that may not be known."""
    how = _INDEXED[parameter.kind]

    def sql(over: Over) -> ColumnElement[Any]:
        i = how.table.alias()
        best = select((how.last if falling else how.first)(i.c)).where(i.c.key == over.t.c.key)
        best = best.where(numbered(i.c, parameter), tellable(over, i.c, parameter))
        return func.coalesce(best.scalar_subquery(), literal_column(how.nothing))

    return sql
