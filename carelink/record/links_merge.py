"""Two persons who turn out to be one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Uuid, literal, select, update
from sqlalchemy.dialects.postgresql import insert

from carelink.db.tables import link_decision, person
from carelink.ids import PersonKey, ResourceKey
from carelink.record import persons_rows as rows
from carelink.record.links_moves import move_person
from carelink.record.persons_audit import merged
from carelink.record.persons_rows import Link


@dataclass(frozen=True)
class Merge:
    """These two persons are one, as this Patient shows."""

    one: PersonKey
    other: PersonKey
    because_of: ResourceKey


def merge(conn: Connection, wanted: Merge, method: str, by: str, now: datetime) -> tuple[PersonKey, PersonKey]:
    """(kept, gone): the older person keeps all Patients of both; the other is `merged_into` it.

    The same two give the same answer in either order. Golden records, relationships and directives are the caller's.
    """
    kept, gone = _older_first(conn, wanted.one, wanted.other)
    moving = rows.patients_of(conn, gone)
    rows.undo_links(conn, moving, by, "merged", now)
    rows.make_links(conn, [Link(patient, kept, method, made_by=by) for patient in moving], now)
    move_person(conn, gone, kept)
    into = (person.c.key == gone) | (person.c.merged_into == gone)
    conn.execute(update(person).where(into).values(merged_into=kept))
    _move_decisions(conn, gone, kept, by, now)
    merged(conn, kept, gone, method, by, now)
    return kept, gone


def _older_first(conn: Connection, one: PersonKey, other: PersonKey) -> tuple[PersonKey, PersonKey]:
    created = dict(conn.execute(select(person.c.key, person.c.created).where(person.c.key.in_([one, other]))).all())
    first, second = sorted((one, other), key=lambda key: (created[key], str(key)))
    return first, second


def _move_decisions(conn: Connection, gone: PersonKey, kept: PersonKey, by: str, now: datetime) -> None:
    """What was asked or answered about the person who is gone holds for the one who is kept."""
    columns = [column for column in link_decision.c if column.name not in ("id", "candidate")]
    copied = select(*columns, literal(kept, Uuid()).label("candidate")).where(link_decision.c.candidate == gone)
    names = [*(column.name for column in columns), "candidate"]
    conn.execute(insert(link_decision).from_select(names, copied).on_conflict_do_nothing())
    rows.settle(conn, _needless(rows.patients_of(conn, kept), (kept, gone)), by, now)
    conn.execute(
        update(link_decision)
        .where(link_decision.c.candidate == gone, link_decision.c.answer.is_(None))
        .values(answer="merged", decided_by=by, decided_at=now)
    )


def _needless(patients: Sequence[ResourceKey], persons: Sequence[PersonKey]) -> list[tuple[ResourceKey, PersonKey]]:
    return [(patient, candidate) for patient in patients for candidate in persons]
