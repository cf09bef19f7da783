"""Every hour the audit since the hour before is looked through for patterns that are worth a look."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, exists, select

from carelink import outbox as notes
from carelink.audit.signals import Worker, raise_signals
from carelink.consent.lens import Lens
from carelink.db.tables import outbox
from carelink.ids import NHS_NUMBER
from carelink.jobs.shop import Shop
from carelink.place import Place, Staff
from carelink.record.parameters import PARAMETERS
from carelink.record.traits_fold import fold

KIND = "audit.watch"
EVERY = timedelta(hours=1)
OVERLAP = timedelta(minutes=10)  # a row is kept with the time at which its request began
FIRST = timedelta(days=1)
TITLES = frozenset(
    {"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "sir", "dame", "rev", "sister", "nurse"}
)
_CODE = next(one.number for one in PARAMETERS if one.code == "code")


def begin(conn: Connection, now: datetime) -> bool:
    """Ask for the first round where none is open; each round asks for the next. Gives whether it was asked for."""
    open_ = select(exists().where(outbox.c.kind == KIND, outbox.c.done_at.is_(None)))
    if conn.execute(open_).scalar():
        return False
    since = (now - FIRST).isoformat()
    return notes.add(conn, KIND, {"since": since}, now, now + EVERY, once=f"{KIND}:first") is not None


def work(shop: Shop, conn: Connection, payload: Mapping[str, Any]) -> None:
    """One round, and the note for the next: in one transaction, so that no hour is left out."""
    now = shop.clock()
    lens = Lens.system("looking for patterns in the audit that are worth a look", now)
    raise_signals(conn, lens, shop.place.watch, workers(shop.place), datetime.fromisoformat(payload["since"]), _CODE)
    notes.add(conn, KIND, {"since": (now - OVERLAP).isoformat()}, now, now + EVERY, once=f"{KIND}:{now.isoformat()}")


def workers(place: Place) -> list[Worker]:
    """The staff of the place as the patterns compare them."""
    duty = {(one.organisation, one.team) for one in place.on_duty}
    return [
        _worker(one, one.role in place.watch.day_roles, (one.organisation, one.team) in duty)
        for one in place.staff.values()
    ]


def _worker(one: Staff, by_day: bool, on_duty: bool) -> Worker:
    names = [word for word in fold(one.name).split() if word not in TITLES]
    numbers = (value for system, _, value in (id_.partition("|") for id_ in one.identifiers) if system == NHS_NUMBER)
    return Worker(
        user=one.id,
        organisation=one.organisation,
        team=one.team,
        family=names[-1] if len(names) > 1 else "",
        given=names[0] if len(names) > 1 else "",
        nhs_number=next(numbers, ""),
        by_day=by_day,
        on_duty=on_duty,
    )
