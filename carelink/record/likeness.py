"""How sure it is that somebody who is asked about is one of these people, as FHIR grades it (pure).

The same blocks, weights and safety rules as the linker's. What the people say is all that is compared: whoever asks
gives the traits that this requester may see, and nothing else of them has any effect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from carelink.ids import PersonKey
from carelink.place import Linking
from carelink.record.blocking import blocks
from carelink.record.matching import Candidate, Compared, Verdict, assess
from carelink.record.traits import Traits


class Grade(StrEnum):
    """http://terminology.hl7.org/CodeSystem/match-grade"""

    CERTAIN = "certain"
    PROBABLE = "probable"
    POSSIBLE = "possible"
    CERTAINLY_NOT = "certainly-not"


@dataclass(frozen=True)
class Likeness:
    """`score` is from 0 to 1 and never says another order than the grade."""

    person: PersonKey
    grade: Grade
    score: float


# What a score of each grade is at least, and less than.
_BANDS: Mapping[Grade, tuple[float, float]] = {
    Grade.CERTAIN: (0.9, 1.0),
    Grade.PROBABLE: (0.5, 0.899),
    Grade.POSSIBLE: (0.01, 0.499),
    Grade.CERTAINLY_NOT: (0.0, 0.0),
}


def alike(asked: Traits, shown: Mapping[PersonKey, Traits], linking: Linking) -> tuple[Likeness, ...]:
    """Those who may be meant, the likeliest first; whoever is less like than a human would be asked about is left out.

    `certain` is what the linker would link without a human; `certainly-not` who would be meant, but for another
    verified NHS number.
    """
    mine = frozenset(blocks(asked))
    near = {person: one for person, one in shown.items() if not mine.isdisjoint(blocks(one))}
    compared = [assess(asked, Candidate(person, (one,)), linking) for person, one in near.items()]
    alone = sum(one.verdict >= Verdict.SAME for one in compared) == 1
    found = [_likeness(one, grade, linking) for one in compared if (grade := _grade(one, linking, alone=alone))]
    return tuple(sorted(found, key=lambda one: (-one.score, str(one.person))))


def certain(found: Sequence[Likeness]) -> tuple[Likeness, ...]:
    """The one of whom there is no doubt; nobody where there are several (R4 Patient-match, onlyCertainMatches)."""
    sure = tuple(one for one in found if one.grade is Grade.CERTAIN)
    return sure if len(sure) == 1 else ()


def _grade(one: Compared, linking: Linking, *, alone: bool) -> Grade | None:
    if one.fields["nhs_number"]["level"] == "conflict":
        otherwise = one.weight - one.fields["nhs_number"]["weight"]
        return Grade.CERTAINLY_NOT if otherwise >= linking.lower else None
    if one.verdict is Verdict.PROVEN:
        return Grade.CERTAIN
    if one.verdict is Verdict.SAME:  # of several the linker asks a human
        return Grade.CERTAIN if alone else Grade.PROBABLE
    if one.verdict is Verdict.ASK:
        return Grade.POSSIBLE if one.rule or one.weight < _middle(linking) else Grade.PROBABLE
    return None


def _likeness(one: Compared, grade: Grade, linking: Linking) -> Likeness:
    """Weights are logarithms of odds, which are even in the middle of what a human is asked about."""
    least, most = _BANDS[grade]
    bits = max(-40.0, min(40.0, one.weight - _middle(linking)))
    return Likeness(one.person, grade, round(min(most, max(least, 1 / (1 + 2**-bits))), 3))


def _middle(linking: Linking) -> float:
    return (linking.lower + linking.upper) / 2
