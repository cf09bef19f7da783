"""What of a person's record `$everything` is asked for, as values, and the Bundle that answers it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from carelink.errors import Invalid
from carelink.fhir.asking import Given
from carelink.fhir.forms import NAMES
from carelink.fhir.r4_elements import structure
from carelink.record.everything import Narrowed
from carelink.record.partial_dates import span

ONCE = ("start", "end", "_since", "_count")
MOST = 500  # resources a page


def asked(given: Given, after: str = "") -> Narrowed:
    """What is wanted (R4 Patient-everything). Raises `Invalid` for what is not known, said twice, or no value of its kind."""
    said: dict[str, str] = {}
    types: list[str] = []
    for name, value in given:
        if name == "_type":
            types += value.split(",")
        elif name in ONCE and name not in said:
            said[name] = value
        elif name in ONCE:
            raise Invalid(name, "is given twice")
        elif name not in NAMES:
            raise Invalid(name[:100], f"is not a parameter of $everything; known are {', '.join((*ONCE, '_type'))}")
    start, end = _date("start", said), _date("end", said)
    if start and end and start[0] >= end[1]:
        raise Invalid("end", "is before the start")
    return Narrowed(
        start=start[0] if start else None,
        end=end[1] if end else None,
        since=_instant(said.get("_since", "")),
        types=_types(types),
        count=_count(said.get("_count")),
        after=after,
    )


def _date(name: str, said: dict[str, str]) -> tuple[datetime, datetime] | None:
    """The first moment of the date and the first after it: the day that is named is within."""
    if name not in said:
        return None
    try:
        return span(said[name])
    except (ValueError, OverflowError) as wrong:
        raise Invalid(name, "is not a date such as 2026-11-24") from wrong


def _instant(text: str) -> str:
    # A plus sign that was not escaped comes as a space.
    text = text.replace(" ", "+")
    try:
        if text and datetime.fromisoformat(text).tzinfo is None:
            raise ValueError("no zone")
    except ValueError as wrong:
        raise Invalid("_since", "is not an instant such as 2026-11-24T12:00:00Z") from wrong
    return text


def _types(named: Sequence[str]) -> frozenset[str]:
    for one in named:
        known = structure(one)
        if known is None or not known.is_resource:
            raise Invalid("_type", "names something that is no resource type of FHIR R4")
    return frozenset(named)


def _count(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MOST):
        raise Invalid("_count", f"must be a whole number from 1 to {MOST}")
    return int(text)
