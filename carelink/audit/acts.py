"""What a row of the audit was, in words: opened, looked up, came upon in a list, changed, printed, ... As data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from carelink.audit.reading import Kept
from carelink.ids import PersonKey

READS = frozenset({"read", "search", "history", "vread"})


@dataclass(frozen=True)
class Act:
    """`to_person` follows a name ("Tom Ellis opened your record"), `to_lead` heads a cell ("Opened")."""

    id: str
    to_person: str
    to_lead: str


GLASS = Act("glass", "opened your record in need", "Broke the glass")
CLOSED = Act("closed", "closed your record again, which they had opened in need", "Closed what they opened in need")
REFUSED = Act("refused", "tried to open your record, and CareLink did not let them", "Was refused")
COPIED = Act("copied", "printed or took a copy of something in your record", "Printed or exported")
TOLD = Act("told", "was told that something in your record is new or different", "Was notified")
CHANGED = Act("changed", "added or changed something in your record", "Wrote")
LINKED = Act("linked", "worked on which records are yours", "Decided whose records they are")
AUDITED = Act("audited", "checked who had looked at your record", "Read the audit")
CHECKED = Act("checked", "checked who can see what of your record", "Asked who sees what, and why")
REQUEST = Act("request", "worked on a request about your record", "Worked on a request")
OPENED = Act("opened", "opened your record", "Opened")
FOUND = Act("found", "looked you up", "Looked up")
LISTED = Act("listed", "saw your name in a list of people", "Saw in a list")
SIGNED = Act("signed", "signed in", "Signed in or out")
ANSWERED = Act("answered", "answered a question about who looked", "Answered what was worth a look")
SETTING = Act("setting", "changed who may ask", "Changed who or what may ask")
OTHER = Act("other", "worked with your record", "Other")

# The order in which acts are told: of all that one request did, the first of these.
ORDER = (
    *(GLASS, REFUSED, COPIED, TOLD, CHANGED, LINKED, CHECKED, ANSWERED, AUDITED, REQUEST, SETTING),
    *(OPENED, CLOSED, FOUND, LISTED, SIGNED, OTHER),
)

BY_ACTION: Mapping[str, Act] = {
    "break-glass": GLASS,
    "break-glass-end": CLOSED,
    "break-glass-search": FOUND,
    "break-glass-review": REQUEST,
    "refusal": REFUSED,
    "print": COPIED,
    "export": COPIED,
    "gather": COPIED,
    "notify": TOLD,
    "create": CHANGED,
    "update": CHANGED,
    "delete": CHANGED,
    "label": CHANGED,
    "link": LINKED,
    "unlink": LINKED,
    "merge": LINKED,
    "decide-link": LINKED,
    "resolve": LINKED,
    "audit": AUDITED,
    "explain": CHECKED,
    "view-as": CHECKED,
    "sign-in": SIGNED,
    "sign-out": SIGNED,
    "role": SIGNED,
    "purpose": SIGNED,
    "signal": ANSWERED,
    "client": SETTING,
    "policy-change": SETTING,
    "subject-access": REQUEST,
    "legal-hold": REQUEST,
    "erasure": REQUEST,
}

_Fits = Callable[[Kept], bool]
# What a read was, by what it asked; the first that fits.
BY_QUERY: tuple[tuple[Act, _Fits], ...] = (
    (CHECKED, lambda kept: bool(kept.viewed_as)),
    (LINKED, lambda kept: "open link decision" in (kept.query or "")),
    (LISTED, lambda kept: (kept.query or "").startswith("my caseload")),
    (FOUND, lambda kept: (kept.query or "").startswith("Patient?") and kept.query != "Patient?"),
    (LISTED, lambda kept: kept.query == "by key"),  # the names beside what was searched for
)


def act_of(kept: Kept, about: PersonKey | None = None) -> Act:
    """What the row was; `about` whom it is told of: whoever was only one of several was seen in a list."""
    if kept.action not in READS:
        return BY_ACTION.get(kept.action, OTHER)
    found = next((act for act, fits in BY_QUERY if fits(kept)), OPENED)
    several = kept.person is None and len(kept.persons) > 1
    return LISTED if found in (OPENED, FOUND) and (several or (about is not None and kept.person != about)) else found


def main_act(acts: Iterable[Act]) -> Act:
    """Of all that one request did, what is told. Raises ValueError of none."""
    return min(acts, key=ORDER.index)


# Why somebody was let in, for the person: kind of relationship -> what follows "because". The first that fits is told.
BECAUSE: Mapping[str, str] = {
    "caseload": "you are on their caseload or their team's",
    "care-team": "they are in your care team",
    "registered-practice": "you are registered there",
    "encounter": "you were in their care",
    "referral": "you were referred to them",
    "mdt": "your care was talked about in a meeting that they belong to",
}
PERMITTED = "you permitted it"
IN_NEED = "they opened your record in need"
PERMIT_RULES = frozenset({"L6-consent-permit"})
GLASS_RULES = frozenset({"L9-break-glass", "L7-break-glass"})


def because(relationships: Iterable[str], rules: Iterable[str], in_need: bool, tells_glass: bool) -> str:
    """The reason in words; empty where there is none to tell. `in_need`: they had broken the glass."""
    held, by = set(relationships), set(rules)
    if known := next((words for kind, words in BECAUSE.items() if kind in held), ""):
        return known
    if by & PERMIT_RULES:
        return PERMITTED
    return IN_NEED if tells_glass and (in_need or by & GLASS_RULES) else ""
