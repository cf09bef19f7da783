"""The rules of the decision, highest first. Each has an id that audit and explanation show; docs/consent.md has its law."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Effect(Enum):
    PERMIT = "permit"
    REDACT = "permit-redacted"
    DENY = "deny"


@dataclass(frozen=True)
class Rule:
    id: str
    because: str


SYSTEM = Rule("L0-system", "A job of CareLink itself, audited with its reason")
DIRECTORY = Rule("L0-directory", "Organisations and staff are known to everyone who is signed in")
LEGAL = Rule(
    "L1-legal", "Restricted by law (Gender Recognition Act 2004 s22, HFE Act 1990 s33A, adoption): not by agreement"
)
OWN = Rule("L2-own-record", "A person sees their own record")
OWN_LESS = Rule("L2-own-record-less", "It tells of another person, or may not be shown to the person")
RESTRICTED = Rule("L3-restricted", "A restricted person (PDS 'S'): what tells where they are is taken out")
SENSITIVE = Rule("L5-sensitive", "No agreement names this sensitivity for this role and purpose")
OBJECTION = Rule("L7-objection", "The person has objected to this being shared")
AGREEMENT = Rule("L8-agreement", "The organisations agreed to share this for this purpose")
NO_AGREEMENT = Rule("L8-no-agreement", "No agreement shares this with this role for this purpose")
CUSTODIAN = Rule("L8-own-organisation", "The requester's own organisation answers for it")
NO_RELATIONSHIP = Rule("L9-no-relationship", "The requester is not involved with this person")


@dataclass(frozen=True)
class Decision:
    """The answer for one item, and why. `detail` names the agreement, relationship or consent that decided."""

    effect: Effect
    rule: Rule
    detail: str = ""
