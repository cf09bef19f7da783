"""Work to be done, noted in the transaction of the change that causes it (design decision 4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import insert

from carelink.db.tables import outbox

CHANNEL = "carelink_outbox"  # NOTIFY on commit, so that nobody polls hard


def add(
    conn: Connection,
    kind: str,
    payload: Mapping[str, Any],
    now: datetime,
    due: datetime | None = None,
    once: str | None = None,
) -> int | None:
    """Note a piece of work; gives its id, or None where an open row with the same `once` already asks for it."""
    row = {"kind": kind, "payload": dict(payload), "created_at": now, "due_at": due or now, "once": once}
    statement = insert(outbox).values(row)
    if once is not None:
        statement = statement.on_conflict_do_nothing(index_elements=["once"], index_where=outbox.c.done_at.is_(None))
    added = conn.execute(statement.returning(outbox.c.id)).scalar()
    if added is not None:
        conn.execute(text(f"notify {CHANNEL}"))
    return added
