"""Who the invented people are, and what a source believes about one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

PDS = "pds"
GP = "gp"
HOSPITAL = "hospital"
COUNCIL_A = "council-a"
COUNCIL_B = "council-b"
SOURCES = (PDS, GP, HOSPITAL, COUNCIL_A, COUNCIL_B)

PRACTICE = "P81001"  # the practice that is a source
OTHER_PRACTICES = ("P81002", "P81003")  # those that are not


@dataclass(frozen=True)
class Address:
    """An invented address."""

    lines: tuple[str, ...]
    town: str
    postcode: str


@dataclass(frozen=True)
class Person:
    """The truth about one person. `key` is their truth id; `part` their part in the demo, if they have one."""

    key: str
    nhs_number: str
    title: str
    given: tuple[str, ...]
    family: str
    gender: str  # male, female, other
    born: date
    address: Address
    former_address: Address
    landline: str
    mobile: str
    email: str
    ethnicity: str
    language: str
    practice: str
    sources: frozenset[str]
    died_days_ago: int = 0
    former_number: str = ""
    maiden: str = ""
    restricted: bool = False
    part: str = ""

    def age(self, on: date) -> int:
        """Whole years."""
        return on.year - self.born.year - ((on.month, on.day) < (self.born.month, self.born.day))

    def died_on(self, today: date) -> date:
        """The day of their death; `today` for the living."""
        return today - timedelta(days=self.died_days_ago)

    @property
    def name(self) -> str:
        """As one writes it."""
        return f"{' '.join(self.given)} {self.family}"


@dataclass(frozen=True)
class Belief:
    """What one source holds about one person. `id` is the id of the Patient there; `faults` what it has wrong."""

    source: str
    id: str
    person: Person
    nhs_number: str
    verified: bool
    given: tuple[str, ...]
    family: str
    born: date
    address: Address
    landline: str
    mobile: str
    knows_of_death: bool
    faults: tuple[str, ...] = ()
    duplicate: bool = False  # the source has this person twice, and this is the second time

    @property
    def key(self) -> str:
        """The truth id."""
        return self.person.key
