"""Who decides, in the words of a page. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from carelink.consent.capacity_case import Basis
from carelink.consent.mind import AuthorityKind, Decision

ABOUT: Mapping[Decision, str] = {
    Decision.SHARING: "sharing their record",
    Decision.CARE: "care and support",
    Decision.TREATMENT: "medical treatment",
    Decision.ACCOMMODATION: "where to live",
    Decision.SAFEGUARDING: "a safeguarding enquiry",
    Decision.FINANCES: "money and property",
    Decision.OTHER: "something else",
}
HOLDS: Mapping[AuthorityKind, str] = {
    AuthorityKind.LPA_HEALTH: "Lasting power of attorney: health and welfare",
    AuthorityKind.LPA_PROPERTY: "Lasting power of attorney: property and affairs",
    AuthorityKind.ENDURING: "Enduring power of attorney",
    AuthorityKind.DEPUTY_WELFARE: "Deputy for personal welfare",
    AuthorityKind.DEPUTY_PROPERTY: "Deputy for property and affairs",
    AuthorityKind.COURT_ORDER: "Order of a court that decides",
    AuthorityKind.PARENTAL_RESPONSIBILITY: "Parental responsibility",
    AuthorityKind.CARE_ORDER: "Council with a care order",
    AuthorityKind.DEPUTY_UNSTATED: "Deputy appointed by the Court of Protection",
    AuthorityKind.ATTORNEY_UNSTATED: "Attorney",
}
STATES: Mapping[Basis, str] = {
    Basis.UNREADABLE: "dates can't be read",
    Basis.NOT_YET: "not yet begun",
    Basis.ENDED: "ended",
    Basis.SUSPENDED: "suspended",
    Basis.UNREGISTERED: "nobody has seen that it is registered",
    Basis.UNSEEN: "nobody has seen the order",
    Basis.OTHER_DECISION: "not for sharing their record",
}
# The parts of an assessment: code in CodeSystem/capacity-part -> what is asked.
CAPACITY_PARTS: Mapping[str, str] = {
    "understand": "Can they understand what they need to know to decide?",
    "retain": "Can they keep it in mind for as long as it takes to decide?",
    "weigh": "Can they use or weigh it to decide?",
    "communicate": "Can they tell somebody what they decide, in any way?",
}
GILLICK_PARTS: Mapping[str, str] = {
    "understand": "Do they understand what is to be shared, with whom and why?",
    "weigh": "Do they understand what may come of it, for themselves and their family?",
    "own-choice": "Is it their own choice, free of pressure?",
}
