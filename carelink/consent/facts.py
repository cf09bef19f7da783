"""What a decision must know of the item and of the person, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from carelink.consent.requester import Requester
from carelink.consent.rules import OBJECTION
from carelink.ids import Ods, PersonKey, UserId


@dataclass(frozen=True)
class Labelled:
    """What the decision must know of an item."""

    person: PersonKey | None
    custodian: Ods
    category: str
    sensitivities: int = 0
    locating: bool = False  # it has a redacted form


@dataclass(frozen=True)
class Related:
    """One legitimate relationship (table `relationship`)."""

    kind: str
    organisation: Ods
    starts: datetime
    ends: datetime | None = None
    team: str | None = None
    user: UserId | None = None

    def involves(self, requester: Requester) -> bool:
        """Whether it is this requester's, at whatever time."""
        if self.organisation != requester.organisation:
            return False
        if self.user is not None:
            return self.user == requester.user
        return self.team in (None, requester.team)

    def holds(self, requester: Requester, at: datetime) -> bool:
        """Whether it involves this requester at that time."""
        return self.involves(requester) and _within(self.starts, self.ends, at)


@dataclass(frozen=True)
class Directed:
    """One compiled directive (table `directive`)."""

    effect: str
    starts: datetime
    ends: datetime | None = None
    organisation: Ods | None = None
    category: str | None = None
    rule: str = OBJECTION.id
    consent: UUID | None = None

    def in_force(self, at: datetime) -> bool:
        """Whether it is to be kept at that time."""
        return _within(self.starts, self.ends, at)

    def hides(self, item: Labelled, requester: Requester, at: datetime) -> bool:
        """Whether it denies this item to this requester at that time."""
        return (
            self.effect == "deny"
            and self.in_force(at)
            and self.organisation in (None, requester.organisation)
            and self.category in (None, item.category)
        )


@dataclass(frozen=True)
class Facts:
    """What the decision must know of the person."""

    related: tuple[Related, ...] = ()
    directed: tuple[Directed, ...] = ()
    restricted: bool = False


def _within(starts: datetime, ends: datetime | None, at: datetime) -> bool:
    return starts <= at and (ends is None or at < ends)
