"""Rows of the table: children, and those with parental responsibility."""

from __future__ import annotations

from carelink.consent.capacity_case import Able, Life
from carelink.consent.capacity_rule import NO, YES, CapacityRule
from carelink.consent.mind import Relation

PARENTAL = (Relation.PARENTAL_RESPONSIBILITY, Relation.LOCAL_AUTHORITY_CARE_ORDER)
FAMILY = (Relation.NEXT_OF_KIN, Relation.PARENT, Relation.CARER, Relation.FRIEND)
CAN = (Able.ASSESSED, Able.PRESUMED, Able.LAPSED)
ADULTS_LAW = (Relation.ATTORNEY_HEALTH, Relation.DEPUTY_WELFARE, Relation.PROFESSIONAL_BEST_INTERESTS)
GILLICK = "Gillick v West Norfolk and Wisbech AHA [1986] AC 112"

CHILDREN = (
    CapacityRule(
        "C-child-unclear",
        NO,
        "Two assessments of the same moment say different things about whether the child can decide this.",
        GILLICK,
        "Talk to both assessors, or assess again, and record what you find.",
        life=(Life.CHILD,),
        able=(Able.UNCLEAR,),
    ),
    CapacityRule(
        "C-child-decides",
        YES,
        "The child has been found to understand enough to decide this.",
        GILLICK,
        who=(Relation.THE_PERSON,),
        life=(Life.CHILD,),
        able=(Able.ASSESSED,),
    ),
    CapacityRule(
        "C-child-not-assessed",
        NO,
        "Below 16 nobody is taken to be able to decide this until they have been found to understand enough.",
        GILLICK,
        "Assess whether the child understands what this decision means (Gillick competence) and record it, or ask "
        "somebody with parental responsibility.",
        who=(Relation.THE_PERSON,),
        life=(Life.CHILD,),
        able=(Able.UNASSESSED,),
    ),
    CapacityRule(
        "C-child-not-competent",
        NO,
        "The child has been found not to understand enough to decide this.",
        GILLICK,
        "Ask somebody with parental responsibility, and take account of what the child wants.",
        who=(Relation.THE_PERSON,),
        life=(Life.CHILD,),
    ),
    CapacityRule(
        "C-child-decides-not-parent",
        NO,
        "The child has been found to understand enough to decide this, so the child decides: a parent or the council "
        "doesn't decide for them, or against them.",
        f"{GILLICK}; R (Axon) v Secretary of State for Health [2006] EWHC 37 (Admin)",
        "Ask the child.",
        who=PARENTAL,
        life=(Life.CHILD,),
        able=(Able.ASSESSED,),
    ),
    CapacityRule(
        "C-law-from-16",
        NO,
        "Attorneys, welfare deputies and best-interests decisions are for people of 16 or over.",
        "Mental Capacity Act 2005 s2(5)",
        "Assess whether the child understands enough to decide this, or ask somebody with parental responsibility.",
        who=ADULTS_LAW,
        life=(Life.CHILD,),
    ),
    CapacityRule(
        "C-family-of-child",
        NO,
        "To be a parent, a relative or a carer gives no say over a child's information by itself. Parental "
        "responsibility does.",
        "Children Act 1989 s2, s3(1), s3(5)",
        "Find out who has parental responsibility, and record what you saw: a birth certificate, an agreement, an "
        "order of a court.",
        who=FAMILY,
        life=(Life.CHILD,),
    ),
    CapacityRule(
        "C-parent-of-adult",
        NO,
        "Parental responsibility ends when a child becomes 18.",
        "Children Act 1989 s3(1), s91(12), s105(1)",
        "Ask the person. If they can't decide this, look for a registered attorney for health and welfare or a welfare "
        "deputy. If there is neither, decide in their best interests and record it.",
        who=PARENTAL,
        life=(Life.ADULT,),
    ),
    CapacityRule(
        "C-parent-of-young-person",
        NO,
        "At 16 and 17 a young person is taken to be able to decide, and decides themselves.",
        "Family Law Reform Act 1969 s8; Mental Capacity Act 2005 s1(2), s2(5)",
        "Ask the young person. If you doubt that they can decide this, assess their capacity and record it.",
        who=PARENTAL,
        life=(Life.YOUNG,),
        able=CAN,
    ),
    CapacityRule(
        "C-attorney-from-18",
        NO,
        "Nobody can give a lasting power of attorney before they are 18.",
        "Mental Capacity Act 2005 s9(2)(c)",
        "Ask the young person. If they can't decide this, ask somebody with parental responsibility, or decide in "
        "their best interests and record it.",
        who=(Relation.ATTORNEY_HEALTH,),
        life=(Life.YOUNG,),
    ),
)

# These come after the rows of what is wrong with an authority.
PARENTS = (
    CapacityRule(
        "C-parent",
        YES,
        "Somebody with parental responsibility decides for a child who has not been found to understand enough. One "
        "of several may act alone.",
        "Children Act 1989 s2(7), s3(1)",
        "Ask the child too, as far as they understand.",
        who=(Relation.PARENTAL_RESPONSIBILITY,),
        life=(Life.CHILD,),
    ),
    CapacityRule(
        "C-care-order",
        YES,
        "Under a care order the council has parental responsibility, and may say how far parents use theirs.",
        "Children Act 1989 s33(3)",
        "Ask the child too, as far as they understand, and tell those with parental responsibility.",
        who=(Relation.LOCAL_AUTHORITY_CARE_ORDER,),
        life=(Life.CHILD,),
    ),
    CapacityRule(
        "C-parent-of-young-person-unable",
        YES,
        "The young person can't decide this, so somebody with parental responsibility may, in their best interests.",
        "Children Act 1989 s3(1), s33(3); Mental Capacity Act 2005 s1(5); Mental Capacity Act Code of Practice 12.16",
        who=PARENTAL,
        life=(Life.YOUNG,),
        able=(Able.LACKS,),
    ),
)
