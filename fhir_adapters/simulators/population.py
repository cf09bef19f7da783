"""The invented people of the demo and the tests, with the truth about who is who at each source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from itertools import chain, islice
from types import MappingProxyType

from fhir_adapters.simulators.believing import beliefs
from fhir_adapters.simulators.cast import CAST
from fhir_adapters.simulators.free_numbers import NhsNumbers
from fhir_adapters.simulators.households import Households, settled
from fhir_adapters.simulators.people import COUNCIL_A, COUNCIL_B, GP, HOSPITAL, PDS, PRACTICE, SOURCES, Belief, Person

TODAY = date(2026, 11, 23)  # the day on which records end, where nobody says another


@dataclass(frozen=True)
class Population:
    """People, what each source believes about them, and the day on which it does.

    `moved` days have passed since the first state: sources have changed some things and added others.
    """

    seed: int
    people: tuple[Person, ...]
    held: Mapping[str, tuple[Belief, ...]]  # by source
    today: date
    moved: int = 0

    @property
    def pds(self) -> tuple[Belief, ...]:
        """Who PDS knows: everyone."""
        return self.held[PDS]

    @property
    def gp(self) -> tuple[Belief, ...]:
        """Who is registered at the practice that is a source."""
        return self.held[GP]

    @property
    def hospital(self) -> tuple[Belief, ...]:
        """Who the hospital has seen."""
        return self.held[HOSPITAL]

    @property
    def council_a(self) -> tuple[Belief, ...]:
        """Northdale's people, some of them twice."""
        return self.held[COUNCIL_A]

    @property
    def council_b(self) -> tuple[Belief, ...]:
        """Southmere's people, some of them twice."""
        return self.held[COUNCIL_B]

    @cached_property
    def truth(self) -> Mapping[tuple[str, str], str]:
        """(source, id of the Patient there) -> truth id: what linking is scored against."""
        every = chain.from_iterable(self.held.values())
        return MappingProxyType({(one.source, one.id): one.key for one in every})

    @property
    def cohort(self) -> tuple[str, ...]:
        """A line a person: the NHS number, and after a comma the practice where it is not the usual one."""
        return tuple(
            one.nhs_number if one.practice == PRACTICE else f"{one.nhs_number},{one.practice}" for one in self.people
        )

    def moved_on(self, days: int) -> Population:
        """The same people some days later: a few have news at each source, and nothing else changes."""
        return replace(self, moved=self.moved + days)


def people(seed: int, count: int, today: date = TODAY) -> Population:
    """`count` people: the cast first, then as many others as it takes. Same arguments, same people and records."""
    numbers = NhsNumbers(seed)
    first = tuple(part.person for part in CAST)[:count]
    others = Households(seed, numbers, {(one.given[0], one.family, one.born) for one in first}).people()
    everyone = (*first, *map(settled, islice(others, count - len(first))))
    found = [belief for serial, person in enumerate(everyone, 1) for belief in beliefs(person, serial, numbers)]
    held = {source: tuple(one for one in found if one.source == source) for source in SOURCES}
    return Population(seed, everyone, MappingProxyType(held), today)
