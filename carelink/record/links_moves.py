"""Moving what hangs on a source Patient from one person to another: the store, its indexes, its history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, select, update

from carelink.consent import directives, relationships
from carelink.db.tables import (
    access_grant,
    index_date,
    index_number,
    index_reference,
    index_string,
    index_token,
    label_hint,
    legal_hold,
    person_trait,
    quarantine,
    resource,
    resource_version,
    subject_request,
    user,
)
from carelink.ids import PersonKey, ResourceKey
from carelink.place import Place

INDEXES: tuple[Table, ...] = (index_token, index_string, index_date, index_reference, index_number)


def move_patients(conn: Connection, patients: Sequence[ResourceKey], to: PersonKey) -> None:
    """All that these Patients' records hold, also as it was, is about this person now."""
    mine = list(patients)
    _move(conn, resource.c.patient.in_(mine), resource_version.c.patient.in_(mine), to)
    conn.execute(update(person_trait).where(person_trait.c.patient.in_(mine)).values(person=to))


def move_person(conn: Connection, gone: PersonKey, to: PersonKey) -> None:
    """All that is about one person is about the other, also what was made here; their golden record stays."""
    _move(
        conn,
        (resource.c.person == gone) & (resource.c.key != gone),
        (resource_version.c.person == gone) & (resource_version.c.key != gone),
        to,
    )
    for table in (access_grant, label_hint, legal_hold, person_trait, quarantine, subject_request, user):
        conn.execute(update(table).where(table.c.person == gone).values(person=to))


def refresh(conn: Connection, place: Place, persons: Sequence[PersonKey], now: datetime) -> None:
    """What follows from the resources that a person now has: who is involved with them, and what they object to."""
    relationships.refresh(conn, place, persons, now)
    directives.refresh(conn, place, persons, now)


def _move(conn: Connection, current: ColumnElement[bool], versions: ColumnElement[bool], to: PersonKey) -> None:
    moved = select(resource.c.key).where(current)
    for index in INDEXES:
        conn.execute(update(index).where(index.c.key.in_(moved)).values(person=to))
    conn.execute(update(resource_version).where(versions).values(person=to))
    conn.execute(update(resource).where(current).values(person=to))
