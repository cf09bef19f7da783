"""The parts of a person's page: headings, words for nothing, and why there may be more."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from uuid import UUID

import pytest

from carelink.cases.sections import ALERTS, ALLERGIES, SECTIONS, Shows, doubt, section
from carelink.cases.standing import Standing
from carelink.ids import Ods, ResourceKey
from carelink.record.summary import PARTS, Part, Summary
from carelink.record.timeline import Entry, Precision

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LABELS = {"gp": "GP record", "hospital": "Hospital"}


def entry(title: str, over: bool = False) -> Entry:
    return Entry(
        when=NOW,
        precision=Precision.DAY,
        until="",
        kind="Allergy",
        title=title,
        lines=(),
        state="",
        over=over,
        category="allergies",
        source="gp",
        custodian=Ods("P81001"),
        key=ResourceKey(UUID(int=1)),
        type="AllergyIntolerance",
        version=1,
        last_updated=NOW,
    )


def summary(**parts: Part) -> Summary:
    return Summary(**{heading: parts.get(heading, Part()) for heading in PARTS})


def test_every_part_of_the_summary_is_somewhere_on_the_page() -> None:
    shown = [one.part for one in (*SECTIONS, ALERTS, ALLERGIES)]
    assert sorted(shown) == sorted(field.name for field in fields(Summary))


@pytest.mark.parametrize("shows", [*SECTIONS, ALERTS, ALLERGIES], ids=lambda one: one.part)
def test_a_part_in_which_there_is_nothing_says_so(shows: Shows) -> None:
    told = section(shows, summary(), LABELS, "")
    assert (told.id, told.heading, told.nothing) == (shows.part, shows.heading, shows.nothing)
    assert told.nothing.endswith(".")


def test_nothing_about_allergies_is_never_said_as_if_there_were_none() -> None:
    told = section(ALLERGIES, summary(), LABELS, "")
    assert "not the same" in told.nothing
    assert told.none_known == ""


def test_who_says_that_there_is_no_allergy_is_named_as_pages_name_them() -> None:
    told = section(ALLERGIES, summary(allergies=Part(none_known=("gp", "hospital", "gone"))), LABELS, "")
    assert told.none_known == "GP record, Hospital, gone"


def test_where_all_is_past_the_page_says_that_nothing_is_current() -> None:
    told = section(ALLERGIES, summary(allergies=Part(past=(entry("Latex", over=True),))), LABELS, "")
    assert (told.nothing, [one.title for one in told.past]) == ("Nothing current.", ["Latex"])


def standing(label: str, good: bool = True, failing: bool = False, tells_of_care: bool = True) -> Standing:
    as_of, since = NOW if good else None, NOW if failing else None
    return Standing(label.lower(), label, as_of, since, "", stale=not good, tells_of_care=tells_of_care)


DOUBTS = [
    ([standing("GP record"), standing("Hospital")], False, ""),
    ([standing("GP record"), standing("Hospital", failing=True)], False, "There may be more: Hospital can't be reached now."),
    (
        [standing("GP record", failing=True), standing("Hospital", failing=True), standing("Northdale", failing=True)],
        False,
        "There may be more: GP record, Hospital and Northdale can't be reached now.",
    ),
    ([standing("GP record", good=False)], False, "There may be more: not everything has come from GP record yet."),
    ([standing("GP record")], True, "There may be more: something is not shown to you."),
    (
        [standing("GP record", good=False), standing("Hospital", failing=True)],
        True,
        "There may be more: Hospital can't be reached now, not everything has come from GP record yet "
        "and something is not shown to you.",
    ),
    ([standing("Demographics", good=False, failing=True, tells_of_care=False)], False, ""),
]  # fmt: skip


@pytest.mark.parametrize(("standings", "withheld", "said"), DOUBTS, ids=[said or "none" for *_, said in DOUBTS])
def test_the_doubt_names_every_reason_why_there_may_be_more(
    standings: list[Standing], withheld: bool, said: str
) -> None:
    assert doubt(standings, withheld) == said


def test_a_source_that_is_only_late_is_told_at_the_top_and_not_in_every_part() -> None:
    late = Standing("gp", "GP record", datetime(2026, 11, 1, tzinfo=UTC), None, "", stale=True)
    assert doubt([late], False) == ""
    assert not late.sure
