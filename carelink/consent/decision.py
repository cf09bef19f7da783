"""The decision about one item, as values: the same rules as the lens's SQL, with the rule that decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from carelink.consent import rules
from carelink.consent.agreements import Shared
from carelink.consent.facts import Directed, Facts, Labelled, Related
from carelink.consent.requester import Requester
from carelink.consent.rules import Decision, Effect, Rule
from carelink.consent.sensitivity import NOT_FOR_THE_PERSON, Sensitivity, names

# v3-ActReason: the purposes for which one person's record may be opened by who cares for them.
DIRECT_CARE = frozenset({"TREAT", "CAREMGT", "ETREAT"})


@dataclass(frozen=True)
class Standing:
    """What a requester brings to every decision at a time: who they are, what is offered to them, what they may."""

    requester: Requester
    shared: Shared
    cares: bool  # asks for direct care, a purpose of their role
    may_locate: bool
    at: datetime


def decide(standing: Standing, item: Labelled, facts: Facts) -> Decision:
    """Permit, permit redacted, or deny, by the first rule that says so; deny is the default."""
    answer = _seen(standing, item, facts)
    if answer.effect is Effect.PERMIT and facts.restricted and item.locating and not standing.may_locate:
        return Decision(Effect.REDACT, rules.RESTRICTED, answer.detail)
    return answer


def _seen(standing: Standing, item: Labelled, facts: Facts) -> Decision:
    if item.person is None:
        return _permit(rules.DIRECTORY) if item.category == "directory" else _deny(rules.UNLINKED)
    if item.sensitivities & Sensitivity.LEGAL:
        return _deny(rules.LEGAL)
    if standing.requester.person is not None:
        return _own(standing.requester, item)
    if item.custodian == standing.requester.organisation:
        return _to_the_involved(standing, facts, rules.CUSTODIAN)
    return _shared(standing, item, facts)


def _own(requester: Requester, item: Labelled) -> Decision:
    if item.person != requester.person:
        return _deny(rules.NOT_OWN)
    return _deny(rules.OWN_LESS) if item.sensitivities & NOT_FOR_THE_PERSON else _permit(rules.OWN)


def _shared(standing: Standing, item: Labelled, facts: Facts) -> Decision:
    offer = standing.shared.offer(item.custodian, item.category)
    if offer is not None and offer.lacks(item.sensitivities):
        return _deny(rules.SENSITIVE, ", ".join(names(offer.lacks(item.sensitivities))))
    objection = _objection(standing, item, facts)
    if objection is not None:
        return _deny(rules.BY_ID[objection.rule], f"Consent/{objection.consent}" if objection.consent else "")
    if offer is None:
        return _deny(rules.NO_AGREEMENT)
    return _to_the_involved(standing, facts, rules.AGREEMENT, ", ".join(offer.agreements))


def _to_the_involved(standing: Standing, facts: Facts, rule: Rule, detail: str = "") -> Decision:
    """Whatever the ground, it goes only to somebody who is involved with the person, for their direct care."""
    involved = involvement(standing, facts)
    if involved is None:
        return _deny(rules.NO_RELATIONSHIP)
    if not standing.cares:
        return _deny(rules.PURPOSE)
    return _permit(rule, "; ".join(part for part in (detail, involved.kind) if part))


def involvement(standing: Standing, facts: Facts) -> Related | None:
    """The first legitimate relationship that holds for this requester."""
    return next((one for one in facts.related if one.holds(standing.requester, standing.at)), None)


def _objection(standing: Standing, item: Labelled, facts: Facts) -> Directed | None:
    return next((one for one in facts.directed if one.hides(item, standing.requester, standing.at)), None)


def _permit(rule: Rule, detail: str = "") -> Decision:
    return Decision(Effect.PERMIT, rule, detail)


def _deny(rule: Rule, detail: str = "") -> Decision:
    return Decision(Effect.DENY, rule, detail)
