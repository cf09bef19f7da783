"""FHIR dates and periods as instants: when an involvement or an objection begins and ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
ALWAYS = datetime(1900, 1, 1, tzinfo=UTC)
_LAST_YEAR = "9999"  # of the calendar: systems write 9999-12-31 where they mean that there is no end


class Unclear(ValueError):
    """What is said can't be held to exactly."""


@dataclass(frozen=True)
class Span:
    """From the first moment up to, not including, the last; None: open."""

    starts: datetime = ALWAYS
    ends: datetime | None = None

    def within(self, other: Span) -> Span:
        """What both have in common."""
        ends = [one for one in (self.ends, other.ends) if one is not None]
        return Span(max(self.starts, other.starts), min(ends, default=None))


def span(period: Any) -> Span:
    """A FHIR Period; without a start it has been so always, without an end it still is.

    Raises `Unclear` where it ends before it starts, or where an end was said that nobody can read.
    """
    said = period if isinstance(period, Mapping) else {}
    if "_end" in said and "end" not in said:
        raise Unclear("it has ended, but it is not known when")
    starts = moment(said.get("start"), last=False) or ALWAYS
    ends = moment(said.get("end"), last=True)
    if ends is not None and ends < starts:
        raise Unclear("it ends before it starts")
    return Span(starts, ends)


def moment(text: Any, *, last: bool) -> datetime | None:
    """A FHIR dateTime as an instant: a partial one from its first, or to its last, moment in Europe/London.

    What lies before living memory was always. None where nothing is said, or where what is said as an end is the end
    of the calendar. Raises `Unclear` for what is no date, and for a beginning that never comes.
    """
    if not isinstance(text, str) or not text:
        return None
    if text.startswith(_LAST_YEAR) and last:
        return None
    try:
        found = _instant(text) if "T" in text else _day(text, last)
    except (ValueError, OverflowError) as wrong:
        raise Unclear(f"{text} is no date") from wrong
    if text.startswith(_LAST_YEAR):
        raise Unclear(f"{text} never comes")
    return max(ALWAYS, found)


def _instant(text: str) -> datetime:
    """FHIR allows a leap second, Python does not: it is taken for the second before."""
    at = datetime.fromisoformat(text.replace(":60", ":59"))
    return at if at.tzinfo else at.replace(tzinfo=LONDON)


def _day(text: str, last: bool) -> datetime:
    parts = [int(part) for part in text.split("-")]
    year, month, day = (*parts, 1, 1)[:3]
    first = datetime.combine(datetime(year, month, day).date(), time(), tzinfo=LONDON)  # noqa: DTZ001
    if not last:
        return first
    if len(parts) == 3:
        return first + timedelta(days=1)
    return first.replace(year=year + 1) if len(parts) == 1 else _next_month(first)


def _next_month(first: datetime) -> datetime:
    return first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
