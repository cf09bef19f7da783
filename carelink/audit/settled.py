"""Up to which id no event can appear any more, though nobody who writes is held up.

Ids come from a sequence, and transactions end out of order: an event with a lower id may be committed after one with a
higher. Whoever writes an event holds a lock on the table from before its id is taken until the transaction is over, as
every INSERT does by itself; it excludes no other. So: read how far the sequence is, then who holds such a lock; when all
of these are over, every id up to there has its event or never will. Transaction ids alone would not do: an INSERT takes
the id of its row before its transaction has one of its own.

Nothing of this is kept. A restored database, in a cluster whose transactions count from the beginning, begins anew.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, text

from carelink.errors import Conflict

LOOK_AGAIN = 0.02  # seconds

_REACHED = text("""
select case when s.is_called then s.last_value else 0 end, d.seqcache
from audit_event_id_seq s, pg_sequence d where d.seqrelid = cast('audit_event_id_seq' as regclass)
""")
_WRITING = text("""
select virtualtransaction, pid from pg_locks
where locktype = 'relation' and granted and mode = 'RowExclusiveLock'
  and relation = cast('audit_event' as regclass)
  and database = (select oid from pg_database where datname = current_database())
""")


@dataclass(frozen=True)
class Settled:
    """No event up to `id` can appear any more; or, with `id` None, who still may add one: server processes."""

    id: int | None
    waits_for: tuple[int, ...] = ()


def settled(engine: Engine, patience: float) -> Settled:
    """Waits for so many seconds for the transactions that are adding events now; nobody waits for us.

    Raises `Conflict` where connections take ids in advance: one of them may be used whenever they like.
    """
    with engine.connect() as conn:
        conn.execution_options(isolation_level="AUTOCOMMIT")  # each look is a new one
        reached, ahead = conn.execute(_REACHED).one()
        if ahead != 1:
            raise Conflict("the sequence of audit_event gives ids in advance: set its cache to 1, or nothing is sealed")
        until = time.monotonic() + patience
        before = _writing(conn)
        while before and time.monotonic() < until:
            time.sleep(LOOK_AGAIN)
            now = _writing(conn)
            before = {one: pid for one, pid in before.items() if one in now}
    return Settled(None, tuple(sorted(before.values()))) if before else Settled(int(reached))


def _writing(conn: Connection) -> dict[str, int]:
    """The transactions that may be adding an event, each with its server process; 0 for one that is only prepared."""
    return {transaction: pid or 0 for transaction, pid in conn.execute(_WRITING)}
