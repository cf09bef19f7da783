"""Who asks, in what role, for what purpose."""

from __future__ import annotations

from dataclasses import dataclass

from carelink.ids import Ods, PersonKey, UserId


@dataclass(frozen=True)
class Requester:
    """One signed-in user (or client) in one role at one organisation, for one purpose of use (v3-ActReason)."""

    user: UserId
    name: str
    organisation: Ods
    organisation_type: str
    role: str
    purpose: str
    team: str = ""
    person: PersonKey | None = None  # set where the requester is the person themselves (PATRQT)
    request: str = ""  # id of the HTTP request or command, so that its audit rows belong together
    types: frozenset[str] | None = None  # the FHIR types that the scopes of a token name; None: all
    narrowed: str = ""  # what else its scopes ask of a row, as JSON (identity/reach.py); empty: nothing
    confined: PersonKey | None = None  # the one person of whom its scopes let something be seen; None: not confined
    client: str = ""  # the app through which a worker asks
    behind: UserId | None = None  # who really looks, where somebody views as this requester
