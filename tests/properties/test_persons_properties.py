"""Linking a batch without a database: the order in which records come does not decide who is one person."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carelink.ids import PersonKey, ResourceKey, resource_key
from carelink.place import Place
from carelink.record.blocking import People
from carelink.record.persons_batch import LinkedBatch
from carelink.record.traits import Traits
from carelink.record.traits_sounds import sounds

FAMILIES = ("smith", "jones", "okafor", "begum", "price", "lindqvist")
GIVENS = ("john", "elizabeth", "robert", "ayesha", "margaret", "tomasz")


def somebody(number: int) -> Traits:
    """Six people who share nothing but a town; each knows an NHS number of their own."""
    return Traits(
        nhs_number=f"99900000{number}8",
        family=FAMILIES[number],
        given=GIVENS[number],
        birth_date=f"19{40 + 7 * number}-0{number + 1}-1{number}",
        gender="female" if number % 2 else "male",
        postcode=f"NE{number + 1}1AA",
        address=f"{number + 1} high street",
        telephone=f"0163296000{number}",
        sounds=sounds(FAMILIES[number]),
    )


# How one source may write a person and still be plainly about them.
VARIANTS = (
    lambda one: one,
    lambda one: replace(one, nhs_verified=True),
    lambda one: replace(one, nhs_number=""),
    lambda one: replace(one, telephone=""),
    lambda one: replace(one, postcode="LS16AE", address="9 other road"),
    lambda one: replace(one, nhs_number="", given=one.given[0]),
    lambda one: replace(one, family=f"{one.family}e", sounds=sounds(f"{one.family}e")),
    lambda one: replace(one, gender=""),
)

records = st.lists(st.tuples(st.integers(0, 5), st.integers(0, len(VARIANTS) - 1)), min_size=1, max_size=14)


def partition(place: Place, batch: list[tuple[int, int]]) -> tuple[set[frozenset[tuple[int, int]]], LinkedBatch]:
    """Who is together, by (person, variant), and the batch."""
    linked = LinkedBatch(place.linking, People(), {}, {})
    keys: dict[ResourceKey, tuple[int, int]] = {}
    for number, variant in batch:
        key = resource_key("hospital", "", "Patient", f"{number}-{variant}")
        keys[key] = (number, variant)
        linked.take(key, VARIANTS[variant](somebody(number)))
    together: dict[PersonKey, set[tuple[int, int]]] = {}
    for key, link in linked.links.items():
        together.setdefault(link.person, set()).add(keys[key])
    return {frozenset(members) for members in together.values()}, linked


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch=records, turned=st.randoms(use_true_random=False))
def test_the_order_of_clear_records_makes_no_difference(
    batch: list[tuple[int, int]], turned: object, place: Place
) -> None:
    other = list(batch)
    turned.shuffle(other)  # type: ignore[attr-defined]
    assert partition(place, batch)[0] == partition(place, other)[0]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch=records)
def test_clear_records_of_one_person_are_together_and_of_two_are_not(
    batch: list[tuple[int, int]], place: Place
) -> None:
    together, linked = partition(place, batch)
    assert {frozenset(members) for members in _by_person(batch).values()} == together
    assert linked.questions == []


def _by_person(batch: list[tuple[int, int]]) -> dict[int, set[tuple[int, int]]]:
    found: dict[int, set[tuple[int, int]]] = {}
    for number, variant in batch:
        found.setdefault(number, set()).add((number, variant))
    return found


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batch=records)
def test_taking_the_same_batch_again_makes_nothing_new(batch: list[tuple[int, int]], place: Place) -> None:
    _, linked = partition(place, batch)
    made = len(linked.made)
    for number, variant in batch:
        linked.take(resource_key("hospital", "", "Patient", f"{number}-{variant}"), VARIANTS[variant](somebody(number)))
    assert (len(linked.made), linked.questions, linked.merges) == (made, [], [])
