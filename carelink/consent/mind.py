"""What is known of who decides for a person: findings of capacity, authorities seen, best-interests decisions. Values."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum

from carelink.consent.periods import Span
from carelink.ids import ResourceKey, UserId


class Decision(Enum):
    """What is decided. Capacity is always about one decision (Mental Capacity Act 2005 s2(1), s3(1))."""

    SHARING = "sharing"
    CARE = "care"
    TREATMENT = "treatment"
    ACCOMMODATION = "accommodation"
    SAFEGUARDING = "safeguarding"
    FINANCES = "finances"
    OTHER = "other"


class Relation(Enum):
    """As what somebody speaks for a person."""

    THE_PERSON = "the-person"
    ATTORNEY_HEALTH = "attorney-health"
    ATTORNEY_PROPERTY = "attorney-property"
    ATTORNEY_ENDURING = "attorney-enduring"
    DEPUTY_WELFARE = "deputy-welfare"
    DEPUTY_PROPERTY = "deputy-property"
    COURT = "court"
    PARENTAL_RESPONSIBILITY = "parental-responsibility"
    LOCAL_AUTHORITY_CARE_ORDER = "local-authority-care-order"
    PROFESSIONAL_BEST_INTERESTS = "professional-best-interests"
    IMCA = "imca"
    ADVOCATE = "advocate"
    GUARDIAN = "guardian"  # Mental Health Act 1983 s7
    NEAREST_RELATIVE = "nearest-relative"  # Mental Health Act 1983 s26
    APPOINTEE = "appointee"  # for benefits
    NEXT_OF_KIN = "next-of-kin"
    PARENT = "parent"  # without parental responsibility, or of an adult
    CARER = "carer"
    FRIEND = "friend"


class AuthorityKind(Enum):
    """What the record says somebody holds; the value is its code in CodeSystem/legal-authority."""

    LPA_HEALTH = "lpa-health-and-welfare"
    LPA_PROPERTY = "lpa-property-and-affairs"
    ENDURING = "enduring-power-of-attorney"
    DEPUTY_WELFARE = "deputy-welfare"
    DEPUTY_PROPERTY = "deputy-property-and-affairs"
    DEPUTY_UNSTATED = "deputy"  # a source that says deputy and no more
    ATTORNEY_UNSTATED = "attorney"  # a source that says attorney and no more
    PARENTAL_RESPONSIBILITY = "parental-responsibility"
    CARE_ORDER = "care-order"
    COURT_ORDER = "court-order"


class Outcome(Enum):
    """What an assessment of capacity, or of Gillick competence, found."""

    HAS = "has"
    LACKS = "lacks"


@dataclass(frozen=True)
class Finding:
    """One assessment of capacity (from 16) or of Gillick competence (below), for one decision.

    `valid_until` is when it ends to count: a finding about somebody whose capacity comes and goes has one.
    """

    decision: Decision
    outcome: Outcome
    assessed_at: datetime
    by: str
    valid_until: datetime | None = None
    key: ResourceKey | None = None

    def holds(self, at: datetime) -> bool:
        """Whether it counts at that time."""
        return self.assessed_at <= at and (self.valid_until is None or at < self.valid_until)


@dataclass(frozen=True)
class Authority:
    """One authority that the record holds.

    `period` is None where it can't be read. `registered` is for a lasting power: seen to be registered with the Office
    of the Public Guardian. `decisions` is what it reaches to; None: all that its kind can.
    """

    kind: AuthorityKind
    name: str
    key: ResourceKey
    period: Span | None = field(default_factory=Span)
    registered: bool = False
    seen: bool = False  # somebody here has seen the order or the registered power, and said so
    suspended: bool = False
    jointly: bool = False  # its holders decide together (Mental Capacity Act 2005 s10(4))
    decisions: frozenset[Decision] | None = None

    def reaches(self, decision: Decision) -> bool:
        """Whether it is for this decision."""
        return self.decisions is None or decision in self.decisions


@dataclass(frozen=True)
class BestInterests:
    """One decision in somebody's best interests (Mental Capacity Act 2005 s4), for one decision."""

    decision: Decision
    in_favour: bool
    at: datetime
    by: str
    consulted: bool = False  # those named in s4(7), or an IMCA, or the record says why nobody could be
    key: ResourceKey | None = None


@dataclass(frozen=True)
class Mind:
    """What is known of who decides for one person. `gillick` are findings of before they were 16."""

    birth_date: str = ""  # FHIR date, may be a year alone; empty: not known
    deceased: datetime | None = None  # since when, ALWAYS where only that it is so is known
    findings: tuple[Finding, ...] = ()
    gillick: tuple[Finding, ...] = ()
    authorities: tuple[Authority, ...] = ()
    best_interests: tuple[BestInterests, ...] = ()

    def authority(self, key: ResourceKey | None) -> Authority | None:
        """The first authority of that key, if it is one of this person's: one who is attorney for both holds two."""
        return next((one for one in self.authorities if one.key == key), None)

    def born(self) -> tuple[date, date] | None:
        """The first and the last day that the birth date may mean; None where nothing can be read."""
        parts = self.birth_date[:10].split("-")
        try:
            year, month, day = (int(one) for one in (*parts, "1", "1")[:3])
            first = date(year, month, day)
        except ValueError:
            return None
        if len(parts) == 1:
            return first, date(year, 12, 31)
        return first, (first if len(parts) > 2 else date(year, month, monthrange(year, month)[1]))


@dataclass(frozen=True)
class Giver:
    """Who gives a consent, and as what. `authority` is the recorded authority that they rely on."""

    relation: Relation
    authority: ResourceKey | None = None
    name: str = ""
    user: UserId | None = None
    with_the_others: bool = False  # where holders decide together: all of them agree to this
