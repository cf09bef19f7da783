"""Sealing: nobody who writes is held up, nothing that is still to come is passed over, and every block can be verified."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from random import Random

import pytest
from audit_builders import KEY, happen, rolled_back, sealed, verified
from conftest import NOW
from sqlalchemy import Connection, Engine, select, text

from carelink.audit import lines, seals
from carelink.audit.block import Seal
from carelink.audit.keys import SigningKey
from carelink.audit.seal import ACTION, seal
from carelink.db.embedded import Embedded
from carelink.db.engine import engine_for
from carelink.db.tables import audit_event, audit_seal
from carelink.errors import Conflict


def trail(engine: Engine, number: int, start: int = 0) -> None:
    with engine.begin() as conn:
        happen(conn, number, start)


def chain(engine: Engine) -> list[Seal]:
    with engine.connect() as conn:
        return list(seals.stream(conn))


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Somebody who has added an event and is not done."""
    with engine.connect() as conn, conn.begin():
        happen(conn, 1, 100)
        yield conn


def process(conn: Connection) -> int:
    return int(conn.execute(text("select pg_backend_pid()")).scalar_one())


# Blocks ---------------------------------------------------------------------------------------------


def test_all_that_happened_is_in_blocks_that_follow_each_other(engine: Engine) -> None:
    trail(engine, 12)
    done = sealed(engine)
    assert (done.blocks, done.events) == (3, 12)
    made = chain(engine)
    assert [(one.block.number, one.block.count) for one in made] == [(1, 5), (2, 5), (3, 2)]
    assert [(one.block.first, one.block.last) for one in made] == [(1, 5), (6, 10), (11, 12)]
    assert [one.block.previous for one in made[1:]] == [one.hash for one in made[:-1]]
    assert all(one.sound for one in made)
    assert done.newest == made[-1]
    said = verified(engine)
    assert (said.lines, said.found.blocks, said.found.events) == ([], 3, 12)


def test_that_a_block_was_sealed_is_an_event_and_waits_for_the_next(engine: Engine) -> None:
    trail(engine, 3)
    sealed(engine)
    said = verified(engine)
    assert (said.found.events, said.found.waiting, said.found.since) == (3, 1, NOW)
    with engine.connect() as conn:
        row = conn.execute(select(audit_event).order_by(audit_event.c.id.desc()).limit(1)).one()
    assert (row.action, row.detail) == (ACTION, {"block": 1, "hash": chain(engine)[0].hash.hex()})


def test_where_nothing_else_happened_nothing_is_sealed(engine: Engine) -> None:
    assert sealed(engine).newest is None
    trail(engine, 7)
    assert sealed(engine).blocks == 2
    assert [sealed(engine).blocks for _ in range(3)] == [0, 0, 0]
    trail(engine, 1)
    assert (sealed(engine).events, len(chain(engine))) == (3, 3)


def test_what_waits_to_be_sealed_is_told_with_the_time_of_the_first(engine: Engine) -> None:
    said = verified(engine)
    assert said.found.lines == ["as they were sealed: 0 events in 0 blocks", "waiting to be sealed: 0 events"]
    trail(engine, 4)
    said = verified(engine)
    assert said.problems == ()
    assert said.found.lines[1] == "waiting to be sealed: 4 events, the first since 2026-11-24 12:00:00 UTC"


# Those who write ------------------------------------------------------------------------------------


def test_nothing_is_sealed_past_an_event_that_may_still_come_and_then_it_is_in_its_block(engine: Engine) -> None:
    trail(engine, 2)
    with writing(engine) as slow:
        trail(engine, 3, 10)  # ids after the one that is not committed
        done = sealed(engine)
        assert (done.blocks, done.waits_for) == (0, (process(slow),))
        assert (verified(engine).lines, verified(engine).found.waiting) == ([], 5)
    assert sealed(engine).events == 6
    assert verified(engine).lines == []


def test_an_event_that_comes_to_nothing_leaves_an_id_that_nobody_can_use_later(engine: Engine) -> None:
    trail(engine, 2)
    with engine.connect() as slow:
        happen(slow, 1)
        trail(engine, 2)
        assert sealed(engine).blocks == 0
        slow.rollback()
    assert sealed(engine).events == 4
    with engine.begin() as conn:
        happen(conn, 1)
        conn.execute(text("update audit_event set id = 3 where id = (select max(id) from audit_event)"))
    assert verified(engine).lines == ["block 1: event 3 was put in after it was sealed"]


