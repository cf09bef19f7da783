"""A condition of a search apart from its values: questions that differ in nothing else are one statement.

The text of a part hangs on its shape alone, so what was put together for a shape once serves every question of it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    DateTime,
    FromClause,
    Integer,
    Numeric,
    Text,
    Uuid,
    and_,
    bindparam,
    false,
    not_,
    or_,
    true,
)
from sqlalchemy.types import TypeEngine

from carelink.consent.lens import Lens


class Over(NamedTuple):
    """What a condition is asked of: the rows, the opened lens that they are seen through, and whose they all are."""

    t: FromClause  # `resource`, or an alias of it
    lens: Lens
    person: ColumnElement[Any] | None = None  # None: of several people
    bits: ColumnElement[Any] | None = None  # of several people: what is true of each, where that is asked once a row

    @property
    def whom(self) -> ColumnElement[Any] | None:
        """Whom the lens is asked about."""
        return self.bits if self.person is None else self.person

    @property
    def rows(self) -> FromClause:
        """The rows, with what is true of each beside it."""
        return self.t if self.bits is None else self.t.join(self.bits.table, true())


class Part(NamedTuple):
    """A condition: what its text hangs on, its values, and the text over rows and as many bound values."""

    shape: Hashable
    values: tuple[Any, ...]
    sql: Callable[..., ColumnElement[bool]]


ALWAYS = Part("always", (), lambda over: true())
NEVER = Part("never", (), lambda over: false())


def all_of(parts: Iterable[Part]) -> Part:
    """Holds where all of them do; always, where there are none."""
    return _joined("and", and_, tuple(parts) or (ALWAYS,))


def any_of(parts: Iterable[Part]) -> Part:
    """Holds where one of them does."""
    return _joined("or", or_, tuple(parts))


def negated(part: Part) -> Part:
    """Holds where the other does not."""
    return Part(("not", part.shape), part.values, lambda over, *binds: not_(part.sql(over, *binds)))


def _joined(word: str, join: Callable[..., ColumnElement[bool]], parts: tuple[Part, ...]) -> Part:
    if len(parts) == 1:
        return parts[0]
    return Part(
        (word, *(part.shape for part in parts)),
        tuple(value for part in parts for value in part.values),
        lambda over, *binds: join(*texts(parts, over, binds)),
    )


def texts(parts: Sequence[Part], over: Any, binds: Sequence[BindParameter[Any]]) -> Iterator[ColumnElement[bool]]:
    """The text of each part, with the next of the bound values."""
    taken = 0
    for part in parts:
        until = taken + len(part.values)
        yield part.sql(over, *binds[taken:until])
        taken = until


_TYPES: dict[type, TypeEngine[Any]] = {
    UUID: Uuid(),
    datetime: DateTime(timezone=True),
    Decimal: Numeric(),
    int: Integer(),
    str: Text(),
}
_MANY: dict[type, TypeEngine[Any]] = {UUID: ARRAY(Uuid()), str: ARRAY(Text())}


def opened(values: Sequence[Any]) -> list[BindParameter[Any]]:
    """A bound value for each of them, left open: a statement made of these is run with `named` values."""
    return [bindparam(f"v{number}", type_=_type(value)) for number, value in enumerate(values)]


def named(values: Sequence[Any]) -> dict[str, Any]:
    """The values by the names of `opened`."""
    return {f"v{number}": value for number, value in enumerate(values)}


def kinds(values: Sequence[Any]) -> tuple[str, ...]:
    """The types of the values: a part of the shape of a statement."""
    return tuple(str(_type(value)) for value in values)


def _type(value: Any) -> TypeEngine[Any]:
    """A list is an array: of texts, unless its first element says otherwise."""
    if isinstance(value, list):
        return _MANY[type(value[0]) if value else str]
    return _TYPES[type(value)]
