"""Rows of the audit as people did them, and the words that the person reads."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from conftest import NOW
from consent_builders import PLACE, key_of

from carelink.audit import acts
from carelink.audit.acts import act_of, because
from carelink.audit.looks import Known, Who, days_of, looks_of
from carelink.audit.reading import Kept
from carelink.audit.who_looked import at_times, called

ANN, BOB = key_of("ann"), key_of("bob")
KNOWN = Known(PLACE, {"sam": "Sam Okafor", "tom": "Dr Tom Ellis", "iris": "Iris Lang"})
ROW = Kept(1, NOW, "search", user="sam", organisation="901", role="social-worker", purpose="CAREMGT", person=ANN)


def row(number: int = 1, **changed: Any) -> Kept:
    return replace(ROW, id=number, **changed)


ACTS = [  # what the row says -> what it was, told of Ann
    ("the page of a person", {"query": "Patient?", "request": "r"}, acts.OPENED),
    ("a timeline", {"query": ""}, acts.OPENED),
    ("one resource over the API", {"action": "read", "query": "Condition"}, acts.OPENED),
    ("all of a person", {"query": "*?"}, acts.OPENED),
    ("a search by number", {"query": "Patient?identifier"}, acts.FOUND),
    ("names for search results", {"action": "read", "query": "by key"}, acts.LISTED),
    ("a caseload", {"query": "my caseload"}, acts.LISTED),
    ("a caseload of one", {"query": "my caseload", "detail": {"relationships": ["caseload"]}}, acts.LISTED),
    ("one of several that a search found", {"person": None, "query": "Patient?family", "detail": {"persons": [str(ANN), str(BOB)]}}, acts.LISTED),
    ("beside somebody else's", {"person": BOB, "query": "Patient?", "detail": {"persons": [str(ANN)]}}, acts.LISTED),
    ("a question of identity", {"person": None, "query": "an open link decision", "detail": {"persons": [str(ANN)]}}, acts.LINKED),
    ("a sign-in", {"action": "sign-in", "person": None}, acts.SIGNED),
    ("an answer to what was worth a look", {"action": "signal", "person": None}, acts.ANSWERED),
    ("broken glass", {"action": "break-glass"}, acts.GLASS),
    ("a refusal", {"action": "refusal", "outcome": "refused"}, acts.REFUSED),
    ("a print", {"action": "print"}, acts.COPIED),
    ("a new note", {"action": "create"}, acts.CHANGED),
    ("a look as somebody else", {"detail": {"view_of": "sam"}}, acts.CHECKED),
    ("an explanation", {"action": "explain"}, acts.CHECKED),
    ("who looked", {"action": "audit"}, acts.AUDITED),
    ("what nobody has thought of", {"action": "teleport"}, acts.OTHER),
]  # fmt: skip


@pytest.mark.parametrize(("what", "said", "act"), ACTS, ids=[what for what, *_ in ACTS])
def test_a_row_is_told_as_what_it_was(what: str, said: dict[str, Any], act: acts.Act) -> None:
    assert act_of(row(**said), ANN) is act


def test_every_act_has_its_place_in_the_order_and_words_for_both() -> None:
    assert {*acts.BY_ACTION.values(), *(act for act, _ in acts.BY_QUERY)} <= set(acts.ORDER)
    assert len({act.id for act in acts.ORDER}) == len(acts.ORDER)
    assert all(act.to_person and act.to_lead for act in acts.ORDER)


def test_what_one_request_asked_is_one_look_and_the_weightiest_of_it_is_told() -> None:
    rows = [
        row(3, query="", request="r1", rules=("L8-agreement",)),
        row(2, query="Patient?", request="r1", rules=("L8-own-organisation",), detail={"relationships": ["caseload"]}),
        row(1, query="Patient?identifier", request="r0", at=NOW - timedelta(minutes=1)),
    ]
    opened, found = looks_of(rows, KNOWN, ANN)
    assert (opened.act, found.act) == (acts.OPENED, acts.FOUND)
    assert opened.rules == ("L8-agreement", "L8-own-organisation")
    assert (opened.relationships, opened.queries) == (("caseload",), ("Patient?",))


def test_rows_without_a_request_are_looks_of_their_own() -> None:
    assert len(looks_of([row(2), row(1)], KNOWN, ANN)) == 2


def test_looks_are_told_by_day_in_london_and_by_who_looked_with_what_matters_first() -> None:
    late = datetime.fromisoformat("2026-07-01T23:30:00+00:00")  # past midnight in London
    rows = [
        row(5, at=late, request="e", user="tom", organisation="P81001", role="gp", query="my caseload"),
        row(4, at=late - timedelta(minutes=5), request="d", query=""),
        row(3, at=late - timedelta(minutes=10), request="c", query="Patient?identifier"),
        row(2, at=late - timedelta(hours=2), request="b", query=""),
        row(1, at=late - timedelta(hours=3), request="a", query=""),
    ]
    second, first = days_of(looks_of(rows, KNOWN, ANN))
    assert (first.on.isoformat(), second.on.isoformat()) == ("2026-07-01", "2026-07-02")
    assert [(line.who.name, line.act) for line in second.lines] == [
        ("Sam Okafor", acts.OPENED),
        ("Dr Tom Ellis", acts.LISTED),
    ]
    assert [len(line.times) for line in first.lines] == [2]


def test_what_jobs_did_is_nobodys_look() -> None:
    rows = [row(1, user="carelink", organisation=None, role=None, action="merge")]
    looks = looks_of(rows, KNOWN, ANN)
    assert looks[0].who == Who("carelink")
    assert days_of(looks) == ()


def test_who_acted_on_somebodys_behalf_is_told_with_the_role_that_they_have_in_the_place() -> None:
    look = looks_of([row(user="iris", organisation=None, role=None, purpose=None)], KNOWN, ANN)[0]
    assert called(look.who) == "Iris Lang, information governance lead at Organisation QDM"


CALLED = [
    (Who("worker", "tom", "Dr Tom Ellis", "General practitioner", "Riverside Surgery"), True, "Dr Tom Ellis, general practitioner at Riverside Surgery"),
    (Who("worker", "tom", "Dr Tom Ellis", "General practitioner", "Riverside Surgery"), False, "A general practitioner at Riverside Surgery"),
    (Who("worker", "x", "", "Approved mental health professional", "Northdale Council"), True, "An approved mental health professional at Northdale Council"),
    (Who("worker", "x", "Somebody Left", "", ""), True, "Somebody Left"),
    (Who("worker", "x"), True, "A worker"),
    (Who("person", "nora", "Nora Hart", "The person", ""), True, "You"),
    (Who("system", "client:ward", "ward", "Ward nurse", "Dale Valley Hospitals"), True, "A system of Dale Valley Hospitals"),
    (Who("operator", "operator:root"), True, "Somebody who runs this service"),
    (Who("carelink"), True, "CareLink itself"),
]  # fmt: skip


@pytest.mark.parametrize(("who", "by_name", "words"), CALLED)
def test_who_looked_is_called_as_the_place_allows(who: Who, by_name: bool, words: str) -> None:
    assert called(who, by_name) == words


BECAUSE = [
    (("registered-practice",), (), False, True, "you are registered there"),
    (("referral", "caseload"), (), False, True, "you are on their caseload or their team's"),
    ((), ("L6-consent-permit",), False, True, "you permitted it"),
    ((), ("L9-break-glass",), False, True, "they opened your record in need"),
    ((), ("L8-agreement",), True, True, "they opened your record in need"),
    ((), ("L9-break-glass",), True, False, ""),
    (("encounter",), ("L7-break-glass",), True, True, "you were in their care"),
    ((), ("L8-agreement",), False, True, ""),
    (("a kind that nobody knows",), (), False, True, ""),
]


@pytest.mark.parametrize(("relationships", "rules", "in_need", "tells", "words"), BECAUSE)
def test_the_reason_is_told_in_words(
    relationships: tuple[str, ...], rules: tuple[str, ...], in_need: bool, tells: bool, words: str
) -> None:
    assert because(relationships, rules, in_need, tells) == words


def test_a_look_through_broken_glass_is_one_in_need() -> None:
    look = looks_of([row(detail={"glass": 4})], KNOWN, ANN)[0]
    assert look.in_need
    assert days_of([look])[0].lines[0].in_need


@pytest.mark.parametrize(
    ("times", "words"),
    [
        (["14:05"], "at 14:05"),
        (["14:05", "14:05"], "at 14:05"),
        (["14:05", "16:10"], "at 14:05 and 16:10"),
        (["09:01", "14:05", "16:10"], "at 09:01, 14:05 and 16:10"),
        (["09:01", "09:30", "14:05", "16:10"], "4 times, from 09:01 to 16:10"),
    ],
)
def test_when_is_told_as_a_person_would_say_it(times: list[str], words: str) -> None:
    assert at_times([datetime.fromisoformat(f"2026-11-24T{one}+00:00") for one in times]) == words
