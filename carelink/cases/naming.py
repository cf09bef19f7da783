"""Which person is meant by a key or an NHS number: for those who look into how the record is used, not for care."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Connection

from carelink.consent.lens import Lens
from carelink.errors import Invalid, NotFound
from carelink.ids import NHS_NUMBER, PersonKey
from carelink.record import search
from carelink.record.query import Criterion, Query


def person_named(conn: Connection, lens: Lens, named: str, place: str = "person") -> PersonKey:
    """The person of that key or NHS number, asked through this (system) lens, which is audited with its reason.

    Raises `Invalid` at `place` for what is neither, `NotFound` for a number of nobody.
    """
    compact = named.replace(" ", "").replace("-", "") if not _is_key(named) else named
    if not (compact.isdigit() and len(compact) == 10):
        try:
            return PersonKey(UUID(named.strip()))
        except ValueError as wrong:
            raise Invalid(place, "must be the key of a person, or an NHS number") from wrong
    query = Query(("Patient",), criteria=(Criterion("identifier", (f"{NHS_NUMBER}|{compact}",)),), goldens=True)
    rows = search.run(conn, lens, query).rows
    if not rows or rows[0].person is None:
        raise NotFound("Nobody of that NHS number is in the record")
    return rows[0].person


def _is_key(named: str) -> bool:
    return len(named.strip()) == 36
