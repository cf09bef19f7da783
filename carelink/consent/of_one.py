"""Statements all rows of which are of one person: the columns of a table, and what is true of that person beside them."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, Uuid, bindparam, exists, select

from carelink.consent.predicate import OPEN, WithheldOfOne, standing_of
from carelink.db.tables import resource


class OfOne:
    """The columns of a table, and `bits`: what is true of the requester and the one person of all its rows."""

    def __init__(self, t: FromClause, bits: ColumnElement[int]) -> None:
        self._columns, self._bits = t.c, bits

    def __getitem__(self, name: str) -> ColumnElement[Any]:
        return self._bits if name == "bits" else self._columns[name]


@cache
def withheld_of_one() -> Select[Any]:
    """Whether there is something of a person that is withheld, for any requester: run with their `binds` and `person`."""
    t, person = resource, bindparam("person", type_=Uuid())
    one = OfOne(t, standing_of(person, OPEN))
    return select(exists().where(t.c.person == person, t.c.deleted.is_(False), WithheldOfOne(one, OPEN)))
