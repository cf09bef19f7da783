"""Sources that say what a test tells them to, and dumps of the whole store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Engine, Table, select

from carelink.db.tables import metadata
from fhir_adapters.source import Batch, Cursor, SourceFailed, SourceSettings, Wanted

# What differs though the record is the same: ids that PostgreSQL counts up, and who looked when.
COUNTED = {"person_link", "link_decision", "relationship", "directive", "quarantine"}
NOT_THE_RECORD = {"audit_event", "audit_seal", "outbox", "job_receipt", "alembic_version", "source_state"}


@dataclass
class ScriptedSource:
    """Gives its batches, after the cursor's number; fails with `why` where that is set, once they are given."""

    batches: Sequence[Batch]
    settings: SourceSettings
    why: str = ""
    asked: Sequence[Wanted] = ()

    def pull(self, cursor: Cursor | None, wanted: Sequence[Wanted], now: datetime) -> Iterator[Batch]:
        self.asked = wanted
        yield from self.batches[int((cursor or {}).get("at", 0)) :]
        if self.why:
            raise SourceFailed(self.settings.name, self.why)


def dump(engine: Engine) -> dict[str, list[str]]:
    """Every table of the record as text, ordered by all of its columns."""
    with engine.connect() as conn:
        return {
            name: sorted(_line(row) for row in conn.execute(select(*_columns(table))))
            for name, table in sorted(metadata.tables.items())
            if name not in NOT_THE_RECORD
        }


def _columns(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if not (table.name in COUNTED and column.name == "id")]


def _line(row: Sequence[object]) -> str:
    return repr(tuple(value.hex() if isinstance(value, bytes) else value for value in row))
