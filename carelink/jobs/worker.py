"""The worker where there is no Redis: the same handlers, straight from the table, in one process."""

from __future__ import annotations

import time
from contextlib import suppress

import structlog
from sqlalchemy.exc import OperationalError

from carelink.jobs import ending, handlers, outbox, schedule, sealing
from carelink.jobs.bell import Bell
from carelink.jobs.shop import Shop

log = structlog.get_logger()
PATIENCE = 1.0  # seconds between two looks at what is due, where no bell rings


def step(shop: Shop) -> bool:
    """Do the next piece of work that is due; gives whether there was one."""
    now = shop.clock()
    with shop.engine.begin() as conn:
        schedule.tick(conn, shop.place, now)
        sealing.note(conn, shop.settings, now)
        works = outbox.claim(conn, now)
    for work in works:
        _do(shop, work.id)
    return bool(works)


def _do(shop: Shop, id_: int) -> None:
    """Ended in the middle by a signal, the row is free for the next worker at once."""
    try:
        handlers.run(shop, id_)
    except (SystemExit, KeyboardInterrupt):
        with suppress(OperationalError), shop.engine.begin() as conn:
            outbox.give_back(conn, [id_])
        raise


def forever(shop: Shop) -> None:
    """Until the process is ended. Where the database is away it waits for it."""
    with Bell(shop.engine) as bell:
        while not ending.asked():
            try:
                if not step(shop):
                    bell.wait(PATIENCE)
            except OperationalError as away:
                log.warning("waiting for the database", why=type(away).__name__)
                time.sleep(PATIENCE)
