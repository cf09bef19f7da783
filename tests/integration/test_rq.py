"""RQ on Redis carries work to workers. Redis may be lost, and workers be killed: all is done, and done once."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import rq_worker
from processes import command, free_port, python, redis_server, run, simulators, until
from redis import Redis
from rq_worker import HELD
from sqlalchemy import Engine, func, select, text

from carelink import outbox as notes
from carelink.db import sync
from carelink.db.tables import index_token, job_receipt, outbox, resource, source_state
from carelink.ids import NHS_NUMBER
from carelink.jobs import redis_queue
from carelink.jobs.outbox import HAND_AGAIN, Work
from carelink.jobs.relay import Relay
from carelink.jobs.shop import Shop
from carelink.place import Place
from carelink.record import source_state as standing
from carelink.settings import Settings

pytestmark = pytest.mark.rq
MANY = 300


@dataclass
class Post:
    """A database, a Redis that can be lost, and who works there."""

    engine: Engine
    place: Place
    folder: Path
    port: int
    environ: dict[str, str]

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def redis(self) -> AbstractContextManager[subprocess.Popen[str]]:
        return redis_server(self.folder, self.port)

    def worker(self) -> AbstractContextManager[subprocess.Popen[str]]:
        return python(rq_worker.__file__, **self.environ)

    def relay(self) -> AbstractContextManager[subprocess.Popen[str]]:
        return command("relay", **self.environ)

    def note(self, count: int, **payload: object) -> None:
        with self.engine.begin() as conn:
            for number in range(count):
                notes.add(conn, "test", {"number": number, **payload}, datetime.now(UTC))

    def receipts(self) -> Counter[int]:
        with self.engine.connect() as conn:
            return Counter(conn.execute(select(job_receipt.c.outbox)).scalars())

    def open(self) -> int:
        with self.engine.connect() as conn:
            return conn.execute(select(func.count()).select_from(outbox).where(outbox.c.done_at.is_(None))).scalar_one()

    def held_up(self) -> list[int]:
        """The server processes of workers that wait for the test in the middle of their work."""
        waiting = text("select pid from pg_locks where locktype = 'advisory' and objid = :held and not granted")
        with self.engine.connect() as conn:
            return list(conn.execute(waiting, {"held": HELD}).scalars())

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Whoever does work that is `held` waits until this ends."""
        with self.engine.connect() as conn:
            conn.execute(text("select pg_advisory_lock(:held)"), {"held": HELD})
            yield
            conn.execute(text("select pg_advisory_unlock_all()"))


@pytest.fixture
def post(engine: Engine, database_url: str, place: Place, tmp_path: Path) -> Post:
    """No pull is due there for a while: every source was asked, an hour ahead."""
    with engine.begin() as conn:
        sync.sync(conn, place)
        for entry in place.sources:
            standing.started(conn, entry.name, datetime.now(UTC) + timedelta(hours=1))
    port = free_port()
    told = {"CARELINK_DATABASE_URL": database_url, "CARELINK_REDIS_URL": f"redis://127.0.0.1:{port}/0"}
    return Post(engine, place, tmp_path, port, told)


