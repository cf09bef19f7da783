"""The people of the demo: present for every seed, each with what their part needs."""

from __future__ import annotations

import pytest
from nhs_number.validate import is_valid

from fhir_adapters.simulators import cast
from fhir_adapters.simulators.health import health
from fhir_adapters.simulators.people import COUNCIL_A, COUNCIL_B, HOSPITAL, Belief, Person
from fhir_adapters.simulators.population import Population, people
from fhir_adapters.simulators.social import social_care
from fhir_adapters.simulators.workers import allocation


@pytest.fixture(scope="module", params=[1, 99])
def few(request: pytest.FixtureRequest) -> Population:
    return people(request.param, 20)


def held(population: Population, source: str, person: Person) -> list[Belief]:
    return [one for one in population.held[source] if one.person == person]


def test_all_of_the_cast_are_among_twenty_people(few: Population):
    assert {part.person for part in cast.CAST} <= set(few.people)


def test_sam_okafor_has_a_caseload_of_twelve(few: Population):
    on_it = {
        one.person
        for place, one in enumerate(few.council_a)
        if (found := allocation(one, place, few.today)) and found.worker and found.worker.id == "W001"
    }
    assert on_it == set(cast.CASELOAD_OF_SAM)
    assert len(on_it) == 12


def test_gwen_price_has_a_caseload_at_southmere():
    population = people(1, 200)
    hers = [
        one
        for place, one in enumerate(population.council_b)
        if (found := allocation(one, place, population.today)) and found.worker and found.worker.id == "S001"
    ]
    assert 10 <= len(hers) <= 12
    assert cast.CATHERINE_OBRIEN in {one.person for one in hers}


def test_margaret_ellison_is_on_ward_7_now(few: Population):
    stay = health(cast.ON_WARD_NOW, few.today).stays[0]
    assert (stay.ward, stay.until) == ("Ward 7", None)
    assert stay.since < few.today


def test_the_superseded_number_is_valid_and_still_held_by_council_and_hospital(few: Population):
    person = cast.SUPERSEDED_NUMBER
    assert is_valid(person.former_number)
    assert person.former_number != person.nhs_number
    for source in (COUNCIL_A, HOSPITAL):
        (one,) = held(few, source, person)
        assert one.nhs_number == person.former_number
        assert not one.verified


def test_pds_knows_of_a_death_that_the_council_does_not(few: Population):
    assert [one.knows_of_death for one in few.pds if one.person == cast.DECEASED] == [True]
    assert [one.knows_of_death for one in held(few, COUNCIL_A, cast.DECEASED)] == [False]


def test_the_twins_share_everything_but_name_and_number_and_the_council_has_no_number(few: Population):
    one, other = cast.TWINS
    assert (one.born, one.family, one.address) == (other.born, other.family, other.address)
    assert one.given != other.given
    assert all(not belief.nhs_number for twin in cast.TWINS for belief in held(few, COUNCIL_A, twin))


def test_father_and_son_share_a_name_and_an_address():
    father, son = cast.FATHER_AND_SON
    assert (father.name, father.address) == (son.name, son.address)
    assert son.born.year - father.born.year > 20


def test_one_of_them_stands_twice_at_the_council(few: Population):
    assert len(held(few, COUNCIL_A, cast.TWICE_AT_COUNCIL)) == 2


def test_one_moved_and_is_known_to_both_councils_by_different_names(few: Population):
    (north,), (south,) = (held(few, source, cast.ELIZABETH_SMITH) for source in (COUNCIL_A, COUNCIL_B))
    assert (north.given[0], north.family) == ("Liz", "Smyth")
    assert (south.given[0], south.family) == ("Elizabeth", "Smith")
    assert north.address != south.address


@pytest.mark.parametrize(
    ("person", "code"),
    [
        (cast.SENSITIVE, "66590003"),  # alcohol dependence
        (cast.SENSITIVE, "75544000"),  # opioid dependence
        (cast.SEXUAL_HEALTH, "105629000"),  # chlamydial infection
        (cast.ON_WARD_NOW, "26929004"),  # Alzheimer's disease
        (cast.ON_WARD_NOW, "44054006"),  # type 2 diabetes
    ],
)
def test_the_problems_that_the_demo_is_about_are_there(few: Population, person: Person, code: str):
    assert code in {one.problem.code for one in health(person, few.today).problems}


def test_a_daughter_holds_power_of_attorney(few: Population):
    (one,) = held(few, COUNCIL_A, cast.LEGAL_AUTHORITY)
    care = social_care(one, few.today)
    assert [involved.authority for involved in care.involved] == ["LPA health and welfare"]
    assert [alert.kind for alert in care.alerts] == ["Legal"]


def test_a_safeguarding_concern_is_open(few: Population):
    (one,) = held(few, COUNCIL_A, cast.SAFEGUARDING)
    alerts = social_care(one, few.today).alerts
    assert [(alert.kind, alert.until) for alert in alerts] == [("Safeguarding", None)]


def test_exactly_one_signs_in_as_the_person():
    assert [part.person for part in cast.CAST if part.signs_in] == [cast.SIGNS_IN]
