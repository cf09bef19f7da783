"""Versioned resources: what CareLink itself makes goes in here; single versions, histories and whole records come out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from carelink.audit.trail import looked
from carelink.consent import directives, relationships
from carelink.consent.lens import Lens
from carelink.consent.sensitivity import sensitivities
from carelink.db.tables import resource
from carelink.errors import Invalid, NotFound
from carelink.ids import Ods, PersonKey, ResourceKey
from carelink.place import Place
from carelink.record import attachments_store, corrections, hints, search
from carelink.record.golden_store import MADE_HERE, home, recompose
from carelink.record.query import Query, Row
from carelink.record.references import unnamed
from carelink.record.relabelling import labelled
from carelink.record.search import get
from carelink.record.validation import admitted
from carelink.record.versions import history, vread
from carelink.record.writing import Writable, ended_row, stored_labels, write

__all__ = ["delete", "everything", "get", "history", "put", "vread"]

_PART = 1000  # rows of `everything` that are read at a time
_NAMED = re.compile(r'"reference":"(?:Practitioner|PractitionerRole|Organization|Location|Medication)/([0-9a-f-]{36})"')


def put(
    conn: Connection,
    place: Place,
    body: Mapping[str, Any],
    person: PersonKey | None,
    patient: ResourceKey | None,
    now: datetime,
    custodian: Ods | None = None,
) -> ResourceKey:
    """Store a resource that is made here; its id is its key, its custodian the home organisation unless another is named.

    `patient` is the source Patient that it hangs on, if any: it moves with that one when a link is undone.
    Raises `Invalid` with the FHIRPath of the first problem.
    """
    type_, key = body["resourceType"], ResourceKey(UUID(body["id"]))
    checked = admitted(type_, dict(body))
    if checked.problems:
        raise Invalid(checked.problems[0].place, checked.problems[0].why)
    bare = Writable(
        key=key,
        type=type_,
        body=unnamed(checked.body),
        source=MADE_HERE,
        source_id=str(key),
        custodian=custodian or home(place).ods,
        category="",
        person=person,
        patient=patient,
    )
    one = labelled(place, bare, corrections.current(conn, [key]).get(key))
    if versions := write(conn, [one], now, sensitivities(place)):
        hints.note(conn, place, [one], now)
        attachments_store.keep(conn, [one], versions, {key: checked.files})
        _settle(conn, place, type_, person, now)
    return key


def delete(conn: Connection, place: Place, lens: Lens, type_: str, key: ResourceKey) -> None:
    """End a resource: a last version that says so; what it said stays in its history. Raises `NotFound`."""
    row = search.get(conn, lens, type_, key)
    kept = conn.execute(stored_labels().where(resource.c.key == key)).one()
    write(conn, [ended_row(kept)], lens.at)
    _settle(conn, place, type_, row.person, lens.at)
    looked(conn, lens, "delete", type_, (row,), resource=key)


def _settle(conn: Connection, place: Place, type_: str, person: PersonKey | None, now: datetime) -> None:
    """Who is involved and what is objected to, where this type says so."""
    if person is not None and type_ in relationships.RULES:
        relationships.refresh(conn, place, [person], now)
    if person is not None and type_ in directives.MADE_OF:
        directives.refresh(conn, place, [person], now)
    if person is not None and type_ == "Consent":
        recompose(conn, place, [person], now)  # the golden Patient is made without what they keep back


def everything(conn: Connection, lens: Lens, person: PersonKey) -> tuple[Row, ...]:
    """All of a person that this requester may see, and the organisations, workers, places and medicines that it names.

    The golden Patient is first where it may be seen. One look is kept of it all. Raises `NotFound` for a person of
    whom nothing may be seen.
    """
    rows = search.unkept_whole(conn, lens, Query(person=person, count=_PART))
    rows.sort(key=lambda row: row.key != person)  # stable: the rest stays newest first
    there = {row.key for row in rows}
    named = {ResourceKey(UUID(one)) for row in rows for one in _NAMED.findall(row.body)}
    whole = (*rows, *search.unkept_by_keys(conn, lens, named - there))
    looked(conn, lens, "read", "$everything", whole, person)
    if not rows:
        raise NotFound("There is no such person, or you may not see their record")
    return whole
