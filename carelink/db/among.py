"""Whether something is one of many, asked so that the statement's text stays the same however many there are.

`column = any(array)`: SQLAlchemy compiles it once, and PostgreSQL plans it once; `in (...)` does neither.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, Uuid, any_, literal

_KEYS, _TEXTS = ARRAY(Uuid()), ARRAY(Text())  # for all statements: a type made anew is compiled anew each time


def among(column: ColumnElement[Any], keys: Iterable[UUID]) -> ColumnElement[bool]:
    """Whether the column is one of these keys."""
    return column == any_(literal(list(keys), _KEYS))


def one_of(column: ColumnElement[Any], texts: Iterable[str]) -> ColumnElement[bool]:
    """Whether the column is one of these texts."""
    return column == any_(literal(list(texts), _TEXTS))
