"""What sources get wrong about people: one function a kind of fault, and how often each source has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from random import Random

from fhir_adapters.simulators import vocabulary
from fhir_adapters.simulators.free_numbers import mobile
from fhir_adapters.simulators.people import COUNCIL_A, COUNCIL_B, GP, HOSPITAL, PDS, Belief

Fault = Callable[[Belief, Random], Belief | None]
AT_MOST = 2  # faults of a record; without a good NHS number at most one, or nobody could link it


def called_otherwise(belief: Belief, rng: Random) -> Belief | None:
    """Liz for Elizabeth, Jon for Jonathan, Muhammad for Mohammed."""
    others = vocabulary.called().get(belief.given[0])
    return replace(belief, given=(rng.choice(others), *belief.given[1:])) if others else None


def spelt_otherwise(belief: Belief, rng: Random) -> Belief | None:
    """Smyth for Smith, Zielinski for Zieliński."""
    others = vocabulary.spelt().get(belief.family)
    return replace(belief, family=rng.choice(others)) if others else None


def swapped_names(belief: Belief, rng: Random) -> Belief | None:
    """The middle name first."""
    return replace(belief, given=(belief.given[1], belief.given[0])) if len(belief.given) == 2 else None


def no_middle_name(belief: Belief, rng: Random) -> Belief | None:
    """Only the first name; where the names are swapped already, their first name would be lost."""
    known = len(belief.given) == 2 and "swapped_names" not in belief.faults
    return replace(belief, given=belief.given[:1]) if known else None


def transposed_year(belief: Belief, rng: Random) -> Belief | None:
    """1946 for 1964, where that is still a year that people are born in."""
    text = f"{belief.born.year}"
    year = int(text[:2] + text[3] + text[2])
    if year == belief.born.year or abs(year - belief.born.year) > 10:
        return None  # so far off would be somebody else's record
    return _born(belief, year, belief.born.month, belief.born.day)


def day_for_month(belief: Belief, rng: Random) -> Belief | None:
    """03/04 for 04/03."""
    if belief.born.day > 12 or belief.born.day == belief.born.month:
        return None
    return _born(belief, belief.born.year, belief.born.day, belief.born.month)


def mistyped_day(belief: Belief, rng: Random) -> Belief | None:
    """One digit of the day: 14 for 15."""
    day = belief.born.day // 10 * 10 + rng.randrange(10)
    return None if day in (0, belief.born.day) else _born(belief, belief.born.year, belief.born.month, day)


def old_address(belief: Belief, rng: Random) -> Belief | None:
    """Where the person lived before."""
    return replace(belief, address=belief.person.former_address)


def maiden_name(belief: Belief, rng: Random) -> Belief | None:
    """The family name before marriage."""
    person = belief.person
    return replace(belief, family=person.maiden) if person.maiden not in ("", person.family) else None


def other_telephone(belief: Belief, rng: Random) -> Belief | None:
    """A number that the person has no longer."""
    return replace(belief, mobile=mobile(rng))


def _born(belief: Belief, year: int, month: int, day: int) -> Belief | None:
    try:
        return replace(belief, born=date(year, month, day))
    except ValueError:
        return None


# Fault -> of a thousand records, by source. PDS is right; councils hear most things by telephone.
HOW_OFTEN: tuple[tuple[Fault, Mapping[str, int]], ...] = (
    (called_otherwise, {GP: 15, HOSPITAL: 60, COUNCIL_A: 150, COUNCIL_B: 120}),
    (spelt_otherwise, {GP: 10, HOSPITAL: 60, COUNCIL_A: 120, COUNCIL_B: 120}),
    (swapped_names, {HOSPITAL: 10, COUNCIL_A: 15, COUNCIL_B: 15}),
    (transposed_year, {HOSPITAL: 8, COUNCIL_A: 12, COUNCIL_B: 12}),
    (day_for_month, {HOSPITAL: 15, COUNCIL_A: 30, COUNCIL_B: 20}),
    (mistyped_day, {HOSPITAL: 8, COUNCIL_A: 15, COUNCIL_B: 15}),
    (maiden_name, {HOSPITAL: 20, COUNCIL_A: 40, COUNCIL_B: 40}),
    (old_address, {GP: 20, HOSPITAL: 60, COUNCIL_A: 80, COUNCIL_B: 80}),
)
# These take nothing away that linking needs, and do not count.
HARMLESS: tuple[tuple[Fault, Mapping[str, int]], ...] = (
    (no_middle_name, {HOSPITAL: 200, COUNCIL_A: 450, COUNCIL_B: 400}),
    (other_telephone, {PDS: 50, GP: 50, HOSPITAL: 80, COUNCIL_A: 100, COUNCIL_B: 100}),
)


def with_faults(belief: Belief, rng: Random) -> Belief:
    """The record as the source has it."""
    allowed = AT_MOST if belief.verified else 1
    for fault, often in (*HOW_OFTEN, *HARMLESS):
        counts = (fault, often) in HOW_OFTEN
        happens = rng.randrange(1000) < often.get(belief.source, 0)
        if not happens or (counts and allowed == 0):
            continue
        wrong = fault(belief, rng)
        if wrong:
            belief = replace(wrong, faults=(*belief.faults, fault.__name__))
            allowed -= counts
    return belief
