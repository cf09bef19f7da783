"""How long things are kept: a table that an information governance lead can check against the Code."""

from __future__ import annotations

from datetime import date

import pytest

from carelink.cases.retention_due import Due, Kept, Person, age, due, last_of
from carelink.place import Place

GP = Kept("Condition", "problems", "P81001", "gp-practice")
TRUST = Kept("Condition", "problems", "RDV", "nhs-trust")
MIND = Kept("Condition", "mental-health", "RDV", "nhs-trust")
COUNCIL = Kept("EpisodeOfCare", "services", "901", "council")
ENQUIRY = Kept("Flag", "safeguarding", "901", "council")
LOOKED_AFTER = frozenset({("https://carelink.example/CodeSystem/alert", "looked-after")})

# what, born, died, last contact, due, by which schedule
KEPT = [
    (GP, "1944-05-06", None, "2010-01-01", None, "a GP record of the living is never due"),
    (GP, "1944-05-06", "2016-02-29", "2016-02-01", "2026-02-28", "gp-record"),
    (TRUST, "1944-05-06", None, "2018-03-01", "2026-03-01", "adult-health"),
    (TRUST, "1944-05-06", "2019-01-01", "2018-03-01", "2026-03-01", "adult-health"),
    (COUNCIL, "1944-05-06", None, "2018-03-01", "2026-03-01", "adult-social-care"),
    (MIND, "1944-05-06", None, "2010-01-01", "2030-01-01", "mental-health"),
    (MIND, "1944-05-06", "2012-06-01", "2010-01-01", "2022-06-01", "mental-health"),
    (ENQUIRY, "1944-05-06", None, "2010-01-01", "2030-01-01", "safeguarding"),
    (TRUST, "2000-05-06", None, "2010-01-01", "2025-05-06", "child"),
    (TRUST, "2000-05-06", None, "2018-05-05", "2026-05-06", "child"),
    (TRUST, "2000-05-06", None, "2017-05-05", "2025-05-06", "child"),
    (TRUST, "2000-05-06", None, "2018-05-06", "2026-05-06", "adult-health"),
    (TRUST, "2000-02-29", None, "2010-01-01", "2025-02-28", "child"),
    (TRUST, "2000-05-06", "2011-01-01", "2010-12-31", "2019-01-01", "child"),
    (TRUST, None, None, "2010-01-01", None, "it is not known whether they were a child"),
    (TRUST, "1944-05-06", None, None, None, "nobody knows when they were last seen"),
]


@pytest.mark.parametrize(("item", "born", "died", "last", "day", "why"), KEPT)
def test_it_may_go_when_the_longest_schedule_that_fits_is_over(
    place: Place, item: Kept, born: str | None, died: str | None, last: str | None, day: str | None, why: str
) -> None:
    person = Person(_date(born), _date(died))
    found = due(place.schedules, item, person, _date(last))
    assert found == (Due(date.fromisoformat(day), why) if day else None)


def test_a_child_who_was_looked_after_is_kept_for_75_years(place: Place) -> None:
    person = Person(date(2000, 5, 6), None, LOOKED_AFTER)
    assert due(place.schedules, COUNCIL, person, date(2012, 1, 1)) == Due(date(2075, 5, 6), "looked-after-child")


def test_what_no_schedule_fits_is_kept(place: Place) -> None:
    elsewhere = Kept("Condition", "problems", "XXX", "hospice")
    assert due(place.schedules, elsewhere, Person(date(1944, 5, 6)), date(1990, 1, 1)) is None
    assert due((), TRUST, Person(date(1944, 5, 6)), date(1990, 1, 1)) is None


def test_a_patient_goes_with_the_last_that_hangs_on_it_or_not_at_all() -> None:
    early, late = Due(date(2020, 1, 1), "a"), Due(date(2021, 1, 1), "b")
    assert last_of([early, late]) == late
    assert last_of([early, None]) is None
    assert last_of([]) is None


def test_an_age_is_in_whole_years() -> None:
    assert [age(date(2000, 2, 29), day) for day in (date(2018, 2, 28), date(2018, 3, 1))] == [17, 18]


def _date(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
