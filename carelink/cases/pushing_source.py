"""Under which source stands what a client writes (decision 35)."""

from __future__ import annotations

from carelink.ids import Ods, UserId
from carelink.place import Place, SourceEntry

KIND = "push"  # of a source that is not pulled


def source_of(place: Place, organisation: Ods, user: UserId) -> SourceEntry:
    """The one source of its organisation that says clients push into it; else one of the client's own."""
    open_to_it = [one for one in place.sources if one.organisation == organisation and one.clients_push]
    if len(open_to_it) == 1:
        return open_to_it[0]
    named = place.organisations[organisation].name
    return SourceEntry(str(user), named, KIND, organisation, order=0, every_minutes=0, stale_after_minutes=0)
