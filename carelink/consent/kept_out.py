"""Who is kept out of an enquiry or kept away by a court, derived from the CareTeam that says so.

Care Act 2014 s42 (an enquiry must not warn whom it is about) and s44; Family Law Act 1996 Part IV (non-molestation
and occupation orders); Children Act 1989 s47.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from carelink.consent.facts import COURT_ORDER, KeptOut
from carelink.consent.members import CATEGORIES, coded, member
from carelink.consent.periods import ALWAYS, Span, Unclear, span
from carelink.place import Place

ENQUIRY = "enquiry"
# https://carelink.example/CodeSystem/enquiry-role, of a participant -> what they are kept out of
ROLES = "https://carelink.example/CodeSystem/enquiry-role"
KEPT_OUT_OF: Mapping[str, str] = {
    "source-of-harm": ENQUIRY,
    "acts-for-source-of-harm": ENQUIRY,
    "kept-away": COURT_ORDER,
    "acts-for-kept-away": COURT_ORDER,
}
# https://carelink.example/CodeSystem/care-team -> the kind of information that such a team is
GUARDED: Mapping[str, str] = {"safeguarding-enquiry": "safeguarding", COURT_ORDER: "legal"}


def guarded(body: Mapping[str, Any]) -> str:
    """The kind of information that the CareTeam of an enquiry or of a court order is: it says who is kept out."""
    of = coded(body.get("category", ()), CATEGORIES)
    return next((GUARDED[code] for code in sorted(of, reverse=True) if code in GUARDED), "")


def kept_out(body: Mapping[str, Any], place: Place) -> Iterator[KeptOut]:
    """Who a CareTeam says is kept out, as far as they can sign in here.

    Whether the enquiry is over makes no difference, only an end that is said of the participant: what was found in it
    stays in confidence. A period that can't be read has no end.
    """
    if body.get("status") == "entered-in-error":
        return
    for participant in body.get("participant", ()):
        for role in sorted(coded(participant.get("role", ()), ROLES) & KEPT_OUT_OF.keys()):
            who = member(participant, place)
            if who is not None:
                held = _period(participant)
                yield KeptOut(KEPT_OUT_OF[role], held.starts, held.ends, who.organisation, who.user)


def _period(participant: Mapping[str, Any]) -> Span:
    """Kept out from before it was written down: they are not to learn of what came before either."""
    try:
        return Span(ALWAYS, span(participant.get("period")).ends)
    except Unclear:
        return Span()
