"""Search parameters that are new: everything that is stored is indexed again, by a worker, part by part."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from carelink import outbox as notes
from carelink.consent.lens import Lens
from carelink.db.tables import outbox
from carelink.errors import Conflict
from carelink.jobs.shop import Shop
from carelink.record.reindexing import fingerprint, reindex

KIND = "index.changed"


def note(conn: Connection, now: datetime) -> bool:
    """Ask a worker for it where the parameters differ from those last worked with; gives whether it was asked."""
    newest = select(outbox.c.payload).where(outbox.c.kind == KIND).order_by(outbox.c.id.desc()).limit(1)
    known, mine = conn.execute(newest).scalar(), fingerprint()
    if known is not None and known["fingerprint"] == mine:
        return False
    notes.add(conn, KIND, {"fingerprint": mine}, now, once=f"{KIND}:{mine}")
    return True


def work_out(shop: Shop, payload: Mapping[str, Any]) -> None:
    """Part by part, each in its transaction; doing it twice changes nothing.

    Raises `Conflict` where this worker is of another release: one that knows the parameters does it.
    """
    if payload["fingerprint"] != fingerprint():
        raise Conflict("this worker is of another release than the one that asked")
    everything(shop)


def everything(shop: Shop) -> None:
    """Index all that is stored anew, now."""
    after = None
    while True:
        lens = Lens.system("index what is stored by the parameters of this release", shop.clock())
        with shop.engine.begin() as conn:
            after = reindex(conn, lens, after)
        if after is None:
            return
