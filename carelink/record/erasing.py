"""Erasing what is held: the bodies, all that was made of them, and at the end who it was about. What is left is a row of
`erasure` an item, and the audit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Table,
    Text,
    and_,
    case,
    delete,
    exists,
    func,
    literal,
    literal_column,
    null,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from carelink.consent import directives, relationships
from carelink.db import tables
from carelink.db.among import among, one_of
from carelink.db.tables import quarantine, resource, resource_version
from carelink.db.turns import take_turns
from carelink.ids import PersonKey, ResourceKey, resource_key
from carelink.place import Place
from carelink.record import persons_rows, provenance
from carelink.record.golden_store import recompose
from carelink.record.links_moves import INDEXES

_TEXTS = ARRAY(Text)
_KEYS_OF_ITEMS: ColumnElement[Any] = literal_column("'$.items[*].key'::jsonpath")
ERASED = "(erased)"  # in the place of words that must not be empty


@dataclass(frozen=True)
class Erased:
    """One resource that goes, and by which schedule of retention.toml."""

    key: ResourceKey
    type: str
    schedule: str


def begin(conn: Connection, persons: Sequence[PersonKey]) -> None:
    """Take turns with whoever links, ingests or works out something about these people, to the end of the transaction."""
    persons_rows.lock(conn)
    take_turns(conn, persons)


def erase(conn: Connection, place: Place, person: PersonKey, gone: Sequence[Erased], by: str, now: datetime) -> None:
    """These resources of the person, with their versions, indexes, repairs, labels and rows of quarantine.

    What they gave rise to is worked out anew from what is left. `begin` first.
    """
    keys = [one.key for one in gone]
    repairs = [Erased(key, "Provenance", one.schedule) for one in gone for key in provenance.about(one.type, one.key)]
    custodians = _note(conn, [*gone, *repairs], by, now)
    _quarantined(conn, _sent_as(keys), gone[0].schedule, by, now)
    _resources(conn, [*keys, *(one.key for one in repairs)])
    _quarantined(conn, _nothing_left(person, custodians), gone[0].schedule, by, now)
    _beside(conn, keys)
    if any(one.type == "Patient" for one in gone):
        recompose(conn, place, [person], now)
        _golden_past(conn, person)
    relationships.refresh(conn, place, [person], now)
    directives.refresh(conn, place, [person], now)


def _note(conn: Connection, gone: Sequence[Erased], by: str, now: datetime) -> set[str]:
    """That each was there, how many versions it had, and what it was labelled as; never what it said.

    Gives the custodians whose it was.
    """
    schedules = {one.key: one.schedule for one in gone}
    t, v = resource.c, resource_version.c
    versions = select(func.count()).where(v.key == t.key).scalar_subquery()
    columns = (t.key.label("resource"), t.person, t.type, t.custodian, t.category, versions.label("versions"))
    found = conn.execute(select(*columns).where(among(t.key, schedules)).with_for_update(of=resource)).all()
    _write(conn, [{**row._mapping, "schedule": schedules[row.resource]} for row in found], by, now)
    return {row.custodian for row in found}


def _write(conn: Connection, rows: Sequence[dict[str, Any]], by: str, now: datetime) -> None:
    if rows:
        put = insert(tables.erasure)
        again = {name: put.excluded[name] for name in (*rows[0], "erased_at", "erased_by") if name != "resource"}
        said = {"erased_at": now, "erased_by": by}
        conn.execute(put.on_conflict_do_update(index_elements=["resource"], set_=again), [row | said for row in rows])


def _quarantined(conn: Connection, which: ColumnElement[bool], schedule: str, by: str, now: datetime) -> None:
    """Rows of quarantine go, and what they held is not taken in again either."""
    q = quarantine.c
    columns = (q.source, q.namespace, q.type, q.source_id, q.person, q.custodian)
    noted = {
        resource_key(row.source, row.namespace, row.type, row.source_id): row
        for row in conn.execute(delete(quarantine).where(which).returning(*columns))
    }
    known = set(
        conn.execute(select(tables.erasure.c.resource).where(among(tables.erasure.c.resource, noted))).scalars()
    )
    rows = [
        {"resource": key, "category": "", "versions": 0, "schedule": schedule}
        | {name: row._mapping[name] for name in ("person", "type", "custodian")}
        for key, row in noted.items()
        if key not in known
    ]
    _write(conn, rows, by, now)


def _sent_as(keys: Sequence[ResourceKey]) -> ColumnElement[bool]:
    """What was sent of these resources and could not be stored, also where it could in the end."""
    t, q = resource.c, quarantine.c
    sent = case((q.namespace == "", q.source_id), else_=q.namespace + literal("/") + q.source_id)
    same = select(t.source, t.type, t.source_id).where(among(t.key, keys))
    return tuple_(q.source, q.type, sent).in_(same)


def _nothing_left(person: PersonKey, custodians: Iterable[str]) -> ColumnElement[bool]:
    """What these custodians sent of the person, where nothing of theirs is left by now."""
    t, q = resource.c, quarantine.c
    left = exists().where(t.person == q.person, t.custodian == q.custodian)
    return and_(q.person == person, one_of(q.custodian, sorted(custodians)), ~left)


def _resources(conn: Connection, keys: Sequence[ResourceKey]) -> None:
    for table in (*INDEXES, resource_version, resource):
        conn.execute(delete(table).where(among(table.c.key, keys)))


# Table -> the column that names the resource which a row is of, or was made of.
_OF_RESOURCES: tuple[tuple[Table, str], ...] = (
    (tables.label_correction, "resource"),
    (tables.label_hint, "resource"),
    (tables.finding, "resource"),
    (tables.attachment, "resource"),
    (tables.kept_out, "origin"),
    (tables.relationship, "origin"),
    (tables.directive, "consent"),
    (tables.person_trait, "patient"),
)


def _beside(conn: Connection, keys: Sequence[ResourceKey]) -> None:
    for table, column in _OF_RESOURCES:
        conn.execute(delete(table).where(among(table.c[column], keys)))


def _golden_past(conn: Connection, person: PersonKey) -> None:
    """Earlier golden Patients quote the Patients that are gone."""
    v = resource_version.c
    current = select(resource.c.version).where(resource.c.key == person).scalar_subquery()
    conn.execute(delete(resource_version).where(v.key == person, v.version < current))


# Of a person of whom nothing is left -----------------------------------------------------------------


def erase_person(conn: Connection, person: PersonKey, schedule: str, by: str, now: datetime) -> None:
    """Who they were: golden Patients, also of those who were merged into them, links, grants, and their own account."""
    everyone = _with_merged(conn, person)
    goldens = [Erased(ResourceKey(one), "Patient", schedule) for one in everyone]
    _note(conn, goldens, by, now)
    _resources(conn, [one.key for one in goldens])
    _links(conn, everyone)
    _beside(conn, [one.key for one in goldens])
    _quarantined(conn, among(quarantine.c.person, everyone), schedule, by, now)
    for table in (tables.relationship, tables.directive, tables.kept_out, tables.source_person):
        conn.execute(delete(table).where(among(table.c.person, everyone)))
    for table, words in _WORDS:
        conn.execute(update(table).where(among(table.c.person, everyone)).values(words))
    _account(conn, everyone)
    conn.execute(delete(tables.person).where(among(tables.person.c.key, everyone)))


# What stays is that something was done; what was said of it goes.
_WORDS: tuple[tuple[Table, dict[str, Any]], ...] = (
    (tables.access_grant, {"words": ERASED, "finding_words": None}),
    (tables.legal_hold, {"why": ERASED}),
    (tables.audit_signal, {"detail": null()}),
    (
        tables.subject_request,
        {
            "requested_by": ERASED,
            "extension_why": "",
            "ended_why": None,
            "package": None,
            "printed": None,
            "fhir": None,
        },
    ),
)


def _with_merged(conn: Connection, person: PersonKey) -> list[UUID]:
    t = tables.person.c
    found, new = [UUID(str(person))], [UUID(str(person))]
    while new:
        new = list(conn.execute(select(t.key).where(among(t.merged_into, new))).scalars())
        found += new
    return found


def _links(conn: Connection, persons: Sequence[UUID]) -> None:
    link, decision = tables.person_link.c, tables.link_decision.c
    patients = list(conn.execute(select(link.patient).where(among(link.person, persons))).scalars())
    conn.execute(
        delete(tables.link_decision).where(among(decision.patient, patients) | among(decision.candidate, persons))
    )
    conn.execute(delete(tables.person_link).where(among(link.person, persons)))


def _account(conn: Connection, persons: Sequence[UUID]) -> None:
    users = list(conn.execute(select(tables.user.c.id).where(among(tables.user.c.person, persons))).scalars())
    conn.execute(delete(tables.role_assignment).where(one_of(tables.role_assignment.c.user, users)))
    conn.execute(delete(tables.user).where(one_of(tables.user.c.id, users)))


def forget_answers(conn: Connection, where: ColumnElement[bool]) -> int:
    """What was gathered and released for these requests; that they were answered stays. Gives how many it was."""
    t = tables.subject_request.c
    kept = t.package.is_not(None) | t.printed.is_not(None)
    emptied = {"package": None, "printed": None, "fhir": None}
    return conn.execute(update(tables.subject_request).where(where, kept).values(emptied)).rowcount


def quoting(keys: Iterable[ResourceKey]) -> ColumnElement[bool]:
    """Requests whose package holds one of these resources."""
    quoted = func.jsonb_path_query_array(tables.subject_request.c.package, _KEYS_OF_ITEMS)
    return quoted.op("?|")(literal([str(key) for key in keys], _TEXTS))
