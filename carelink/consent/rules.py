"""The rules of the decision, highest first. Audit and explanation show their ids; docs/consent.md has their law."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Effect(Enum):
    PERMIT = "permit"
    REDACT = "permit-redacted"
    DENY = "deny"


@dataclass(frozen=True)
class Rule:
    """One rule. The digit in its id is its precedence: a lower one is asked first."""

    id: str
    because: str


@dataclass(frozen=True)
class Decision:
    """The answer for one item, and why. `detail` names the agreement, relationship or consent that decided."""

    effect: Effect
    rule: Rule
    detail: str = ""


SYSTEM = Rule("L0-system", "A job of CareLink itself, audited with its reason")
DIRECTORY = Rule("L0-directory", "Organisations and staff are known to everyone who is signed in")
UNLINKED = Rule("L0-unlinked", "It is not known whom this is about")
IDENTITY = Rule("L0-identity", "Who decides whether two records are one person sees who each record says it is about")
LEGAL = Rule("L1-legal", "Restricted by law (gender recognition, assisted conception, adoption): never by agreement")
OWN = Rule("L2-own-record", "A person sees their own record")
OWN_LESS = Rule("L2-own-record-less", "It tells of someone else, or could put the person in danger if it were shown")
NOT_OWN = Rule("L2-not-own-record", "A person sees nobody else's record")
RESTRICTED = Rule("L3-restricted", "A restricted person (PDS 'S'): what tells where they are is taken out")
SENSITIVE = Rule("L5-sensitive", "No agreement names this sensitivity for this role and purpose")
OBJECTION = Rule("L7-objection", "The person has objected to this being shared")
UNCLEAR = Rule("L7-objection-unclear", "A consent of the person can't be read exactly: nothing is shared until it is")
AGREEMENT = Rule("L8-agreement", "The organisations agreed to share this with this role for this purpose")
CUSTODIAN = Rule("L8-own-organisation", "The requester's own organisation answers for it: nothing is shared")
NO_AGREEMENT = Rule("L8-no-agreement", "No agreement shares this with this role for this purpose")
NO_RELATIONSHIP = Rule("L9-no-relationship", "The requester is not involved with this person")
PURPOSE = Rule("L10-purpose", "Not direct care, or a purpose that this role may not ask for: no single record is shown")

ALL = (
    SYSTEM,
    DIRECTORY,
    UNLINKED,
    IDENTITY,
    LEGAL,
    OWN,
    OWN_LESS,
    NOT_OWN,
    RESTRICTED,
    SENSITIVE,
    OBJECTION,
    UNCLEAR,
    AGREEMENT,
    CUSTODIAN,
    NO_AGREEMENT,
    NO_RELATIONSHIP,
    PURPOSE,
)
BY_ID = {rule.id: rule for rule in ALL}
