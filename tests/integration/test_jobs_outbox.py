"""Work in the outbox is claimed by one, done with its effect, put off when it fails, and handed over again when late."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, func, select, update

from carelink import outbox as notes
from carelink.db.tables import outbox as table
from carelink.errors import Conflict
from carelink.jobs import handlers, outbox, schedule
from carelink.jobs.handlers import Kind
from carelink.jobs.outbox import HAND_AGAIN, Work
from carelink.jobs.shop import Shop
from carelink.jobs.worker import step
from carelink.place import Place
from carelink.record import source_state
from carelink.settings import Settings

MINUTE = timedelta(minutes=1)


def noted(engine: Engine, now: datetime, kind: str = "test", count: int = 1, due: datetime | None = None) -> list[int]:
    with engine.begin() as conn:
        return [id_ for number in range(count) if (id_ := notes.add(conn, kind, {"number": number}, now, due))]


def claimed(engine: Engine, now: datetime, count: int = 10) -> list[Work]:
    with engine.begin() as conn:
        return outbox.claim(conn, now, count)


@pytest.fixture
def shop(engine: Engine, place: Place, now: datetime) -> Shop:
    return Shop(engine, place, Settings(), lambda: now)


@pytest.fixture
def doing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Kind], None]:
    """Let the kind `test` be done this way."""
    return lambda kind: monkeypatch.setattr(handlers, "KINDS", {"test": kind})


def row(engine: Engine, id_: int) -> object:
    with engine.connect() as conn:
        return conn.execute(select(table).where(table.c.id == id_)).one()


def test_two_claimers_never_get_the_same_row(engine: Engine, now: datetime) -> None:
    ids = noted(engine, now, count=6)
    with engine.begin() as one, engine.begin() as other:
        mine, theirs = outbox.claim(one, now, 4), outbox.claim(other, now, 4)
    assert [work.id for work in (*mine, *theirs)] == ids
    assert claimed(engine, now) == []


def test_what_is_not_due_waits(engine: Engine, now: datetime) -> None:
    noted(engine, now, due=now + MINUTE)
    assert claimed(engine, now) == []
    assert len(claimed(engine, now + MINUTE)) == 1


def test_what_is_not_done_in_time_is_handed_over_again(engine: Engine, now: datetime) -> None:
    noted(engine, now)
    assert [work.attempts for work in claimed(engine, now)] == [1]
    assert claimed(engine, now + HAND_AGAIN) == []
    assert [work.attempts for work in claimed(engine, now + HAND_AGAIN + MINUTE)] == [2]


def test_failing_work_waits_longer_each_time_up_to_half_an_hour(engine: Engine, now: datetime) -> None:
    (id_,) = noted(engine, now)
    waits, at = [], now
    for _ in range(14):
        (work,) = claimed(engine, at)
        with engine.begin() as conn:
            outbox.failed(conn, work, "not now", at)
        with engine.connect() as conn:
            due = conn.execute(select(table.c.due_at).where(table.c.id == id_)).scalar_one()
        waits.append((due - at).total_seconds())
        at = due
    assert waits[:4] == [5, 10, 20, 40]
    assert waits[-1] == 1800


def test_the_effect_and_its_done_are_one_transaction(
    engine: Engine, shop: Shop, doing: Callable[[Kind], None], now: datetime
) -> None:
    def effect(shop: Shop, conn: Connection, payload: object) -> None:
        source_state.good(conn, "council-a", now)
        raise Conflict("half-way")

    doing(Kind(handler=effect))
    (id_,) = noted(engine, now)
    assert not handlers.run(shop, id_)
    with engine.connect() as conn:
        assert source_state.standings(conn) == {}
    kept = row(engine, id_)
    assert (kept.done_at, kept.error, kept.due_at) == (None, "half-way", now + timedelta(seconds=5))


def test_a_row_is_done_once_however_often_it_is_handed_over(
    engine: Engine, shop: Shop, doing: Callable[[Kind], None], now: datetime
) -> None:
    done: list[object] = []
    doing(Kind(handler=lambda shop, conn, payload: done.append(payload)))
    (id_,) = noted(engine, now)
    assert [handlers.run(shop, id_) for _ in range(3)] == [True, False, False]
    assert done == [{"number": 0}]


def test_while_one_worker_is_at_it_another_leaves_it_alone(
    engine: Engine, shop: Shop, doing: Callable[[Kind], None], now: datetime
) -> None:
    inner: list[bool] = []
    doing(Kind(handler=lambda shop, conn, payload: inner.append(handlers.run(shop, id_))))
    (id_,) = noted(engine, now)
    assert handlers.run(shop, id_)
    assert inner == [False]


def test_a_fault_of_ours_is_kept_by_its_kind_alone_since_its_text_may_name_people(
    engine: Engine, shop: Shop, doing: Callable[[Kind], None], now: datetime
) -> None:
    def faulty(shop: Shop, conn: Connection, payload: object) -> None:
        raise ValueError("Joyce Adeyemi, born 1941")

    doing(Kind(handler=faulty))
    (id_,) = noted(engine, now)
    assert not handlers.run(shop, id_)
    assert row(engine, id_).error == "a fault in CareLink (ValueError)"


def test_work_of_a_kind_that_nobody_does_waits_and_says_so(engine: Engine, shop: Shop, now: datetime) -> None:
    (id_,) = noted(engine, now, kind="carrier-pigeon")
    assert not handlers.run(shop, id_)
    assert row(engine, id_).error == "nothing here does carrier-pigeon"


def test_the_worker_without_redis_does_all_that_is_due_and_then_rests(
    engine: Engine, shop: Shop, doing: Callable[[Kind], None], now: datetime
) -> None:
    with engine.begin() as conn:
        for entry in shop.place.sources:
            source_state.started(conn, entry.name, now)
    done: list[object] = []
    doing(Kind(handler=lambda shop, conn, payload: done.append(payload["number"])))
    noted(engine, now, count=3)
    assert [step(shop) for _ in range(4)] == [True, True, True, False]
    assert done == [0, 1, 2]


def test_a_worker_ended_in_the_middle_gives_its_work_back_at_once(
    engine: Engine, shop: Shop, doing: Callable[[Kind], None], now: datetime
) -> None:
    def ended(shop: Shop, conn: Connection, payload: object) -> None:
        raise SystemExit

    doing(Kind(handler=ended))
    (id_,) = noted(engine, now - MINUTE)
    with engine.begin() as conn:
        for entry in shop.place.sources:
            source_state.started(conn, entry.name, now)
    with pytest.raises(SystemExit):
        step(shop)
    assert (row(engine, id_).handed_at, row(engine, id_).attempts) == (None, 0)


def test_pulls_that_are_due_are_asked_for_once(engine: Engine, place: Place, now: datetime) -> None:
    names = [entry.name for entry in place.sources]
    with engine.begin() as conn:
        assert schedule.tick(conn, place, now) == names
        assert schedule.tick(conn, place, now) == []
        asked = conn.execute(select(func.count()).select_from(table).where(table.c.kind == "source.pull")).scalar()
    assert asked == len(names)


def test_a_source_is_due_after_its_interval_and_a_failing_one_after_five_minutes_at_most(
    engine: Engine, place: Place, now: datetime
) -> None:
    council, hospital = place.source("council-a"), place.source("hospital")
    assert (council.every_minutes, hospital.every_minutes) == (60, 5)
    with engine.begin() as conn:
        for entry in (council, hospital):
            source_state.started(conn, entry.name, now)
            source_state.good(conn, entry.name, now)
        assert schedule.due(conn, [council, hospital], now + 4 * MINUTE) == []
        assert schedule.due(conn, [council, hospital], now + 5 * MINUTE) == [hospital]
        source_state.failing(conn, council.name, "no answer", now)
        assert schedule.due(conn, [council], now + 4 * MINUTE) == []
        assert schedule.due(conn, [council], now + 5 * MINUTE) == [council]


def test_what_a_lost_carrier_had_is_free_again_but_not_what_is_done(engine: Engine, now: datetime) -> None:
    ids = noted(engine, now, count=3)
    claimed(engine, now)
    with engine.begin() as conn:
        outbox.done(conn, ids[0], now)
        assert outbox.free_all(conn) == 2
        conn.execute(update(table).where(table.c.id == ids[1]).values(due_at=now + MINUTE))
    assert [work.id for work in claimed(engine, now)] == [ids[2]]
