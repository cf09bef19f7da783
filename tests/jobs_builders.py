"""Sources that say what a test tells them to, and dumps of the whole store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Engine, Table, select

from carelink.db.tables import metadata, source_state
from fhir_adapters.source import Batch, Cursor, SourceFailed, SourceSettings, Wanted

PER_PERSON = ("pds", "gp")  # they are asked about more people the second time: those whom they named themselves
COUNTED = ("person_link", "link_decision", "relationship", "directive", "quarantine")
# Compared is every column of every table, but for what differs though the record is the same:
NOT_THE_RECORD = {
    "audit_event": "who looked when, and how often: every pull adds to it",
    "outbox": "what was asked for and when it was handed over: a row more for every try",
    "job_receipt": "which of those were done",
    "audit_seal": "seals what is in audit_event",
}
NOT_OF_THE_RECORD = {
    **{(name, "id"): "PostgreSQL counts it up, and what is rolled back leaves a gap" for name in COUNTED},
    ("source_state", "done"): "how far the bar of the last pull is, and that pulled nothing or half",
    ("source_state", "total"): "the end of that bar",
    (
        "source_state",
        "cursor",
    ): "compared by itself, of the sources whose cursor does not say whom they were asked about",
}


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
    """Every table of the record as text, ordered by all of its columns: what two equal records have in common."""
    asked = {
        name: select(*_columns(table)) for name, table in sorted(metadata.tables.items()) if name not in NOT_THE_RECORD
    }
    asked["cursor"] = select(source_state.c.source, source_state.c.cursor).where(
        source_state.c.source.not_in(PER_PERSON)
    )
    with engine.connect() as conn:
        return {name: sorted(_line(row) for row in conn.execute(one)) for name, one in asked.items()}


def _columns(table: Table) -> list[Column[Any]]:
    return [column for column in table.columns if (table.name, column.name) not in NOT_OF_THE_RECORD]


def _line(row: Sequence[object]) -> str:
    return repr(tuple(value.hex() if isinstance(value, bytes) else value for value in row))
