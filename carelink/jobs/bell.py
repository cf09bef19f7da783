"""Waits for news from PostgreSQL that there is work, so that nobody polls hard."""

from __future__ import annotations

import time
from types import TracebackType

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from carelink.outbox import CHANNEL


class Bell:
    """Rings when a row was added to the outbox. Where it can't listen (a pooler between) it just waits."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._conn: psycopg.Connection[object] | None = None

    def wait(self, seconds: float) -> None:
        """Until it rings, or that long."""
        try:
            listening = self._listening()
            for _ in listening.notifies(timeout=seconds, stop_after=1):
                return
        except (psycopg.OperationalError, OperationalError):
            self.close()
            time.sleep(seconds)

    def _listening(self) -> psycopg.Connection[object]:
        if self._conn is None:
            pooled = self._engine.raw_connection()
            made = pooled.driver_connection
            pooled.detach()
            assert isinstance(made, psycopg.Connection)
            made.autocommit = True
            made.execute(f"listen {CHANNEL}")
            self._conn = made
        return self._conn

    def close(self) -> None:
        """Let go of the connection."""
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    def __enter__(self) -> Bell:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
