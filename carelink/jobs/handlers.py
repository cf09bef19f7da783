"""What is done for each kind of work.

A handler's effect and its `done` are one transaction; a pull has transactions of its own and may be done twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Connection, select

from carelink import outbox as notes
from carelink.cases import breakglass_opening, breakglass_review, consent_unclear, subscription_events
from carelink.cases import exporting as exports
from carelink.cases import subject_access as requests
from carelink.db.tables import source_person
from carelink.errors import CareLinkError, Conflict
from carelink.ids import PersonKey
from carelink.jobs import (
    apart,
    breakglass,
    exporting,
    index_changed,
    labels_changed,
    outbox,
    place_changed,
    sealing,
    subject_access,
    subscriptions,
    watch,
)
from carelink.jobs.outbox import Later, Work
from carelink.jobs.pull import pull
from carelink.jobs.shop import Shop
from carelink.jobs.wanted import PER_PERSON

log = structlog.get_logger()
GATHER = timedelta(seconds=60)  # new people are asked about together

Handler = Callable[[Shop, Connection, Mapping[str, Any]], None]


@dataclass(frozen=True)
class Kind:
    """How one kind of work is done; `alone` where it must not be in one transaction with its row.

    `waits`: for somebody else's server, so that it is done apart.
    """

    handler: Handler | None = None
    alone: Callable[[Shop, Mapping[str, Any]], None] | None = None
    waits: bool = False


def run(shop: Shop, id_: int) -> bool:
    """Do that row's work if it is still to be done; gives whether it was done here, or begun. Safe to call twice, anywhere.

    Whatever goes wrong, the row is tried again later, and only the kind of fault is kept: its text may name people.
    """
    work = _peek(shop, id_)
    if work is None:
        return False
    kind = KINDS.get(work.kind)
    if kind is not None and kind.waits:
        apart.begin(lambda: _do(shop, work, kind))
        return True
    return _do(shop, work, kind)


def _do(shop: Shop, work: Work, kind: Kind | None) -> bool:
    try:
        if kind is None:
            raise Conflict(f"nothing here does {work.kind}")
        if kind.alone is not None:
            kind.alone(shop, work.payload)
        return _finish(shop, work.id, kind.handler)
    except Later as later:
        _again(shop, work, later)
    except CareLinkError as wrong:
        _put_off(shop, work, str(wrong))
    except Exception as wrong:  # noqa: BLE001  the rim of all work: one row's fault stops no other
        _put_off(shop, work, f"a fault in CareLink ({type(wrong).__name__})")
    return False


def _again(shop: Shop, work: Work, later: Later) -> None:
    with shop.engine.begin() as conn:
        outbox.failed(conn, work, str(later), shop.clock(), later.until)


def _peek(shop: Shop, id_: int) -> Work | None:
    with shop.engine.connect() as conn:
        return outbox.open_work(conn, id_)


def _finish(shop: Shop, id_: int, handler: Handler | None) -> bool:
    with shop.engine.begin() as conn:
        work = outbox.lock(conn, id_)
        if work is None:
            return False  # another did it, or is at it
        if handler is not None:
            handler(shop, conn, work.payload)
        outbox.done(conn, id_, shop.clock())
    return True


def _put_off(shop: Shop, work: Work, why: str) -> None:
    with shop.engine.begin() as conn:
        outbox.failed(conn, work, why, shop.clock())
    log.warning("work put off", kind=work.kind, outbox=work.id, attempts=work.attempts, why=why)


def _pull(shop: Shop, payload: Mapping[str, Any]) -> None:
    """A pull commits batch by batch on connections of its own; doing it twice changes nothing."""
    report = pull(shop.engine, shop.place, shop.settings, payload["source"], shop.clock)
    if report.busy:
        raise Conflict("another pull of this source is under way")


def _changed(shop: Shop, conn: Connection, payload: Mapping[str, Any]) -> None:
    """A lead is told of consents that can't be read, or can be again; subscribers of what is news to them.

    Of people of whom a per-person source was never asked, it is asked soon, of all of them together.
    """
    persons, now = [PersonKey(UUID(key)) for key in payload["persons"]], shop.clock()
    consent_unclear.note(conn, shop.place, persons, now)
    if at := payload.get("at"):
        subscription_events.note(conn, shop.place, persons, datetime.fromisoformat(at), now)
    for entry in shop.place.sources:
        if entry.kind in PER_PERSON and entry.name != payload["source"] and _unasked(conn, entry.name, persons):
            notes.add(conn, "source.pull", {"source": entry.name}, now, now + GATHER, once=f"pull:{entry.name}")


def _unasked(conn: Connection, source: str, persons: Sequence[UUID]) -> bool:
    t = source_person.c
    asked = set(conn.execute(select(t.person).where(t.source == source, t.person.in_(persons))).scalars())
    return not asked.issuperset(persons)


KINDS: Mapping[str, Kind] = {
    "source.pull": Kind(alone=_pull),
    place_changed.KIND: Kind(alone=place_changed.work_out),
    index_changed.KIND: Kind(alone=index_changed.work_out),
    labels_changed.KIND: Kind(alone=labels_changed.work_out),
    "record.changed": Kind(handler=_changed),
    breakglass_opening.OPENED: Kind(handler=breakglass.opened),
    breakglass_review.REVIEWED: Kind(handler=breakglass.reviewed),
    sealing.KIND: Kind(alone=sealing.work),
    watch.KIND: Kind(handler=watch.work),
    exports.RUN: Kind(alone=exporting.run),
    exports.EXPIRE: Kind(alone=exporting.expire),
    requests.GATHER: Kind(handler=subject_access.gather),
    requests.RELEASE: Kind(handler=subject_access.release),
    subscription_events.DELIVER: Kind(handler=subscriptions.end, alone=subscriptions.work, waits=True),
}
