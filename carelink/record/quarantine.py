"""Quarantine: what could not be stored safely is kept whole with its reasons, shown, and can be replayed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, Connection, Text, and_, func, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from carelink.audit.trail import Event, append
from carelink.consent.lens import Lens
from carelink.db.tables import quarantine
from carelink.errors import Forbidden
from carelink.place import SourceEntry
from fhir_adapters import exact_json
from fhir_adapters.source import Item, Rejected


def raw_of(item: Item) -> str:
    """The item as it is kept, with what is needed to try it again."""
    return exact_json.dumps(item.body).decode()


def keep(conn: Connection, entry: SourceEntry, refused: Sequence[Rejected], now: datetime) -> None:
    """Keep each whole, once: the same again is the same row, seen again and open again."""
    if not refused:
        return
    rows = {tuple(row[name] for name in _SAME): row for row in (_row(entry, one, now) for one in refused)}
    statement = insert(quarantine).values(list(rows.values()))
    again = {"reasons": statement.excluded.reasons, "resolved_at": None, "resolution": None}
    conn.execute(statement.on_conflict_do_update(index_elements=list(_SAME), set_=again))


_SAME = ("source", "namespace", "type", "source_id", "hash")


def _row(entry: SourceEntry, one: Rejected, now: datetime) -> dict[str, Any]:
    return {
        "source": entry.name,
        "namespace": one.namespace,
        "custodian": entry.organisation,
        "type": one.type,
        "source_id": one.source_id,
        "raw": one.raw,
        "reasons": [{"place": reason.place, "why": reason.why} for reason in one.reasons],
        "hash": hashlib.blake2b(one.raw.encode(), digest_size=16).digest(),
        "seen_at": now,
    }


def resolve_stored(conn: Connection, source: str, items: Sequence[Item], now: datetime) -> None:
    """What is stored now is no longer in question."""
    if not items:
        return
    t = quarantine.c
    columns = (
        literal([one.namespace for one in items], ARRAY(Text)),
        literal([one.type for one in items], ARRAY(Text)),
        literal([one.source_id for one in items], ARRAY(Text)),
    )
    stored = func.unnest(*columns).table_valued("namespace", "type", "source_id").render_derived()
    same = tuple_(t.namespace, t.type, t.source_id).in_(select(stored.c.namespace, stored.c.type, stored.c.source_id))
    open_ = and_(t.source == source, t.resolved_at.is_(None))
    conn.execute(update(quarantine).where(open_, same).values(resolved_at=now, resolution="stored"))


def waiting(conn: Connection, source: str) -> tuple[Item, ...]:
    """What of this source might be stored by now, oldest first: to be given to ingest again."""
    t = quarantine.c
    asked = select(t.type, t.source_id, t.raw, t.namespace, t.custodian)
    rows = conn.execute(asked.where(t.source == source, t.resolved_at.is_(None)).order_by(t.id))
    return tuple(
        Item(row.type, row.source_id, body, row.namespace, _custodian(row.namespace) or row.custodian)
        for row in rows
        if (body := _body(row.raw)) is not None
    )


def _custodian(namespace: str) -> str:
    return namespace.partition("/")[0]


def _body(raw: str) -> dict[str, Any] | None:
    """The resource that was kept; None where what was kept is not one (a line of a table, half a document)."""
    try:
        body = exact_json.loads(raw)
    except ValueError:
        return None
    return body if isinstance(body, dict) and "resourceType" in body else None


def listed(conn: Connection, lens: Lens, count: int = 100) -> list[dict[str, Any]]:
    """The open rows with their reasons, for the data-quality worklist. Raises `Forbidden` for roles that may not."""
    if lens.requester is not None and "see-quarantine" not in lens.may:
        raise Forbidden("Your role does not include the data-quality worklist", rule="see-quarantine")
    t = quarantine.c
    asked = select(t.id, t.source, t.type, t.source_id, t.reasons, t.seen_at).where(t.resolved_at.is_(None))
    rows = [dict(row._mapping) for row in conn.execute(asked.order_by(t.id).limit(count))]
    append(conn, Event("search", lens.requester, query="quarantine", count=len(rows), reason=lens.reason), lens.at)
    return rows


def counts(conn: Connection) -> list[tuple[str, str, str, int]]:
    """(source, type, first reason, how many) of the open rows; about sources, not people."""
    t = quarantine.c
    why = t.reasons[0]["why"].astext
    asked = select(t.source, t.type, why, func.count()).where(t.resolved_at.is_(None)).group_by(t.source, t.type, why)
    return [(row[0], row[1], row[2], row[3]) for row in conn.execute(asked.order_by(t.source, t.type, why))]
