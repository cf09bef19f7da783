"""Places that ask differently of consent and of broken glass than the one of tests/consent_builders.py."""

from __future__ import annotations

from dataclasses import replace

from consent_builders import AGREEMENTS, NORTH, PLACE, ROLES

from carelink.ids import Ods
from carelink.place import Agreement, Asking, BreakGlass, LocalSensitivity, OnDuty, Place, Role

_MORE = (
    Agreement("hiv", "gp-practice", "council", frozenset({"social-worker"}), frozenset({"problems"}), frozenset({"CAREMGT"}), "named, and asked for", frozenset({"HIV", "STD", "GAMBLING"})),
    Agreement("enquiries", "*", "council", frozenset({"social-worker"}), frozenset({"problems", "safeguarding", "services"}), frozenset({"CAREMGT", "SAFEGUARDING"}), "Care Act 2014 s45", frozenset({"SAFEGUARDING"})),
    Agreement("orders", "council", "nhs-trust", frozenset({"nurse"}), frozenset({"legal", "safeguarding", "demographics"}), frozenset({"TREAT"}), "who may come near", frozenset({"SAFEGUARDING"})),
)  # fmt: skip
_REASONS = {"emergency": "Emergency"}


def _may(role: Role) -> Role:
    if role.id not in ("social-worker", "nurse", "gp"):
        return role
    legal = {"see-legally-restricted"} if role.id == "gp" else set()
    purposes = (*role.purposes, "SAFEGUARDING") if role.id == "social-worker" else role.purposes
    return replace(role, purposes=purposes, may=role.may | {"break-glass"} | legal)


def _glass(*widens: str) -> BreakGlass:
    return BreakGlass(_REASONS, "ig-lead", widens=frozenset(widens))


# A permission gives what it says, the law overrides an objection in an enquiry, and glass opens it to strangers.
GIVING: Place = replace(
    PLACE,
    agreements=(*AGREEMENTS, *_MORE),
    roles={role.id: _may(role) for role in ROLES},
    asking=Asking(
        "implied", frozenset({"agreement", "relationship"}), frozenset({"HIV", "STD"}), frozenset({"SAFEGUARDING"})
    ),
    glass=_glass("relationship", "objection"),
    sensitivities=(LocalSensitivity("GAMBLING", "Harmful gambling", 1, "policy 7", hidden_from_person=True),),
    on_duty=(OnDuty(NORTH, "adults-west", ("tue",), "09:00", "17:00", "they stand in on Tuesdays"),),
)
# A permission gives nothing more than its leave, and glass opens a relationship alone.
STRICT: Place = replace(
    GIVING, asking=Asking("implied", needs_consent=frozenset({"HIV"})), glass=_glass("relationship"), on_duty=()
)
# Whoever looks has asked before, or breaks the glass; an objection holds whatever happens.
ASKING: Place = replace(GIVING, asking=Asking("explicit"), glass=_glass("relationship", "view"), on_duty=())
SHUT: Place = replace(GIVING, glass=None)  # full opt-out: not even emergencies see
NOWHERE = Ods("X99")
