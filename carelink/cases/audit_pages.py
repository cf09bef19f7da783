"""The pages of the audit: who looked at a person, what a worker looked at; for the person and for who reads the audit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from carelink.audit.looks import Look
from carelink.audit.reading import must_read
from carelink.audit.who_looked import Told, Wanted, called, looks_at, looks_by, who_looked
from carelink.cases.audit_people import Named, Worker, named, worker
from carelink.cases.consent_words import PURPOSES
from carelink.consent.lens import Lens
from carelink.errors import Forbidden, Invalid
from carelink.ids import PersonKey
from carelink.place import Place

__all__ = ["must_read", "of_myself", "of_person", "of_worker", "wanted"]

MOST_NAMES = 3  # of the people whom one look showed

# Kind of relationship -> how the lead's page says it.
RELATIONSHIPS: Mapping[str, str] = {
    "caseload": "on their or their team's caseload",
    "registered-practice": "registered there",
    "encounter": "in their care",
    "referral": "referred to them",
    "care-team": "in the care team",
    "mdt": "in a meeting about the person",
}


@dataclass(frozen=True)
class Row:
    """One look as the lead reads it."""

    look: Look
    who: str
    purpose: str
    relationship: str
    whom: tuple[Named, ...] = ()
    others: int = 0  # more people, in the same list


@dataclass(frozen=True)
class OfPerson:
    person: Named | None  # None: the law restricts who they were, or nobody is known by that key
    rows: tuple[Row, ...]
    next: str


@dataclass(frozen=True)
class OfWorker:
    worker: Worker
    rows: tuple[Row, ...]
    next: str


def wanted(given: Mapping[str, str]) -> Wanted:
    """The filters of a form. Raises `Invalid` for a date that is none."""
    return Wanted(
        since=_day(given, "since"),
        until=_day(given, "until"),
        user=given.get("user", "").strip(),
        organisation=given.get("organisation", "").strip(),
        purpose=given.get("purpose", "").strip(),
        after=given.get("after", ""),
    )


def _day(given: Mapping[str, str], name: str) -> date | None:
    text = given.get(name, "").strip()
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError as wrong:
        raise Invalid(name, "must be a date") from wrong
    if day is not None and not 1900 <= day.year <= 2200:
        raise Invalid(name, "must be a date of this time")
    return day


def of_myself(conn: Connection, place: Place, lens: Lens, asked: Wanted) -> Told:
    """Who looked at the record of the person who asks. Raises `Forbidden` for everybody who looks at others' records."""
    own = lens.requester.person if lens.requester else None
    if own is None:
        raise Forbidden("This page is for people who look at their own record", rule="own-record")
    return who_looked(conn, place, lens, own, asked)


def of_person(conn: Connection, place: Place, lens: Lens, person: PersonKey, asked: Wanted) -> OfPerson:
    """Every look at one person. Raises `Forbidden` for who does not read the audit, `Invalid` for a wrong `after`."""
    found = looks_at(conn, place, lens, person, asked)
    who = named(conn, lens, (person,)).get(person)
    return OfPerson(who, tuple(_row(look, {}) for look in found.looks), found.next)


def of_worker(conn: Connection, place: Place, lens: Lens, user: str, asked: Wanted) -> OfWorker:
    """Everything that one worker looked at and did. Raises as `of_person`, and `NotFound` for who is none."""
    whose = worker(conn, place, lens, user)
    found = looks_by(conn, place, lens, whose.user, asked)
    shown = [key for look in found.looks for key in _first(look)]
    people = named(conn, lens, shown)
    return OfWorker(whose, tuple(_row(look, people) for look in found.looks), found.next)


def _first(look: Look) -> list[PersonKey]:
    return sorted(look.persons, key=str)[:MOST_NAMES]


def _row(look: Look, people: Mapping[PersonKey, Named]) -> Row:
    whom = tuple(people[key] for key in _first(look) if key in people)
    return Row(
        look=look,
        who=called(look.who),
        purpose=", ".join(PURPOSES.get(one, one) for one in look.purposes),
        relationship=", ".join(
            [
                *(RELATIONSHIPS.get(one, one) for one in look.relationships),
                *(["opened in need"] if look.in_need else []),
            ]
        ),
        whom=whom,
        others=len(look.persons) - len(whom),
    )
