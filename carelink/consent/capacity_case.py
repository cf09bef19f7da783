"""What the table of capacity asks of one case: how old, able to decide or not, and what the giver rests on. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from carelink.consent.mind import Authority, AuthorityKind, Decision, Finding, Giver, Mind, Outcome, Relation
from carelink.consent.periods import LONDON


class Life(Enum):
    """The ages at which the law changes."""

    DEAD = "dead"
    CHILD = "under 16"
    YOUNG = "16 or 17"
    ADULT = "18 or over"
    UNKNOWN = "age not known"


class Able(Enum):
    """Whether the person can make this decision."""

    ASSESSED = "found able"
    PRESUMED = "presumed able"  # Mental Capacity Act 2005 s1(2), from 16
    LACKS = "found unable"
    LAPSED = "presumed able: the finding that they are not has ended"
    UNASSESSED = "child, not assessed"
    UNCLEAR = "two assessments of one moment differ"


class Basis(Enum):
    """What the giver rests on, and what is wrong with it."""

    GOOD = "in force for this"
    NOT_RECORDED = "no such authority is recorded"
    OTHER_KIND = "the recorded authority is of another kind"
    UNSTATED = "the record doesn't say over what the attorney or deputy decides"
    UNREADABLE = "its period can't be read"
    NOT_YET = "not yet in force"
    ENDED = "ended"
    SUSPENDED = "suspended"
    UNREGISTERED = "not seen to be registered"
    UNSEEN = "nobody has seen it"
    OTHER_DECISION = "for other decisions"
    JOINT = "held jointly, and the others have not agreed"
    ATTORNEY_FIRST = "an attorney decides this"
    SOMEBODY_DECIDES = "an attorney, deputy or court decides this"
    NONE_MADE = "no best-interests decision is recorded"
    OVERTAKEN = "the person was able to decide after it was made"
    AGAINST = "the best-interests decision is not to share"
    NOBODY_ASKED = "nobody was consulted"


@dataclass(frozen=True)
class Case:
    """What the rules look at."""

    relation: Relation
    decision: Decision
    life: Life
    able: Able
    basis: Basis


# What a relation must be able to show.
SHOWN: Mapping[Relation, frozenset[AuthorityKind]] = {
    Relation.ATTORNEY_HEALTH: frozenset({AuthorityKind.LPA_HEALTH}),
    Relation.DEPUTY_WELFARE: frozenset({AuthorityKind.DEPUTY_WELFARE}),
    Relation.COURT: frozenset({AuthorityKind.COURT_ORDER}),
    Relation.PARENTAL_RESPONSIBILITY: frozenset({AuthorityKind.PARENTAL_RESPONSIBILITY}),
    Relation.LOCAL_AUTHORITY_CARE_ORDER: frozenset({AuthorityKind.CARE_ORDER}),
}
# What a source may say without saying over what: nobody can rely on it until somebody has looked.
UNSTATED: Mapping[Relation, AuthorityKind] = {
    Relation.ATTORNEY_HEALTH: AuthorityKind.ATTORNEY_UNSTATED,
    Relation.DEPUTY_WELFARE: AuthorityKind.DEPUTY_UNSTATED,
}
# Who stands before a best-interests decision of professionals (Mental Capacity Act 2005 s6(6)).
DECIDES_FIRST = frozenset({AuthorityKind.LPA_HEALTH, AuthorityKind.DEPUTY_WELFARE, AuthorityKind.COURT_ORDER})
# Papers without which nobody can know what was ordered, or to whom it reaches.
_TO_BE_SEEN = frozenset({AuthorityKind.DEPUTY_WELFARE, AuthorityKind.COURT_ORDER, AuthorityKind.CARE_ORDER})


def case_of(giver: Giver, mind: Mind, decision: Decision, at: datetime) -> Case:
    """The case that the table is asked about."""
    life = life_of(mind, at)
    return Case(giver.relation, decision, life, able(mind, decision, at, life), _basis(giver, mind, decision, at))


def life_of(mind: Mind, at: datetime) -> Life:
    """Alive, and on which side of 16 and 18. A birth date that may fall on either side of one is not known enough."""
    if mind.deceased is not None and mind.deceased <= at:
        return Life.DEAD
    born, today = mind.born(), at.astimezone(LONDON).date()
    if born is None:
        return Life.UNKNOWN
    oldest, youngest = (_band(_age(day, today)) for day in born)
    return oldest if oldest is youngest else Life.UNKNOWN


def _age(born: date, today: date) -> int:
    """Full years; who was born on 29 February is a year older on 1 March."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _band(age: int) -> Life:
    if age < 16:
        return Life.CHILD
    return Life.YOUNG if age < 18 else Life.ADULT


