"""May this giver consent for this person, now, to this? By the table of `capacity_rules`. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from carelink.consent.capacity_case import case_of
from carelink.consent.capacity_rules import rule_for
from carelink.consent.mind import (
    Authority,
    AuthorityKind,
    BestInterests,
    Decision,
    Finding,
    Giver,
    Mind,
    Outcome,
    Relation,
)

__all__ = [
    "Answer",
    "Authority",
    "AuthorityKind",
    "BestInterests",
    "Decision",
    "Finding",
    "Giver",
    "Mind",
    "Outcome",
    "Relation",
    "may_consent",
]


@dataclass(frozen=True)
class Answer:
    """Whether they may, by which rule, why in plain words, by which clause of law, and what to do where they may not."""

    allowed: bool
    rule: str
    because: str
    source: str
    to_do: str = ""


def may_consent(giver: Giver, mind: Mind, decision: Decision, at: datetime) -> Answer:
    """The answer of the first rule that fits. Nobody may where no rule says that they may.

    Ask with the time at which the consent was given: what somebody agreed to while they could decide still counts
    after they no longer can.
    """
    rule = rule_for(case_of(giver, mind, decision, at))
    return Answer(rule.allowed, rule.id, rule.because, rule.source, rule.to_do)
