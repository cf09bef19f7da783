"""Under which source stands what a client writes (decision 35)."""

from __future__ import annotations

from collections.abc import Mapping

from carelink.ids import Ods, UserId
from carelink.place import Place, SourceEntry

KIND = "push"  # of a source that is not pulled
# What is not written so, though it is read, and why.
NOT_PUSHED: Mapping[str, str] = {
    "AuditEvent": "who looked is written by CareLink alone",
    "Consent": "it goes by rules of its own: who gave it, and whether they may",
    "Group": "it is about several people, each of whom has rules of their own",
    "Provenance": "it is written by CareLink with what it is about",
    "Subscription": "it goes by rules of its own: where notifications may be sent",
}


def source_of(place: Place, organisation: Ods, user: UserId) -> SourceEntry:
    """The one source of its organisation that says clients push into it; else one of the client's own."""
    open_to_it = [one for one in place.sources if one.organisation == organisation and one.clients_push]
    if len(open_to_it) == 1:
        return open_to_it[0]
    named = place.organisations[organisation].name
    return SourceEntry(str(user), named, KIND, organisation, order=0, every_minutes=0, stale_after_minutes=0)