def able(mind: Mind, decision: Decision, at: datetime, life: Life) -> Able:
    """Whether the person can make this decision, by the newest finding about it that still counts.

    A finding about another decision says nothing (Mental Capacity Act 2005 s2(1)), nor does one of before they were 16.
    """
    child = life is Life.CHILD
    made = [one for one in (mind.gillick if child else mind.findings) if one.decision is decision]
    outcomes = {one.outcome for one in newest(one for one in made if one.holds(at))}
    if len(outcomes) > 1:
        return Able.UNCLEAR
    if outcomes:
        return Able.ASSESSED if Outcome.HAS in outcomes else Able.LACKS
    if child:
        return Able.UNASSESSED
    lately = newest(one for one in made if one.assessed_at <= at)
    return Able.LAPSED if any(one.outcome is Outcome.LACKS for one in lately) else Able.PRESUMED


def newest(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The latest of them, several where they are of one moment.

    One with an end is a window: when it closes, what was found before it, and has no end, counts again. So a good hour
    of somebody whose capacity comes and goes doesn't undo what is known of the rest of their days.
    """
    among = tuple(findings)
    last = max((one.assessed_at for one in among), default=None)
    return tuple(one for one in among if one.assessed_at == last)


def _basis(giver: Giver, mind: Mind, decision: Decision, at: datetime) -> Basis:
    if giver.relation is Relation.PROFESSIONAL_BEST_INTERESTS:
        return _best_interests(mind, decision, at)
    if giver.relation not in SHOWN:
        return Basis.GOOD
    held = [one for one in mind.authorities if one.key == giver.authority]
    shown = next((one for one in held if one.kind in SHOWN[giver.relation]), None)
    if shown is None:
        return _not_shown(held, giver.relation)
    wrong = fault(shown, decision, at)
    if wrong is not None:
        return wrong
    if shown.jointly and not giver.with_the_others:
        return Basis.JOINT
    # Mental Capacity Act 2005 s20(4): no deputy may decide against an attorney within the attorney's reach.
    if giver.relation is Relation.DEPUTY_WELFARE and in_force(mind, {AuthorityKind.LPA_HEALTH}, decision, at):
        return Basis.ATTORNEY_FIRST
    return Basis.GOOD


def _not_shown(held: Iterable[Authority], relation: Relation) -> Basis:
    kinds = {one.kind for one in held}
    if not kinds:
        return Basis.NOT_RECORDED
    return Basis.UNSTATED if UNSTATED.get(relation) in kinds else Basis.OTHER_KIND


def fault(one: Authority, decision: Decision, at: datetime) -> Basis | None:
    """What keeps an authority from counting for this decision at that time; None where it counts."""
    if one.period is None:
        return Basis.UNREADABLE
    if at < one.period.starts:
        return Basis.NOT_YET
    if one.period.ends is not None and one.period.ends <= at:
        return Basis.ENDED
    if one.suspended:
        return Basis.SUSPENDED
    if one.kind is AuthorityKind.LPA_HEALTH and not one.registered:
        return Basis.UNREGISTERED
    if one.kind in _TO_BE_SEEN and not one.seen:
        return Basis.UNSEEN
    return None if one.reaches(decision) else Basis.OTHER_DECISION


def in_force(mind: Mind, kinds: Iterable[AuthorityKind], decision: Decision, at: datetime) -> tuple[Authority, ...]:
    """The authorities of these kinds that count for this decision at that time."""
    wanted = frozenset(kinds)
    return tuple(one for one in mind.authorities if one.kind in wanted and fault(one, decision, at) is None)


def _best_interests(mind: Mind, decision: Decision, at: datetime) -> Basis:
    if in_force(mind, DECIDES_FIRST, decision, at):
        return Basis.SOMEBODY_DECIDES
    made = [one for one in mind.best_interests if one.decision is decision and one.at <= at]
    last = max(made, key=lambda one: (one.at, not one.in_favour), default=None)  # of one moment: the stricter
    if last is None:
        return Basis.NONE_MADE
    if any(_able_after(one, last.at, decision, at) for one in mind.findings):
        return Basis.OVERTAKEN
    if not last.in_favour:
        return Basis.AGAINST
    return Basis.GOOD if last.consulted else Basis.NOBODY_ASKED


def _able_after(one: Finding, then: datetime, decision: Decision, at: datetime) -> bool:
    return one.decision is decision and one.outcome is Outcome.HAS and then < one.assessed_at <= at
