"""The rules of the decision, highest first. Audit and explanation show their ids; docs/consent.md has them as a table."""

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
    law: str  # its legal basis, or the practice that it follows


@dataclass(frozen=True)
class Decision:
    """The answer for one item, and why. `detail` names the agreement, relationship or consent that decided."""

    effect: Effect
    rule: Rule
    detail: str = ""


SYSTEM = Rule(
    "L0-system",
    "A job of CareLink itself, audited with its reason",
    "UK GDPR Art 6(1)(e) and 9(2)(h), as for the whole record",
)
DIRECTORY = Rule(
    "L0-directory",
    "Organisations and staff are known to everyone who is signed in",
    "not about a patient",
)
UNLINKED = Rule(
    "L0-unlinked",
    "It is not known whom this is about",
    "UK GDPR Art 5(1)(d): accuracy",
)
IDENTITY = Rule(
    "L0-identity",
    "Who decides whether two records are one person sees who each record says it is about",
    "UK GDPR Art 5(1)(d): accuracy; Health and Social Care (S&Q) Act 2015 s2: one consistent identifier",
)
SCOPE = Rule(
    "L0-scope",
    "The scopes of the token do not name this type of resource",
    "SMART App Launch 2.2, scopes; UK GDPR Art 5(1)(c)",
)
LEGAL = Rule(
    "L1-legal",
    "Restricted by law (gender recognition, assisted conception, adoption): only for named roles",
    "Gender Recognition Act 2004 s22; Human Fertilisation and Embryology Act 1990 s33A; adoption",
)
OWN = Rule(
    "L2-own-record",
    "A person sees their own record",
    "UK GDPR Art 15",
)
OWN_LESS = Rule(
    "L2-own-record-less",
    "It tells of someone else, or could put the person in danger if it were shown",
    "UK GDPR Art 15(4); DPA 2018 Sch 3 para 5",
)
OWN_REDACTED = Rule(
    "L2-own-record-redacted",
    "A person sees their own record, less who else told it and how to reach them",
    "UK GDPR Art 15(4); DPA 2018 Sch 2 para 16",
)
NOT_OWN = Rule(
    "L2-not-own-record",
    "A person sees nobody else's record",
    "UK GDPR Art 5(1)(f)",
)
RESTRICTED = Rule(
    "L3-restricted",
    "A restricted person (PDS 'S'): what tells where they are is taken out",
    "PDS guidance on the 'S' flag; UK GDPR Art 5(1)(f)",
)
HARM = Rule(
    "L4-source-of-harm",
    "The alleged source of harm, whom a court keeps away, and who acts for either",
    "Care Act 2014 s42 to s45; Family Law Act 1996 Part IV; Children Act 1989 s47",
)
SENSITIVE = Rule(
    "L5-sensitive",
    "No agreement names this sensitivity for this role and purpose",
    "common-law duty: the person would not expect it; place policy",
)
CONSENT_NEEDED = Rule(
    "L5-consent-needed",
    "This is shared only where the person agreed to it, and they did not",
    "common-law duty: explicit consent; NHS Trusts and PCTs (Sexually Transmitted Diseases) Directions 2000",
)
CONSENT_DENY = Rule(
    "L6-consent-deny",
    "A provision of the person's consent denies this",
    "common-law duty; UK GDPR Art 21; HL7 FHIR R4 Consent",
)
CONSENT_EXCEPTION = Rule(
    "L6-consent-exception",
    "An exception to what the person denied: it lifts that, and gives no more",
    "HL7 FHIR R4 Consent, nested provisions",
)
CONSENT_PERMIT = Rule(
    "L6-consent-permit",
    "The person permitted this to this requester",
    "common-law duty: explicit consent",
)
OBJECTION = Rule(
    "L7-objection",
    "The person has objected to this being shared",
    "common-law duty; UK GDPR Art 21",
)
UNCLEAR = Rule(
    "L7-objection-unclear",
    "A consent of the person can't be read exactly: nothing is shared until it is",
    "the stricter reading is the safe one",
)
NOT_ASKED = Rule(
    "L7-not-asked",
    "Here the person is asked before a shared record is opened, and was not",
    "common-law duty: consent to view",
)
OVERRIDDEN = Rule(
    "L7-overridden",
    "The person objected, and the law overrides that for this purpose",
    "Care Act 2014 s45; Children Act 1989 s47; common law: overriding public interest",
)
GLASS_OBJECTION = Rule(
    "L7-break-glass",
    "The person objected or was not asked, and the requester broke the glass",
    "vital interests (UK GDPR Art 9(2)(c)); Mental Capacity Act 2005 s4, s5; overriding public interest",
)
AGREEMENT = Rule(
    "L8-agreement",
    "The organisations agreed to share this with this role for this purpose",
    "Health and Social Care (S&Q) Act 2015; Care Act 2014 s6, s7, s45",
)
CUSTODIAN = Rule(
    "L8-own-organisation",
    "The requester's own organisation answers for it: nothing is shared",
    "each organisation's own duty of care",
)
NO_AGREEMENT = Rule(
    "L8-no-agreement",
    "No agreement shares this with this role for this purpose",
    "UK GDPR Art 5(1)(c): no more than is needed",
)
NO_RELATIONSHIP = Rule(
    "L9-no-relationship",
    "The requester is not involved with this person",
    "common-law duty: legitimate relationship",
)
GLASS = Rule(
    "L9-break-glass",
    "The requester is not involved with this person, and broke the glass",
    "vital interests (UK GDPR Art 9(2)(c)); each look is reviewed",
)
PURPOSE = Rule(
    "L10-purpose",
    "Not direct care, or a purpose that this role may not ask for: no single record is shown",
    "UK GDPR Art 5(1)(b): purpose limitation",
)
OPT_OUT = Rule(
    "L10-opt-out",
    "The person opted out of use for planning and research: they are not counted",
    "NHS Act 2006 s251 and the national data opt-out policy (2018)",
)
COUNTED = Rule(
    "L10-counted",
    "Counted among many for planning or research: no single record is shown",
    "UK GDPR Art 89; ISB 1523 (anonymisation)",
)

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
