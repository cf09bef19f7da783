"""Once a minute the audit is sealed, where a key is set; the hash of the newest seal goes to the log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, select

from carelink import outbox as notes
from carelink.audit import seal as sealing
from carelink.audit.keys import SETTING, SigningKey
from carelink.db.tables import outbox
from carelink.jobs.shop import Shop
from carelink.settings import Settings

log = structlog.get_logger()
KIND = "audit.seal"
EVERY = timedelta(minutes=1)


def note(conn: Connection, settings: Settings, now: datetime) -> bool:
    """Ask for the next round, a minute from now, where none is asked for; gives whether it was asked for."""
    asked = select(outbox.c.id).where(outbox.c.once == KIND, outbox.c.done_at.is_(None))
    if not settings.audit_key or conn.execute(asked).scalar() is not None:
        return False
    return notes.add(conn, KIND, {}, now, now + EVERY, once=KIND) is not None


def work(shop: Shop, payload: Mapping[str, Any]) -> None:
    """A round; doing it twice does no harm. Raises `Invalid` where this worker has no key."""
    done = sealing.seal(shop.engine, SigningKey.read(shop.settings.audit_key), shop.clock)
    if done.waits_for:
        log.warning("sealing of the audit waits for transactions that don't end", processes=done.waits_for)
    if done.newest is not None:  # an anchor outside the database: carelink audit verify --expect
        log.info("audit sealed", seal=done.newest.anchor, events=done.events)


def check(settings: Settings) -> None:
    """At a worker's start: warns where nothing will be sealed. Raises `Invalid` for what is no key."""
    if settings.audit_key:
        SigningKey.read(settings.audit_key)
    else:
        log.warning("the audit is not sealed", why=f"{SETTING} is not set")
