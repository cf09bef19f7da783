"""How often somebody may ask for a token: a window that slides, each counted for themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from carelink.identity import rates
from carelink.identity.rates import Rates

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def asked(counted: Rates, times: int, seconds: float = 0, whose: str = "ward") -> list[bool]:
    """Whether each of so many requests at that time may pass."""
    return [counted.wait(whose, NOW + timedelta(seconds=seconds)) == 0 for _ in range(times)]


def test_so_many_pass_in_a_minute_and_no_more() -> None:
    counted = Rates(3)
    assert asked(counted, 5) == [True, True, True, False, False]


def test_who_waits_as_long_as_was_said_may_ask_again() -> None:
    counted = Rates(2)
    asked(counted, 3)
    wait = counted.wait("ward", NOW + timedelta(seconds=20))
    assert 0 < wait <= 60
    assert asked(counted, 1, 120) == [True]


def test_two_full_minutes_do_not_follow_each_other_at_once() -> None:
    counted = Rates(10)
    assert all(asked(counted, 10, 59))
    assert asked(counted, 3, 61) == [True, False, False], "most of the minute before still counts"
    assert asked(counted, 3, 90)[:2] == [True, True]


def test_others_are_not_put_off() -> None:
    counted = Rates(1)
    asked(counted, 5)
    assert asked(counted, 1, whose="clinic") == [True]


def test_who_is_turned_away_is_not_counted_on() -> None:
    counted = Rates(2)
    asked(counted, 50)
    assert asked(counted, 1, 119) == [True]


def test_it_does_not_grow_without_end(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(rates, "MOST_KNOWN", 10)
    counted = Rates(1)
    for number in range(100):
        asked(counted, 1, whose=f"client {number}")
    assert len(counted._counts) == 10
