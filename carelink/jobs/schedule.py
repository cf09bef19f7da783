"""Pulls that are due become rows of the outbox; each source is asked for once, however many ask."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from carelink import outbox as notes
from carelink.db.tables import source_state
from carelink.place import Place, SourceEntry

SOONEST_AGAIN = timedelta(minutes=5)  # a failing source is tried again after this, or sooner where its interval is


def tick(conn: Connection, place: Place, now: datetime) -> list[str]:
    """Note a pull for every source that is due; gives the names of those for which none was open yet."""
    return [
        entry.name
        for entry in due(conn, place.sources, now)
        if notes.add(conn, "source.pull", {"source": entry.name}, now, once=f"pull:{entry.name}") is not None
    ]


def due(conn: Connection, entries: Iterable[SourceEntry], now: datetime) -> list[SourceEntry]:
    """The sources whose last pull began at least their interval ago, in the order of the pack."""
    t = source_state.c
    began = {row.source: row for row in conn.execute(select(t.source, t.status, t.started_at))}
    return [
        entry
        for entry in entries
        if entry.name not in began
        or began[entry.name].started_at is None
        or began[entry.name].started_at + _interval(entry, began[entry.name].status) <= now
    ]


def _interval(entry: SourceEntry, status: str) -> timedelta:
    usual = timedelta(minutes=entry.every_minutes)
    return min(usual, SOONEST_AGAIN) if status == "failing" else usual
