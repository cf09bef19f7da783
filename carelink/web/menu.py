"""What each requester finds in the menu, by what their role may do: a place names its roles as it likes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from carelink.consent.lens import Lens

Holds = Callable[[Lens], bool]


@dataclass(frozen=True)
class Entry:
    """One page that is worked from; shown to those for whom `holds`."""

    endpoint: str
    words: str
    holds: Holds


def _cares(lens: Lens) -> bool:
    return lens.standing is not None and lens.standing.cares


def _may(what: str) -> Holds:
    return lambda lens: what in lens.may


ENTRIES = (
    Entry("portal.me", "My record", lambda lens: lens.requester is not None and lens.requester.person is not None),
    Entry("dashboard.caseload", "My caseload", _cares),
    Entry("dashboard.find", "Find a person", _cares),
    Entry("dashboard.quarantine", "Not stored", _may("see-quarantine")),
    Entry("dashboard.links", "One person or two?", _may("decide-links")),
)


def menu(lens: Lens) -> tuple[Entry, ...]:
    """The entries for this requester, in order; the first is where they start. Empty for a role with nothing to do here."""
    return tuple(one for one in ENTRIES if one.holds(lens))
