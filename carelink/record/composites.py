"""Composite parameters: two values that must stand in the same element (FHIR R4 3.1.1.4.17)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select

from carelink.errors import Invalid
from carelink.record.lookups import how_asked, numbered, parameter_of, tellable
from carelink.record.parameters import Parameter
from carelink.record.parts import Over, Part
from carelink.record.values import parted


def composite(types: tuple[str, ...], parameter: Parameter, value: str, at: datetime) -> Part:
    """`first$second`, of one and the same element. Raises `Invalid`."""
    said = parted(value, "$")
    if len(said) != len(parameter.components):
        raise Invalid(parameter.code, f"must be {'$'.join(parameter.components)}")
    first, second = (parameter_of(types, name) for name in parameter.components)
    one, other = (how_asked(part, "") for part in (first, second))
    left, right = one.match(first, said[0], at), other.match(second, said[1], at)

    def sql(over: Over, *binds: Any) -> ColumnElement[bool]:
        a, b = one.table.alias(), other.table.alias()
        found = select(a.c.key).where(numbered(a.c, first), numbered(b.c, second), b.c.key == a.c.key)
        if parameter.within:
            found = found.where(b.c.place.is_not_distinct_from(a.c.place))
        found = found.where(left.sql(a.c, *binds[: len(left.values)]), right.sql(b.c, *binds[len(left.values) :]))
        for i, part in ((a.c, first), (b.c, second)):
            found = found.where(tellable(over, i, part, by_target="target" in i))
        if over.person is not None:
            found = found.where(a.c.person == over.person, b.c.person == over.person)
        return over.t.c.key.in_(found)

    shape = ("composite", parameter.number, first.number, second.number, left.shape, right.shape)
    return Part(shape, (*left.values, *right.values), sql)
