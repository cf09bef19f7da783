"""Versions into the store: many resources in a few statements; a version is written only where the content differs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, select

from carelink.consent.redaction import redact
from carelink.consent.sensitivity import CODINGS, names
from carelink.db import tables
from carelink.db.tables import resource
from carelink.ids import ResourceKey
from carelink.record.copying import copy_rows
from carelink.record.indexing import Indexed, clinical, index
from fhir_adapters import exact_json

_INDEXES = (
    tables.index_token,
    tables.index_string,
    tables.index_date,
    tables.index_reference,
    tables.index_number,
)


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
    content: bytes  # canonical, without meta
    meta: Mapping[str, Any]
    hash: bytes


def write(conn: Connection, resources: Sequence[Writable], now: datetime) -> frozenset[ResourceKey]:
    """Store those whose content, labels or owner differ from what is there; gives their keys.

    The last of two with one key counts. All in the caller's transaction, in an order that is the same every time.
    """
    wanted = {one.key: one for one in resources}
    known = _known(conn, list(wanted))
    changed = [version for one in wanted.values() if (version := _version(one, known.get(one.key))) is not None]
    if changed:
        _clear(conn, [one.resource.key for one in changed if one.number > 1])
        _copy(conn, changed, now)
    return frozenset(one.resource.key for one in changed)


_Known = tuple[bytes, int, UUID | None, UUID | None]  # hash, version, and whose it is: person, patient


def _known(conn: Connection, keys: list[ResourceKey]) -> dict[UUID, _Known]:
    """What is there, locked: two writers of one resource take turns."""
    t = resource.c
    asked = select(t.key, t.hash, t.version, t.person, t.patient).where(t.key.in_(keys))
    return {row[0]: (bytes(row[1]), *row[2:]) for row in conn.execute(asked.order_by(t.key).with_for_update())}


def _version(one: Writable, known: _Known | None) -> _Version | None:
    meta = _meta(one)
    content = exact_json.dumps({key: value for key, value in one.body.items() if key != "meta"})
    seal = hashlib.blake2b(content, digest_size=16)
    labels = (one.custodian, one.category, one.sensitivities, one.deleted)
    seal.update(exact_json.dumps(meta) + repr(labels).encode())
    digest = seal.digest()
    if known is not None and (known[0], *known[2:]) == (digest, one.person, one.patient):
        return None  # the owner is not in the hash: an undone link moves it without a new version
    return _Version(one, known[1] + 1 if known else 1, content, meta, digest)


def _meta(one: Writable) -> dict[str, Any]:
    """What stays of the source's meta, where it came from, and the sensitivities as security labels."""
    given = one.body.get("meta") or {}
    security = list(given.get("security", ()))
    security += [CODINGS[name] for name in names(one.sensitivities) if CODINGS[name] not in security]
    meta: dict[str, Any] = {"source": f"urn:carelink:source:{one.source}"}
    if security:
        meta["security"] = security
    if "tag" in given:
        meta["tag"] = given["tag"]
    return meta


def _clear(conn: Connection, keys: list[ResourceKey]) -> None:
    if keys:
        for table in (resource, *_INDEXES):
            conn.execute(delete(table).where(table.c.key.in_(keys)))


def _copy(conn: Connection, versions: Sequence[_Version], now: datetime) -> None:
    current, history = [], []
    indexed: dict[str, list[tuple[Any, ...]]] = {table.name: [] for table in _INDEXES}
    for version in versions:
        labelled = _labelled(version, now)
        one = version.resource
        current.append((one.key, *labelled, version.number, one.source, one.source_id, clinical(one.type, one.body)))
        history.append((one.key, version.number, *labelled))
        if not one.deleted:
            _gather(indexed, one, index(one.type, one.body))
    copy_rows(conn, resource, _CURRENT, current)
    copy_rows(conn, tables.resource_version, _HISTORY, history)
    for table in _INDEXES:
        copy_rows(conn, table, tuple(column.name for column in table.columns), indexed[table.name])


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
    "hash",
    "deleted",
]
_CURRENT = ("key", *_LABELLED, "version", "source", "source_id", "clinical")
_HISTORY = ("key", "version", *_LABELLED)


def _labelled(version: _Version, now: datetime) -> tuple[Any, ...]:
    one = version.resource
    stamp = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    meta = exact_json.dumps({**version.meta, "versionId": str(version.number), "lastUpdated": stamp})
    redacted = redact(one.type, one.body) if not one.locating else _unquoted(one.body)
    less = None
    if redacted is not None:
        less = served(exact_json.dumps({k: v for k, v in redacted.items() if k != "meta"}), meta)
    return (
        one.type,
        one.person,
        one.patient,
        one.custodian,
        one.category,
        one.sensitivities,
        now,
        served(version.content, meta),
        less,
        version.hash,
        one.deleted,
    )


def _unquoted(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body without its extensions, which quote what the source sent."""
    return {key: value for key, value in body.items() if key != "extension"}


def served(content: bytes, meta: bytes) -> str:
    """The canonical text that is served: `meta` first, then the content with its keys sorted."""
    return (b'{"meta":' + meta + b"," + content[1:]).decode()


def _gather(rows: dict[str, list[tuple[Any, ...]]], one: Writable, made: Indexed) -> None:
    person, key = one.person, one.key
    rows["index_token"] += [(number, person, system, code, key) for number, system, code in made.tokens]
    rows["index_string"] += [(number, person, value, key) for number, value in made.strings]
    rows["index_date"] += [(number, person, low, high, key) for number, low, high in made.dates]
    rows["index_reference"] += [(number, person, target, literal, key) for number, target, literal in made.references]
    rows["index_number"] += [(number, person, value, unit, key) for number, value, unit in made.numbers]
