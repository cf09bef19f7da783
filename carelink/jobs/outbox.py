"""Taking work from the outbox: claimed, done in the transaction of its effect, handed over again when it is late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select, update

from carelink.db.tables import outbox

HAND_AGAIN = timedelta(minutes=10)  # a worker that has not finished by then is taken for dead
FIRST_WAIT = timedelta(seconds=5)
MOST_WAIT = timedelta(minutes=30)


@dataclass(frozen=True)
class Work:
    """One open row."""

    id: int
    kind: str
    payload: dict[str, Any]
    attempts: int


class Later(Exception):
    """The work at hand is to be done again, not before `until`; its text says why."""

    def __init__(self, why: str, until: datetime) -> None:
        super().__init__(why)
        self.until = until


def claim(conn: Connection, now: datetime, count: int = 1) -> list[Work]:
    """Up to `count` rows that are due and in nobody's hands, now in ours. Two claimers never get the same row."""
    t = outbox.c
    free = or_(t.handed_at.is_(None), t.handed_at < now - HAND_AGAIN)
    due = select(t.id).where(t.done_at.is_(None), t.due_at <= now, free).order_by(t.due_at, t.id)
    chosen = due.limit(count).with_for_update(skip_locked=True).cte("chosen")
    statement = (
        update(outbox)
        .where(t.id == chosen.c.id)
        .values(handed_at=now, attempts=t.attempts + 1)
        .returning(t.id, t.kind, t.payload, t.attempts)
    )
    return sorted((Work(*row) for row in conn.execute(statement)), key=lambda work: work.id)


def _open(id_: int) -> Select[tuple[Any, ...]]:
    t = outbox.c
    return select(t.id, t.kind, t.payload, t.attempts).where(t.id == id_, t.done_at.is_(None))


def open_work(conn: Connection, id_: int) -> Work | None:
    """The row where it is not done."""
    row = conn.execute(_open(id_)).one_or_none()
    return Work(*row) if row else None


def lock(conn: Connection, id_: int) -> Work | None:
    """The row, locked for this transaction; None where it is done already or another has it right now."""
    row = conn.execute(_open(id_).with_for_update(skip_locked=True)).one_or_none()
    return Work(*row) if row else None


def done(conn: Connection, id_: int, now: datetime) -> None:
    """The work is done, in the same transaction as its effect."""
    conn.execute(update(outbox).where(outbox.c.id == id_).values(done_at=now, error=None))


def failed(conn: Connection, work: Work, why: str, now: datetime, until: datetime | None = None) -> None:
    """Try again later: `until` then; else after 5 s, then each time twice as long, up to half an hour.

    Nothing where it is done by now.
    """
    wait = min(FIRST_WAIT * 2 ** min(max(work.attempts - 1, 0), 12), MOST_WAIT)
    again = {"handed_at": None, "due_at": until or now + wait, "error": why[:500]}
    conn.execute(update(outbox).where(outbox.c.id == work.id, outbox.c.done_at.is_(None)).values(again))


def give_back(conn: Connection, ids: Sequence[int]) -> None:
    """Rows that could not be handed over are free again at once, as if they had not been taken."""
    t = outbox.c
    freed = update(outbox).where(t.id.in_(ids), t.done_at.is_(None))
    conn.execute(freed.values(handed_at=None, attempts=func.greatest(t.attempts - 1, 0)))


def free_all(conn: Connection) -> int:
    """What was handed to a carrier that has lost it is free again; gives how much. Handing a row twice does no harm.

    Rows that a worker has locked are being done at this moment: nobody waits for them.
    """
    t = outbox.c
    handed = select(t.id).where(t.done_at.is_(None), t.handed_at.is_not(None)).with_for_update(skip_locked=True)
    freed = update(outbox).where(t.id.in_(handed.cte("handed").select()))
    return conn.execute(freed.values(handed_at=None)).rowcount


def open_count(conn: Connection) -> int:
    """How many rows are not done."""
    return conn.execute(select(func.count()).select_from(outbox).where(outbox.c.done_at.is_(None))).scalar_one()
