"""The invented people: the same from a seed, coherent between sources, wrong only where sources are wrong."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter, defaultdict

import pytest
from nhs_number.validate import is_valid

from fhir_adapters.simulators import cast
from fhir_adapters.simulators.households import settled
from fhir_adapters.simulators.people import COUNCIL_A, COUNCIL_B, GP, HOSPITAL, PDS, SOURCES, Belief
from fhir_adapters.simulators.population import Population, people

FINGERPRINT = (
    "from hashlib import sha256; from fhir_adapters.simulators.population import people; p = people(3, 120);"
    "print(sha256(repr((p.people and [(one.key, one.nhs_number, one.name, one.born) for one in p.people],"
    "sorted(p.truth.items()))).encode()).hexdigest())"
)


@pytest.fixture(scope="module")
def many() -> Population:
    return people(1, 2000)


def beliefs(population: Population) -> list[Belief]:
    return [one for source in SOURCES for one in population.held[source]]


def test_the_same_seed_gives_the_same_people_and_the_same_beliefs():
    assert people(5, 150) == people(5, 150)


def test_another_seed_gives_other_people_but_the_same_cast():
    one, other = people(5, 60), people(6, 60)
    assert one.people[: len(cast.CAST)] == other.people[: len(cast.CAST)]
    assert {person.nhs_number for person in one.people[len(cast.CAST) :]}.isdisjoint(
        person.nhs_number for person in other.people[len(cast.CAST) :]
    )


def test_another_process_gives_the_same_people():
    runs = [
        subprocess.run([sys.executable, "-c", FINGERPRINT], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert len(runs[0].strip()) == 64


@pytest.mark.parametrize("count", [1, 5, 20, 21, 200])
def test_there_are_as_many_people_as_asked_for(count: int):
    assert len(people(2, count).people) == count


def test_more_people_leave_the_first_ones_as_they_are():
    assert people(4, 400).people[:100] == people(4, 100).people


def test_every_nhs_number_is_valid_of_the_999_range_and_one_persons_own(many: Population):
    numbers = [person.nhs_number for person in many.people] + [
        person.former_number for person in many.people if person.former_number
    ]
    assert all(is_valid(number) and number.startswith("999") for number in numbers)
    assert len(set(numbers)) == len(numbers)


def test_a_wrong_number_at_a_council_is_valid_but_nobodys(many: Population):
    whose = {person.nhs_number for person in many.people} | {person.former_number for person in many.people}
    wrong = [one.nhs_number for one in beliefs(many) if "wrong_number" in one.faults]
    assert len(wrong) > 30
    assert all(is_valid(number) for number in wrong)
    assert whose.isdisjoint(wrong)
    assert len(set(wrong)) == len(wrong)


def test_no_two_people_share_first_name_family_name_and_birth_date(many: Population):
    assert max(Counter((one.given[0], one.family, one.born) for one in many.people).values()) == 1


@pytest.mark.parametrize(
    ("source", "low", "high"),
    [(PDS, 100, 100), (GP, 80, 90), (HOSPITAL, 55, 65), (COUNCIL_A, 50, 60), (COUNCIL_B, 30, 40)],
)
def test_each_source_holds_its_share_of_the_people(many: Population, source: str, low: int, high: int):
    share = 100 * len({one.key for one in many.held[source]}) / len(many.people)
    assert low <= share <= high


def test_a_third_of_the_councils_records_have_no_nhs_number(many: Population):
    for records in (many.council_a, many.council_b):
        assert 0.22 < sum(not one.nhs_number for one in records) / len(records) < 0.38


def test_pds_is_right_about_everyone(many: Population):
    for one in many.pds:
        truth = (one.person.nhs_number, one.person.given, one.person.family, one.person.born, one.person.address)
        assert (one.nhs_number, one.given, one.family, one.born, one.address) == truth


def test_the_truth_knows_whose_every_record_is(many: Population):
    assert many.truth == {(one.source, one.id): one.person.key for one in beliefs(many)}
    assert len(many.truth) == len(beliefs(many))  # no id stands for two records


def test_what_a_fault_leaves_alone_agrees_with_the_truth(many: Population):
    for one in beliefs(many):
        if not one.faults and not one.person.part:
            assert (one.given, one.family, one.born, one.address) == (
                one.person.given,
                one.person.family,
                one.person.born,
                one.person.address,
            )
            assert one.nhs_number == one.person.nhs_number


@pytest.mark.parametrize(
    "fault",
    [
        "no_number",
        "wrong_number",
        "called_otherwise",
        "spelt_otherwise",
        "swapped_names",
        "transposed_year",
        "day_for_month",
        "mistyped_day",
        "maiden_name",
        "old_address",
        "no_middle_name",
        "other_telephone",
    ],
)
def test_every_kind_of_fault_happens(many: Population, fault: str):
    assert any(fault in one.faults for one in beliefs(many))


def test_a_fault_in_the_birth_date_is_one_slip(many: Population):
    for one in beliefs(many):
        if one.born != one.person.born:
            wrong, right = one.born.strftime("%Y%m%d"), one.person.born.strftime("%Y%m%d")
            swapped = right[:4] + right[6:] + right[4:6] == wrong
            assert swapped or sum(a != b for a, b in zip(wrong, right, strict=True)) <= 2


def test_some_people_stand_twice_at_one_council(many: Population):
    for source, records in ((COUNCIL_A, many.council_a), (COUNCIL_B, many.council_b)):
        times = Counter(one.key for one in records)
        assert sum(count == 2 for count in times.values()) >= 3, source
        assert max(times.values()) == 2


def test_there_are_several_pairs_of_twins(many: Population):
    households = defaultdict(list)
    for person in many.people:
        households[person.family, person.born, person.address].append(person)
    twins = [together for together in households.values() if len(together) == 2]
    assert len(twins) >= 10
    for one, other in twins:
        assert set(one.given).isdisjoint(other.given)
        assert one.landline == other.landline


def test_there_are_fathers_with_a_son_of_the_same_name_at_one_address(many: Population):
    namesakes = defaultdict(list)
    for person in many.people:
        namesakes[person.given[0], person.family, person.address].append(person)
    pairs = [together for together in namesakes.values() if len(together) == 2]
    assert len(pairs) >= 8
    assert all(other.born.year - one.born.year >= 20 for one, other in pairs)


def test_names_are_as_diverse_as_england(many: Population):
    names = [f"{' '.join(one.given)} {one.family}" for one in many.people]
    for mark in ("-", "'", "é", "ł", "á"):
        assert any(mark in name for name in names), mark
    assert sum(len(one.given) == 2 for one in many.people) > 500


def test_most_are_older_some_younger_and_a_few_are_children(many: Population):
    ages = [person.age(many.today) for person in many.people]
    assert sum(age >= 65 for age in ages) > 0.5 * len(ages)
    assert 0.08 < sum(18 <= age < 50 for age in ages) / len(ages) < 0.25
    assert 0.01 < sum(age < 18 for age in ages) / len(ages) < 0.06
    assert min(ages) >= 0
    assert max(ages) < 105


def test_addresses_and_telephones_cannot_be_anybodys(many: Population):
    for one in beliefs(many):
        assert one.address.postcode.startswith(("ZZ", "XX"))
        assert one.landline.startswith("01632 960")
        assert one.mobile.startswith("07700 900")


def test_where_somebody_is_cared_for_does_not_depend_on_the_order_of_drawing(many: Population):
    for person in many.people[len(cast.CAST) :][:50]:
        assert settled(person) == person
