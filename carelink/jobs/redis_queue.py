"""RQ on Redis carries the ids of outbox rows, and nothing else: Redis never holds anything about a person."""

from __future__ import annotations

from collections.abc import Sequence

from redis import Redis
from rq import Queue, SimpleWorker

from carelink.jobs import handlers
from carelink.jobs.outbox import HAND_AGAIN, Work
from carelink.jobs.shop import Shop

QUEUE = "carelink"
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


_shops: list[Shop] = []


def run(id_: int) -> bool:
    """What RQ calls: do the work of that row, with the shop that `work` was given."""
    return handlers.run(_shops[-1], id_)


def work(shop: Shop) -> None:
    """Work until SIGTERM (the job at hand is finished first), waiting for Redis where that is away.

    In one process, without a fork a job: models and connections stay open, and nobody is left behind when the
    process is killed. What was at hand then is handed over again.
    """
    _shops.append(shop)
    worker = SimpleWorker([QUEUE], connection=connect(shop.settings.redis_url), maintenance_interval=60)
    worker.work(logging_level="WARNING")
