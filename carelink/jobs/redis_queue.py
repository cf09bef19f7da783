"""RQ on Redis carries the ids of outbox rows, and nothing else: Redis never holds anything about a person."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, SimpleWorker
from sqlalchemy.exc import OperationalError

from carelink.jobs import handlers
from carelink.jobs.outbox import HAND_AGAIN, Work
from carelink.jobs.shop import Shop

log = structlog.get_logger()
QUEUE = "carelink"
PATIENCE = 1.0  # seconds between two looks whether Redis is back
LONGEST = 6 * int(HAND_AGAIN.total_seconds())  # seconds; a pull of everybody may take long, and may be broken off


def connect(url: str) -> Redis:
    """A client of that Redis; connects when first used."""
    return Redis.from_url(url, socket_connect_timeout=2, health_check_interval=15)


def hand_over(redis: Redis, works: Sequence[Work]) -> None:
    """Put them on the queue. The id of a job is that of its row, so twice is as good as once. Raises RedisError."""
    queue = Queue(QUEUE, connection=redis)
    for work in works:
        queue.enqueue_call(
            run,
            args=(work.id,),
            job_id=f"outbox-{work.id}",
            timeout=LONGEST,
            result_ttl=0,
            failure_ttl=60,
            description=work.kind,
        )


def identity(redis: Redis) -> str:
    """Which run of the Redis server this is: another one has lost what was handed over. Raises RedisError."""
    return str(redis.info("server")["run_id"])


class _Worker(SimpleWorker):
    """RQ's own worker, that remembers whether it was asked to end: it ends by itself where Redis is lost, too."""

    asked_to_end = False
    max_connection_wait_time = 2.0  # seconds; RQ's own minute is long for somebody who waits

    def handle_warm_shutdown_request(self) -> None:
        self.asked_to_end = True


@dataclass(frozen=True)
class _AtWork:
    shop: Shop
    worker: _Worker


_at_work: list[_AtWork] = []


def run(id_: int) -> bool:
    """What RQ calls: do the work of that row, with the shop that `work` was given; waits for the database."""
    here = _at_work[-1]
    while not here.worker.asked_to_end:
        try:
            return handlers.run(here.shop, id_)
        except OperationalError as away:
            log.warning("waiting for the database", why=type(away).__name__)
            time.sleep(PATIENCE)
    return False  # handed over again


def work(shop: Shop) -> None:
    """Work until SIGTERM (the job at hand is finished first), waiting for Redis where that is away.

    In one process, without a fork a job: models and connections stay open, and nobody is left behind when the
    process is killed. What was at hand then is handed over again.
    """
    ours = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    while not _worked_to_the_end(shop):
        for number, handler in ours.items():  # RQ put its own there
            signal.signal(number, handler)
        log.warning("waiting for redis")
        time.sleep(PATIENCE)


def _worked_to_the_end(shop: Shop) -> bool:
    """Work until somebody asks us to end: True; or until Redis is lost: False."""
    worker = None
    try:
        worker = _Worker([QUEUE], connection=connect(shop.settings.redis_url), maintenance_interval=60)
        _at_work.append(_AtWork(shop, worker))
        worker.work(logging_level="WARNING")
    except RedisError:
        pass
    return worker is not None and worker.asked_to_end
