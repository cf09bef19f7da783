"""Who has news at which source on the days that passed since the first state."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from fhir_adapters.simulators.people import Belief
from fhir_adapters.simulators.population import Population

OF_A_THOUSAND = 15  # people a day, at each source that has them


def news(population: Population, belief: Belief) -> Iterator[tuple[int, date, Random]]:
    """The days (counted from 1, and as dates) on which this source has something new about the person."""
    if belief.person.died_days_ago or belief.duplicate:
        return
    for day in range(1, population.moved + 1):
        rng = Random(f"{belief.key}:{belief.source}:{population.seed}:news:{day}")
        if rng.randrange(1000) < OF_A_THOUSAND or belief.person.part == "margaret-ellison":
            yield day, population.today + timedelta(days=day), rng
