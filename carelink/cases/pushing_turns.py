"""Who writes under a condition takes turns with whoever might meet it, so that of two at once only one finds nothing.

The locks are held until the transaction ends, and all of them are taken before the first look: the one who waited
looks at what the other has committed. A condition by identifier waits for the same identifier alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl

from sqlalchemy import ARRAY, BigInteger, Connection, bindparam, select, text

from carelink.cases.pushing_terms import Act, Body, Change
from carelink.db.among import among
from carelink.db.tables import resource
from carelink.ids import ResourceKey
from carelink.record import persons_rows


def take(conn: Connection, changes: Sequence[Change]) -> None:
    """Wait for whoever writes under a condition that one of these may meet; and, for Patients, for whoever links."""
    conditional = [one for one in changes if one.criteria is not None]
    whole = {one.type for one in conditional if not list(_identifiers(one.criteria or ""))}
    by_value = [one for one in conditional if one.type not in whole]
    _lock(conn, _SHARED, ({one.type} for one in by_value))
    _lock(conn, _ALONE, [whole, *(_values(one) for one in by_value)])
    if any(one.type == "Patient" and one.act is not Act.DELETE for one in changes):
        persons_rows.lock(conn)  # before any row, as whoever pulls takes it


def rows(conn: Connection, keys: Iterable[ResourceKey]) -> dict[ResourceKey, Any]:
    """What is stored under these keys, seen or not, deleted or not, locked in an order that is the same for all."""
    wanted = sorted(set(keys))
    if not wanted:
        return {}
    t = resource.c
    columns = (t.key, t.type, t.source, t.source_id, t.custodian, t.person, t.patient, t.security, t.deleted)
    asked = select(*columns).where(among(t.key, wanted)).order_by(t.key).with_for_update()
    return {ResourceKey(row.key): row for row in conn.execute(asked)}


def _values(one: Change) -> set[str]:
    """By what the resource might be met: the identifiers of the condition, and those that it will have."""
    found = {*_identifiers(one.criteria or ""), *_own(one.body or {})}
    return {f"{one.type}|{value}" for value in found}


def _identifiers(criteria: str) -> Iterator[str]:
    for name, value in parse_qsl(criteria, keep_blank_values=True):
        if name == "identifier":
            yield from (one.rpartition("|")[2] for one in value.split(","))


def _own(body: Body) -> Iterator[str]:
    said = body.get("identifier")
    for one in said if isinstance(said, list) else [said]:
        if isinstance(one, dict) and isinstance(one.get("value"), str):
            yield one["value"]


def _lock(conn: Connection, statement: Any, names: Iterable[set[str]]) -> None:
    wanted = sorted({_number(name) for some in names for name in some})
    if wanted:
        conn.execute(statement, {"keys": wanted}).all()


def _number(name: str) -> int:
    seal = hashlib.blake2b(f"carelink condition|{name}".encode(), digest_size=8)
    return int.from_bytes(seal.digest(), signed=True)


_KEYS = bindparam("keys", type_=ARRAY(BigInteger))
_FROM = "from unnest(:keys) with ordinality as wanted(key, number) order by number"
_SHARED = text(f"select pg_advisory_xact_lock_shared(key) {_FROM}").bindparams(_KEYS)
_ALONE = text(f"select pg_advisory_xact_lock(key) {_FROM}").bindparams(_KEYS)
