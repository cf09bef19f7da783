"""Who sits where under two packs, and how what changes is counted: by hand, for a few people."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import NOW
from consent_builders import ANN, DAY, HOSPITAL, NORTH, PLACE, SOUTH, SURGERY, item, key_of, objects, related

from carelink.consent.facts import Facts, Related
from carelink.consent.seats import NOBODY, Post, Seats, seats, themselves
from carelink.consent.what_if import Group, Held, Record, Trial
from carelink.consent.what_if_deciding import ANYBODY, GAINS, LOSES
from carelink.ids import PersonKey, UserId
from carelink.place import OnDuty, Place

SAM, LENA, GWEN, TOM = map(UserId, ("sam", "lena", "gwen", "tom"))


def without(place: Place, agreement: str) -> Place:
    return replace(place, agreements=tuple(one for one in place.agreements if one.id != agreement))


def moved(place: Place, user: UserId, **changed: object) -> Place:
    return replace(place, staff={**place.staff, user: replace(place.staff[user], **changed)})  # type: ignore[arg-type]


def involved(all_: Seats, *now: Related, tried: tuple[Related, ...] | None = None) -> dict[UserId, tuple[bool, bool]]:
    """Who is involved under either pack, user by user."""
    askers = all_.askers((now, now if tried is None else tried))
    return {user: one.involved for one in askers for user in one.users}


def test_those_of_one_post_share_a_seat() -> None:
    found = seats(PLACE, PLACE, {UserId("system a"): Post(NORTH, "social-worker", "adults-north")}, NOW)
    assert found.of_user[SAM] == found.of_user[UserId("system a")]
    assert found.of_user[SAM] != found.of_user[LENA]
    assert found.users == len(PLACE.staff) + 1


def test_who_moves_has_a_seat_of_their_own() -> None:
    found = seats(PLACE, moved(PLACE, SAM, organisation=SOUTH), {}, NOW)
    seat = found.all[found.of_user[SAM]]
    assert [post and post.organisation for post in seat.posts] == [NORTH, SOUTH]
    assert seat.users == {SAM}


def test_who_is_new_or_gone_has_no_post_there() -> None:
    gone = replace(PLACE, staff={user: one for user, one in PLACE.staff.items() if user != SAM})
    assert seats(PLACE, gone, {}, NOW).all[seats(PLACE, gone, {}, NOW).of_user[SAM]].posts[1] is None
    new = seats(gone, PLACE, {}, NOW)
    assert new.all[new.of_user[SAM]].standings[0] == ()


INVOLVED = [
    ("a worker", related(user="sam"), {SAM: (True, True)}),
    ("a team", related(team="adults-north"), {SAM: (True, True)}),
    ("an organisation", related("referral", NORTH), {SAM: (True, True), LENA: (True, True)}),
    ("another organisation", related("encounter", SURGERY), {TOM: (True, True)}),
    ("a worker who is unknown", related(user="nobody"), {}),
]


@pytest.mark.parametrize(("what", "one", "wanted"), INVOLVED, ids=[what for what, *_ in INVOLVED])
def test_who_is_involved(what: str, one: Related, wanted: dict[UserId, tuple[bool, bool]]) -> None:
    assert involved(seats(PLACE, PLACE, {}, NOW), one) == wanted


def test_who_is_involved_under_one_pack_alone() -> None:
    found = seats(PLACE, PLACE, {}, NOW)
    assert involved(found, related(user="sam"), tried=()) == {SAM: (True, False)}
    assert involved(found, tried=(related(team="adults-west"),)) == {LENA: (False, True)}


def test_a_team_that_stands_in_is_involved_at_any_hour() -> None:
    duty = OnDuty(NORTH, "adults-west", ("mon",), "03:00", "04:00", "nights")
    found = seats(PLACE, replace(PLACE, on_duty=(duty,)), {}, NOW)
    assert involved(found, related(user="sam")) == {SAM: (True, True), LENA: (False, True)}


def trial(now: Place, tried: Place) -> Trial:
    return Trial(seats(now, tried, {}, NOW), themselves(now, tried, ANYBODY, NOW), NOW)


def of(facts: Facts, *held: Held, key: PersonKey = ANN, tried: Facts | None = None) -> Record:
    return Record(key, (facts, facts if tried is None else tried), held)


def held(*labels: str, items: int = 1, custodian: object = SURGERY) -> Held:
    category, *care = labels
    one = item(custodian, category, *care, of=ANYBODY)  # type: ignore[arg-type]
    return Held(one, one, items)


CASELOAD = Facts((related(user="sam"),))


def test_an_agreement_less_is_counted_by_people_items_and_users() -> None:
    tried = trial(PLACE, without(PLACE, "health-to-care"))
    tried.add(of(CASELOAD, held("problems", items=3), held("documents", items=9)))
    tried.add(of(Facts((related(user="sam"), related("referral", NORTH))), held("problems"), key=key_of("bob")))
    tried.add(of(Facts(), held("problems"), key=key_of("cyd")))
    assert (tried.people, tried.items) == (3, 14)
    [(group, count)] = tried.groups.items()
    assert group == Group(LOSES, NORTH, "social-worker", "problems")
    assert (count.people, count.items, count.users) == (2, 4, {SAM, LENA})
    assert count.examples == [ANN, key_of("bob")]
    assert tried.whole[LOSES].items == 4


def test_an_item_that_several_lose_is_one_item() -> None:
    tried = trial(PLACE, without(PLACE, "identity"))
    tried.add(of(Facts((related("referral", NORTH), related("encounter", HOSPITAL))), held("demographics", items=2)))
    assert tried.whole[LOSES].items == 2
    assert {(group.organisation, count.items) for group, count in tried.groups.items()} == {(NORTH, 2), (HOSPITAL, 2)}


def test_a_new_label_counts_under_what_the_item_was_called_when_it_was_seen() -> None:
    tried, one = trial(PLACE, PLACE), item(SURGERY, "problems", of=ANYBODY)
    tried.add(of(CASELOAD, Held(one, replace(one, category="documents"))))
    assert [(group.change, group.category) for group in tried.groups] == [(LOSES, "problems")]
    tried.add(of(CASELOAD, Held(replace(one, category="documents"), one)))
    assert [(group.change, group.category) for group in tried.groups] == [(LOSES, "problems"), (GAINS, "problems")]


def test_what_the_person_sees_themselves_is_counted_too() -> None:
    tried, one = trial(PLACE, PLACE), item(SURGERY, "problems", of=ANYBODY)
    for name in ("ann", "bob"):
        tried.add(of(Facts(), Held(one, replace(one, sensitivities=256), 2), key=key_of(name)))
    [(group, count)] = tried.groups.items()
    assert group == Group(LOSES, "", "person", "problems")
    assert (count.people, count.items, len(count.users)) == (2, 4, 2)


def test_what_is_objected_to_is_lost_under_no_pack() -> None:
    tried = trial(PLACE, without(PLACE, "health-to-care"))
    tried.add(of(replace(CASELOAD, directed=(objects(),)), held("problems")))
    assert tried.groups == {}


def test_an_objection_that_is_over_counts_for_nothing() -> None:
    tried = trial(PLACE, without(PLACE, "health-to-care"))
    tried.add(of(replace(CASELOAD, directed=(objects(ends=NOW),)), held("problems")))
    tried.add(of(Facts((related(user="sam", ends=NOW - DAY),)), held("problems")))
    assert [count.people for count in tried.groups.values()] == [1]


def test_an_involvement_that_ends_with_the_pack_is_a_loss() -> None:
    tried = trial(PLACE, PLACE)
    tried.add(of(CASELOAD, held("problems"), tried=Facts()))
    assert [(group.change, count.users) for group, count in tried.groups.items()] == [(LOSES, {SAM})]


def test_nobody_stands_for_a_user_who_is_named() -> None:
    assert NOBODY not in seats(PLACE, PLACE, {}, NOW).of_user
    assert GWEN in seats(PLACE, PLACE, {}, NOW).of_user
