"""When a subject access request must be answered: a table that an information governance lead can check by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from carelink.cases.subject_access_clock import Clock, Nearness, due
from carelink.cases.working_days import next_working, works

# starts, extended, the last day in time, why
DUE = [
    ("2026-09-03", False, "2026-10-05", "3 October 2026 is a Saturday: the Monday after"),
    ("2026-02-03", False, "2026-03-03", "the same date of the next month"),
    ("2026-01-31", False, "2026-03-02", "February has no 31st: the 28th, a Saturday, so Monday"),
    ("2027-01-31", False, "2027-03-01", "the 28th is a Sunday, so Monday"),
    ("2028-01-31", False, "2028-02-29", "a leap year: the 29th, a Tuesday"),
    ("2028-01-29", False, "2028-02-29", "a leap year has the date"),
    ("2026-05-31", False, "2026-06-30", "June has no 31st"),
    ("2026-08-31", False, "2026-09-30", "September has no 31st"),
    ("2026-11-25", False, "2026-12-29", "Christmas, then Saturday, Sunday, and Boxing Day in lieu on Monday"),
    ("2026-12-01", False, "2027-01-04", "New Year's Day is a Friday: then a weekend"),
    ("2026-12-31", False, "2027-02-01", "over the end of the year; the 31st is a Sunday"),
    ("2026-04-04", False, "2026-05-05", "the early May holiday is Monday the 4th"),
    ("2026-11-24", False, "2026-12-24", "Christmas Eve is a working day"),
    ("2026-11-30", True, "2027-03-01", "three months: February has no 30th, and the 28th is a Sunday"),
    ("2026-01-31", True, "2026-04-30", "three months: April has no 31st"),
    ("2027-11-30", True, "2028-02-29", "three months, to a leap day"),
]


@pytest.mark.parametrize(("starts", "extended", "last", "why"), DUE, ids=[f"{one[0]}: {one[3]}" for one in DUE])
def test_it_is_due_on_the_same_date_or_the_last_of_the_month_and_never_on_a_free_day(
    starts: str, extended: bool, last: str, why: str
) -> None:
    assert due(date.fromisoformat(starts), extended) == date.fromisoformat(last)


def clock(asked: str, identity: str | None, extended: bool = False) -> Clock:
    return Clock(moment(asked), moment(identity) if identity else None, extended)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_the_clock_stands_until_it_is_known_who_asks() -> None:
    standing = clock("2026-02-03T10:00", None)
    assert (standing.starts, standing.due, standing.days_left(moment("2026-09-01T10:00"))) == (None, None, None)
    assert standing.nearness(moment("2026-09-01T10:00")) is Nearness.WAITING
    assert "who asks" in standing.explain()


def test_the_clock_starts_with_the_later_of_the_request_and_the_proof() -> None:
    assert clock("2026-02-03T10:00", "2026-02-06T10:00").starts == date(2026, 2, 6)
    assert clock("2026-02-03T10:00", "2025-01-01T10:00").starts == date(2026, 2, 3)


def test_a_day_is_a_day_of_london() -> None:
    late_evening = clock("2026-06-30T23:30", "2026-06-30T23:30")  # in summer half past midnight there
    assert late_evening.starts == date(2026, 7, 1)


LEFT = [
    (timedelta(days=-8), Nearness.GOOD, 8),
    (timedelta(days=-7), Nearness.NEAR, 7),
    (timedelta(days=-1), Nearness.NEAR, 1),
    (timedelta(0), Nearness.TODAY, 0),
    (timedelta(days=1), Nearness.LATE, -1),
]


@pytest.mark.parametrize(("after", "nearness", "left"), LEFT)
def test_it_warns_from_a_week_before_the_last_day(after: timedelta, nearness: Nearness, left: int) -> None:
    one = clock("2026-02-03T10:00", "2026-02-03T10:00")
    now = moment("2026-03-03T23:00") + after
    assert (one.nearness(now), one.days_left(now)) == (nearness, left)


def test_the_sum_is_told_in_words() -> None:
    assert clock("2026-02-03T10:00", "2026-02-03T10:00").explain() == "One month from 3 February 2026."
    moved = clock("2026-01-31T10:00", "2026-01-31T10:00").explain()
    assert moved == (
        "One month from 31 January 2026 ends on 28 February 2026, which is no working day: the next is 2 March 2026."
    )
    assert clock("2026-01-05T10:00", "2026-01-05T10:00", True).explain().startswith("Three months from 5 January")


def test_it_may_only_be_extended_within_the_first_month() -> None:
    one = clock("2026-02-03T10:00", "2026-02-03T10:00", True)
    assert (one.extend_by, one.due) == (date(2026, 3, 3), date(2026, 5, 5))  # 3 May is a Sunday, the 4th a holiday


def test_after_the_last_known_holiday_only_weekends_are_free_so_that_nothing_is_due_later_than_it_is() -> None:
    assert not works(date(2026, 12, 25))
    assert works(date(2090, 12, 25)), "a Monday of which the list knows nothing"
    assert next_working(date(2090, 12, 23)) == date(2090, 12, 25)
