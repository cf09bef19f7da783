"""Dates in words, exactly as they are known: `2019` stays 2019, `2019-05` is May 2019. All times are Europe/London. Pure."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum
from zoneinfo import ZoneInfo

from carelink.record.partial_dates import span

LONDON = ZoneInfo("Europe/London")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


class Precision(Enum):
    """How exactly it is known when something happened."""

    NONE = ""
    YEAR = "year"
    MONTH = "month"
    DAY = "day"
    TIME = "time"


_BY_LENGTH = {0: Precision.NONE, 4: Precision.YEAR, 7: Precision.MONTH, 10: Precision.DAY}


def precision(text: str) -> Precision:
    """How much a FHIR date or dateTime says."""
    return _BY_LENGTH.get(len(text), Precision.TIME)


_WHOLE, _SHORT = 20, 3  # letters of a month's name


def in_words(text: str, narrow: bool = False) -> str:
    """`24 November 2026` (narrow: `24 Nov 2026`), `May 2019` or `2019`; the text itself where it is no date at all."""
    if not text:
        return ""
    try:
        first = span(text)[0].astimezone(LONDON)
    except (ValueError, OverflowError, TypeError):
        return text
    return _said(first, precision(text), _SHORT if narrow else _WHOLE)


def short(when: datetime | None, known: Precision) -> str:
    """`24 Nov 2026`, `May 2019` or `2019`: for narrow columns. Empty where it is not known when."""
    return _said(when.astimezone(LONDON), known, _SHORT) if when is not None else ""


def time_of_day(when: datetime | None, known: Precision) -> str:
    """`09:30`; empty where the time is not known. Midnight is what systems write that know only the day."""
    if when is None or known is not Precision.TIME:
        return ""
    local = when.astimezone(LONDON)
    return f"{local:%H:%M}" if (local.hour, local.minute) != (0, 0) else ""


def whole(day: date) -> str:
    """`24 November 2026`."""
    return _said(day, Precision.DAY, _WHOLE)


def _said(day: date, known: Precision, letters: int) -> str:
    if known is Precision.YEAR:
        return str(day.year)
    month = f"{MONTHS[day.month - 1][:letters]} {day.year}"
    return month if known is Precision.MONTH else f"{day.day} {month}"
