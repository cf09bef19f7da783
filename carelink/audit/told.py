"""What a person is told of the audit of their own record, and what they are not."""

from __future__ import annotations

from collections.abc import Mapping

from carelink.consent.lens import Lens
from carelink.place import Place

# Action -> why the person is not told.
NEVER: Mapping[str, str] = {
    "signal": "a question about a worker that nobody has answered yet; what comes of it is told by who answers it",
    "break-glass-review": "whether the glass was rightly broken is told by who reviews it",
}
# Told where the place tells the person of broken glass (consent.toml, `tell_person`).
GLASS = frozenset({"break-glass", "break-glass-search", "break-glass-end"})


def tells_glass(place: Place) -> bool:
    """Whether this place tells the person that somebody broke the glass."""
    return place.glass is not None and place.glass.tell_person


def untold(place: Place, lens: Lens) -> frozenset[str]:
    """The actions that this requester is not told of; none for who reads the audit of everybody."""
    if lens.requester is None or lens.requester.person is None:
        return frozenset()
    return frozenset(NEVER) | (frozenset() if tells_glass(place) else GLASS)
