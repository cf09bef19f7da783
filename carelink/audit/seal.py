"""Sealing: what is settled of the trail goes into blocks, each signed and chained to the one before. Nobody waits for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, select, text

from carelink.audit import seals
from carelink.audit.block import Block, Seal
from carelink.audit.keys import PublicKey, SigningKey
from carelink.audit.lines import AT_ONCE, Leaf, leaves
from carelink.audit.settled import settled
from carelink.audit.trail import CARELINK, Event, append
from carelink.db.tables import audit_event

ACTION = "seal"  # of the event that says which block was sealed: so a seal that is taken away leaves a trace
MOST = AT_ONCE  # events in a block
PATIENCE = 5.0  # seconds to wait for those who are writing

_ONE_AT_A_TIME = 7_223_100_061  # pg_advisory_xact_lock: whoever seals; nobody else asks for it


@dataclass(frozen=True)
class Sealed:
    """What a round of sealing did. `newest` is its last seal; `waits_for` says why it did nothing: server processes."""

    blocks: int = 0
    events: int = 0
    newest: Seal | None = None
    waits_for: tuple[int, ...] = ()


def seal(
    engine: Engine, key: SigningKey, clock: Callable[[], datetime], patience: float = PATIENCE, most: int = MOST
) -> Sealed:
    """Seal all events that were settled when it began, each block of `most` at most in a transaction of its own.

    Does nothing where somebody is still writing after so many seconds: the next round will find them done. Raises
    `Conflict` where ids of events are given in advance.
    """
    upto = settled(engine, patience)
    if upto.id is None:
        return Sealed(waits_for=upto.waits_for)
    blocks, events, newest = 0, 0, None
    for newest in _made(engine, key, clock, upto.id, most):
        blocks, events = blocks + 1, events + newest.block.count
    return Sealed(blocks, events, newest)


def _made(engine: Engine, key: SigningKey, clock: Callable[[], datetime], upto: int, most: int) -> Iterator[Seal]:
    while True:
        with engine.begin() as conn:
            made = _next(conn, key, clock(), upto, most)
        if made is None:
            return
        yield made


def _next(conn: Connection, key: SigningKey, now: datetime, upto: int, most: int) -> Seal | None:
    """The next block is sealed, and that it was is an event like any other; None where nothing waits."""
    conn.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _ONE_AT_A_TIME})
    before = seals.newest(conn)
    waiting = [one for one in leaves(conn, before.block.last + 1 if before else 1, most) if one.id <= upto]
    if not waiting or _only_of_sealing(conn, before, waiting, key.public):
        return None
    last = waiting[-1].id if len(waiting) == most else upto
    made = Block.of(before, last, waiting, key.public, now).signed(key)
    seals.add(conn, made)
    append(conn, Event(ACTION, user=CARELINK, detail={"block": made.block.number, "hash": made.hash.hex()}), now)
    return made


def _only_of_sealing(conn: Connection, before: Seal | None, waiting: Sequence[Leaf], key: PublicKey) -> bool:
    """Whether nothing happened but that blocks were sealed. A new key signs all the same, to be vouched for."""
    if before is None or before.block.signed_by != key.fingerprint:
        return False
    t = audit_event.c
    other = select(t.id).where(t.id.between(waiting[0].id, waiting[-1].id), t.action != ACTION).limit(1)
    return conn.execute(other).scalar() is None
