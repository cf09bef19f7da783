"""Who may decide for a person, as a form offers it, and who was chosen. Pure but for what is known of the person."""

from __future__ import annotations

from dataclasses import dataclass

from carelink.cases.consent_answers import Typed, Wrong
from carelink.cases.consent_words import RELATIONS
from carelink.consent.authority import relation_of
from carelink.consent.capacity import Giver, Mind, Relation

THEMSELVES, OTHER = "the-person", "other"
_RECORDED = "authority:"


@dataclass(frozen=True)
class Choice:
    """One who may decide: the value of the form, and how the page calls them."""

    value: str
    name: str
    words: str
    jointly: bool = False


def choices(mind: Mind) -> tuple[Choice, ...]:
    """Those whose authority is recorded."""
    return tuple(
        Choice(f"{_RECORDED}{one.key}", one.name, RELATIONS[relation_of(one.kind)], one.jointly)
        for one in mind.authorities
    )


def others() -> tuple[tuple[str, str], ...]:
    """As what somebody may say that they speak whose authority isn't recorded: value and words."""
    return tuple((one.value, RELATIONS[one]) for one in Relation if one is not Relation.THE_PERSON)


def read(typed: Typed, mind: Mind) -> tuple[Giver | None, Wrong]:
    """Who decides, or None with what is wrong."""
    said = typed.one("giver")
    if said == THEMSELVES:
        return Giver(Relation.THE_PERSON), {}
    if said == OTHER:
        return _other(typed)
    held = next((one for one in mind.authorities if said == f"{_RECORDED}{one.key}"), None)
    if held is None:
        return None, {"giver": "Choose who decides"}
    together = typed.one("together") == "yes"
    return Giver(relation_of(held.kind), held.key, held.name, with_the_others=together), {}


def _other(typed: Typed) -> tuple[Giver | None, Wrong]:
    name, relation = typed.one("giver-name"), typed.one("giver-relation")
    wrong: Wrong = {} if name else {"giver-name": "Give their name"}
    known = next((one for one in Relation if one.value == relation and one is not Relation.THE_PERSON), None)
    if known is None:
        wrong["giver-relation"] = "Choose as what they decide"
    if wrong or known is None:
        return None, wrong
    return Giver(known, name=name), {}
