"""How each source stands: its cursor, how far it is, when it was last good, since when it fails, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import insert

from carelink.db.tables import source_state
from fhir_adapters.source import Batch


@dataclass(frozen=True)
class Standing:
    """One source as it stands."""

    source: str
    status: str  # never, pulling, good, failing
    good_at: datetime | None = None
    failing_since: datetime | None = None
    why: str = ""
    done: int = 0
    total: int | None = None
    cursor: Mapping[str, Any] | None = None


def _set(conn: Connection, source: str, **values: Any) -> None:
    statement = insert(source_state).values(source=source, **values)
    conn.execute(statement.on_conflict_do_update(index_elements=["source"], set_=values))


def started(conn: Connection, source: str, now: datetime) -> None:
    """A pull begins."""
    _set(conn, source, status="pulling", started_at=now, done=0, total=None)


def advance(conn: Connection, source: str, batch: Batch) -> None:
    """The cursor after a batch, in the batch's own transaction."""
    _set(conn, source, cursor=dict(batch.cursor), done=batch.done, total=batch.total)


def good(conn: Connection, source: str, now: datetime) -> None:
    """The pull reached its end."""
    _set(conn, source, status="good", good_at=now, failing_since=None, why=None)


def failing(conn: Connection, source: str, why: str, now: datetime) -> None:
    """The pull stopped; since when is kept from the first failure on, and the cursor stays."""
    values = {"status": "failing", "why": why}
    statement = insert(source_state).values(source=source, failing_since=now, **values)
    since = func.coalesce(source_state.c.failing_since, now)
    conn.execute(statement.on_conflict_do_update(index_elements=["source"], set_={**values, "failing_since": since}))


def standings(conn: Connection) -> dict[str, Standing]:
    """Every source that was ever pulled, by name. About sources, not people: it takes no lens."""
    t = source_state.c
    return {
        row.source: Standing(
            row.source, row.status, row.good_at, row.failing_since, row.why or "", row.done, row.total, row.cursor
        )
        for row in conn.execute(
            select(t.source, t.status, t.good_at, t.failing_since, t.why, t.done, t.total, t.cursor)
        )
    }
