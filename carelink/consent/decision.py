"""The decision about one item, as values: the same rules as the lens's SQL, with the rule that decided."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from carelink.consent import rules
from carelink.consent.agreements import Offer, Shared
from carelink.consent.facts import COURT_ORDER, Directed, Facts, Labelled, Related
from carelink.consent.provisions import Said, said
from carelink.consent.requester import Requester
from carelink.consent.rules import Decision, Effect, Rule
from carelink.consent.sensitivity import ONLY_FOR_THE_PERSON, Sensitivity
from carelink.consent.terms import OBJECTION, RELATIONSHIP, VIEW, Terms

# v3-ActReason, and SAFEGUARDING: the purposes for which one person's record may be opened by who cares for them.
DIRECT_CARE = frozenset({"TREAT", "CAREMGT", "ETREAT", "SAFEGUARDING"})
ENQUIRY = "safeguarding"  # the category of an enquiry
ORDERED = frozenset({ENQUIRY, "legal"})  # what a court's order keeps from whom it keeps away


@dataclass(frozen=True)
class Standing:
    """What a requester brings to every decision at a time: who they are, what is offered to them, what they may."""

    requester: Requester
    shared: Shared
    cares: bool  # asks for direct care, a purpose of their role
    may_locate: bool
    at: datetime
    terms: Terms = field(default_factory=Terms)


@dataclass(frozen=True)
class _Ground:
    """Why something is shown, as far as it is known: the highest rule that had to be got over."""

    rule: Rule
    detail: str = ""


def decide(standing: Standing, item: Labelled, facts: Facts) -> Decision:
    """Permit, permit redacted, or deny, by the first rule that says so; deny is the default."""
    answer = _seen(standing, item, facts)
    if answer.rule is rules.OWN and item.names_others:
        return Decision(Effect.REDACT, rules.OWN_REDACTED)
    if answer.effect is not Effect.PERMIT or not item.locating or standing.requester.person is not None:
        return answer
    if facts.restricted and not standing.may_locate:
        return Decision(Effect.REDACT, rules.RESTRICTED, answer.detail)
    if _kept_away(standing, facts):
        return Decision(Effect.REDACT, rules.HARM, answer.detail)
    return answer


def _seen(standing: Standing, item: Labelled, facts: Facts) -> Decision:
    asks = standing.requester
    if asks.types is not None and item.type not in asks.types:
        return _deny(rules.SCOPE, item.type)
    if asks.confined is not None and item.person not in (None, asks.confined):
        return _deny(rules.SCOPE, item.type)
    if item.person is None:
        return _permit(rules.DIRECTORY) if item.category == "directory" else _deny(rules.UNLINKED)
    if item.sensitivities & Sensitivity.LEGAL and not standing.terms.legal:
        return _deny(rules.LEGAL)
    if asks.person is not None:
        return _own(standing, item)
    if _kept_out(standing, item, facts):
        return _deny(rules.HARM)
    if item.custodian == asks.organisation:
        return _to_the_involved(standing, facts, _Ground(rules.CUSTODIAN), None)
    return _shared(standing, item, facts)


def _own(standing: Standing, item: Labelled) -> Decision:
    if item.person != standing.requester.person:
        return _deny(rules.NOT_OWN)
    return _deny(rules.OWN_LESS) if item.sensitivities & standing.terms.known.hidden_from_person else _permit(rules.OWN)


def _kept_out(standing: Standing, item: Labelled, facts: Facts) -> bool:
    """An enquiry is hidden from its alleged source of harm; a court order from whom it keeps away."""
    enquiry = item.category == ENQUIRY or bool(item.sensitivities & Sensitivity.SAFEGUARDING)
    if not enquiry and item.category not in ORDERED:
        return False
    return any(
        one.holds(standing.requester, standing.at) and (enquiry or one.kind == COURT_ORDER) for one in facts.kept_out
    )


def _kept_away(standing: Standing, facts: Facts) -> bool:
    return any(one.kind == COURT_ORDER and one.holds(standing.requester, standing.at) for one in facts.kept_out)


def _shared(standing: Standing, item: Labelled, facts: Facts) -> Decision:
    told = said(facts.directed, item, standing.requester, standing.at)
    agreed = standing.shared.offer(item.custodian, item.category)
    offer = agreed or (_BY_CONSENT if told.named and standing.terms.permit_agrees else None)
    refused = _by_sensitivity(standing, item, told, offer)
    if refused is not None:
        return refused
    if told.denied:
        return _deny(rules.CONSENT_DENY, _consent(told.denied))
    ground = _over_objection(standing, facts, told)
    if isinstance(ground, Decision):
        return ground
    if offer is None:
        return _deny(rules.NO_AGREEMENT)
    if ground is None and agreed is None:
        ground = _Ground(rules.CONSENT_PERMIT, _consent(told.named))
    ground = ground or _Ground(rules.AGREEMENT, ", ".join(offer.agreements))
    return _to_the_involved(standing, facts, ground, told.named)


_BY_CONSENT = Offer(int(ONLY_FOR_THE_PERSON), ())  # the person's own permission: no sensitivity is named by it


def _by_sensitivity(standing: Standing, item: Labelled, told: Said, offer: Offer | None) -> Decision | None:
    if offer is None:
        return None
    if lacking := offer.lacks(item.sensitivities):
        return _deny(rules.SENSITIVE, ", ".join(standing.terms.known.names(lacking)))
    if asked := item.sensitivities & standing.terms.needs_consent & ~told.covers:
        return _deny(rules.CONSENT_NEEDED, ", ".join(standing.terms.known.names(asked)))
    return None


def _over_objection(standing: Standing, facts: Facts, told: Said) -> Decision | _Ground | None:
    """A refusal; or what gets over the objection, or over not having been asked; or None: there is nothing to get over."""
    terms, glass = standing.terms, glass_broken(standing, facts)
    over: _Ground | None = None
    if told.objection:
        consent = _consent(told.objection)
        if told.outweighed:
            over = _Ground(rules.CONSENT_PERMIT, _consent(told.named))
        elif terms.overrides:
            over = _Ground(rules.OVERRIDDEN, consent)
        elif glass and OBJECTION in terms.glass:
            over = _Ground(rules.GLASS_OBJECTION, consent)
        else:
            return _deny(rules.BY_ID[told.objection.rule], consent)
    if terms.asks_first and not told.permitted:
        if not (glass and VIEW in terms.glass):
            return _deny(rules.NOT_ASKED)
        over = over or _Ground(rules.GLASS_OBJECTION)
    return over


def _to_the_involved(standing: Standing, facts: Facts, ground: _Ground, named: Directed | None) -> Decision:
    """Whatever the ground, it goes only to somebody who is involved with the person, for their direct care."""
    involved = involvement(standing, facts)
    if involved is not None or standing.terms.assumed:
        how = involved.kind if involved else "as if involved"
    elif named is not None and standing.terms.permit_relates:
        how, ground = "permitted by the person", _Ground(rules.CONSENT_PERMIT, _consent(named))
    elif RELATIONSHIP in standing.terms.glass and glass_broken(standing, facts):
        how, ground = "break-glass", _Ground(rules.GLASS, ground.detail)
    else:
        return _deny(rules.NO_RELATIONSHIP)
    if not standing.cares:
        return _deny(rules.PURPOSE)
    return _permit(ground.rule, "; ".join(part for part in (ground.detail, how) if part))


def involvement(standing: Standing, facts: Facts) -> Related | None:
    """The first legitimate relationship that holds for this requester."""
    asks, at, duty = standing.requester, standing.at, standing.terms.on_duty
    return next((one for one in facts.related if one.holds(asks, at, on_duty=duty)), None)


def glass_broken(standing: Standing, facts: Facts) -> bool:
    """Whether this requester has broken the glass of this person, and it is still open."""
    return any(one.holds(standing.requester, standing.at) for one in facts.grants)


def _consent(one: Directed | None) -> str:
    return f"Consent/{one.consent}" if one is not None and one.consent else ""


def _permit(rule: Rule, detail: str = "") -> Decision:
    return Decision(Effect.PERMIT, rule, detail)


def _deny(rule: Rule, detail: str = "") -> Decision:
    return Decision(Effect.DENY, rule, detail)
