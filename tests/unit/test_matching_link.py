"""Who is linked to whom, who is asked about, and who never: a table that a clinical safety officer can read."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from carelink.errors import Invalid
from carelink.ids import PersonKey
from carelink.place import Linking, Place
from carelink.record.matching import SAFETY, Candidate, Method, Verdict, assess, link, weight_of
from carelink.record.traits import Traits

N, M, OLD = "9990000018", "9990000026", "9990000034"
P1, P2 = PersonKey(UUID(int=1)), PersonKey(UUID(int=2))

DAN = Traits(
    family="smith",
    given="daniel",
    birth_date="1950-03-04",
    gender="male",
    postcode="NE11AA",
    address="1 high street",
    telephone="01632960001",
    sounds="S530",
)


def like(**changed: object) -> Traits:
    return replace(DAN, **changed)  # type: ignore[arg-type]


MOVED = {"postcode": "LS16AE", "address": "9 other road", "telephone": "07700900123"}

CASES: list[tuple[str, Traits, Traits, Verdict, str]] = [
    ("the same in everything", DAN, DAN, Verdict.SAME, ""),
    ("a spelling of the family name", DAN, like(family="smyth"), Verdict.SAME, ""),
    ("a short form of the given name", DAN, like(given="danny"), Verdict.SAME, ""),
    ("a slip in the birth date", DAN, like(birth_date="1950-04-03"), Verdict.SAME, ""),
    ("married, at the same address", DAN, like(family="jones"), Verdict.SAME, ""),
    ("a twin brother", DAN, like(given="thomas"), Verdict.APART, ""),
    ("a twin sister", DAN, like(given="susan", gender="female"), Verdict.APART, ""),
    ("a twin with his brother's number typed", like(nhs_number=N), like(given="thomas", nhs_number=N), Verdict.ASK, "twins"),
    ("a twin sister with nearly his name", DAN, like(given="danielle", gender="female"), Verdict.ASK, "brother-and-sister"),
    ("father and son of one name", DAN, like(birth_date="1980-03-04"), Verdict.APART, ""),
    ("father and son, one number typed for both", like(nhs_number=N), like(nhs_number=N, birth_date="1980-03-04"), Verdict.ASK, ""),
    ("a stranger of the same birth date", DAN, like(family="jones", given="thomas", **MOVED), Verdict.APART, ""),
    ("a namesake", DAN, like(birth_date="1957-11-27", **MOVED), Verdict.APART, ""),
    ("only the name", Traits(family="smith", given="daniel"), DAN, Verdict.APART, ""),
    ("nothing", Traits(), Traits(), Verdict.APART, ""),
    ("one verified number, same birth date", like(nhs_number=N, nhs_verified=True), Traits(N, True, birth_date="1950-03-04"), Verdict.PROVEN, ""),
    ("one verified number, same family name", like(nhs_number=N, nhs_verified=True), Traits(N, True, family="smith"), Verdict.PROVEN, ""),
    ("one verified number, married and moved", like(nhs_number=N, nhs_verified=True), like(nhs_number=N, nhs_verified=True, family="jones", **MOVED), Verdict.PROVEN, ""),
    ("a superseded number, both verified", like(nhs_number=N, nhs_verified=True, nhs_former=(OLD,)), like(nhs_number=OLD, nhs_verified=True, **MOVED), Verdict.PROVEN, ""),
    ("one verified number and nothing else alike", like(nhs_number=N, nhs_verified=True), like(nhs_number=N, nhs_verified=True, family="jones", given="thomas", birth_date="1957-11-27", **MOVED), Verdict.APART, ""),
    ("a mother's verified number", like(nhs_number=N, nhs_verified=True), like(nhs_number=N, nhs_verified=True, given="susan", gender="female", birth_date="1925-06-07"), Verdict.ASK, "number-of-another"),
    ("two verified numbers, all else the same", like(nhs_number=N, nhs_verified=True), like(nhs_number=M, nhs_verified=True), Verdict.ASK, ""),
    ("two verified numbers, a twin", like(nhs_number=N, nhs_verified=True), like(nhs_number=M, nhs_verified=True, given="thomas"), Verdict.APART, ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "verdict", "rule"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_pairs(one: Traits, other: Traits, verdict: Verdict, rule: str, place: Place) -> None:
    for arriving, known in ((one, other), (other, one)):
        found = assess(arriving, Candidate(P1, (known,)), place.linking)
        assert (found.verdict, found.rule) == (verdict, rule), found


def test_one_candidate_above_the_upper_threshold_is_linked_with_weight_and_fields(place: Place) -> None:
    decision = link(DAN, [Candidate(P1, (DAN,)), Candidate(P2, (like(given="thomas"),))], place.linking)
    assert (decision.method, decision.person, decision.ask) == (Method.WEIGHTS, P1, ())
    assert decision.weight == sum(field["weight"] for field in decision.fields.values())
    assert decision.fields["given"] == {"level": "same", "weight": place.linking.weights["given"]["same"]}


def test_two_candidates_above_the_upper_threshold_are_for_a_human(place: Place) -> None:
    decision = link(DAN, [Candidate(P1, (DAN,)), Candidate(P2, (like(telephone=""),))], place.linking)
    assert (decision.method, decision.person) == (Method.FOUNDER, None)
    assert [asked.person for asked in decision.ask] == [P1, P2]


def test_between_the_thresholds_a_new_person_is_founded_and_a_human_asked(place: Place) -> None:
    decision = link(like(given="danielle", gender="female"), [Candidate(P1, (DAN,))], place.linking)
    assert (decision.method, decision.person) == (Method.FOUNDER, None)
    assert [(asked.person, asked.verdict) for asked in decision.ask] == [(P1, Verdict.ASK)]


def test_below_the_lower_threshold_a_new_person_is_founded_and_nobody_asked(place: Place) -> None:
    decision = link(like(given="thomas"), [Candidate(P1, (DAN,))], place.linking)
    assert (decision.method, decision.person, decision.ask) == (Method.FOUNDER, None, ())


def test_a_verified_number_wins_over_a_greater_weight_and_the_other_is_asked_about(place: Place) -> None:
    numbered = Traits(N, True, birth_date="1950-03-04")
    arriving = like(nhs_number=N, nhs_verified=True)
    decision = link(arriving, [Candidate(P1, (DAN,)), Candidate(P2, (numbered,))], place.linking)
    assert (decision.method, decision.person) == (Method.NHS_NUMBER, P2)
    assert [asked.person for asked in decision.ask] == [P1]


def test_two_persons_of_one_verified_number_are_both_proven(place: Place) -> None:
    numbered = Traits(N, True, birth_date="1950-03-04")
    decision = link(
        like(nhs_number=N, nhs_verified=True), [Candidate(P2, (numbered,)), Candidate(P1, (numbered,))], place.linking
    )
    assert decision.person == P1
    assert [one.person for one in decision.proven] == [P2]


def test_a_superseded_number_that_the_person_is_known_by_is_no_conflict(place: Place) -> None:
    """The person's other record has the old number verified; PDS knows both."""
    known = (like(nhs_number=OLD, nhs_verified=True), like(nhs_number=N, nhs_verified=True, nhs_former=(OLD,)))
    assert assess(like(nhs_number=N, nhs_verified=True), Candidate(P1, known), place.linking).verdict is Verdict.PROVEN


def test_a_level_without_a_weight_is_named() -> None:
    with pytest.raises(
        Invalid, match=r"linking\.toml: \[weights\.nhs_number\] gives no weight for the level 'verified'"
    ):
        weight_of(Linking(20.0, 10.0, {}), "nhs_number", "verified")


def test_every_safety_rule_says_why_and_is_named_once() -> None:
    assert len({rule.id for rule in SAFETY}) == len(SAFETY)
    assert all(rule.because for rule in SAFETY)
