"""What a change of consents would do is told before it is made, by the decision itself."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from consent_builders import ANN, HOSPITAL, NORTH, NOW, PLACE, SOUTH, SURGERY, related
from wish_builders import KEY, body_of

from carelink.cases.consent_effect import Change, Known, effect, in_words
from carelink.cases.consent_form import Effect, Terms, Wish
from carelink.consent.compiling import compile_consent
from carelink.consent.facts import Directed, Related
from carelink.consent.lens import Lens
from carelink.ids import UserId
from carelink.place import Asking, Place

AT = Lens.system("test", NOW)
WARD, CASE = related("encounter", HOSPITAL), related("caseload", NORTH, user="sam")
NO, YES = Effect.OBJECTS, Effect.AGREES


def directed(wish: Wish, place: Place = PLACE, key: UUID = KEY) -> tuple[Directed, ...]:
    return tuple(replace(one, consent=key) for one in compile_consent(body_of(wish), place).directives)


def told(wish: Wish | None, *about: Related, before: Wish | None = None, place: Place = PLACE) -> list[Change]:
    then = directed(before, place) if before else ()
    now = directed(wish, place) if wish else ()
    return list(effect(place, Known(ANN, about, then, now), AT))


def test_who_is_involved_and_loses_everything_is_named_with_that() -> None:
    changes = told(Wish(NO), WARD, CASE)
    assert [(one.organisation, one.role, one.loses_all) for one in changes] == [
        ("Organisation 901", "Social worker", True),
        ("Organisation RDV", "Ward nurse", True),
    ]
    assert in_words(changes[1]) == ("Organisation RDV (ward nurse) will no longer see anything that others hold.",)


def test_who_is_involved_is_not_named_where_it_would_tell_where_the_person_is() -> None:
    known = Known(ANN, (WARD, CASE), (), directed(Wish(NO)))
    assert [one.organisation for one in effect(PLACE, known, AT, hides=True)] == ["A council", "An NHS trust"]
    named = Known(ANN, (WARD,), (), directed(Wish(NO, Terms(organisations=(HOSPITAL,)))))
    assert [one.organisation for one in effect(PLACE, named, AT, hides=True)] == ["Organisation RDV"], "as it was typed"


def test_who_is_not_named_loses_nothing() -> None:
    assert [one.organisation for one in told(Wish(NO, Terms(organisations=(HOSPITAL,))), WARD, CASE)] == [
        "Organisation RDV"
    ]


def test_who_is_not_involved_loses_nothing_that_they_never_had() -> None:
    assert told(Wish(NO, Terms(organisations=(SOUTH,))), WARD, CASE) == []


def test_of_some_kinds_those_are_told_that_are_shared() -> None:
    (one,) = told(Wish(NO, Terms(categories=("problems", "documents", "legal"))), CASE)
    assert (one.loses, one.loses_all) == (("Problems", "Documents"), False)
    assert in_words(one) == (
        "Organisation 901 (social worker) will no longer see, of what others hold: problems, documents.",
    )


def test_an_exception_is_kept_out_of_it() -> None:
    wish = Wish(NO, exceptions=(Terms(organisations=(HOSPITAL,)), Terms(categories=("problems",))))
    (one,) = told(wish, WARD, CASE, place=replace(PLACE, asking=Asking()))
    assert (one.organisation, "Problems" in one.loses, one.loses_all) == ("Organisation 901", False, False)


def test_what_is_withdrawn_is_told_as_what_can_be_seen_again() -> None:
    (one,) = told(None, CASE, before=Wish(NO, Terms(categories=("problems",))))
    assert (one.loses, one.gains) == ((), ("Problems",))
    assert in_words(one) == ("Organisation 901 (social worker) will be able to see, of what others hold: problems.",)


def test_an_agreement_tells_the_sensitive_kinds_that_it_opens() -> None:
    place = replace(PLACE, asking=Asking(needs_consent=frozenset({"ETH"})))
    (one,) = told(
        Wish(YES, Terms(organisations=(SURGERY,), sensitivities=("ETH",))),
        related("registered-practice", SURGERY),
        place=place,
    )
    assert (one.organisation, one.loses, one.gains) == ("Organisation P81001", (), ("Substance misuse",))


def test_an_agreement_that_no_sharing_agreement_answers_to_changes_nothing() -> None:
    place = replace(PLACE, asking=Asking(needs_consent=frozenset({"HIV"})))
    assert told(Wish(YES, Terms(organisations=(HOSPITAL,), sensitivities=("HIV",))), WARD, place=place) == []


def test_one_worker_who_is_named_is_told_apart_from_their_colleagues() -> None:
    team = related("caseload", NORTH, team="adults-north")
    everybody = related("encounter", NORTH)
    (one,) = told(Wish(NO, Terms(workers=(UserId("sam"),))), team, everybody)
    assert in_words(one) == (
        "Sam Okafor, Organisation 901 (social worker) will no longer see anything that others hold.",
    )
    assert told(Wish(NO, Terms(workers=(UserId("gwen"),))), team, everybody) == []


def test_where_the_place_asks_first_an_agreement_opens_what_is_shared_to_who_is_involved() -> None:
    place = replace(PLACE, asking=Asking(view="explicit"))
    before = told(Wish(YES), CASE, place=place)
    assert [(one.organisation, one.loses) for one in before] == [("Organisation 901", ())]
    assert "Problems" in before[0].gains
    assert told(Wish(NO), CASE, place=place) == [], "nothing was shared that could be taken away"


def test_roles_of_one_organisation_that_lose_the_same_are_told_together() -> None:
    nurse = replace(PLACE.staff[UserId("nadia")], id=UserId("nils"), role="social-worker")
    place = replace(PLACE, staff={**PLACE.staff, nurse.id: nurse})
    (one,) = told(Wish(NO, Terms(organisations=(HOSPITAL,))), WARD, place=place)
    assert in_words(one) == (
        "Organisation RDV (ward nurse, social worker) will no longer see anything that others hold.",
    )