def test_what_redis_lost_is_done_all_the_same_and_nothing_twice(post: Post) -> None:
    post.note(MANY)
    with post.relay(), post.worker(), post.worker():  # before there is a Redis: they wait for it
        with post.redis() as redis:
            until(lambda: len(post.receipts()) >= MANY // 6, "some of it is done")
            redis.kill()
            redis.wait()
        broken_off = post.open()
        post.note(1)  # while Redis is away
        with post.redis():
            until(lambda: post.open() == 0, "all of it is done")
    assert broken_off > 0, "it was lost in the middle"
    assert post.receipts() == Counter([*range(MANY), 0])


def test_work_of_a_killed_worker_is_done_by_another_and_its_half_effect_is_gone(post: Post) -> None:
    post.note(1, held=True)
    now = datetime.now(UTC)
    shop = Shop(post.engine, post.place, Settings(), lambda: now)
    with post.redis():
        relay = Relay(shop, redis_queue.connect(post.url))
        with post.holding(), post.worker() as worker:
            assert relay.step() == 1
            (half,) = until(post.held_up, "the worker is in the middle")
            worker.kill()
            worker.wait()
        until(lambda: half not in connected(post.engine), "the database has noticed")
        assert (post.receipts(), post.open()) == (Counter(), 1)
        with post.worker():
            assert relay.step() == 0, "it may still be at it"
            late = Shop(post.engine, post.place, Settings(), lambda: now + HAND_AGAIN + timedelta(seconds=1))
            assert Relay(late, relay.redis, relay.carrier).step() == 1
            until(lambda: post.open() == 0, "the other worker has done it")
    assert post.receipts() == Counter({0: 1})


def connected(engine: Engine) -> list[int]:
    with engine.connect() as conn:
        return list(conn.execute(text("select pid from pg_stat_activity")).scalars())


def test_a_row_that_is_handed_over_again_while_it_is_being_done_is_done_once(post: Post) -> None:
    with post.redis():
        relay = Relay(Shop(post.engine, post.place, Settings()), redis_queue.connect(post.url))
        with post.worker(), post.worker():
            with post.holding():
                post.note(1, held=True)
                assert relay.step() == 1
                until(post.held_up, "one worker is at it")
                relay.carrier = "another run of Redis, as far as the relay knows"
                assert relay.step() == 0, "nobody waits for it, or takes it away"
                redis_queue.hand_over(relay.redis, [Work(only(post.engine), "test", {}, 2)])
                until(lambda: queued(relay.redis) == 0, "the other worker has been told of it, too")
            until(lambda: post.open() == 0, "it is done")
            post.note(1)
            until(lambda: relay.step() == 0 and post.open() == 0, "what came after it is done, too")
    assert post.receipts() == Counter([0, 0])


def only(engine: Engine) -> int:
    with engine.connect() as conn:
        return conn.execute(select(outbox.c.id)).scalar_one()


def queued(redis: Redis) -> int:
    return int(redis.llen(f"rq:queue:{redis_queue.QUEUE}"))


def test_pulls_are_asked_for_by_schedule_and_done_over_redis_which_holds_nothing_about_anybody(
    post: Post, tmp_path: Path
) -> None:
    with post.engine.begin() as conn:
        conn.execute(source_state.delete())
    with simulators(tmp_path, 12) as sources, post.redis():
        environ = {**post.environ, **sources}
        with command("relay", **environ):
            redis = redis_queue.connect(post.url)
            until(lambda: queued(redis) == len(post.place.sources), "every source is to be pulled, once")
            seen = " ".join(str(redis.dump(key)) for key in redis.keys("*"))
            assert [word for word in ("council", "hospital", "Patient") if word in seen] == []
        with command("worker", **environ), command("worker", **environ), command("relay", **environ):
            until(lambda: statuses(post.engine) == ["good"] * 5, "all are pulled")
    with post.engine.connect() as conn:
        assert conn.execute(select(func.count()).select_from(resource)).scalar_one() > 100
        numbers = conn.execute(select(index_token.c.code).where(index_token.c.system == NHS_NUMBER).distinct()).all()
    assert len(numbers) >= 12
    assert [number for (number,) in numbers if number in seen] == []  # whole: three nines stand in many a job's id


def statuses(engine: Engine) -> list[str]:
    with engine.connect() as conn:
        return list(conn.execute(select(source_state.c.status)).scalars())


def test_the_same_handlers_do_it_without_redis(post: Post) -> None:
    post.note(20)
    without = {name: value for name, value in post.environ.items() if name != "CARELINK_REDIS_URL"}
    with python(rq_worker.__file__, **without):
        until(lambda: post.open() == 0, "the worker has done it")
    assert post.receipts() == Counter(range(20))
    told = run("relay", **without)
    assert (told.returncode, told.stderr.count("\n")) == (2, 1)
    assert "CARELINK_REDIS_URL: must be set; without Redis, `carelink worker` alone does it all" in told.stderr


def test_a_relay_and_workers_that_wait_for_what_is_away_end_at_once_when_they_are_asked_to(post: Post) -> None:
    nowhere = {"CARELINK_DATABASE_URL": f"postgresql://127.0.0.1:{free_port()}/nowhere"}
    logs = [post.folder / name for name in ("relay", "worker", "alone")]
    with (
        command("relay", log=logs[0], **{**post.environ, **nowhere}) as relay,
        command("worker", log=logs[1], **post.environ) as worker,
        command("worker", log=logs[2], **nowhere) as alone,
    ):
        for process, log in zip((relay, worker, alone), logs, strict=True):
            until(lambda log=log: "waiting for" in log.read_text(), "it waits")
            process.terminate()
            assert process.wait(20) == 0
            assert "Traceback" not in log.read_text()
