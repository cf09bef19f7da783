"""Versions into the store: many resources in a few statements; a version is written only where the content differs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, bindparam, select, update

from carelink.consent.redaction import redact
from carelink.consent.sensitivity import NATIONAL, Sensitivities
from carelink.consent.third_parties import for_the_person
from carelink.db import tables
from carelink.db.among import among
from carelink.db.tables import resource
from carelink.ids import ResourceKey
from carelink.record.copying import Rows, copy_rows
from carelink.record.index_writing import index_rows_of, unindex
from carelink.record.indexing import clinical
from fhir_adapters import exact_json


@dataclass(frozen=True)
class Writable:
    """A resource as it is to be stored. `body` has its id, and neither versionId nor lastUpdated."""

    key: ResourceKey
    type: str
    body: Mapping[str, Any]
    source: str
    source_id: str
    custodian: str
    category: str
    sensitivities: int = 0
    person: UUID | None = None
    patient: UUID | None = None
    deleted: bool = False
    locating: bool = False  # it quotes something that locates, whatever its own type


@dataclass(frozen=True)
class _Version:
    resource: Writable
    number: int
    meta: Mapping[str, Any]
    hash: bytes


def ended(one: Writable) -> Writable:
    """Its last version, which says that it is no more; what it said stays in its history."""
    return replace(one, body={"resourceType": one.type, "id": str(one.key)}, deleted=True)


_LABELS = (
    *(resource.c.key, resource.c.type, resource.c.source, resource.c.source_id, resource.c.custodian),
    *(resource.c.category, resource.c.sensitivities, resource.c.person, resource.c.patient),
)


def stored_labels() -> Select[Any]:
    """What is known of stored rows but what they say; whoever asks says of which."""
    return select(*_LABELS)


def ended_row(row: Any) -> Writable:
    """The last version of a row of `stored_labels`."""
    return ended(Writable(**row._mapping, body={}))


def write(
    conn: Connection, resources: Sequence[Writable], now: datetime, known: Sensitivities = NATIONAL
) -> dict[ResourceKey, int]:
    """Store those whose content, labels or owner differ from what is there; gives their new versions.

    The last of two with one key counts. All in the caller's transaction, in an order that is the same every time.
    `known` are the sensitivities of the place, by which labels are written as codings.
    """
    wanted = {one.key: one for one in resources}
    there = _known(conn, list(wanted))
    versions = (_version(one, there.get(one.key), known) for one in wanted.values())
    changed = [version for version in versions if version is not None]
    if changed:
        _store(conn, changed, now)
    return {one.resource.key: one.number for one in changed}


_Values = tuple[Any, ...]  # of one row
_Known = tuple[bytes, int, UUID | None, UUID | None]  # hash, version, and whose it is: person, patient


def _known(conn: Connection, keys: list[ResourceKey]) -> dict[UUID, _Known]:
    """What is there, locked: two writers of one resource take turns."""
    t = resource.c
    if not keys:
        return {}
    asked = select(t.key, t.hash, t.version, t.person, t.patient).where(among(t.key, keys))
    return {row[0]: (bytes(row[1]), *row[2:]) for row in conn.execute(asked.order_by(t.key).with_for_update())}


def _version(one: Writable, there: _Known | None, known: Sensitivities) -> _Version | None:
    said = content(one, known)
    seal = hashlib.blake2b(exact_json.dumps(said), digest_size=16)
    seal.update(repr((one.custodian, one.category, one.sensitivities, one.deleted)).encode())
    digest = seal.digest()
    if there is not None and (there[0], *there[2:]) == (digest, one.person, one.patient):
        return None  # the owner is not in the hash: an undone link moves it without a new version
    return _Version(one, there[1] + 1 if there else 1, said["meta"], digest)


def content(one: Writable, known: Sensitivities) -> dict[str, Any]:
    """What is stored of it, without the number and the time of a version."""
    return {**one.body, "meta": _meta(one, known)}


def _meta(one: Writable, known: Sensitivities) -> dict[str, Any]:
    """What stays of the source's meta, where it came from, and the sensitivities as security labels."""
    given = one.body.get("meta") or {}
    security = list(given.get("security", ()))
    if one.sensitivities:
        security += [coding for coding in known.coded(one.sensitivities) if coding not in security]
    meta: dict[str, Any] = {"source": f"urn:carelink:source:{one.source}"}
    if security:
        meta["security"] = security
    return meta | {name: given[name] for name in ("profile", "tag") if name in given}


def _given(one: Writable) -> str | None:
    """The source's own word on how confidential it is, kept apart from the labels that are written beside it."""
    security = (one.body.get("meta") or {}).get("security")
    return exact_json.dumps(security).decode() if security else None


def _store(conn: Connection, versions: Sequence[_Version], now: datetime) -> None:
    created: list[_Values] = []
    updated: list[_Values] = []
    history: list[_Values] = []
    for version in versions:
        one, labelled = version.resource, _labelled(version, now)
        row = (one.key, *labelled, version.number, one.source, one.source_id, _given(one))
        (created if version.number == 1 else updated).append(row)
        history.append((one.key, version.number, *labelled))
    _update(conn, updated)
    bodies = (Rows(resource, _CURRENT, created), Rows(tables.resource_version, _HISTORY, history))
    copy_rows(conn, chain(bodies, _indexed(versions)))


def _indexed(versions: Iterable[_Version]) -> Iterator[Rows]:
    """What searches look these up by."""
    kept = ((version.resource, version.meta) for version in versions if not version.resource.deleted)
    return index_rows_of((one.key, one.person, one.type, {**one.body, "meta": meta}) for one, meta in kept)


def _update(conn: Connection, rows: Sequence[_Values]) -> None:
    """In place, so that whoever waits for the row's lock finds its new version. What it was indexed by goes."""
    if not rows:
        return
    conn.execute(_UPDATE, [dict(zip(_BOUND, row, strict=True)) for row in rows])
    unindex(conn, [row[0] for row in rows])


_LABELLED = [
    "type",
    "person",
    "patient",
    "custodian",
    "category",
    "sensitivities",
    "last_updated",
    "body",
    "redacted",
    "for_person",
    "hash",
    "deleted",
    "clinical",
]
_CURRENT = ("key", *_LABELLED, "version", "source", "source_id", "security")
_HISTORY = ("key", "version", *_LABELLED)
_BOUND = tuple(f"new_{name}" for name in _CURRENT)
_UPDATE = (
    update(resource)
    .where(resource.c.key == bindparam("new_key"))
    .values({name: bindparam(f"new_{name}") for name in _CURRENT if name != "key"})
)


def _labelled(version: _Version, now: datetime) -> _Values:
    one = version.resource
    stamp = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    meta = {**version.meta, "versionId": str(version.number), "lastUpdated": stamp}
    redacted = redact(one.type, one.body) if not one.locating else _unquoted(one.body)
    theirs = for_the_person(one.type, one.body) if one.person is not None else None
    return (
        one.type,
        one.person,
        one.patient,
        one.custodian,
        one.category,
        one.sensitivities,
        now,
        _text(one.body, meta),
        None if redacted is None else _text(redacted, meta),
        None if theirs is None else _text(theirs, meta),
        version.hash,
        one.deleted,
        clinical(one.type, one.body),
    )


def _unquoted(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body without its extensions, which quote what the source sent."""
    return {key: value for key, value in body.items() if key != "extension"}


def _text(body: Mapping[str, Any], meta: Mapping[str, Any]) -> str:
    return exact_json.dumps({**body, "meta": meta}).decode()
