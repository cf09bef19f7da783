"""Work of which only one may be under way at a time, whatever the number of workers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text


@contextmanager
def alone(engine: Engine, name: str) -> Iterator[bool]:
    """Whether nobody else is at the work of that name. The lock is of a session: it goes with a killed process."""
    with engine.connect() as conn:
        got = bool(conn.execute(_LOCK, {"name": name}).scalar())
        conn.commit()
        try:
            yield got
        finally:
            if got:
                conn.execute(_UNLOCK, {"name": name})
                conn.commit()


_LOCK = text("select pg_try_advisory_lock(hashtext(:name))")
_UNLOCK = text("select pg_advisory_unlock(hashtext(:name))")
