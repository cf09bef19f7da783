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
SCOPE = Rule("L0-scope", "The scopes of the token do not name this type of resource")
LEGAL = Rule("L1-legal", "Restricted by law (gender recognition, assisted conception, adoption): only for named roles")
OWN = Rule("L2-own-record", "A person sees their own record")
OWN_LESS = Rule("L2-own-record-less", "It tells of someone else, or could put the person in danger if it were shown")
OWN_REDACTED = Rule(
    "L2-own-record-redacted", "A person sees their own record, less who else told it and how to reach them"
)
NOT_OWN = Rule("L2-not-own-record", "A person sees nobody else's record")
RESTRICTED = Rule("L3-restricted", "A restricted person (PDS 'S'): what tells where they are is taken out")
HARM = Rule("L4-source-of-harm", "The alleged source of harm, whom a court keeps away, and who acts for either")
SENSITIVE = Rule("L5-sensitive", "No agreement names this sensitivity for this role and purpose")
CONSENT_NEEDED = Rule("L5-consent-needed", "This is shared only where the person agreed to it, and they did not")
CONSENT_DENY = Rule("L6-consent-deny", "A provision of the person's consent denies this")
CONSENT_EXCEPTION = Rule(
    "L6-consent-exception", "An exception to what the person denied: it lifts that, and gives no more"
)
CONSENT_PERMIT = Rule("L6-consent-permit", "The person permitted this to this requester")
OBJECTION = Rule("L7-objection", "The person has objected to this being shared")
UNCLEAR = Rule("L7-objection-unclear", "A consent of the person can't be read exactly: nothing is shared until it is")
NOT_ASKED = Rule("L7-not-asked", "Here the person is asked before a shared record is opened, and was not")
OVERRIDDEN = Rule("L7-overridden", "The person objected, and the law overrides that for this purpose")
GLASS_OBJECTION = Rule("L7-break-glass", "The person objected or was not asked, and the requester broke the glass")
AGREEMENT = Rule("L8-agreement", "The organisations agreed to share this with this role for this purpose")
CUSTODIAN = Rule("L8-own-organisation", "The requester's own organisation answers for it: nothing is shared")
NO_AGREEMENT = Rule("L8-no-agreement", "No agreement shares this with this role for this purpose")
NO_RELATIONSHIP = Rule("L9-no-relationship", "The requester is not involved with this person")
GLASS = Rule("L9-break-glass", "The requester is not involved with this person, and broke the glass")
PURPOSE = Rule("L10-purpose", "Not direct care, or a purpose that this role may not ask for: no single record is shown")
OPT_OUT = Rule("L10-opt-out", "The person opted out of use for planning and research: they are not counted")
COUNTED = Rule("L10-counted", "Counted among many for planning or research: no single record is shown")

ALL = (
    SYSTEM,
    DIRECTORY,
    UNLINKED,
    IDENTITY,
    SCOPE,
    LEGAL,
    OWN,
    OWN_LESS,
    OWN_REDACTED,
    NOT_OWN,
    RESTRICTED,
    HARM,
    SENSITIVE,
    CONSENT_NEEDED,
    CONSENT_DENY,
    CONSENT_EXCEPTION,
    CONSENT_PERMIT,
    OBJECTION,
    UNCLEAR,
    NOT_ASKED,
    OVERRIDDEN,
    GLASS_OBJECTION,
    AGREEMENT,
    CUSTODIAN,
    NO_AGREEMENT,
    NO_RELATIONSHIP,
    GLASS,
    PURPOSE,
    OPT_OUT,
    COUNTED,
)
BY_ID = {rule.id: rule for rule in ALL}
