"""Dates, ages and numbers as pages say them: as exactly as they are known, in London's time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from carelink.record.timeline_dates import Precision, in_words, short, time_of_day
from carelink.web.words import age, ago, day, nhs_number, time_since

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SUMMER = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)  # half past midnight in London

WORDS = [
    ("2019", "2019"),
    ("2019-05", "May 2019"),
    ("2026-11-24", "24 November 2026"),
    ("2026-06-30T23:30:00Z", "1 July 2026"),
    ("2026-06-30T12:00:00+01:00", "30 June 2026"),
    ("1961-04-93", "1961-04-93"),
    ("soon", "soon"),
    ("", ""),
]


@pytest.mark.parametrize(("text", "words"), WORDS, ids=[text or "nothing" for text, _ in WORDS])
def test_a_date_is_said_as_exactly_as_it_is_known(text: str, words: str) -> None:
    assert in_words(text) == words
    assert day(text) == words


SHORT = [
    (Precision.YEAR, "2026"),
    (Precision.MONTH, "Jul 2026"),
    (Precision.DAY, "1 Jul 2026"),
    (Precision.TIME, "1 Jul 2026"),
]


@pytest.mark.parametrize(("known", "words"), SHORT, ids=[known.value for known, _ in SHORT])
def test_a_narrow_column_never_says_more_than_is_known(known: Precision, words: str) -> None:
    assert short(SUMMER, known) == words
    assert short(None, known) == ""


def test_a_time_is_said_only_where_it_was_told() -> None:
    assert time_of_day(SUMMER, Precision.TIME) == "00:30"
    assert time_of_day(SUMMER, Precision.DAY) == ""
    assert time_of_day(datetime(2026, 6, 30, 23, 0, tzinfo=UTC), Precision.TIME) == ""  # midnight: only the day
    assert time_of_day(None, Precision.NONE) == ""


AGES = [
    ("1944-05-06", "82 years"),
    ("1944-11-24", "82 years"),
    ("1944-11-25", "81 years"),
    ("2024-11-25", "23 months"),
    ("2024-11-24", "2 years"),
    ("2026-10-20", "5 weeks"),
    ("2026-11-23", "1 day"),
    ("2026-11-24", "0 days"),
    ("2026-11-25", ""),
    ("1944-05", ""),
    ("1944-13-01", ""),
    ("", ""),
]


@pytest.mark.parametrize(("born", "words"), AGES, ids=[born or "nothing" for born, _ in AGES])
def test_an_age_is_said_as_the_nhs_banner_has_it(born: str, words: str) -> None:
    assert age(born, date(2026, 11, 24)) == words


def test_how_long_ago_is_said_as_people_say_it() -> None:
    passed = [timedelta(seconds=20), timedelta(minutes=1), timedelta(minutes=4), timedelta(hours=1), timedelta(hours=5)]
    assert [ago(NOW - one, NOW) for one in passed] == [
        "just now",
        "1 minute ago",
        "4 minutes ago",
        "1 hour ago",
        "5 hours ago",
    ]
    assert ago(NOW - timedelta(days=2), NOW) == "on 22 November 2026, 12:00"


def test_since_when_is_a_time_today_and_has_its_date_before_that() -> None:
    assert time_since(NOW - timedelta(hours=2), NOW) == "10:00"
    assert time_since(NOW - timedelta(days=1), NOW) == "12:00 on 23 November 2026"


def test_an_nhs_number_is_spaced_as_it_is_read_aloud() -> None:
    assert nhs_number("9990000018") == "999 000 0018"
    assert nhs_number("") == ""
