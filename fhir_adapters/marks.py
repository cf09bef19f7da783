"""How far we have read what a source gives in the order of change: the last instant, and what was seen of that instant.

Many rows can share an instant, and a page may end among them. So the next question asks again *from* that instant, and
the ids that were read already are left out: nothing is lost and nothing comes twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Mark:
    """`since` as the source wrote it; empty: from the start."""

    since: str = ""
    ids: frozenset[str] = frozenset()

    @classmethod
    def of(cls, saved: Any) -> Self:
        """The mark that a cursor holds."""
        return cls(saved["since"], frozenset(saved["ids"])) if saved else cls()

    def saved(self) -> Mapping[str, Any]:
        """The mark as a cursor holds it."""
        return {"since": self.since, "ids": sorted(self.ids)}

    @property
    def instant(self) -> datetime:
        """The instant of `since`."""
        return instant_of(self.since) or LONG_AGO

    def seen(self, id_: str, last_updated: str) -> bool:
        """Whether it was read already."""
        return id_ in self.ids and instant_of(last_updated) == self.instant

    def past(self, id_: str, last_updated: str) -> Mark:
        """The mark after that resource. One without a usable lastUpdated, or an earlier one, moves nothing."""
        at = instant_of(last_updated)
        if at is None or at < self.instant:
            return self
        if at == self.instant:
            return Mark(self.since, self.ids | {id_})
        return Mark(last_updated, frozenset({id_}))


def instant_of(text: str) -> datetime | None:
    """The FHIR instant, or None where it is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None


class Reading:
    """One type or endpoint while it is read: from where, how far, and whether the source kept to the order of change."""

    def __init__(self, start: Mark) -> None:
        self._start = start
        self._mark = start
        self.disorder = False

    def is_new(self, id_: str, last_updated: str) -> bool:
        """Whether it was not read by an earlier pull; it counts as read from now on."""
        if self._start.seen(id_, last_updated):
            return False
        at = instant_of(last_updated)
        self.disorder = self.disorder or (at is not None and at < self._mark.instant)
        self._mark = self._mark.past(id_, last_updated)
        return True

    def mark(self, last: bool) -> Mark:
        """The mark to go on from. A source that does not sort makes that the start, until its last page was read."""
        return self._start if self.disorder and not last else self._mark
