"""Who may consent for whom: a table for practitioners to read, each row asked of the rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest

from carelink.consent.capacity import (
    Answer,
    Authority,
    AuthorityKind,
    BestInterests,
    Decision,
    Finding,
    Giver,
    Mind,
    Outcome,
    Relation,
    may_consent,
)
from carelink.consent.capacity_case import Able, Basis, Case, Life
from carelink.consent.capacity_rules import RULES, rule_for
from carelink.consent.periods import ALWAYS, Span
from carelink.ids import ResourceKey

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SHARING, TREATMENT, FINANCES = Decision.SHARING, Decision.TREATMENT, Decision.FINANCES
LACKS, HAS = Outcome.LACKS, Outcome.HAS
KEY = ResourceKey(UUID(int=1))
ANOTHER = ResourceKey(UUID(int=2))
R, K = Relation, AuthorityKind


def finding(outcome: Outcome = LACKS, days_ago: int = 30, decision: Decision = SHARING, ends: int = 0) -> Finding:
    """An assessment so many days ago; it ends to count so many days from now, or before now where `ends` is less."""
    until = NOW + ends * DAY if ends else None
    return Finding(decision, outcome, NOW - days_ago * DAY, "Sam Okafor", until)


def holds(kind: AuthorityKind, begins: int = -365, ends: int = 0, key: ResourceKey = KEY, **said: object) -> Authority:
    """An authority that is registered and was seen, from and until so many days from now, unless the row says else."""
    period = Span(NOW + begins * DAY, NOW + ends * DAY if ends else None)
    return replace(Authority(kind, "Susan Hart", key, period, registered=True, seen=True), **said)  # type: ignore[arg-type]


def best(in_favour: bool = True, days_ago: int = 10, consulted: bool = True) -> BestInterests:
    return BestInterests(SHARING, in_favour, NOW - days_ago * DAY, "Sam Okafor", consulted)


def nora(*known: Finding | Authority | BestInterests, born: str = "1944-05-06", died: datetime | None = None) -> Mind:
    """An adult, unless the row says else, of whom this is known."""
    findings = tuple(one for one in known if isinstance(one, Finding))
    return Mind(
        born,
        died,
        findings,
        findings,  # as a child's they are of Gillick competence; which of both count is a matter of age
        tuple(one for one in known if isinstance(one, Authority)),
        tuple(one for one in known if isinstance(one, BestInterests)),
    )


def who(relation: Relation, key: ResourceKey | None = None, **said: bool) -> Giver:
    return Giver(relation, key, "Susan Hart", **said)  # type: ignore[arg-type]


CHILD, TEEN, SEVENTEEN = "2016-03-01", "2012-03-01", "2009-06-30"
UNABLE = finding(LACKS)
LPA = holds(K.LPA_HEALTH)
DEPUTY = holds(K.DEPUTY_WELFARE)
NORA = who(R.THE_PERSON)
SUSAN = who(R.ATTORNEY_HEALTH, KEY)
DEE = who(R.DEPUTY_WELFARE, KEY)
MUM = who(R.PARENTAL_RESPONSIBILITY, KEY)
PR = holds(K.PARENTAL_RESPONSIBILITY)
TEAM = who(R.PROFESSIONAL_BEST_INTERESTS)
YES, NO = True, False

# What is known of the person | who would consent | may they? | by which rule
ROWS: list[tuple[str, Mind, Giver, bool, str]] = [
    # Adults who can decide
    ("an adult of whom nothing is known", nora(), NORA, YES, "C-person"),
    ("an adult who was found able", nora(finding(HAS)), NORA, YES, "C-person"),
    ("an adult who can't decide about money", nora(finding(decision=FINANCES)), NORA, YES, "C-person"),
    ("an adult who can't decide about treatment", nora(finding(decision=TREATMENT)), NORA, YES, "C-person"),
    ("an adult, and her daughter as next of kin", nora(), who(R.NEXT_OF_KIN), NO, "C-next-of-kin"),
    ("an adult, and her husband who cares for her", nora(), who(R.CARER), NO, "C-next-of-kin"),
    ("an adult, and her registered attorney", nora(LPA), SUSAN, NO, "C-attorney-not-needed"),
    ("an adult who was found able, and her attorney", nora(LPA, finding(HAS)), SUSAN, NO, "C-attorney-not-needed"),
    ("an adult who can't decide about treatment, and her attorney", nora(LPA, finding(decision=TREATMENT)), SUSAN, NO, "C-attorney-not-needed"),
    ("an adult, and her deputy", nora(DEPUTY), DEE, NO, "C-deputy-not-needed"),
    ("an adult, and an order of the court", nora(holds(K.COURT_ORDER)), who(R.COURT, KEY), NO, "C-court-not-needed"),
    ("an adult, and a professional who knows best", nora(best()), TEAM, NO, "C-best-interests-not-needed"),
    ("an adult, and her mother", nora(PR), MUM, NO, "C-parent-of-adult"),
    # Adults who can't decide
    ("an adult found unable", nora(UNABLE), NORA, NO, "C-person-unable"),
    ("an adult found unable who agreed before that", nora(finding(days_ago=-1)), NORA, YES, "C-person"),
    ("found unable, then able", nora(finding(days_ago=30), finding(HAS, days_ago=2)), NORA, YES, "C-person"),
    ("found able, then unable", nora(finding(HAS, days_ago=30), finding(days_ago=2)), NORA, NO, "C-person-unable"),
    ("found unable until last week", nora(finding(ends=-7)), NORA, YES, "C-person-again"),
    ("found unable until next week", nora(finding(ends=7)), NORA, NO, "C-person-unable"),
    ("unable on most days, and able today", nora(UNABLE, finding(HAS, days_ago=1, ends=1)), NORA, YES, "C-person"),
    ("unable on most days, and able yesterday", nora(UNABLE, finding(HAS, days_ago=2, ends=-1)), NORA, NO, "C-person-unable"),
    ("two assessors disagree about one moment", nora(finding(HAS), finding(LACKS)), NORA, NO, "C-unclear"),
    ("two assessors disagree, and the attorney", nora(finding(HAS), finding(LACKS), LPA), SUSAN, NO, "C-unclear"),
    ("found unable, and her daughter as next of kin", nora(UNABLE), who(R.NEXT_OF_KIN), NO, "C-next-of-kin-unable"),
    ("found unable, and her friend", nora(UNABLE), who(R.FRIEND), NO, "C-next-of-kin-unable"),
    ("found unable, and her mother", nora(UNABLE, PR), MUM, NO, "C-parent-of-adult"),
    # Attorneys
    ("found unable, and her registered attorney", nora(UNABLE, LPA), SUSAN, YES, "C-attorney"),
    ("found unable, and an attorney whose power nobody has seen registered", nora(UNABLE, holds(K.LPA_HEALTH, registered=False)), SUSAN, NO, "C-unregistered"),
    ("found unable, and an attorney of whom nothing is recorded", nora(UNABLE), SUSAN, NO, "C-not-recorded"),
    ("found unable, and an attorney who points at no record", nora(UNABLE, LPA), who(R.ATTORNEY_HEALTH), NO, "C-not-recorded"),
    ("found unable, and an attorney who points at a power for money", nora(UNABLE, holds(K.LPA_PROPERTY)), SUSAN, NO, "C-another-authority"),
    ("found unable, and a source that says attorney and no more", nora(UNABLE, holds(K.ATTORNEY_UNSTATED)), SUSAN, NO, "C-power-unstated"),
    ("found unable, and a power that begins next week", nora(UNABLE, holds(K.LPA_HEALTH, begins=7)), SUSAN, NO, "C-not-yet"),
    ("found unable, and a power that ended last week", nora(UNABLE, holds(K.LPA_HEALTH, ends=-7)), SUSAN, NO, "C-ended"),
    ("found unable, and a power whose dates can't be read", nora(UNABLE, holds(K.LPA_HEALTH, period=None)), SUSAN, NO, "C-period-unreadable"),
    ("found unable, and a power that the court suspended", nora(UNABLE, holds(K.LPA_HEALTH, suspended=True)), SUSAN, NO, "C-suspended"),
    ("found unable, and a power for where she lives alone", nora(UNABLE, holds(K.LPA_HEALTH, decisions=frozenset({Decision.ACCOMMODATION}))), SUSAN, NO, "C-other-decision"),
    ("found unable, and a power for sharing too", nora(UNABLE, holds(K.LPA_HEALTH, decisions=frozenset({SHARING, TREATMENT}))), SUSAN, YES, "C-attorney"),
    ("found unable, and one of two joint attorneys", nora(UNABLE, holds(K.LPA_HEALTH, jointly=True)), SUSAN, NO, "C-jointly"),
    ("found unable, and both joint attorneys", nora(UNABLE, holds(K.LPA_HEALTH, jointly=True)), who(R.ATTORNEY_HEALTH, KEY, with_the_others=True), YES, "C-attorney"),
    ("found unable until last week, and her attorney", nora(finding(ends=-7), LPA), SUSAN, NO, "C-assess-again"),
    ("found unable, and her attorney for money", nora(UNABLE, holds(K.LPA_PROPERTY)), who(R.ATTORNEY_PROPERTY, KEY), NO, "C-property-attorney"),
    ("found unable, and an enduring power", nora(UNABLE, holds(K.ENDURING)), who(R.ATTORNEY_ENDURING, KEY), NO, "C-enduring-power"),
    # Deputies and the court
    ("found unable, and her welfare deputy", nora(UNABLE, DEPUTY), DEE, YES, "C-deputy"),
    ("found unable, and a deputy whose order nobody has seen", nora(UNABLE, holds(K.DEPUTY_WELFARE, seen=False)), DEE, NO, "C-unseen"),
    ("found unable, and a source that says deputy and no more", nora(UNABLE, holds(K.DEPUTY_UNSTATED)), DEE, NO, "C-power-unstated"),
    ("found unable, a deputy, and an attorney before them", nora(UNABLE, DEPUTY, holds(K.LPA_HEALTH, key=ANOTHER)), DEE, NO, "C-attorney-first"),
    ("found unable, a deputy, and an attorney whose power has ended", nora(UNABLE, DEPUTY, holds(K.LPA_HEALTH, key=ANOTHER, ends=-1)), DEE, YES, "C-deputy"),
    ("found unable, and her deputy for money", nora(UNABLE, holds(K.DEPUTY_PROPERTY)), who(R.DEPUTY_PROPERTY, KEY), NO, "C-property-deputy"),
    ("found unable, and the court has decided", nora(UNABLE, holds(K.COURT_ORDER)), who(R.COURT, KEY), YES, "C-court"),
    # In their best interests
    ("found unable, nobody has authority, and it was decided with her family", nora(UNABLE, best()), TEAM, YES, "C-best-interests"),
    ("found unable, and nothing was decided", nora(UNABLE), TEAM, NO, "C-best-interests-not-made"),
    ("found unable, and it was decided with nobody", nora(UNABLE, best(consulted=False)), TEAM, NO, "C-best-interests-nobody-asked"),
    ("found unable, and it was decided not to share", nora(UNABLE, best(in_favour=False)), TEAM, NO, "C-best-interests-against"),
    ("decided to share, then not to", nora(UNABLE, best(), best(in_favour=False, days_ago=2)), TEAM, NO, "C-best-interests-against"),
    ("decided not to share, then to", nora(UNABLE, best(in_favour=False), best(days_ago=2)), TEAM, YES, "C-best-interests"),
    ("decided both ways in one moment", nora(UNABLE, best(), best(in_favour=False)), TEAM, NO, "C-best-interests-against"),
    ("decided, then able for a while, then unable", nora(finding(days_ago=40), best(days_ago=30), finding(HAS, days_ago=20), finding(days_ago=5)), TEAM, NO, "C-best-interests-overtaken"),
    ("decided, and there is an attorney", nora(UNABLE, best(), LPA), TEAM, NO, "C-best-interests-not-first"),
    ("decided, and there is an attorney for money", nora(UNABLE, best(), holds(K.LPA_PROPERTY)), TEAM, YES, "C-best-interests"),
    ("decided, and there is an attorney whose power nobody has seen registered", nora(UNABLE, best(), holds(K.LPA_HEALTH, registered=False)), TEAM, YES, "C-best-interests"),
    # Those who never decide
    ("found unable, and her advocate (IMCA)", nora(UNABLE), who(R.IMCA), NO, "C-imca"),
    ("found unable, and her Care Act advocate", nora(UNABLE), who(R.ADVOCATE), NO, "C-advocate"),
    ("found unable, and her guardian", nora(UNABLE), who(R.GUARDIAN), NO, "C-guardian"),
    ("found unable, and her nearest relative", nora(UNABLE), who(R.NEAREST_RELATIVE), NO, "C-nearest-relative"),
    ("found unable, and her appointee for benefits", nora(UNABLE), who(R.APPOINTEE), NO, "C-appointee"),
    # At 16 and 17
    ("a young person of 17", nora(born=SEVENTEEN), NORA, YES, "C-young-person"),
    ("a young person of 17, and their mother", nora(PR, born=SEVENTEEN), MUM, NO, "C-parent-of-young-person"),
    ("a young person of 17 found unable", nora(UNABLE, born=SEVENTEEN), NORA, NO, "C-person-unable"),
    ("a young person of 17 found unable, and their mother", nora(UNABLE, PR, born=SEVENTEEN), MUM, YES, "C-parent-of-young-person-unable"),
    ("a young person of 17 found unable, in their best interests", nora(UNABLE, best(), born=SEVENTEEN), TEAM, YES, "C-best-interests"),
    ("a young person of 17 found unable, and an attorney", nora(UNABLE, LPA, born=SEVENTEEN), SUSAN, NO, "C-attorney-from-18"),
    ("a young person of 17 found unable, and a welfare deputy", nora(UNABLE, DEPUTY, born=SEVENTEEN), DEE, YES, "C-deputy"),
    # Below 16
    ("a child of 14 not yet assessed", nora(born=TEEN), NORA, NO, "C-child-not-assessed"),
    ("a child of 14 found competent", nora(finding(HAS), born=TEEN), NORA, YES, "C-child-decides"),
    ("a child of 14 found competent for treatment alone", nora(finding(HAS, decision=TREATMENT), born=TEEN), NORA, NO, "C-child-not-assessed"),
    ("a child of 14 found not competent", nora(UNABLE, born=TEEN), NORA, NO, "C-child-not-competent"),
    ("a child of 14 found competent until last week", nora(finding(HAS, ends=-7), born=TEEN), NORA, NO, "C-child-not-assessed"),
    ("a child of 14 about whom two assessors disagree", nora(finding(HAS), UNABLE, born=TEEN), NORA, NO, "C-child-unclear"),
    ("a child of 10, and her mother", nora(PR, born=CHILD), MUM, YES, "C-parent"),
    ("a child of 10, and a mother of whom nothing is recorded", nora(born=CHILD), MUM, NO, "C-not-recorded"),
    ("a child of 10, and a mother whose responsibility the court ended", nora(holds(K.PARENTAL_RESPONSIBILITY, ends=-1), born=CHILD), MUM, NO, "C-ended"),
    ("a child of 14 found not competent, and her mother", nora(UNABLE, PR, born=TEEN), MUM, YES, "C-parent"),
    ("a child of 14 found competent, and her mother", nora(finding(HAS), PR, born=TEEN), MUM, NO, "C-child-decides-not-parent"),
    ("a child of 10, and her stepfather", nora(born=CHILD), who(R.PARENT), NO, "C-family-of-child"),
    ("a child of 10, and the grandmother who cares for her", nora(born=CHILD), who(R.CARER), NO, "C-family-of-child"),
    ("a child of 10 in care, and the council", nora(holds(K.CARE_ORDER), born=CHILD), who(R.LOCAL_AUTHORITY_CARE_ORDER, KEY), YES, "C-care-order"),
    ("a child of 10 in care, and an order that nobody has seen", nora(holds(K.CARE_ORDER, seen=False), born=CHILD), who(R.LOCAL_AUTHORITY_CARE_ORDER, KEY), NO, "C-unseen"),
    ("a child of 10 accommodated without an order, and the council", nora(born=CHILD), who(R.LOCAL_AUTHORITY_CARE_ORDER), NO, "C-not-recorded"),
    ("a child of 14 in care found competent, and the council", nora(finding(HAS), holds(K.CARE_ORDER), born=TEEN), who(R.LOCAL_AUTHORITY_CARE_ORDER, KEY), NO, "C-child-decides-not-parent"),
    ("a child of 10, and the court has decided", nora(holds(K.COURT_ORDER), born=CHILD), who(R.COURT, KEY), YES, "C-court-for-child"),
    ("a child of 10, and an attorney", nora(LPA, born=CHILD), SUSAN, NO, "C-law-from-16"),
    ("a child of 10, in their best interests", nora(UNABLE, best(), born=CHILD), TEAM, NO, "C-law-from-16"),
    # What isn't known, and the dead
    ("somebody whose date of birth isn't known", nora(born=""), NORA, NO, "C-age-not-known"),
    ("somebody born in 2010, which is 15 or 16", nora(born="2010"), NORA, NO, "C-age-not-known"),
    ("somebody born in 1944, on an unknown day", nora(born="1944"), NORA, YES, "C-person"),
    ("somebody born in an impossible month", nora(born="1961-14-93"), NORA, NO, "C-age-not-known"),
    ("somebody who has died", nora(died=NOW - DAY), NORA, NO, "C-dead"),
    ("somebody who has died, and her attorney", nora(UNABLE, LPA, died=ALWAYS), SUSAN, NO, "C-dead"),
    ("somebody who agreed before she died", nora(died=NOW + DAY), NORA, YES, "C-person"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "mind", "giver", "allowed", "rule"), ROWS, ids=[what for what, *_ in ROWS])
def test_who_may_consent_to_sharing(what: str, mind: Mind, giver: Giver, allowed: bool, rule: str) -> None:
    answer = may_consent(giver, mind, SHARING, NOW)
    assert (answer.allowed, answer.rule) == (allowed, rule)


def test_the_table_has_a_row_for_every_rule() -> None:
    asked = {rule for *_, rule in ROWS}
    untried = {rule.id for rule in RULES} - asked - {"C-not-asked-here", "C-nobody"}
    assert untried == set()


@pytest.mark.parametrize("decision", [one for one in Decision if one is not SHARING])
def test_who_may_decide_about_anything_else_is_not_answered_here(decision: Decision) -> None:
    assert may_consent(NORA, nora(), decision, NOW).rule == "C-not-asked-here"


@pytest.mark.parametrize(
    ("born", "days", "rule"),
    [
        ("2010-11-25", 0, "C-child-not-assessed"),  # 15, for one more day
        ("2010-11-24", 0, "C-young-person"),  # 16 today
        ("2008-11-25", 0, "C-young-person"),
        ("2008-11-24", 0, "C-person"),  # 18 today
        ("2008-02-29", -269, "C-young-person"),  # 28 February 2026, born on a leap day: 17 until 1 March
        ("2008-02-29", -268, "C-person"),
    ],
)
def test_the_law_changes_on_the_birthday(born: str, days: int, rule: str) -> None:
    assert may_consent(NORA, nora(born=born), SHARING, NOW + days * DAY).rule == rule


def test_the_birthday_begins_at_midnight_in_england() -> None:
    born = nora(born="2010-07-02")
    assert may_consent(NORA, born, SHARING, datetime(2026, 7, 1, 22, 59, tzinfo=UTC)).rule == "C-child-not-assessed"
    assert may_consent(NORA, born, SHARING, datetime(2026, 7, 1, 23, 0, tzinfo=UTC)).rule == "C-young-person"


def test_a_finding_of_before_sixteen_says_nothing_of_a_young_person() -> None:
    mind = Mind(birth_date=SEVENTEEN, gillick=(finding(LACKS, days_ago=900),))
    assert may_consent(NORA, mind, SHARING, NOW).rule == "C-young-person"


def test_what_was_agreed_to_counts_by_the_time_at_which_it_was_given() -> None:
    mind = nora(finding(LACKS, days_ago=10))
    assert may_consent(NORA, mind, SHARING, NOW - 11 * DAY).allowed
    assert not may_consent(NORA, mind, SHARING, NOW).allowed


def refusals() -> list[Answer]:
    return [one for one in (may_consent(giver, mind, SHARING, NOW) for _, mind, giver, *_ in ROWS) if not one.allowed]


def test_every_refusal_says_why_by_which_law_and_what_to_do() -> None:
    for answer in refusals():
        assert answer.because.endswith(".")
        assert answer.to_do.endswith(".")
        assert answer.source


def test_no_two_rules_share_an_id() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)


NEVER = {
    *(R.ATTORNEY_PROPERTY, R.ATTORNEY_ENDURING, R.DEPUTY_PROPERTY, R.IMCA, R.ADVOCATE, R.GUARDIAN),
    *(R.NEAREST_RELATIVE, R.APPOINTEE, R.NEXT_OF_KIN, R.PARENT, R.CARER, R.FRIEND),
}


def test_in_no_case_at_all_does_one_who_has_no_authority_decide() -> None:
    cases = (Case(*parts) for parts in product(R, Decision, Life, Able, Basis))
    allowed = [case for case in cases if rule_for(case).allowed]
    assert allowed
    assert not [case for case in allowed if case.relation in NEVER or case.life in (Life.DEAD, Life.UNKNOWN)]
    assert not [case for case in allowed if case.basis is not Basis.GOOD and case.relation is not R.THE_PERSON]
    assert not [case for case in allowed if case.able is Able.UNCLEAR]
    others = [case for case in allowed if case.relation is not R.THE_PERSON and case.life is not Life.CHILD]
    assert {case.able for case in others} == {Able.LACKS}
