"""What holds of comparing and linking whatever the records say."""

from __future__ import annotations

from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carelink.ids import PersonKey
from carelink.place import Place
from carelink.record.comparison import LEVELS, compare, compare_all
from carelink.record.matching import Candidate, Verdict, assess, link
from carelink.record.traits import Traits
from carelink.record.traits_sounds import sounds

NUMBERS = ("", "9990000018", "9990000026", "9990000034")
FAMILIES = ("", "smith", "smyth", "jones", "smith jones", "jones|smith", "obrien")
GIVENS = ("", "john", "jon", "j", "thomas", "elizabeth", "liz", "john thomas")
few = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def records(draw: st.DrawFn) -> Traits:
    family = draw(
        st.sampled_from(FAMILIES) | st.text("abcdefghijklmnop ", max_size=8).map(lambda text: " ".join(text.split()))
    )
    number = draw(st.sampled_from(NUMBERS))
    return Traits(
        nhs_number=number,
        nhs_verified=bool(number) and draw(st.booleans()),
        nhs_former=tuple(sorted(draw(st.sets(st.sampled_from(NUMBERS[1:]), max_size=2)) - {number})),
        family=family,
        given=draw(st.sampled_from(GIVENS)),
        birth_date=draw(st.sampled_from(("", "1950-03-04", "1950-04-03", "1950", "1980-03-04", "1950-03"))),
        gender=draw(st.sampled_from(("", "male", "female"))),
        postcode=draw(st.sampled_from(("", "NE11AA", "NE11AB", "LS16AE"))),
        address=draw(st.sampled_from(("", "1 high street", "1 high street kirkby", "2 high street"))),
        telephone=draw(st.sampled_from(("", "01632960001", "01632960010"))),
        sounds=sounds(family.split("|")[0]),
    )


@few
@given(records(), records())
def test_comparing_is_symmetric_and_gives_only_known_levels(one: Traits, other: Traits) -> None:
    levels = compare(one, other)
    assert levels == compare(other, one)
    assert all(level in LEVELS[field] for field, level in levels.items())


@few
@given(records(), st.lists(records(), min_size=1, max_size=4))
def test_the_order_of_a_persons_records_makes_no_difference(one: Traits, known: list[Traits]) -> None:
    assert compare_all(one, known) == compare_all(one, known[::-1])


@few
@given(one=records(), known=st.lists(st.lists(records(), min_size=1, max_size=2), max_size=4))
def test_the_order_of_the_candidates_makes_no_difference(one: Traits, known: list[list[Traits]], place: Place) -> None:
    candidates = [Candidate(PersonKey(UUID(int=n)), tuple(its)) for n, its in enumerate(known)]
    assert link(one, candidates, place.linking) == link(one, candidates[::-1], place.linking)


@few
@given(one=records(), other=records())
def test_two_different_verified_numbers_are_never_linked_by_carelink(one: Traits, other: Traits, place: Place) -> None:
    found = assess(one, Candidate(PersonKey(UUID(int=1)), (other,)), place.linking)
    if found.fields["nhs_number"]["level"] == "conflict":
        assert found.verdict <= Verdict.ASK


@few
@given(one=records(), other=records())
def test_different_given_names_are_never_linked_by_weights(one: Traits, other: Traits, place: Place) -> None:
    found = assess(one, Candidate(PersonKey(UUID(int=1)), (other,)), place.linking)
    if found.fields["given"]["level"] == "different":
        assert found.verdict is not Verdict.SAME
