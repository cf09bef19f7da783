"""How sure a match is: by the linker's verdict, in order, and of one alone."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carelink.ids import PersonKey
from carelink.place import Place
from carelink.record.likeness import Grade, alike, certain
from carelink.record.traits import Traits

ANN, TWIN = PersonKey(UUID(int=1)), PersonKey(UUID(int=2))
SHE = Traits(
    nhs_number="9990000018",
    nhs_verified=True,
    family="hart",
    given="nora",
    birth_date="1944-05-06",
    gender="female",
    postcode="DM14QT",
    address="12 high street",
    telephone="01632960001",
    sounds="H630",
)
NAMED = Traits(family="hart", given="nora", birth_date="1944-05-06", sounds="H630")

# what is asked -> how sure it is; None: not told at all
GRADES: list[tuple[str, Traits, Grade | None]] = [
    ("the same verified number", replace(NAMED, nhs_number="9990000018", nhs_verified=True), Grade.CERTAIN),
    ("a verified number, another name", replace(SHE, given="joan"), Grade.CERTAIN),
    ("name, birth date and address", replace(SHE, nhs_number="", nhs_verified=False), Grade.CERTAIN),
    ("name and birth date", NAMED, Grade.CERTAIN),
    ("married since", replace(NAMED, family="moss", sounds="M200", postcode="DM14QT"), Grade.PROBABLE),
    ("a slip in the birth date", replace(NAMED, birth_date="1944-06-05"), Grade.POSSIBLE),
    ("a twin at home", replace(SHE, nhs_number="", nhs_verified=False, given="joan"), None),
    ("a brother of nearly that name", replace(NAMED, given="norman", gender="male"), Grade.POSSIBLE),
    ("another verified number", replace(SHE, nhs_number="9990000026"), Grade.CERTAINLY_NOT),
    ("another verified number and little else", Traits("9990000026", True, birth_date="1944-05-06", given="n"), None),
    ("no block in common", Traits(family="hart", given="nora", sounds="H630"), None),
]


@pytest.mark.parametrize(("asked", "grade"), [one[1:] for one in GRADES], ids=[one[0] for one in GRADES])
def test_a_grade_is_what_the_linker_would_do(place: Place, asked: Traits, grade: Grade | None) -> None:
    assert [one.grade for one in alike(asked, {ANN: SHE}, place.linking)] == ([grade] if grade else [])


def test_of_two_who_are_equally_like_neither_is_certain(place: Place) -> None:
    found = alike(NAMED, {ANN: SHE, TWIN: replace(NAMED, postcode="DM99ZZ")}, place.linking)
    assert [one.grade for one in found] == [Grade.PROBABLE, Grade.PROBABLE]
    assert certain(found) == ()
    assert certain(alike(NAMED, {ANN: SHE}, place.linking)) != ()


def test_the_order_of_those_who_are_compared_makes_no_difference(place: Place) -> None:
    people = {ANN: SHE, TWIN: replace(NAMED, birth_date="1944-06-05", postcode="DM14QT")}
    asked = replace(NAMED, postcode="DM14QT")
    assert alike(asked, people, place.linking) == alike(asked, dict(reversed(people.items())), place.linking)


ORDER = (Grade.CERTAIN, Grade.PROBABLE, Grade.POSSIBLE, Grade.CERTAINLY_NOT)
SOMEBODY = st.builds(
    Traits,
    nhs_number=st.sampled_from(("", "9990000018", "9990000026")),
    nhs_verified=st.booleans(),
    family=st.sampled_from(("hart", "moss", "")),
    given=st.sampled_from(("nora", "joan", "n", "")),
    birth_date=st.sampled_from(("1944-05-06", "1944-06-05", "1944", "1980-01-02", "")),
    gender=st.sampled_from(("female", "male", "")),
    postcode=st.sampled_from(("DM14QT", "DM99ZZ", "")),
    address=st.sampled_from(("12 high street", "")),
    telephone=st.sampled_from(("01632960001", "")),
    sounds=st.sampled_from(("H630", "M200", "")),
)


@given(SOMEBODY, st.lists(SOMEBODY, max_size=5))
def test_a_score_never_says_another_order_than_the_grades(place: Place, asked: Traits, them: list[Traits]) -> None:
    people = {PersonKey(UUID(int=number)): one for number, one in enumerate(them)}
    found = alike(asked, people, place.linking)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert [ORDER.index(one.grade) for one in found] == sorted(ORDER.index(one.grade) for one in found)
    assert all(0 <= one.score <= 1 for one in found)
