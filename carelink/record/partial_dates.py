"""FHIR dates as spans of time: `2019-05` is the whole of May, in Europe/London where no zone is given (R4 2.24.0.17)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


@lru_cache(maxsize=8192)  # days and times come again: in one resource, in one record, in every record
def span(text: str) -> tuple[datetime, datetime]:
    """The first moment of it and the first after it, in UTC. Raises ValueError for what is no date."""
    if "T" in text:
        first = datetime.fromisoformat(text)
        first = first if first.tzinfo else first.replace(tzinfo=LONDON)
        return first.astimezone(UTC), first.astimezone(UTC) + _precision(text)
    parts = [int(part) for part in text.split("-")]
    first_day = date(*(*parts, 1, 1)[:3])
    return _midnight(first_day), _midnight(_after(first_day, len(parts)))


def _precision(text: str) -> timedelta:
    clock = text[11:].partition("+")[0].partition("-")[0].rstrip("Z")
    fraction = clock.partition(".")[2]
    if fraction:
        return timedelta(microseconds=max(1, 10 ** (6 - min(6, len(fraction)))))
    return timedelta(minutes=1) if len(clock) == 5 else timedelta(seconds=1)


def _after(day: date, parts: int) -> date:
    if parts == 1:
        return day.replace(year=day.year + 1)
    if parts == 2:
        return (day + timedelta(days=31)).replace(day=1)
    return day + timedelta(days=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=LONDON).astimezone(UTC)


def before(early: Any, late: Any) -> bool:
    """Whether the first date surely lies before the second; False where either is missing or not a date."""
    if not isinstance(early, str) or not isinstance(late, str) or early == late:
        return False
    try:
        return span(early)[1] <= span(late)[0]
    except (ValueError, OverflowError):
        return False
