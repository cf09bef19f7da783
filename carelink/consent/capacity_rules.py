"""Who may consent to sharing for a person, as a table that a practitioner can read. The first row that fits answers.

First who never does, then children, then whoever can decide themselves, then who decides for those who can't. The law
is that of England; docs/consent.md tells it in prose.
"""

from __future__ import annotations

from carelink.consent.capacity_case import Able, Case, Life
from carelink.consent.capacity_children import ADULTS_LAW, CAN, CHILDREN, FAMILY, PARENTS
from carelink.consent.capacity_never import LOOK, NEVER
from carelink.consent.capacity_papers import PAPERS
from carelink.consent.capacity_rule import NO, YES, CapacityRule
from carelink.consent.mind import Relation

_GROWN = (Life.YOUNG, Life.ADULT)
_ASK = "Ask the person. If you doubt that they can decide this, assess their capacity and record it."

ABLE = (
    CapacityRule(
        "C-unclear",
        NO,
        "Two assessments of the same moment say different things about whether the person can decide this.",
        "Mental Capacity Act 2005 s2(4)",
        "Talk to both assessors, or assess again, and record what you find.",
        able=(Able.UNCLEAR,),
    ),
    CapacityRule(
        "C-young-person",
        YES,
        "At 16 and 17 a young person is taken to be able to decide, and decides themselves.",
        "Family Law Reform Act 1969 s8; Mental Capacity Act 2005 s1(2), s2(5)",
        who=(Relation.THE_PERSON,),
        life=(Life.YOUNG,),
        able=(Able.ASSESSED, Able.PRESUMED),
    ),
    CapacityRule(
        "C-person",
        YES,
        "An adult is taken to be able to decide unless it is established that they can't, and then decides alone.",
        "Mental Capacity Act 2005 s1(2)",
        who=(Relation.THE_PERSON,),
        able=(Able.ASSESSED, Able.PRESUMED),
    ),
    CapacityRule(
        "C-person-again",
        YES,
        "The finding that the person can't decide this has ended, so they are taken to be able to again.",
        "Mental Capacity Act 2005 s1(2)",
        "If you doubt that they can decide this now, assess their capacity again before you rely on it.",
        who=(Relation.THE_PERSON,),
        able=(Able.LAPSED,),
    ),
    CapacityRule(
        "C-person-unable",
        NO,
        "The person has been found unable to decide this.",
        "Mental Capacity Act 2005 s2(1), s3(1)",
        "Look for a registered attorney for health and welfare or a welfare deputy. If there is neither, decide in the "
        "person's best interests and record it. Help them to take part, and assess again if this may change.",
        who=(Relation.THE_PERSON,),
        able=(Able.LACKS,),
    ),
    CapacityRule(
        "C-assess-again",
        NO,
        "The finding that the person can't decide this has ended, so they are taken to be able to again.",
        "Mental Capacity Act 2005 s1(2), s4(3)",
        "Ask the person. If you doubt that they can decide this now, assess their capacity again and record it.",
        who=(*ADULTS_LAW, Relation.COURT),
        life=_GROWN,
        able=(Able.LAPSED,),
    ),
    CapacityRule(
        "C-attorney-not-needed",
        NO,
        "An attorney for health and welfare decides only what the person can't decide themselves, and nobody has found "
        "that they can't decide this.",
        "Mental Capacity Act 2005 s11(7)(a)",
        _ASK,
        who=(Relation.ATTORNEY_HEALTH,),
        able=CAN,
    ),
    CapacityRule(
        "C-deputy-not-needed",
        NO,
        "A deputy may not decide what the person can decide themselves, and nobody has found that they can't.",
        "Mental Capacity Act 2005 s20(1)",
        _ASK,
        who=(Relation.DEPUTY_WELFARE,),
        able=CAN,
    ),
    CapacityRule(
        "C-court-not-needed",
        NO,
        "The Court of Protection decides for those who can't, and nobody has found that this person can't.",
        "Mental Capacity Act 2005 s16(1)",
        _ASK,
        who=(Relation.COURT,),
        life=_GROWN,
        able=CAN,
    ),
    CapacityRule(
        "C-best-interests-not-needed",
        NO,
        "A decision in somebody's best interests is for those who can't decide themselves, and nobody has found that "
        "this person can't.",
        "Mental Capacity Act 2005 s1(2), s5(1)(b)",
        _ASK,
        who=(Relation.PROFESSIONAL_BEST_INTERESTS,),
        able=CAN,
    ),
    CapacityRule(
        "C-next-of-kin",
        NO,
        "The person decides alone. Next of kin, family, friends and carers have no authority to consent for them.",
        "Mental Capacity Act 2005 s1(2)",
        _ASK,
        who=FAMILY,
        able=CAN,
    ),
    CapacityRule(
        "C-next-of-kin-unable",
        NO,
        "Next of kin, family, friends and carers are to be consulted, but have no authority to decide.",
        "Mental Capacity Act 2005 s4(7), s5",
        LOOK,
        who=FAMILY,
    ),
)

UNABLE = (
    CapacityRule(
        "C-attorney",
        YES,
        "The power is registered, and the person has been found unable to decide this.",
        "Mental Capacity Act 2005 s9(1)(a), s11(7)(a)",
        "They decide in the person's best interests: ask what the person would have wanted.",
        who=(Relation.ATTORNEY_HEALTH,),
        life=(Life.ADULT,),
        able=(Able.LACKS,),
    ),
    CapacityRule(
        "C-deputy",
        YES,
        "The court appointed them to decide this, and the person has been found unable to.",
        "Mental Capacity Act 2005 s16(2)(b), s17, s19, s20",
        "They decide in the person's best interests: ask what the person would have wanted.",
        who=(Relation.DEPUTY_WELFARE,),
        life=_GROWN,
        able=(Able.LACKS,),
    ),
    CapacityRule(
        "C-court",
        YES,
        "The Court of Protection has decided this for the person.",
        "Mental Capacity Act 2005 s16(2)(a)",
        "Keep to what the order says.",
        who=(Relation.COURT,),
        life=_GROWN,
        able=(Able.LACKS,),
    ),
    CapacityRule(
        "C-court-for-child",
        YES,
        "A court has decided this for the child.",
        "Children Act 1989 s8 (specific issue order)",
        "Keep to what the order says.",
        who=(Relation.COURT,),
        life=(Life.CHILD,),
    ),
    CapacityRule(
        "C-best-interests",
        YES,
        "The person has been found unable to decide this, nobody has authority to, and it was decided in their best "
        "interests with those who know them.",
        "Mental Capacity Act 2005 s4, s5",
        "Record who decided, and look at it again when things change.",
        who=(Relation.PROFESSIONAL_BEST_INTERESTS,),
        life=_GROWN,
        able=(Able.LACKS,),
    ),
)

NOBODY = CapacityRule(
    "C-nobody",
    NO,
    "No rule says that they may consent for this person.",
    "Mental Capacity Act 2005 s1(2); Children Act 1989 s2",
    LOOK,
)

RULES: tuple[CapacityRule, ...] = (*NEVER, *CHILDREN, *ABLE, *PAPERS, *PARENTS, *UNABLE, NOBODY)


def rule_for(case: Case) -> CapacityRule:
    """The first row that fits; the last fits everything, and refuses."""
    return next(rule for rule in RULES if rule.fits(case))
