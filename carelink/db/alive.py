"""Whether a pooled connection is still good: looked at without a word to the database, which a ping of each use costs.

A server that ends a connection says so on it: there is something to read where nothing was asked. Whoever is cut off
without a word is found out by a ping, which is asked only after the connection lay idle for a while.
"""

from __future__ import annotations

import select
import time
from typing import Any

from sqlalchemy import Engine, event, exc

IDLE = 30.0  # seconds: after that it is pinged
_BACK = "carelink.back"  # since when it lies in the pool


def check_when_taken(engine: Engine) -> None:
    """Connections of this engine are looked at when they are taken out of its pool; dead ones are made anew."""

    def taken(connection: Any, record: Any, proxy: Any) -> None:
        back = record.info.pop(_BACK, None)
        if back is None:  # it was made just now
            return
        if (_has_word(connection) or time.monotonic() - back > IDLE) and not _answers(engine, connection):
            raise exc.InvalidatePoolError  # all of the pool is as old: each is made anew

    def returned(connection: Any, record: Any) -> None:
        record.info[_BACK] = time.monotonic()

    event.listen(engine, "checkout", taken)
    event.listen(engine, "checkin", returned)


def _has_word(connection: Any) -> bool:
    """Whether the server said something, or the connection is closed."""
    if connection.closed:
        return True
    looks = select.poll()
    looks.register(connection.pgconn.socket, select.POLLIN)
    return bool(looks.poll(0))


def _answers(engine: Engine, connection: Any) -> bool:
    try:
        return engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error:
        return False
