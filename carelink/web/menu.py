"""What each requester finds in the menu, by what their role may do: a place names its roles as it likes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from carelink.cases import breakglass_review, consent_unclear, subject_access
from carelink.consent.lens import Lens
from carelink.consent.view_as import MAY_VIEW_AS

Holds = Callable[[Lens], bool]
Late = Callable[[Connection, Lens], int]


@dataclass(frozen=True)
class Entry:
    """One page that is worked from; shown to those for whom `holds`. `late`: how much there is overdue."""

    endpoint: str
    words: str
    holds: Holds
    late: Late | None = None


def _cares(lens: Lens) -> bool:
    return lens.standing is not None and lens.standing.cares


def _themselves(lens: Lens) -> bool:
    return lens.requester is not None and lens.requester.person is not None


def _may(what: str) -> Holds:
    return lambda lens: what in lens.may


ENTRIES = (
    Entry("portal.me", "My record", _themselves),
    Entry("choices.listed", "My choices", _themselves),
    Entry("who_looked.page", "Who looked", _themselves),
    Entry("dashboard.caseload", "My caseload", _cares),
    Entry("dashboard.find", "Find a person", _cares),
    Entry("labelling.queue", "Labels to check", _may("correct-labels")),
    Entry("dashboard.quarantine", "Not stored", _may("see-quarantine")),
    Entry("dashboard.links", "One person or two?", _may("decide-links")),
    Entry("consents.unclear", "Consents to look at", consent_unclear.may_look),
    Entry("breakglass_review.queue", "Opened in need", _may(breakglass_review.MAY), breakglass_review.overdue),
    Entry("audit.start", "Who looked", _may("read-audit")),
    Entry("signals.waiting", "Worth a look", _may("read-audit")),
    Entry("subject_access.queue", "Requests", _may("handle-requests"), subject_access.late),
    Entry("planning.questions", "Numbers for planning", lambda lens: lens.counts),
    Entry("retention.overview", "Keeping and erasing", _may("handle-requests")),
    Entry("looking_back.choose", "Who sees what", lambda lens: bool({"explain", MAY_VIEW_AS} & lens.may)),
)


def menu(lens: Lens) -> tuple[Entry, ...]:
    """The entries for this requester, in order; the first is where they start. Empty for a role with nothing to do here."""
    return tuple(one for one in ENTRIES if one.holds(lens))
