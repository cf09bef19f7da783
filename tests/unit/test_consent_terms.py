"""On what terms somebody asks: when a team is on duty, and what the pack lets a permission and broken glass give."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from consent_builders import NORTH, PLACE, SOUTH, staff

from carelink.consent.terms import terms
from carelink.place import Asking, BreakGlass, OnDuty

NIGHTS = OnDuty(NORTH, "adults-west", ("mon", "tue", "wed", "thu", "fri"), "17:00", "08:30", "the duty team at night")
DAYS = OnDuty(NORTH, "adults-west", ("sat",), "09:00", "12:00", "Saturday morning")
ROUND = OnDuty(NORTH, "adults-west", ("sun",), "08:30", "08:30", "all Sunday and the night after")
LENA = staff("lena")  # of adults-west

# London's time -> on duty
TIMES = [
    ("Monday before five", datetime(2026, 11, 23, 16, 59, tzinfo=UTC), False),
    ("Monday at five", datetime(2026, 11, 23, 17, 0, tzinfo=UTC), True),
    ("Tuesday at half past eight, less a minute", datetime(2026, 11, 24, 8, 29, tzinfo=UTC), True),
    ("Tuesday at half past eight", datetime(2026, 11, 24, 8, 30, tzinfo=UTC), False),
    ("Saturday night is not Friday's", datetime(2026, 11, 28, 20, 0, tzinfo=UTC), False),
    ("Saturday at eight still is", datetime(2026, 11, 28, 8, 0, tzinfo=UTC), True),
    ("Saturday morning", datetime(2026, 11, 28, 9, 0, tzinfo=UTC), True),
    ("Saturday noon", datetime(2026, 11, 28, 12, 0, tzinfo=UTC), False),
    ("Sunday before half past eight", datetime(2026, 11, 29, 8, 0, tzinfo=UTC), False),
    ("all Sunday", datetime(2026, 11, 29, 23, 0, tzinfo=UTC), True),
    ("Monday morning before half past eight", datetime(2026, 11, 30, 8, 0, tzinfo=UTC), True),
    ("in summer by the clock on the wall", datetime(2026, 7, 6, 16, 0, tzinfo=UTC), True),
    ("and not before", datetime(2026, 7, 6, 15, 59, tzinfo=UTC), False),
]


@pytest.mark.parametrize(("what", "at", "wanted"), TIMES, ids=[what for what, *_ in TIMES])
def test_a_team_is_on_duty_by_the_clock_on_the_wall(what: str, at: datetime, wanted: bool) -> None:
    place = replace(PLACE, on_duty=(NIGHTS, DAYS, ROUND))
    assert terms(place, LENA, frozenset(), at).on_duty is wanted


@pytest.mark.parametrize("other", [staff("sam"), staff("lena", organisation=SOUTH), staff("nadia")])
def test_no_other_team_and_no_team_of_that_name_elsewhere_is_on_duty(other: object) -> None:
    place = replace(PLACE, on_duty=(NIGHTS,))
    assert not terms(place, other, frozenset(), datetime(2026, 11, 23, 20, tzinfo=UTC)).on_duty  # type: ignore[arg-type]


def test_broken_glass_opens_what_the_pack_says_to_a_role_that_may_break_it() -> None:
    glass = BreakGlass({"emergency": "Emergency"}, "ig-lead", widens=frozenset({"objection"}))
    at = datetime(2026, 11, 23, tzinfo=UTC)
    with_glass = replace(PLACE, glass=glass)
    assert terms(with_glass, LENA, frozenset({"break-glass"}), at).glass == {"objection"}
    assert terms(with_glass, LENA, frozenset(), at).glass == frozenset()
    assert terms(PLACE, LENA, frozenset({"break-glass"}), at).glass == frozenset()


def test_what_a_permission_gives_and_what_must_be_asked_for_is_the_packs() -> None:
    asking = Asking("explicit", frozenset({"agreement"}), frozenset({"HIV", "STD"}), frozenset({"ETREAT"}))
    at = datetime(2026, 11, 23, tzinfo=UTC)
    made = terms(replace(PLACE, asking=asking), staff("nadia", "ETREAT"), frozenset(), at)
    assert (made.asks_first, made.permit_agrees, made.permit_relates, made.overrides) == (True, True, False, True)
    assert made.needs_consent == 2 + 4
    assert not terms(replace(PLACE, asking=asking), staff("nadia"), frozenset(), at).overrides


def test_as_if_involved_counts_only_where_somebody_views_as_another() -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    assert not terms(PLACE, LENA, frozenset(), at, assumed=True).assumed
    viewed = replace(LENA, behind=staff("iris").user)
    assert terms(PLACE, viewed, frozenset(), at, assumed=True).assumed
    assert not terms(PLACE, viewed, frozenset(), at).assumed
