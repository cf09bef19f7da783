"""Whether a key is one of many, asked so that the statement's text stays the same however many there are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, literal

_KEYS = ARRAY(Uuid())  # one for all statements: a type made anew each time is compiled anew each time


def among(column: ColumnElement[Any], keys: Iterable[UUID]) -> ColumnElement[bool]:
    """`column = any(array)`: SQLAlchemy compiles it once, and PostgreSQL plans it once; `in (...)` does neither."""
    return column == any_(literal(list(keys), _KEYS))
