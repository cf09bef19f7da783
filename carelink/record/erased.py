"""What was erased because its time was over does not come back with the next pull.

A source may hold it longer, or tell all that it has each time. What it sends of that is not taken in, and counted. But
where it tells something new of that person, care has begun again: then the rows that stood in the way go, and all that
the batch says of the person is taken in, because an allergy that is missing would do harm.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from carelink.audit.trail import Event, append
from carelink.db.among import among
from carelink.db.tables import erasure, resource
from carelink.ids import ResourceKey, resource_key
from carelink.record.ingest_subjects import DIRECTORY
from carelink.record.references import patient_of, rewritten
from fhir_adapters.source import Item, Rejected


@dataclass(frozen=True)
class Taken:
    """What of a batch is taken in, and how much is not because it was erased."""

    items: tuple[Item, ...]
    rejected: tuple[Rejected, ...]
    refused: int = 0


def without_erased(
    conn: Connection, source: str, items: Iterable[Item], rejected: Sequence[Rejected], now: datetime
) -> Taken:
    """The batch without what was erased; with it where the source tells something new of the same person."""
    known = [(_key(source, one), one) for one in items]
    refused = [(_key(source, one), one) for one in rejected]
    barred = _barred(conn, [key for key, _ in (*known, *refused)])
    if barred:
        barred -= _begun_again(conn, source, known, barred, now)
    return Taken(
        tuple(one for key, one in known if key not in barred),
        tuple(one for key, one in refused if key not in barred),
        sum(key in barred for key, _ in (*known, *refused)),
    )


def _key(source: str, one: Item | Rejected) -> ResourceKey:
    return resource_key(source, one.namespace, one.type, one.source_id)


def _barred(conn: Connection, keys: Sequence[ResourceKey]) -> set[ResourceKey]:
    if not keys:
        return set()
    return {
        ResourceKey(key)
        for key in conn.execute(select(erasure.c.resource).where(among(erasure.c.resource, keys))).scalars()
    }


_Known = Sequence[tuple[ResourceKey, Item]]


def _begun_again(
    conn: Connection, source: str, known: _Known, barred: set[ResourceKey], now: datetime
) -> set[ResourceKey]:
    """Those erased keys of which the person is told something that was never here before."""
    whose = {key: _person(source, key, one) for key, one in known if key in barred or one.type not in DIRECTORY}
    gone = {person for key, person in whose.items() if key in barred}
    others = [key for key, person in whose.items() if key not in barred and person in gone]
    back = {whose[key] for key in set(others) - _stored(conn, others)}
    again = {key for key in barred if whose.get(key) in back}
    if again:
        conn.execute(delete(erasure).where(among(erasure.c.resource, again)))
        why = "a source tells something new: care has begun again"
        append(conn, Event("retention", query="taken in again", count=len(again), reason=why), now)
    return again


def _person(source: str, key: ResourceKey, one: Item) -> str:
    """Whom it is about: the source's Patient, or whose record it stands in."""
    if one.type == "Patient":
        return str(key)
    body = rewritten(one.body, source, one.namespace)
    return patient_of(one.type, body) or one.namespace


def _stored(conn: Connection, keys: Sequence[ResourceKey]) -> set[ResourceKey]:
    if not keys:
        return set()
    return {
        ResourceKey(key) for key in conn.execute(select(resource.c.key).where(among(resource.c.key, keys))).scalars()
    }
