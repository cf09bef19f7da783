"""England's working days: not Saturday, Sunday or a bank holiday. From a list that is installed; nothing is asked of anyone."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

from govuk_bank_holidays.bank_holidays import BankHolidays

_WEEKEND = 5  # Saturday, as `date.weekday` counts


@cache
def bank_holidays() -> frozenset[date]:
    """Those of England and Wales that the installed list knows.

    After its last year only weekends count as free: a day that is reckoned from working days then comes too early,
    never too late.
    """
    known = BankHolidays(use_cached_holidays=True)
    return frozenset(one["date"] for one in known.get_holidays(division=BankHolidays.ENGLAND_AND_WALES))


def works(day: date) -> bool:
    """Whether it is a working day."""
    return day.weekday() < _WEEKEND and day not in bank_holidays()


def next_working(day: date) -> date:
    """The day itself, or the next that is a working day."""
    while not works(day):
        day += timedelta(days=1)
    return day
