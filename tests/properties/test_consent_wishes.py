"""Whatever is filled in, the Consent that is stored says it, and the decision keeps to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from conftest import NOW
from consent_builders import HOSPITAL, NORTH, PLACE, SURGERY, facts, item, lens_of, related, staff
from hypothesis import assume, given
from hypothesis import strategies as st
from wish_builders import KEY, ORGANISATIONS, body_of, meant, typed

from carelink.cases.consent_answers import LESS, MORE, NOTHING, Typed, kinds, of_wish, read, sensitive
from carelink.cases.consent_form import Effect as Wanted
from carelink.cases.consent_form import Wish
from carelink.cases.consent_reading import wish_of
from carelink.consent.compiling import compile_consent
from carelink.consent.facts import Facts, Labelled
from carelink.consent.provisions import said
from carelink.consent.requester import Requester
from carelink.consent.rules import Effect
from carelink.place import Asking
from carelink.record.validation import check

TODAY = NOW.date()
# Here a permission gives nothing by itself, so that what is shown can be compared with what is shown without it.
PLAIN = replace(PLACE, asking=Asking(permit_gives=frozenset()))
EVERYBODY = facts(*(related("encounter", ods) for ods in ORGANISATIONS))


def some(values: tuple[str, ...], most: int = 3) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), max_size=most, unique=True).map(tuple)


def day(name: str) -> st.SearchStrategy[dict[str, str]]:
    found = st.none() | st.dates(TODAY, TODAY + timedelta(days=400))
    return found.map(
        lambda one: {f"{name}-{part}": str(getattr(one, part)) for part in ("day", "month", "year")} if one else {}
    )


@st.composite
def filled_in(draw: st.DrawFn) -> Typed:
    """A form as it may come back, with what belongs to other choices still in it."""
    said = {
        "want": draw(st.sampled_from((NOTHING, LESS, MORE))),
        "organisations": draw(some((*ORGANISATIONS, "*"))),
        "roles": draw(some(("gp", "nurse", "social-worker"))),
        "worker": draw(st.sampled_from(("", "Gwen Price", "tom"))),
        "categories": draw(some(kinds(PLACE))),
        "sensitivities": draw(some(sensitive(PLACE))),
        "purposes": draw(some(("care", "emergency"))),
        "except_emergency": draw(st.sampled_from(("", "yes"))),
        "except_organisations": draw(some(ORGANISATIONS)),
        "except_roles": draw(some(("gp", "nurse"))),
        "except_categories": draw(some(kinds(PLACE))),
    }
    return typed(**said, **draw(day("until")))


@st.composite
def wishes(draw: st.DrawFn) -> Wish:
    found, wrong = read(draw(filled_in().filter(lambda one: read(one, PLACE, TODAY)[0])), PLACE, TODAY)
    assert found is not None, wrong
    return found


ASKERS = st.builds(
    staff,
    st.sampled_from(("sam", "gwen", "nadia", "tom", "ana", "iris")),
    st.sampled_from(("", "TREAT", "ETREAT", "BTG")),
)
ITEMS = st.builds(
    lambda ods, kind, care: item(ods, kind, *care),
    st.sampled_from((HOSPITAL, NORTH, SURGERY)),
    st.sampled_from(("problems", "medicines", "mental-health", "services")),
    st.lists(st.sampled_from(("MH", "ETH", "HIV")), max_size=2, unique=True),
)
TIMES = st.datetimes(NOW.replace(tzinfo=None), NOW.replace(tzinfo=None) + timedelta(days=500)).map(
    lambda at: at.replace(tzinfo=NOW.tzinfo)
)


@given(wishes())
def test_a_wish_is_a_valid_consent_that_can_be_compiled_and_is_read_back_as_the_same_wish(wish: Wish) -> None:
    body = body_of(wish)
    assert check("Consent", body).problems == ()
    assert check("Consent", body).repairs == ()
    compiled = compile_consent(body, PLACE)
    assert compiled.problems == ()
    assert compiled.directives
    assert wish_of(body) == wish


@given(wishes())
def test_what_was_filled_in_can_be_changed_on_the_same_form(wish: Wish) -> None:
    again = of_wish(wish, PLACE, TODAY)
    assert again is not None
    assert read(again, PLACE, TODAY) == (wish, {})


@given(wishes(), ITEMS, ASKERS, TIMES)
def test_the_compiled_consent_says_of_every_item_to_everybody_what_the_person_meant(
    wish: Wish, held: Labelled, asks: Requester, at: object
) -> None:
    assert isinstance(at, type(NOW))
    directives = tuple(replace(one, consent=KEY) for one in compile_consent(body_of(wish), PLACE).directives)
    told = said(directives, held, asks, at)
    found = "deny" if told.denied or told.objection else "permit" if told.permitted else ""
    assert found == meant(wish, held, asks, at)


@given(wishes(), ITEMS, ASKERS)
def test_the_decision_keeps_to_what_was_meant_and_changes_nothing_else(
    wish: Wish, held: Labelled, asks: Requester
) -> None:
    directives = tuple(replace(one, consent=KEY) for one in compile_consent(body_of(wish), PLAIN).directives)
    lens = lens_of(asks, PLAIN, NOW)
    before, after = lens.decide(held, EVERYBODY), lens.decide(held, Facts(EVERYBODY.related, directives))
    if meant(wish, held, asks, NOW) == "deny" and held.custodian != asks.organisation:
        assert after.effect is Effect.DENY
    else:
        assert after.effect is before.effect


GENEROUS = replace(PLACE, asking=Asking(permit_gives=frozenset({"agreement", "relationship"})))


@given(wishes(), ITEMS, ASKERS, st.sampled_from((EVERYBODY, Facts())))
def test_an_objection_shows_nobody_more_whatever_exceptions_it_has_and_whatever_a_permission_gives(
    wish: Wish, held: Labelled, asks: Requester, known: Facts
) -> None:
    assume(wish.effect is Wanted.OBJECTS)
    directives = tuple(replace(one, consent=KEY) for one in compile_consent(body_of(wish), GENEROUS).directives)
    lens = lens_of(asks, GENEROUS, NOW)
    if lens.decide(held, known).effect is Effect.DENY:
        assert lens.decide(held, Facts(known.related, directives)).effect is Effect.DENY


def test_what_ends_today_still_holds_today_and_not_tomorrow() -> None:
    wish, _ = read(typed(want=NOTHING, until_day="24", until_month="11", until_year="2026"), PLACE, date(2026, 11, 24))
    assert wish is not None
    (one,) = compile_consent(body_of(wish), PLACE).directives
    assert one.in_force(NOW)
    assert not one.in_force(NOW + timedelta(days=1))
