"""Does this source Patient belong to one of these persons? Fellegi and Sunter's weights, and what they may never do (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any

from carelink.errors import Invalid
from carelink.ids import PersonKey
from carelink.place import Linking
from carelink.record.comparison import Levels, compare_all
from carelink.record.traits import Traits


class Method(StrEnum):
    """How a Patient came to its person (person_link.method)."""

    FOUNDER = "founder"  # nobody like it: a new person
    NHS_NUMBER = "nhs-number"
    WEIGHTS = "weights"
    HUMAN = "human"


class Verdict(IntEnum):
    """What one comparison says; the higher the surer."""

    APART = 0
    ASK = 1
    SAME = 2
    PROVEN = 3  # by a verified NHS number


@dataclass(frozen=True)
class Candidate:
    """A person, by the traits of each of their source Patients."""

    person: PersonKey
    records: tuple[Traits, ...]


@dataclass(frozen=True)
class Compared:
    """One candidate compared: `rule` is the id of the safety rule that lowered the verdict, or empty."""

    person: PersonKey
    verdict: Verdict
    weight: float
    fields: Mapping[str, Any]  # field -> {level, weight}
    rule: str = ""


@dataclass(frozen=True)
class LinkDecision:
    """What to do with a Patient: link to `person`, or found a new one (None); `ask` a human about these.

    `proven` are further persons whom the same verified NHS number shows to be this one.
    """

    method: Method
    person: PersonKey | None
    weight: float | None
    fields: Mapping[str, Any]
    ask: tuple[Compared, ...] = ()
    proven: tuple[Compared, ...] = ()


@dataclass(frozen=True)
class Safety:
    """Where all of these levels are seen, a verdict up to `lowers` becomes `at_most`."""

    id: str
    levels: Mapping[str, frozenset[str]]
    at_most: Verdict
    because: str
    lowers: Verdict = Verdict.PROVEN


_NOT_AGREEING = frozenset({"different", "far", "year"})

SAFETY: tuple[Safety, ...] = (
    Safety(
        "two-verified-numbers",
        {"nhs_number": frozenset({"conflict"})},
        Verdict.ASK,
        "Two verified NHS numbers are two people until PDS or a human says otherwise",
    ),
    Safety(
        "number-of-another",
        {"given": frozenset({"different"}), "birth_date": _NOT_AGREEING},
        Verdict.ASK,
        "A relative's NHS number on the record: the family name agrees, the person does not",
    ),
    Safety(
        "twins",
        {"given": frozenset({"different"})},
        Verdict.ASK,
        "Twins and siblings share all but the given name, and now and then a mistyped NHS number",
        lowers=Verdict.SAME,
    ),
    Safety(
        "brother-and-sister",
        {"given": frozenset({"near", "initial", "other"}), "gender": frozenset({"different"})},
        Verdict.ASK,
        "Daniel and Danielle at one address, born on one day, are two people",
        lowers=Verdict.SAME,
    ),
    Safety(
        "father-and-son",
        {"birth_date": frozenset({"far"})},
        Verdict.ASK,
        "A parent and child of one name at one address, more than ten years apart",
        lowers=Verdict.SAME,
    ),
    Safety(
        "no-name",
        {"given": frozenset({"missing", "initial"}), "birth_date": frozenset({"missing", *_NOT_AGREEING})},
        Verdict.ASK,
        "Without a given name and a birth date a household can't be told apart",
        lowers=Verdict.SAME,
    ),
)


def link(patient: Traits, candidates: Sequence[Candidate], linking: Linking) -> LinkDecision:
    """To whom the Patient belongs. The same input in any order gives the same answer.

    A verified NHS number that agrees with birth date or family name links; else one candidate at or above the
    upper threshold; two such, or any between the thresholds, are for a human. Raises `Invalid` where the place
    gives no weight for a level.
    """
    found = sorted((assess(patient, one, linking) for one in candidates), key=_surest_first)
    proven = tuple(one for one in found if one.verdict is Verdict.PROVEN)
    same = tuple(one for one in found if one.verdict is Verdict.SAME)
    if proven:
        return _to(Method.NHS_NUMBER, proven[0], ask=same, proven=proven[1:])
    if len(same) == 1:
        return _to(Method.WEIGHTS, same[0])
    return LinkDecision(Method.FOUNDER, None, None, {}, ask=tuple(one for one in found if one.verdict >= Verdict.ASK))


def assess(patient: Traits, candidate: Candidate, linking: Linking) -> Compared:
    """One candidate compared, weighed and held against the safety rules."""
    levels = compare_all(patient, candidate.records)
    weighed = {field: weight_of(linking, field, level) for field, level in levels.items()}
    total = round(sum(weighed.values()), 2)
    verdict, rule = _made_safe(_verdict(levels, total, linking), levels)
    fields = {field: {"level": level, "weight": weighed[field]} for field, level in levels.items()}
    return Compared(candidate.person, verdict, total, fields, rule)


def weight_of(linking: Linking, field: str, level: str) -> float:
    """The weight of this level at this place; what is missing and not listed weighs nothing."""
    try:
        return linking.weights[field][level]
    except KeyError:
        if level == "missing":
            return 0.0
        raise Invalid("linking.toml", f"[weights.{field}] gives no weight for the level {level!r}") from None


def _verdict(levels: Levels, total: float, linking: Linking) -> Verdict:
    if levels["nhs_number"] == "verified" and (levels["birth_date"] == "same" or levels["family"] == "same"):
        return Verdict.PROVEN
    if total >= linking.upper:
        return Verdict.SAME
    return Verdict.ASK if total >= linking.lower else Verdict.APART


def _made_safe(verdict: Verdict, levels: Levels) -> tuple[Verdict, str]:
    for safety in SAFETY:
        if safety.at_most < verdict <= safety.lowers and _seen(safety, levels):
            return safety.at_most, safety.id
    return verdict, ""


def _seen(safety: Safety, levels: Levels) -> bool:
    return all(levels[field] in wanted for field, wanted in safety.levels.items())


def _surest_first(one: Compared) -> tuple[int, float, str]:
    return (-one.verdict, -one.weight, str(one.person))


def _to(
    method: Method, chosen: Compared, ask: tuple[Compared, ...] = (), proven: tuple[Compared, ...] = ()
) -> LinkDecision:
    return LinkDecision(method, chosen.person, chosen.weight, chosen.fields, ask, proven)
