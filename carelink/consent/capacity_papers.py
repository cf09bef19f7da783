"""Rows of the table: what keeps an authority from counting."""

from __future__ import annotations

from carelink.consent.capacity_case import Basis
from carelink.consent.capacity_rule import NO, CapacityRule

_OFFICE = "the Office of the Public Guardian"


def _wrong(id_: str, basis: Basis, because: str, source: str, to_do: str) -> CapacityRule:
    return CapacityRule(id_, NO, because, source, to_do, basis=(basis,))


PAPERS = (
    _wrong(
        "C-not-recorded",
        Basis.NOT_RECORDED,
        "No such authority is recorded for this person.",
        "Mental Capacity Act 2005 s9, s16; Children Act 1989 s2 to s4A",
        "Ask to see it, and record it under “Who decides”.",
    ),
    _wrong(
        "C-another-authority",
        Basis.OTHER_KIND,
        "The recorded authority is of another kind than the one that they say they have.",
        "Mental Capacity Act 2005 s9(1), s16(1)",
        "Ask to see it, and record what it says under “Who decides”.",
    ),
    _wrong(
        "C-power-unstated",
        Basis.UNSTATED,
        "The record says attorney or deputy, and not over what: money alone, or health and welfare.",
        "Mental Capacity Act 2005 s9(1), s16(1)",
        "Ask to see the registered power or the sealed order, and record what it says under “Who decides”.",
    ),
    _wrong(
        "C-period-unreadable",
        Basis.UNREADABLE,
        "The recorded authority has a beginning or an end that can't be read.",
        "Mental Capacity Act 2005 s13, s16(7)",
        "Have it put right where it is held, or see the paper and record it again.",
    ),
    _wrong(
        "C-not-yet",
        Basis.NOT_YET,
        "The recorded authority begins later.",
        "Mental Capacity Act 2005 s9(2), s16",
        "Wait for it to begin. Until then decide in the person's best interests and record it.",
    ),
    _wrong(
        "C-ended",
        Basis.ENDED,
        "The recorded authority has ended.",
        "Mental Capacity Act 2005 s13, s16(7); Children Act 1989 s4(2A), s91",
        "Ask whether there is a newer one, see it, and record it.",
    ),
    _wrong(
        "C-suspended",
        Basis.SUSPENDED,
        "The authority is suspended.",
        "Mental Capacity Act 2005 s22, s48",
        f"Ask {_OFFICE} or the court that suspended it who decides meanwhile.",
    ),
    _wrong(
        "C-unregistered",
        Basis.UNREGISTERED,
        "A lasting power of attorney counts only when it is registered, and nobody has seen that this one is.",
        "Mental Capacity Act 2005 s9(2)(b), Sch 1 Part 2",
        f"Look at the stamped paper or use the access code at {_OFFICE}, and record its reference.",
    ),
    _wrong(
        "C-unseen",
        Basis.UNSEEN,
        "Nobody here has seen the order, and what it allows is written in it.",
        "Mental Capacity Act 2005 s16(5), s17; Children Act 1989 s31, s33",
        "Ask to see the sealed order, and record what it says under “Who decides”.",
    ),
    _wrong(
        "C-other-decision",
        Basis.OTHER_DECISION,
        "The authority doesn't reach to this decision.",
        "Mental Capacity Act 2005 s9(4)(b), s11(7)(c), s16(4)(b)",
        "Decide in the person's best interests and record it, or ask whether the Court of Protection should.",
    ),
    _wrong(
        "C-jointly",
        Basis.JOINT,
        "The holders of this authority decide together. One alone can't.",
        "Mental Capacity Act 2005 s10(4)(a), s19(4)(a)",
        "Ask the others, and record that all of them agree.",
    ),
    _wrong(
        "C-attorney-first",
        Basis.ATTORNEY_FIRST,
        "A registered attorney for health and welfare decides this. A deputy can't decide against them.",
        "Mental Capacity Act 2005 s20(4)",
        "Ask the attorney.",
    ),
    _wrong(
        "C-best-interests-not-first",
        Basis.SOMEBODY_DECIDES,
        "Somebody has authority to decide this. Professionals don't decide in their place.",
        "Mental Capacity Act 2005 s6(6)",
        "Ask the attorney or the deputy, or follow the order of the court. If you fear for the person, ask the Court "
        "of Protection.",
    ),
    _wrong(
        "C-best-interests-not-made",
        Basis.NONE_MADE,
        "No best-interests decision about this is recorded.",
        "Mental Capacity Act 2005 s4, s5(1)",
        "Make one with those who know the person, and record it under “Who decides”.",
    ),
    _wrong(
        "C-best-interests-overtaken",
        Basis.OVERTAKEN,
        "After that best-interests decision the person was found able to decide this themselves.",
        "Mental Capacity Act 2005 s3(1), s4(3)",
        "Make a new decision in their best interests, starting from what they wanted when they could decide.",
    ),
    _wrong(
        "C-best-interests-against",
        Basis.AGAINST,
        "The best-interests decision is that this is not to be shared.",
        "Mental Capacity Act 2005 s1(5), s4",
        "Keep to it. If things have changed, make and record a new decision.",
    ),
    _wrong(
        "C-best-interests-nobody-asked",
        Basis.NOBODY_ASKED,
        "The best-interests decision says of nobody that they were consulted.",
        "Mental Capacity Act 2005 s4(7), s35 to s41",
        "Consult those who know the person. Where there is nobody but paid carers, ask for an independent mental "
        "capacity advocate, or record why nobody could be consulted.",
    ),
)
