"""Hands due rows of the outbox to RQ, and notes the pulls that are due. The outbox is the truth; Redis may be lost."""

from __future__ import annotations

import time
from dataclasses import dataclass

import structlog
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError

from carelink.jobs import ending, outbox, redis_queue, schedule, sealing
from carelink.jobs.bell import Bell
from carelink.jobs.outbox import Work
from carelink.jobs.shop import Shop

log = structlog.get_logger()
AT_ONCE = 100  # rows
PATIENCE = 1.0  # seconds between two looks at what is due, where no bell rings


@dataclass
class Relay:
    """`carrier` is the run of the Redis server that has what was handed over."""

    shop: Shop
    redis: Redis
    carrier: str = ""

    def step(self) -> int:
        """Hand over what is due; gives how many rows. Raises RedisError, and then nothing counts as handed."""
        self._notice_another_carrier()
        works = self._claimed()
        try:
            redis_queue.hand_over(self.redis, works)
        except RedisError:
            with self.shop.engine.begin() as conn:
                outbox.give_back(conn, [work.id for work in works])
            raise
        return len(works)

    def _notice_another_carrier(self) -> None:
        carrier = redis_queue.identity(self.redis)
        if carrier != self.carrier:
            with self.shop.engine.begin() as conn:
                freed = outbox.free_all(conn)
            log.info("redis is new or was started anew", handed_again=freed)
            self.carrier = carrier

    def _claimed(self) -> list[Work]:
        now = self.shop.clock()
        with self.shop.engine.begin() as conn:
            schedule.tick(conn, self.shop.place, now)
            sealing.note(conn, self.shop.settings, now)
            return outbox.claim(conn, now, AT_ONCE)


def forever(shop: Shop) -> None:
    """Until the process is ended. Where Redis or the database is away it waits for them."""
    relay = Relay(shop, redis_queue.connect(shop.settings.redis_url))
    with Bell(shop.engine) as bell:
        while not ending.asked():
            try:
                if relay.step() < AT_ONCE:
                    bell.wait(PATIENCE)
            except (RedisError, OperationalError) as away:
                log.warning("waiting for redis or the database", why=type(away).__name__)
                time.sleep(PATIENCE)
