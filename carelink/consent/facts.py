"""What a decision must know of the item and of the person, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from carelink.consent.periods import ALWAYS
from carelink.consent.requester import Requester
from carelink.consent.rules import CONSENT_EXCEPTION, OBJECTION
from carelink.ids import Ods, PersonKey, UserId

ON_DUTY_FOR = "caseload"  # the kind of involvement that a team on duty stands in for
COURT_ORDER = "court-order"
QUOTES = "Provenance"  # the type that quotes what stood in another item, under the labels of that item
Coded = tuple[str, str]  # system, code
T = TypeVar("T")


@dataclass(frozen=True)
class Labelled:
    """What the decision must know of an item."""

    person: PersonKey | None
    custodian: Ods
    category: str
    sensitivities: int = 0
    locating: bool = False  # it has a redacted form
    names_others: bool = False  # it has a form for the person's own page
    type: str = ""
    key: UUID | None = None
    clinical: datetime | None = None
    codes: frozenset[Coded] = frozenset()  # every coding in it


@dataclass(frozen=True)
class Related:
    """One legitimate relationship (table `relationship`)."""

    kind: str
    organisation: Ods
    starts: datetime
    ends: datetime | None = None
    team: str | None = None
    user: UserId | None = None

    def involves(self, requester: Requester, *, on_duty: bool = False) -> bool:
        """Whether it is this requester's, at whatever time. A team on duty stands in for all of its organisation."""
        if self.organisation != requester.organisation:
            return False
        if on_duty and self.kind == ON_DUTY_FOR:
            return True
        if self.user is not None:
            return self.user == requester.user
        return self.team in (None, requester.team)

    def holds(self, requester: Requester, at: datetime, *, on_duty: bool = False) -> bool:
        """Whether it involves this requester at that time."""
        return self.involves(requester, on_duty=on_duty) and within(self.starts, self.ends, at)


@dataclass(frozen=True)
class Directed:
    """One provision of a Consent (table `directive`). None sets no condition; all that are set must hold."""

    effect: str
    starts: datetime = ALWAYS
    ends: datetime | None = None
    rule: str = OBJECTION.id
    consent: UUID | None = None
    depth: int = 0  # 0: the provision itself, 1: an exception to it, ...
    made: datetime | None = None  # when the person said so
    organisation: Ods | None = None
    organisation_type: str | None = None
    role: str | None = None
    team: str | None = None
    user: UserId | None = None
    purposes: frozenset[str] | None = None
    custodians: frozenset[Ods] | None = None
    categories: frozenset[str] | None = None
    types: frozenset[str] | None = None
    sensitivities: int | None = None
    codes: frozenset[Coded] | None = None
    items: frozenset[UUID] | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def names_recipient(self) -> bool:
        """Whether it says to whom, so exactly that it can stand for an agreement or a relationship.

        An exception to a denial can't: it lifts the denial for whom it names, who then have what they had before.
        """
        named = self.organisation is not None or self.user is not None
        return named and self.rule != CONSENT_EXCEPTION.id

    def in_force(self, at: datetime) -> bool:
        """Whether it is to be kept at that time."""
        return within(self.starts, self.ends, at)

    def matches(self, item: Labelled, requester: Requester, at: datetime) -> bool:
        """Whether it speaks of this item, this requester and this time."""
        return self.in_force(at) and self.is_to(requester) and self.is_of(item)

    def is_to(self, requester: Requester) -> bool:
        """Whether it speaks of this requester and their purpose."""
        return (
            self.organisation in (None, requester.organisation)
            and self.organisation_type in (None, requester.organisation_type)
            and self.role in (None, requester.role)
            and self.team in (None, requester.team)
            and self.user in (None, requester.user)
            and _among(requester.purpose, self.purposes)
        )

    def is_of(self, item: Labelled) -> bool:
        """Whether it speaks of this item."""
        return (
            _among(item.custodian, self.custodians)
            and _among(item.category, self.categories)
            and (self.sensitivities is None or bool(self.sensitivities & item.sensitivities))
            and self._is_which(item)
            and self._is_when(item.clinical)
        )

    def _is_which(self, item: Labelled) -> bool:
        """What is told of an item's repair quotes it and does not say what it is: read as an item without a date is."""
        if item.type == QUOTES:
            return self.effect == "deny" or (self.types, self.codes, self.items) == (None, None, None)
        return (
            _among(item.type, self.types)
            and (self.codes is None or not self.codes.isdisjoint(item.codes))
            and (self.items is None or item.key in self.items)
        )

    def _is_when(self, clinical: datetime | None) -> bool:
        """Of an item that says no date, a denial speaks and a permission does not: the stricter reading."""
        if self.since is None and self.until is None:
            return True
        if clinical is None:
            return self.effect == "deny"
        return (self.since is None or self.since <= clinical) and (self.until is None or clinical < self.until)


@dataclass(frozen=True)
class KeptOut:
    """The alleged source of harm in an enquiry, or whom a court keeps away, and who acts for them (`kept_out`)."""

    kind: str
    starts: datetime
    ends: datetime | None = None
    organisation: Ods | None = None
    user: UserId | None = None

    def holds(self, requester: Requester, at: datetime) -> bool:
        """Whether it is this requester, at that time."""
        named = self.user == requester.user if self.user is not None else self.organisation == requester.organisation
        return named and within(self.starts, self.ends, at)


@dataclass(frozen=True)
class Grant:
    """Glass that one user broke (`access_grant`)."""

    user: UserId
    organisation: Ods
    starts: datetime
    ends: datetime
    id: int = field(default=0, compare=False)

    def holds(self, requester: Requester, at: datetime) -> bool:
        """Whether it is open for this requester at that time."""
        return (self.user, self.organisation) == (requester.user, requester.organisation) and within(
            self.starts, self.ends, at
        )


@dataclass(frozen=True)
class Facts:
    """What the decision must know of the person."""

    related: tuple[Related, ...] = ()
    directed: tuple[Directed, ...] = ()
    restricted: bool = False
    kept_out: tuple[KeptOut, ...] = ()
    grants: tuple[Grant, ...] = ()


def within(starts: datetime, ends: datetime | None, at: datetime) -> bool:
    """Whether a moment lies in a period: its first moment does, its last does not."""
    return starts <= at and (ends is None or at < ends)


def _among(value: T, wanted: frozenset[T] | None) -> bool:
    return wanted is None or value in wanted
