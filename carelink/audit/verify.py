"""Verifying: the whole trail against its seals, in one look at the database and little memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from re import fullmatch

from sqlalchemy import Connection, Engine, func, select

from carelink.audit import lines, seals
from carelink.audit.block import Seal
from carelink.audit.seal import ACTION
from carelink.audit.walk import Problem, Walk, What
from carelink.db.tables import audit_event
from carelink.errors import Invalid


@dataclass(frozen=True)
class Verified:
    """What is as it was sealed, what waits to be sealed and since when, how much is wrong; `newest` is the last seal."""

    blocks: int
    events: int
    waiting: int
    since: datetime | None
    problems: int
    newest: Seal | None

    @property
    def lines(self) -> list[str]:
        """In words; last the anchor that is worth keeping."""
        wrong = [f"wrong: {self.problems}"] if self.problems else []
        since = f", the first since {self.since:%Y-%m-%d %H:%M:%S} UTC" if self.since else ""
        anchor = [f"newest seal: {self.newest.anchor}"] if self.newest else []
        return [
            *wrong,
            f"as they were sealed: {self.events} events in {self.blocks} blocks",
            f"waiting to be sealed: {self.waiting} events{since}",
            *anchor,
        ]


def verify(
    conn: Connection, known: Collection[str], expected: Mapping[int, bytes], tell: Callable[[Problem], None]
) -> Verified:
    """Tells each problem as it is found. The connection must look at one moment: see `one_look`.

    `known` are the fingerprints of the keys that are trusted. What they signed vouches for all before it. `expected` are
    hashes of seals, by their numbers, that were kept outside the database.
    """
    walk = Walk(lines.stream(conn), known)
    problems = 0
    for problem in _problems(conn, walk, dict(expected)):
        problems += 1
        tell(problem)
    waiting = walk.rest()
    since = conn.execute(select(func.min(audit_event.c.at)).where(audit_event.c.id > walk.upto)).scalar()
    return Verified(walk.blocks, walk.events, waiting, since, problems, walk.before)


@contextmanager
def one_look(engine: Engine) -> Iterator[Connection]:
    """A connection that sees the trail and its seals as they are now, whatever is added meanwhile."""
    with engine.connect() as conn:
        conn.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        yield conn


def _problems(conn: Connection, walk: Walk, expected: dict[int, bytes]) -> Iterator[Problem]:
    for seal, following in _with_the_next(seals.stream(conn)):
        yield from walk.step(seal, following)
        if expected.pop(seal.block.number, seal.hash) != seal.hash:
            yield Problem(What.UNEXPECTED, seal.block.number)
    yield from walk.end()
    yield from _told_of(conn, walk)
    yield from (Problem(What.ABSENT, number) for number in sorted(expected))


def _with_the_next(all_: Iterable[Seal]) -> Iterator[tuple[Seal, Seal | None]]:
    before: Seal | None = None
    for one in all_:
        if before is not None:
            yield before, one
        before = one
    if before is not None:
        yield before, None


def _told_of(conn: Connection, walk: Walk) -> Iterator[Problem]:
    """Seals that are gone, or are others, by what the events after the last block tell of when they were made."""
    t = audit_event.c
    asked = select(t.detail).where(t.id > walk.upto, t.action == ACTION).order_by(t.id)
    told = {said.get("block"): said.get("hash") for said in conn.execute(asked).scalars() if isinstance(said, dict)}
    for number in sorted(number for number in told if isinstance(number, int)):
        if number > walk.number:
            yield Problem(What.SEAL_GONE, number)
        elif walk.before is not None and number == walk.number and told[number] != walk.before.hash.hex():
            yield Problem(What.UNEXPECTED, number)


def anchor(text: str) -> tuple[int, bytes]:
    """A seal's number and hash, as `NUMBER:HASH`. Raises `Invalid`."""
    number, _, hash_ = text.partition(":")
    if not (number.isdecimal() and fullmatch("[0-9a-f]{64}", hash_)):
        raise Invalid("--expect", "must be NUMBER:HASH, as `carelink audit verify` and the worker's log tell")
    return int(number), bytes.fromhex(hash_)
