"""Care within a span of time (FHIR R4, Patient $everything `start` and `end`): when it was given, not when it was written."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, literal_column, or_, select

from carelink.db.tables import index_date
from carelink.record.parameters import PARAMETERS, Kind
from carelink.record.parts import Over, Part, all_of

# Those parameters that say how long it went on.
_GOES_ON = frozenset({"date", "onset-date", "period", "effective"})
_NUMBERS = sorted(one.number for one in PARAMETERS if one.kind is Kind.DATE and one.code in _GOES_ON)


def within(start: datetime | None, end: datetime | None) -> Part:
    """What began before the end and did not end before the start; and what has no date, which is of any time."""
    parts = []
    if end is not None:
        parts.append(Part("care before", (end,), lambda over, last: _or_undated(over, over.t.c.clinical < last)))
    if start is not None:
        parts.append(Part("care after", (start,), _not_over))
    return all_of(parts)


def _not_over(over: Over, first: Any) -> ColumnElement[bool]:
    i = index_date.alias()
    goes_on = select(i.c.key).where(
        i.c.key == over.t.c.key,
        i.c.parameter.in_([literal_column(str(number)) for number in _NUMBERS]),
        i.c.high > first,
    )
    return _or_undated(over, or_(over.t.c.clinical >= first, goes_on.exists()))


def _or_undated(over: Over, holds: ColumnElement[bool]) -> ColumnElement[bool]:
    return or_(over.t.c.clinical.is_(None), and_(over.t.c.clinical.is_not(None), holds))
