"""The purpose of use that somebody asks for, among those of their role (v3-ActReason, and SAFEGUARDING of our own)."""

from __future__ import annotations

from carelink.errors import Forbidden
from carelink.place import Role

ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
OURS = "https://carelink.example/CodeSystem/purpose"
NOT_OF_ROLE = "purpose-of-role"  # the rule of the refusal
NOT_HL7 = frozenset({"SAFEGUARDING"})  # purposes that v3-ActReason doesn't have


def purpose_of(role: Role, asked: str) -> str:
    """The code of the purpose asked for, as a code or `system|code`; the role's usual one where none was.

    Raises `Forbidden` for one that is not known, or that the role may not ask for.
    """
    if not asked:
        return role.purposes[0]
    system, _, code = asked.rpartition("|")
    if code not in role.purposes or system not in ("", OURS if code in NOT_HL7 else ACT_REASON):
        told = f"A {role.label.lower()} may not ask for this purpose; it may ask for {', '.join(role.purposes)}"
        raise Forbidden(told, rule=NOT_OF_ROLE)
    return code
