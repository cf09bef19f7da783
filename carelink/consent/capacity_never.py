"""Rows of the table: when nobody consents, and who never does."""

from __future__ import annotations

from carelink.consent.capacity_case import Life
from carelink.consent.capacity_rule import NO, CapacityRule
from carelink.consent.mind import Decision, Relation

LOOK = (
    "Ask the person. If they can't decide this, look for a registered attorney for health and welfare or a welfare "
    "deputy. If there is neither, decide in their best interests and record it."
)

NEVER = (
    CapacityRule(
        "C-dead",
        NO,
        "The person has died. Nobody consents for them, and every power to decide for them has ended.",
        "Access to Health Records Act 1990 s3(1)(f)",
        "Ask your information governance lead: what may be shared after a death rests on other law.",
        life=(Life.DEAD,),
    ),
    CapacityRule(
        "C-not-asked-here",
        NO,
        "CareLink answers who may consent to sharing, and to nothing else.",
        "Mental Capacity Act 2005 s2(1), s11, s17, s27 to s29: who may decide depends on the decision",
        "Ask those who are responsible for that decision.",
        decisions=[one for one in Decision if one is not Decision.SHARING],
    ),
    CapacityRule(
        "C-property-attorney",
        NO,
        "A lasting power for property and affairs is about money. It gives no say over health and care information.",
        "Mental Capacity Act 2005 s9(1)(b)",
        LOOK,
        who=(Relation.ATTORNEY_PROPERTY,),
    ),
    CapacityRule(
        "C-enduring-power",
        NO,
        "An enduring power of attorney is about money and property. It gives no say over health and care information.",
        "Mental Capacity Act 2005 s66(3), Sch 4",
        LOOK,
        who=(Relation.ATTORNEY_ENDURING,),
    ),
    CapacityRule(
        "C-property-deputy",
        NO,
        "A deputy for property and affairs decides about money. They have no say over health and care information.",
        "Mental Capacity Act 2005 s16(1)(b), s18",
        LOOK,
        who=(Relation.DEPUTY_PROPERTY,),
    ),
    CapacityRule(
        "C-appointee",
        NO,
        "An appointee claims and spends the person's benefits, and decides nothing else.",
        "Social Security (Claims and Payments) Regulations 1987 reg 33",
        LOOK,
        who=(Relation.APPOINTEE,),
    ),
    CapacityRule(
        "C-imca",
        NO,
        "An independent mental capacity advocate finds out what the person would want and speaks up for them. "
        "They don't decide.",
        "Mental Capacity Act 2005 s35, s36(2)",
        "Hear them, then decide in the person's best interests and record both.",
        who=(Relation.IMCA,),
    ),
    CapacityRule(
        "C-advocate",
        NO,
        "An advocate helps the person to take part. They don't decide.",
        "Care Act 2014 s67(2)",
        LOOK,
        who=(Relation.ADVOCATE,),
    ),
    CapacityRule(
        "C-guardian",
        NO,
        "A guardian under the Mental Health Act may say where the person lives, where they go for care, and who "
        "may see them. It is not a power to share information.",
        "Mental Health Act 1983 s8(1)",
        LOOK,
        who=(Relation.GUARDIAN,),
    ),
    CapacityRule(
        "C-nearest-relative",
        NO,
        "A nearest relative has rights about detention and guardianship. Consenting to sharing is not one of them.",
        "Mental Health Act 1983 s26",
        LOOK,
        who=(Relation.NEAREST_RELATIVE,),
    ),
    CapacityRule(
        "C-age-not-known",
        NO,
        "The date of birth isn't known well enough to say on which side of 16 or 18 the person is. "
        "Who decides depends on it.",
        "Mental Capacity Act 2005 s2(5); Children Act 1989 s105(1)",
        "Find out the date of birth and have it put right where it is held.",
        life=(Life.UNKNOWN,),
    ),
)
