"""The decision about one item, as values: the same rules as the lens's SQL, with the rule that decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from carelink.consent import rules
from carelink.consent.agreements import Share
from carelink.consent.requester import Requester
from carelink.consent.rules import Decision, Effect
from carelink.consent.sensitivity import Sensitivity
from carelink.ids import Ods, PersonKey, UserId

NOT_FOR_THE_PERSON = Sensitivity.THIRD_PARTY | Sensitivity.LEGAL


@dataclass(frozen=True)
class Labelled:
    """What the decision must know of an item."""

    person: PersonKey | None
    custodian: Ods
    category: str
    sensitivities: int = 0
    locating: bool = False  # it has a redacted form


@dataclass(frozen=True)
class Related:
    """One legitimate relationship (table `relationship`)."""

    kind: str
    organisation: Ods
    starts: datetime
    ends: datetime | None = None
    team: str | None = None
    user: UserId | None = None

    def holds(self, requester: Requester, at: datetime) -> bool:
        """Whether it involves this requester at that time."""
        if self.starts > at or (self.ends is not None and self.ends <= at):
            return False
        if self.user is not None:
            return self.user == requester.user
        return self.organisation == requester.organisation and self.team in (None, requester.team)


@dataclass(frozen=True)
class Directed:
    """One compiled directive (table `directive`)."""

    effect: str
    starts: datetime
    ends: datetime | None = None
    organisation: Ods | None = None
    category: str | None = None

    def hides(self, item: Labelled, requester: Requester, at: datetime) -> bool:
        """Whether it denies this item to this requester at that time."""
        return (
            self.effect == "deny"
            and self.starts <= at
            and (self.ends is None or self.ends > at)
            and self.organisation in (None, requester.organisation)
            and self.category in (None, item.category)
        )


@dataclass(frozen=True)
class Facts:
    """What the decision must know of the person."""

    related: tuple[Related, ...] = ()
    directed: tuple[Directed, ...] = ()
    restricted: bool = False


def decide(
    requester: Requester, shared: Sequence[Share], may_locate: bool, item: Labelled, facts: Facts, at: datetime
) -> Decision:
    """Permit, permit redacted, or deny, by the first rule that says so; deny is the default."""
    answer = _seen(requester, shared, item, facts, at)
    if answer.effect is Effect.PERMIT and facts.restricted and item.locating and not may_locate:
        return Decision(Effect.REDACT, rules.RESTRICTED, answer.detail)
    return answer


def _seen(requester: Requester, shared: Sequence[Share], item: Labelled, facts: Facts, at: datetime) -> Decision:
    if item.person is None:
        known = item.category == "directory"
        return Decision(Effect.PERMIT if known else Effect.DENY, rules.DIRECTORY if known else rules.NO_RELATIONSHIP)
    if requester.person is not None:
        return _own(requester, item)
    if item.sensitivities & Sensitivity.LEGAL:
        return Decision(Effect.DENY, rules.LEGAL)
    involved = next((one for one in facts.related if one.holds(requester, at)), None)
    if involved is None:
        return Decision(Effect.DENY, rules.NO_RELATIONSHIP)
    if item.custodian == requester.organisation:
        return Decision(Effect.PERMIT, rules.CUSTODIAN, involved.kind)
    if any(one.hides(item, requester, at) for one in facts.directed):
        return Decision(Effect.DENY, rules.OBJECTION)
    return _agreed(shared, item)


def _own(requester: Requester, item: Labelled) -> Decision:
    if item.person != requester.person:
        return Decision(Effect.DENY, rules.NO_RELATIONSHIP)
    if item.sensitivities & NOT_FOR_THE_PERSON:
        return Decision(Effect.DENY, rules.OWN_LESS)
    return Decision(Effect.PERMIT, rules.OWN)


def _agreed(shared: Sequence[Share], item: Labelled) -> Decision:
    offers = [one for one in shared if (one.custodian, one.category) == (item.custodian, item.category)]
    if not offers:
        return Decision(Effect.DENY, rules.NO_AGREEMENT)
    enough = next((one for one in offers if not item.sensitivities & ~one.mask), None)
    if enough is None:
        return Decision(Effect.DENY, rules.SENSITIVE)
    return Decision(Effect.PERMIT, rules.AGREEMENT, enough.agreement)
