"""What each source holds about a person: its own id, the NHS number it knows, and what it has wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from random import Random
from uuid import UUID, uuid5

from fhir_adapters.simulators import cast
from fhir_adapters.simulators import faults_of_belief as faults
from fhir_adapters.simulators.free_numbers import NhsNumbers
from fhir_adapters.simulators.people import COUNCIL_A, COUNCIL_B, GP, HOSPITAL, PDS, SOURCES, Belief, Person

_GP_IDS = UUID("b9a4b3f0-8a0e-5f0d-9c39-0a1f6f2b7e11")
# Of a thousand records: without a number, with one that was never traced, with a wrong one that is nobody's.
NUMBERS: Mapping[str, tuple[int, int, int]] = {
    PDS: (0, 0, 0),
    GP: (0, 0, 0),
    HOSPITAL: (30, 20, 0),
    COUNCIL_A: (300, 100, 50),
    COUNCIL_B: (280, 100, 50),
}
TWICE = {COUNCIL_A: 12, COUNCIL_B: 12}  # of a thousand people, twice at one council

# What sources have wrong about the cast; about the rest of them they are right.
Told = Callable[[Belief], Belief]
TOLD: Mapping[tuple[str, str], Told] = {
    (COUNCIL_A, "mohammed-iqbal"): lambda b: replace(b, nhs_number=b.person.former_number, verified=False),
    (HOSPITAL, "mohammed-iqbal"): lambda b: replace(b, nhs_number=b.person.former_number, verified=False),
    (COUNCIL_A, "stanley-firth"): lambda b: replace(b, knows_of_death=False),
    (HOSPITAL, "stanley-firth"): lambda b: replace(b, knows_of_death=False),
    (COUNCIL_A, "elizabeth-smith"): lambda b: replace(
        b, given=("Liz",), family="Smyth", address=b.person.former_address, nhs_number="", verified=False,
        faults=("called_otherwise", "spelt_otherwise", "old_address"),
    ),
    (COUNCIL_A, "ivy-barraclough"): lambda b: replace(b, nhs_number="", verified=False),
    (COUNCIL_A, "olive-barraclough"): lambda b: replace(b, nhs_number="", verified=False),
    (COUNCIL_A, "george-ogden-junior"): lambda b: replace(b, nhs_number="", verified=False),
    (HOSPITAL, "chloe-sutcliffe"): lambda b: replace(b, given=("Cloe",), faults=("called_otherwise",)),
}  # fmt: skip


def beliefs(person: Person, serial: int, wrong_numbers: NhsNumbers) -> Iterator[Belief]:
    """What every source that holds the person believes. `serial` makes the sources' own ids."""
    for source in SOURCES:
        if source in person.sources:
            rng = Random(f"{person.key}:{person.nhs_number}:{source}")
            first = _first(person, serial, source)
            yield _as_told(first, rng, wrong_numbers)
            if _is_twice(person, source, rng):
                again = replace(first, id=_id(person, serial, source, again=True), duplicate=True)
                yield _as_told(again, rng, wrong_numbers)


def _first(person: Person, serial: int, source: str) -> Belief:
    return Belief(
        source=source,
        id=_id(person, serial, source),
        person=person,
        nhs_number=person.nhs_number,
        verified=True,
        given=person.given,
        family=person.family,
        born=person.born,
        address=person.address,
        landline=person.landline,
        mobile=person.mobile,
        knows_of_death=person.died_days_ago > 0,
    )


def _as_told(belief: Belief, rng: Random, wrong_numbers: NhsNumbers) -> Belief:
    part = belief.person.part
    if part:
        told = TOLD.get((belief.source, part))
        return told(belief) if told else belief
    return faults.with_faults(_with_number(belief, rng, wrong_numbers), rng)


def _with_number(belief: Belief, rng: Random, wrong_numbers: NhsNumbers) -> Belief:
    none, untraced, wrong = NUMBERS[belief.source]
    drawn = rng.randrange(1000)
    if drawn < none:
        return replace(belief, nhs_number="", verified=False, faults=("no_number",))
    if drawn < none + untraced:
        return replace(belief, verified=False)
    if drawn < none + untraced + wrong:
        return replace(belief, nhs_number=wrong_numbers.take(), verified=False, faults=("wrong_number",))
    return belief


def _is_twice(person: Person, source: str, rng: Random) -> bool:
    if person.part:
        return source == COUNCIL_A and person.part == cast.TWICE_AT_COUNCIL.part
    return rng.randrange(1000) < TWICE.get(source, 0)


def _id(person: Person, serial: int, source: str, again: bool = False) -> str:
    """In the form of each source; the second record of a person is far from the first."""
    place = serial + (400_000 if again else 0)
    if source == PDS:
        return person.nhs_number
    if source == GP:
        return gp_id(person, "patient")
    if source == HOSPITAL:
        return f"pat-{1_000_000 + place * 7}"
    return f"N{100_000 + place}" if source == COUNCIL_A else str(20_000 + place)


def is_tpp(person: Person) -> bool:
    """Whether the practice's record of the person has the shape of TPP's system; else it has that of EMIS's."""
    return int(person.nhs_number[3:9]) % 2 == 1


def gp_id(person: Person, what: str) -> str:
    """An id in the GP record: a UUID in EMIS's, two groups of 16 hex digits joined by `_` in TPP's.

    The latter are not valid FHIR ids (`_`), as in life. The id of the Patient is one group.
    """
    made = uuid5(_GP_IDS, f"{person.nhs_number}:{what}")
    if not is_tpp(person):
        return str(made).upper()
    return made.hex[:16] if what == "patient" else f"{made.hex[:16]}_{made.hex[16:]}"
