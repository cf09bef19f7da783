"""When a request of a person for what is held about them must be answered (UK GDPR Art 12(3)). Pure.

One month from the day on which it was asked and known who asks: to the same date of the next month, or its last day
where it has none; where that is no working day, the next one (ICO, right of access: how long do we have to comply).
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from carelink.cases.working_days import next_working, works
from carelink.clock import LONDON
from carelink.record.timeline_dates import whole

MONTHS = 1
MORE = 2  # where the request is complex, or one of many: Art 12(3), said within the first month
NEAR = 7  # days: from here on the page warns


class Nearness(Enum):
    """How near the end is, as the page shows it."""

    WAITING = "not started"  # it is not known yet who asks
    GOOD = "in time"
    NEAR = "due soon"
    TODAY = "due today"
    LATE = "overdue"


@dataclass(frozen=True)
class Clock:
    """What the clock is reckoned from; it is kept so, never as a bare due date."""

    asked_at: datetime
    identity_at: datetime | None  # None: it is not known yet who asks, and the clock stands
    extended: bool = False

    @property
    def starts(self) -> date | None:
        """The day on which both were there, in London."""
        if self.identity_at is None:
            return None
        return max(self.asked_at, self.identity_at).astimezone(LONDON).date()

    @property
    def due(self) -> date | None:
        """The last day on which the answer is in time."""
        return due(self.starts, self.extended) if self.starts else None

    @property
    def extend_by(self) -> date | None:
        """The last day on which it may be said that it takes longer."""
        return due(self.starts) if self.starts else None

    def days_left(self, now: datetime) -> int | None:
        """Days until the last; negative: days too late."""
        return (self.due - now.astimezone(LONDON).date()).days if self.due else None

    def nearness(self, now: datetime) -> Nearness:
        """How near the end is."""
        left = self.days_left(now)
        if left is None:
            return Nearness.WAITING
        if left < 0:
            return Nearness.LATE
        if left == 0:
            return Nearness.TODAY
        return Nearness.NEAR if left <= NEAR else Nearness.GOOD

    def explain(self) -> str:
        """The sum in words."""
        if self.starts is None or self.due is None:
            return "The month starts when it is known who asks, and that they may."
        months = MONTHS + (MORE if self.extended else 0)
        told = f"{_MONTHS[months]} from {whole(self.starts)}"
        same = add_months(self.starts, months)
        if not works(same):
            told += f" ends on {whole(same)}, which is no working day: the next is {whole(self.due)}"
        return f"{told}."


_MONTHS = {MONTHS: "One month", MONTHS + MORE: "Three months"}


def due(starts: date, extended: bool = False) -> date:
    """The last day in time, for a clock that started on that day."""
    return next_working(add_months(starts, MONTHS + (MORE if extended else 0)))


def add_months(day: date, months: int) -> date:
    """The same date so many months later, or the last of a month that has no such date."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