def test_who_has_only_begun_to_add_an_event_and_has_no_transaction_id_yet_is_waited_for(engine: Engine) -> None:
    trail(engine, 2)
    with engine.connect() as slow, slow.begin():
        slow.execute(text("insert into audit_event (at, action) select now(), 'read' where false"))
        assert slow.execute(text("select pg_current_xact_id_if_assigned()")).scalar() is None
        assert sealed(engine).waits_for == (process(slow),)


def test_who_began_after_the_look_is_not_waited_for(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """So sealing comes to its turn, however many write all the time."""
    trail(engine, 2)
    began = count()
    with engine.connect() as slow, engine.connect() as later, later.begin():
        happen(slow, 1)

        def while_it_waits(_: float) -> None:
            if next(began) == 0:
                happen(later, 1)
                slow.commit()

        monkeypatch.setattr("carelink.audit.settled.time.sleep", while_it_waits)
        assert seal(engine, KEY, lambda: NOW, patience=60).events == 3
    assert next(began) == 1


def test_who_only_reads_for_hours_holds_up_nothing(engine: Engine) -> None:
    trail(engine, 2)
    with engine.connect() as backup:
        backup.execution_options(isolation_level="REPEATABLE READ").execute(select(audit_event)).all()
        assert sealed(engine).events == 2


def test_while_a_block_is_being_sealed_others_write(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    trail(engine, 2)
    added = seals.add

    def meanwhile(conn: Connection, one: Seal) -> None:
        added(conn, one)
        with engine.begin() as other:
            other.execute(text("set local lock_timeout = '1ms'"))
            happen(other, 1)

    monkeypatch.setattr(seals, "add", meanwhile)
    assert sealed(engine).events == 2
    assert verified(engine).found.waiting == 2


@pytest.mark.parametrize("seed", range(3))
def test_many_who_write_seal_and_verify_at_once_lose_nothing_and_report_nothing_falsely(
    database_url: str, seed: int
) -> None:
    engine = engine_for(database_url, pool=20)
    numbers = count()

    def write(random: Random) -> None:
        for _ in range(30):
            with engine.connect() as conn:
                happen(conn, random.randint(1, 4), next(numbers))
                (conn.rollback if random.random() < 0.2 else conn.commit)()

    def look(_: int) -> list[str]:
        lines = []
        for _ in range(15):
            seal(engine, KEY, lambda: NOW, patience=0.2, most=7)
            lines += verified(engine).lines
        return lines

    with ThreadPoolExecutor(9) as pool:
        writers = [pool.submit(write, Random(f"{seed} {number}")) for number in range(6)]
        lookers = [pool.submit(look, number) for number in range(3)]
        assert [line for one in lookers for line in one.result()] == []
        assert [one.result() for one in writers] == [None] * 6
    sealed(engine, most=7)
    said = verified(engine)
    with engine.connect() as conn:
        there = list(conn.execute(select(audit_event.c.action).order_by(audit_event.c.id)).scalars())
    assert said.lines == []
    assert said.found.events + said.found.waiting == len(there)
    assert set(there[said.found.events :]) == {ACTION}, "all else is sealed"
    engine.dispose()


def test_where_ids_are_given_in_advance_nothing_is_sealed_and_it_says_what_to_do(engine: Engine) -> None:
    trail(engine, 2)
    with engine.begin() as conn:
        conn.execute(text("alter sequence audit_event_id_seq cache 20"))
    with pytest.raises(Conflict, match="set its cache to 1"):
        sealed(engine)


# Keys -----------------------------------------------------------------------------------------------


def test_a_new_key_goes_on_with_the_chain_and_vouches_for_what_the_old_one_sealed(engine: Engine) -> None:
    old, new = KEY, SigningKey.new()
    trail(engine, 7)
    sealed(engine, old)
    assert sealed(engine, new).blocks == 1, "though nothing happened but that the last block was sealed"
    assert [one.block.signed_by for one in chain(engine)] == [one.public.fingerprint for one in (old, old, new)]
    assert verified(engine, [new]).lines == []
    assert verified(engine, [old, new]).lines == []
    assert verified(engine, [old]).lines == ["block 3: signed by a key that is not known, as all blocks after it"]


def test_signatures_of_a_former_key_are_still_checked(engine: Engine) -> None:
    trail(engine, 3)
    sealed(engine)
    sealed(engine, SigningKey.new())
    with engine.begin() as conn:
        conn.execute(audit_seal.update().where(audit_seal.c.number == 1).values(signature=bytes(64)))
    assert "block 1: the signature is wrong" in verified(engine).lines


def made_anew(engine: Engine, key: SigningKey, numbers: range) -> None:
    """Whoever can write to the database, but has not the key, seals these blocks again as they like."""
    with engine.begin() as conn:
        before = None
        for one in list(seals.stream(conn)):
            if one.block.number in numbers:
                block = type(one.block).of(
                    before, one.block.last, lines.leaves(conn, one.block.first, one.block.count), key.public, NOW
                )
                conn.execute(audit_seal.delete().where(audit_seal.c.number == one.block.number))
                seals.add(conn, one := block.signed(key))
            before = one


def test_a_forger_with_a_key_of_their_own_is_found_out(engine: Engine) -> None:
    trail(engine, 12)
    sealed(engine)
    with engine.begin() as conn:
        conn.execute(audit_event.update().where(audit_event.c.id == 7).values(user="somebody.else"))
    made_anew(engine, SigningKey.new(), range(2, 3))
    assert verified(engine).lines == ["block 3: does not follow the block before it: one of the two was made anew"]
    made_anew(engine, SigningKey.new(), range(2, 4))
    assert verified(engine).lines == [
        "block 2: signed by a key that is not known, as all blocks after it",
        "block 3: is another than the one that was expected",
    ]


# Outside --------------------------------------------------------------------------------------------


def test_that_the_tail_of_both_tables_was_cut_off_is_proved_by_a_seal_that_was_noted_outside(engine: Engine) -> None:
    trail(engine, 12)
    newest = sealed(engine).newest
    assert newest is not None
    noted = {3: newest.hash}
    assert verified(engine, expected=noted).lines == []
    with engine.begin() as conn:
        conn.execute(audit_event.delete().where(audit_event.c.id > 10))
        conn.execute(audit_seal.delete().where(audit_seal.c.number > 2))
    assert verified(engine).lines == [], "from within nobody can tell"
    assert verified(engine, expected=noted).lines == ["block 3: is expected, and is not there"]
    trail(engine, 5)
    sealed(engine)
    assert verified(engine, expected=noted).lines == ["block 3: is another than the one that was expected"]


def dumped(then: Connection, now: Connection, table: str) -> None:
    """As pg_dump does it."""
    out, into = then.connection.driver_connection, now.connection.driver_connection
    assert out is not None
    assert into is not None
    with (
        out.cursor().copy(f"copy {table} to stdout") as told,
        into.cursor().copy(f"copy {table} from stdin") as taken,
    ):
        for part in told:
            taken.write(part)


def test_a_trail_that_was_restored_elsewhere_can_be_verified_and_goes_on(engine: Engine, postgres: Embedded) -> None:
    trail(engine, 7)
    sealed(engine)
    restored = engine_for(postgres.database("audit_restored", template="template_carelink"))
    with engine.connect() as then, restored.begin() as now:
        for name in ("audit_event", "audit_seal"):
            dumped(then, now, name)
        now.execute(text("select setval('audit_event_id_seq', (select max(id) from audit_event))"))
    assert (verified(restored).lines, verified(restored).found.events) == ([], 7)
    trail(restored, 3)
    assert sealed(restored).events == 5
    assert verified(restored).lines == []
    restored.dispose()
    postgres.drop("audit_restored")


def test_how_a_connection_writes_times_changes_no_event(engine: Engine, database_url: str) -> None:
    trail(engine, 5)
    sealed(engine)
    elsewhere = engine_for(f"{database_url}&options=-c%20timezone%3DAsia/Tokyo%20-c%20datestyle%3DGerman")
    with elsewhere.connect() as conn:
        conn.execute(text("set timezone to 'Asia/Tokyo'"))
        conn.execute(text("set datestyle to German"))
        conn.execute(text("set client_encoding to latin1"))
        conn.commit()
        theirs = lines.lines(conn, 1)
    with engine.connect() as conn:
        assert theirs == lines.lines(conn, 1)
    elsewhere.dispose()


def test_a_column_that_comes_later_changes_no_event_of_before(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with engine.begin() as conn:
        happen(conn, 5)
        rolled_back(conn)
    sealed(engine)
    with engine.begin() as conn:
        conn.execute(text("alter table audit_event add column later text"))
    monkeypatch.setattr(lines, "_COLUMNS", lines.names((*lines.COLUMNS, "later")))
    assert verified(engine).lines == []
    with engine.begin() as conn:
        conn.execute(text("update audit_event set later = '' where id = 2"))
    assert verified(engine).lines == ["block 1: event 2 was changed after it was sealed"]
