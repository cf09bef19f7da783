"""What is filled in with a person: read into a wish, told in plain words, and refused where something is missing."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from conftest import NOW
from consent_builders import HOSPITAL, NORTH, PLACE, SOUTH
from wish_builders import body_of, taken, typed

from carelink.cases.consent_answers import Typed, of_wish, read
from carelink.cases.consent_form import EMERGENCY, OBTAINED, Effect, Terms, Wish, withdrawn
from carelink.cases.consent_reading import obtained, why_withdrawn, wish_of
from carelink.cases.consent_words import sentences
from carelink.consent.compiling import compile_consent
from carelink.consent.sensitivity import ACT_CODE
from carelink.ids import UserId
from carelink.record.validation import check

TODAY = date(2026, 11, 24)
NO, YES = Effect.OBJECTS, Effect.AGREES
OTHER = "Organisation P81002"

# what is filled in -> the wish -> what the page says of it
FILLED_IN = [
    ("share nothing", typed(want="nothing"), Wish(NO), ["Don't share the person's record with anyone."]),
    (
        "share nothing, but in an emergency and with the GP",
        typed(want="nothing", except_emergency="yes", except_organisations="P81001"),
        Wish(NO, exceptions=(Terms(purposes=EMERGENCY), Terms(organisations=("P81001",)))),
        ["Don't share the person's record with anyone.", "But share it in an emergency.", "But share it with Organisation P81001."],
    ),
    (
        "share nothing but what keeps safe, with anyone who works as nurse",
        typed(want="nothing", except_roles="nurse", except_categories="alerts"),
        Wish(NO, exceptions=(Terms(roles=("nurse",)), Terms(categories=("alerts",)))),
        ["Don't share the person's record with anyone.", "But share it with anyone who works as ward nurse.", "But share alerts."],
    ),
    (
        "not with two organisations",
        typed(want="less", organisations=("902", "RDV")),
        Wish(NO, Terms(organisations=(SOUTH, HOSPITAL))),
        ["Don't share the person's record with Organisation 902 or Organisation RDV."],
    ),
    (
        "not some kinds of information",
        typed(want="less", categories=("alerts", "documents")),
        Wish(NO, Terms(categories=("alerts", "documents"))),
        ["Don't share alerts and documents with anyone."],
    ),
    (
        "not with one worker, until a day",
        typed(want="less", worker="gwen price", until_day="1", until_month="2", until_year="2027"),
        Wish(NO, Terms(workers=(UserId("gwen"),)), date(2027, 2, 1)),
        ["Don't share the person's record with Gwen Price (Organisation 902).", "This holds until the end of 1 February 2027."],
    ),
    (
        "not with an organisation that is named by its code",
        typed(want="less", organisation="p81002"),
        Wish(NO, Terms(organisations=("P81002",))),
        [f"Don't share the person's record with {OTHER}."],
    ),
    (
        "agree to sharing something sensitive with one organisation for care",
        typed(want="more", organisations="RDV", sensitivities=("HIV", "ETH"), purposes="care"),
        Wish(YES, Terms(organisations=(HOSPITAL,), sensitivities=("HIV", "ETH"), purposes=("TREAT", "CAREMGT"))),
        ["Share HIV and substance misuse with Organisation RDV for care and treatment and planning and arranging care."],
    ),
    (
        "agree to sharing with everyone who is involved",
        typed(want="more", organisations=("*", "RDV"), roles="gp"),
        Wish(YES),
        ["Share the person's record with everyone who is involved in care."],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("what", "form", "wish", "words"), FILLED_IN, ids=[what for what, *_ in FILLED_IN])
def test_what_is_filled_in_is_a_wish_that_is_told_in_plain_words(
    what: str, form: Typed, wish: Wish, words: list[str]
) -> None:
    assert read(form, PLACE, TODAY) == (wish, {})
    assert list(sentences(wish, PLACE)) == words


WRONG = [
    ("nothing is wanted", typed(), {"want": "Choose what is wanted"}),
    ("less of nothing", typed(want="less"), {"organisations": "Choose with whom not to share, or what not to share"}),
    ("more with nobody", typed(want="more", sensitivities="HIV"), {"organisations": "Choose with whom to share"}),
    ("an unknown organisation", typed(want="less", organisation="Elsewhere"), {"organisation": "No organisation that takes part here is called so"}),
    ("a name of several", typed(want="less", organisation="Organisation"), {"organisation": "Several organisations are called so: give the whole name, or the code"}),
    ("an unknown worker", typed(want="less", worker="Nobody"), {"worker": "No worker here is called so: give the first and the last name"}),
    ("a day that is none", typed(want="nothing", until_day="31", until_month="2", until_year="2027"), {"until": "The last day must be a real date, with day, month and year"}),
    ("half a day", typed(want="nothing", until_year="2027"), {"until": "The last day must be a real date, with day, month and year"}),
    ("a day that is over", typed(want="nothing", until_day="23", until_month="11", until_year="2026"), {"until": "The last day must be today or later"}),
]  # fmt: skip


@pytest.mark.parametrize(("what", "form", "wrong"), WRONG, ids=[what for what, *_ in WRONG])
def test_what_is_missing_or_wrong_is_named_at_its_field(what: str, form: Typed, wrong: dict[str, str]) -> None:
    assert read(form, PLACE, TODAY) == (None, wrong)


def test_what_the_place_does_not_have_can_not_be_chosen() -> None:
    wish, _ = read(typed(want="less", organisations=("902", "X99"), categories=("rumours", "alerts")), PLACE, TODAY)
    assert wish == Wish(NO, Terms(organisations=(SOUTH,), categories=("alerts",)))


def test_nobody_agrees_on_a_form_to_what_the_law_restricts() -> None:
    wish, _ = read(typed(want="more", organisations="RDV", sensitivities=("LEGAL", "NOPAT")), PLACE, TODAY)
    assert wish == Wish(YES, Terms(organisations=(HOSPITAL,)))


def test_the_consent_says_by_whom_and_how_it_was_obtained() -> None:
    body = body_of(Wish(NO))
    told = obtained(body)
    assert (told.how, told.by, told.giver) == ("face-to-face", "Sam Okafor", "")
    assert body["organization"][0]["identifier"]["value"] == NORTH
    assert body["verification"][0]["verified"] is True
    assert body["policyRule"]["coding"][0] == {"system": ACT_CODE, "code": "OPTOUT"}
    assert body["scope"]["coding"][0]["code"] == "patient-privacy"


def test_a_withdrawn_consent_is_kept_with_the_reason_and_says_nothing_more() -> None:
    body = body_of(Wish(NO, Terms(organisations=(SOUTH,))))
    ended = withdrawn({**body, "meta": {"versionId": "1", "source": "urn:x"}}, "changed their mind", taken())
    assert (ended["status"], why_withdrawn(ended)) == ("inactive", "changed their mind")
    assert ended["meta"] == {"source": "urn:x"}
    assert ended["provision"] == body["provision"]
    assert compile_consent(ended, PLACE).directives == ()
    assert check("Consent", ended).problems == ()
    assert [one["url"] for one in ended["extension"]].count(OBTAINED) == 1


NOT_OURS: list[tuple[str, dict[str, Any]]] = [
    ("a data period", {"type": "deny", "dataPeriod": {"start": "2020"}}),
    ("an exception to an exception", {"type": "deny", "provision": [{"type": "permit", "provision": [{"type": "deny"}]}]}),
    ("an exception of the same effect", {"type": "deny", "provision": [{"type": "deny"}]}),
    ("an exception that ends otherwise", {"type": "deny", "provision": [{"type": "permit", "period": {"end": "2027-01-01"}}]}),
    ("an actor who is only named", {"type": "deny", "actor": [{"reference": {"display": "My GP"}}]}),
    ("a class of another system", {"type": "deny", "class": [{"system": "http://x.example", "code": "alerts"}]}),
    ("a moment as its end", {"type": "deny", "period": {"end": "2027-01-01T10:00:00Z"}}),
    ("no effect", {}),
]  # fmt: skip


@pytest.mark.parametrize(("what", "provision"), NOT_OURS, ids=[what for what, _ in NOT_OURS])
def test_a_consent_that_says_more_than_the_form_can_is_not_offered_for_change(
    what: str, provision: dict[str, Any]
) -> None:
    assert wish_of({"resourceType": "Consent", "status": "active", "provision": provision}) is None


def test_a_wish_that_is_over_is_not_offered_for_change_either() -> None:
    assert of_wish(Wish(NO, until=date(2026, 11, 1)), PLACE, TODAY) is None


def test_what_was_typed_is_carried_on_without_what_nobody_types() -> None:
    class Sent:
        def getlist(self, name: str) -> list[str]:
            return {"worker": ["  Gwen\0 Price\u200b "], "roles": ["gp", "nurse"], "hack": ["x"]}.get(name, [])

    assert list(Typed.of(Sent()).pairs()) == [("roles", "gp"), ("roles", "nurse"), ("worker", "Gwen Price")]


def test_a_consent_is_dated_by_when_it_was_taken_down() -> None:
    assert body_of(Wish(NO), NOW)["dateTime"] == "2026-11-24T12:00:00+00:00"
