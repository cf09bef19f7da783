"""Versioned resources: what CareLink itself makes goes in here; single versions, histories and whole records come out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from carelink.audit.trail import Event, append
from carelink.consent import directives, labels, relationships
from carelink.consent.lens import Lens
from carelink.db.tables import resource, resource_version
from carelink.errors import Invalid, NotFound
from carelink.ids import Ods, PersonKey, ResourceKey
from carelink.place import Organisation, Place
from carelink.record import search
from carelink.record.query import Query, Row
from carelink.record.validation import check
from carelink.record.writing import Writable, write

MADE_HERE = "carelink"
_NAMED = re.compile(r'"reference":"(?:Practitioner|PractitionerRole|Organization|Location|Medication)/([0-9a-f-]{36})"')


def put(
    conn: Connection,
    place: Place,
    home: Organisation,
    body: Mapping[str, Any],
    person: PersonKey | None,
    patient: ResourceKey | None,
    now: datetime,
) -> ResourceKey:
    """Store a resource that is made here; its id is its key. Raises `Invalid` with the FHIRPath of the first problem."""
    type_, key = body["resourceType"], ResourceKey(UUID(body["id"]))
    checked = check(type_, dict(body))
    if checked.problems:
        raise Invalid(checked.problems[0].place, checked.problems[0].why)
    label = labels.label(place, MADE_HERE, type_, checked.body)
    one = Writable(
        key=key,
        type=type_,
        body=checked.body,
        source=MADE_HERE,
        source_id=str(key),
        custodian=home.ods,
        category=label.category,
        sensitivities=label.sensitivities,
        person=person,
        patient=patient,
    )
    if write(conn, [one], now) and person is not None:
        relationships.refresh(conn, place, [person], now)
        directives.refresh(conn, place, [person], now)
    return key


def delete(conn: Connection, lens: Lens, type_: str, key: ResourceKey, now: datetime) -> None:
    """End a resource: a last version that says so; what it said stays in its history. Raises `NotFound`."""
    row = search.get(conn, lens, type_, key)
    t = resource.c
    kept = conn.execute(select(t.source_id, t.sensitivities, t.patient).where(t.key == key)).one()
    ended = Writable(
        key=key,
        type=type_,
        body={"resourceType": type_, "id": str(key)},
        source=row.source,
        source_id=kept.source_id,
        custodian=row.custodian,
        category=row.category,
        sensitivities=kept.sensitivities,
        person=row.person,
        patient=kept.patient,
        deleted=True,
    )
    write(conn, [ended], now)
    append(conn, Event("delete", lens.requester, row.person, query=type_, reason=lens.reason), lens.at)


def history(conn: Connection, lens: Lens, type_: str, key: ResourceKey) -> tuple[Row, ...]:
    """Every version that this requester may see, newest first. Raises `NotFound` where there is none."""
    t = resource_version.c
    asked = select(
        t.key, t.type, t.person, t.version, t.last_updated, t.custodian, t.category, lens.body(resource_version)
    ).where(t.key == key, t.type == type_, t.deleted.is_(False), lens.where(resource_version))
    rows = tuple(
        Row(
            key=ResourceKey(one[0]),
            type=one[1],
            person=PersonKey(one[2]) if one[2] else None,
            version=one[3],
            last_updated=one[4],
            clinical=None,
            source="",
            custodian=Ods(one[5]),
            category=one[6],
            body=one[7],
        )
        for one in conn.execute(asked.order_by(t.version.desc()))
    )
    about = rows[0].person if rows else None
    append(conn, Event("history", lens.requester, about, query=type_, count=len(rows), reason=lens.reason), lens.at)
    if not rows:
        raise NotFound("There is no such resource, or you may not see it")
    return rows


def everything(conn: Connection, lens: Lens, person: PersonKey, count: int = 5000) -> tuple[Row, ...]:
    """All of a person that this requester may see, the golden Patient first, and the organisations, workers, places
    and medicines that it names. Raises `NotFound` for a person whom the requester may not know."""
    golden = search.get(conn, lens, "Patient", ResourceKey(person))
    page = search.run(conn, lens, replace(Query(person=person), count=count))
    rest = tuple(row for row in page.rows if row.key != golden.key)
    there = {row.key for row in rest}
    named = {ResourceKey(UUID(one)) for row in rest for one in _NAMED.findall(row.body)}
    return (golden, *rest, *search.by_keys(conn, lens, named - there))
