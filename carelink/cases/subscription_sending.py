"""What is to be sent to a subscriber next, and what comes of having tried: each a transaction of its own.

An event has a number from its first try, kept before a byte leaves: whatever happens then, it is sent again with that
one. What the subscriber may no longer see is not sent. It has no number where it was never tried, so none is missing.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, not_, select, update

from carelink.audit.trail import looked
from carelink.cases import subscription_signing as signing
from carelink.cases.subscribers import Subscribed, allowed, lens_of
from carelink.cases.subscription_notices import About, Told, notification
from carelink.consent.lens import Lens
from carelink.db.among import among
from carelink.db.tables import resource, resource_version, subscription, subscription_event
from carelink.errors import Invalid
from carelink.ids import PersonKey
from carelink.place import Place, Subscriber

TRIES = 12  # one after the other that fail, until it is given up: about three hours
FIRST_WAIT, MOST_WAIT = timedelta(seconds=5), timedelta(minutes=30)
KEPT = timedelta(days=30)  # for $events

_S, _E = subscription.c, subscription_event.c


@dataclass(frozen=True)
class Ready:
    """A notification that may leave now."""

    key: UUID
    endpoint: str
    to: Subscriber
    body: bytes
    headers: dict[str, str]
    version: int  # of the subscription that asked for it
    events: tuple[int, ...] = ()  # ids; none: a handshake
    fresh: bool = False  # numbered for this try: no other was made before


@dataclass(frozen=True)
class Shown:
    """A version of a resource, as the subscriber may see it."""

    text: str
    person: PersonKey | None
    rule: str


@dataclass(frozen=True)
class From:
    """What of the installation a notification is made with."""

    place: Place
    base: str  # of the FHIR API
    secret_key: str


def begin(conn: Connection, ours: From, key: UUID, now: datetime) -> Ready | None:
    """What to send next, or None where there is nothing. Its events are numbered, and its look is in the audit."""
    one = _locked(conn, key)
    if one is None or one.status not in ("requested", "active"):
        return None
    lens = lens_of(conn, ours.place, one, now)
    try:
        to = _to(ours.place, one, lens, now)
    except Over as over:
        _stop(conn, key, over.status, str(over), now)
        return None
    if one.status == "requested":
        return _ready(ours, one, to, "handshake", (), now)
    assert lens is not None
    return _with_events(conn, ours, one, to, lens, now)


class Over(Exception):
    """Nothing more is sent to that subscriber; `status` is what its subscription has from now on."""

    def __init__(self, status: str, why: str) -> None:
        super().__init__(why)
        self.status = status


def _to(place: Place, one: Subscribed, lens: Lens | None, now: datetime) -> Subscriber:
    """Where it is sent. Raises `Over`."""
    if lens is None or lens.requester is None:
        raise Over("off", "its client is no longer registered, or no longer has that role")
    if one.ends is not None and one.ends <= now:
        raise Over("off", "its end has come")
    try:
        return allowed(place, lens.requester.organisation, one.endpoint)
    except Invalid as gone:
        raise Over("error", "the place no longer sends notifications to its endpoint") from gone


def _locked(conn: Connection, key: UUID) -> Subscribed | None:
    asked = select(subscription).where(_S.key == key, _S.deleted_at.is_(None)).with_for_update()
    row = conn.execute(asked).one_or_none()
    return Subscribed.of(row) if row is not None else None


def _with_events(
    conn: Connection, ours: From, one: Subscribed, to: Subscriber, lens: Lens, now: datetime
) -> Ready | None:
    rows, shown = _visible(conn, one, lens, now)
    if not rows:
        return None
    fresh, numbers = rows[0].number is None, _numbers(conn, one, rows)
    told = [_told(row, number, shown) for row, number in zip(rows, numbers, strict=True)]
    looked(conn, lens, "notify", f"{one.topic} {one.content}", list(shown.values()))
    ready = _ready(ours, replace(one, events=max(numbers)), to, "event-notification", told, now)
    return replace(ready, events=tuple(row.id for row in rows), fresh=fresh)


def _visible(
    conn: Connection, one: Subscribed, lens: Lens, now: datetime
) -> tuple[list[Any], dict[tuple[UUID, int], Shown]]:
    """The events of the next notification, with what may be seen of them: those of a try that failed, all and no others;
    else the oldest, as many as it has room for. What is withheld leaves no room empty: so it does not tell either.
    """
    rows: list[Any] = []
    shown: dict[tuple[UUID, int], Shown] = {}
    found, tried = _open(conn, one, one.most)
    while found:
        seen = versions(conn, lens, [(row.resource, row.version) for row in found])
        here = [row for row in found if (row.resource, row.version) in seen]
        _end(conn, [row.id for row in found if row not in here], "withheld", now)
        rows, shown = rows + here, shown | seen
        room = one.most - len(rows)
        if room <= 0 or (tried and rows):
            break
        found, tried = _open(conn, one, room, found[-1].id)
    return rows, shown


def _open(conn: Connection, one: Subscribed, most: int, after: int = 0) -> tuple[Sequence[Any], bool]:
    """Events that are still to be told, in their order, behind that one; whether it was tried to tell them before."""
    asked: Select[Any] = select(subscription_event).where(
        _E.subscription == one.key, _E.done_at.is_(None), _E.id > after
    )
    tried = conn.execute(asked.where(_E.number.is_not(None)).order_by(_E.id)).all()
    return (tried, True) if tried else (conn.execute(asked.order_by(_E.id).limit(most)).all(), False)


def _numbers(conn: Connection, one: Subscribed, rows: Sequence[Any]) -> list[int]:
    """The numbers of these events: those that they have, else the next ones."""
    if rows[0].number is not None:
        return [row.number for row in rows]
    numbers = [one.events + place for place in range(1, len(rows) + 1)]
    for row, number in zip(rows, numbers, strict=True):
        conn.execute(update(subscription_event).where(_E.id == row.id).values(number=number))
    conn.execute(update(subscription).where(_S.key == one.key).values(events=numbers[-1]))
    return numbers


def versions(conn: Connection, lens: Lens, wanted: Sequence[tuple[UUID, int]]) -> dict[tuple[UUID, int], Shown]:
    """Those of these versions that may be seen now, of resources that are there still."""
    v, keys = resource_version, sorted({key for key, _ in wanted})
    statement = (
        select(v.c.key, v.c.version, v.c.person, lens.body(v).label("text"), lens.ground(v).label("ground"))
        .select_from(resource.join(v, resource.c.key == v.c.key))
        .where(among(v.c.key, keys), not_(resource.c.deleted), not_(v.c.deleted), lens.where(v))
        .order_by(v.c.key, v.c.version)
    )
    found = {(row.key, row.version): row for row in conn.execute(statement)}
    return {
        one: Shown(found[one].text, found[one].person, lens.shown_by(found[one].ground).rule)
        for one in wanted
        if one in found
    }


def _told(row: Any, number: int, shown: dict[tuple[UUID, int], Shown]) -> Told:
    return Told(number, row.at, row.type, row.resource, row.version, shown[row.resource, row.version].text)


def _ready(ours: From, one: Subscribed, to: Subscriber, kind: str, told: Sequence[Told], now: datetime) -> Ready:
    about = About(one.key, one.status, one.topic, one.content, one.events)
    body = notification(ours.base, about, kind, told, now)
    signed = signing.headers(signing.unsealed(one.secret, ours.secret_key), body, now)
    return Ready(one.key, one.endpoint, to, body, signed, one.version)


def took(conn: Connection, ready: Ready, now: datetime) -> None:
    """The subscriber has it: its events are done, and one that was only requested is active."""
    _end(conn, ready.events, "told", now)
    t = update(subscription).where(_S.key == ready.key, _S.status.in_(("requested", "active")))
    conn.execute(t.values(told_at=now, failures=0, error=None))
    if not ready.events:
        began = {"status": "active", "version": _S.version + 1, "last_updated": now}
        conn.execute(t.where(_S.status == "requested", _S.version == ready.version).values(began))
    forgotten = subscription_event.delete().where(_E.subscription == ready.key, _E.done_at < now - KEPT)
    conn.execute(forgotten)


def failed(conn: Connection, ready: Ready, why: str, now: datetime, *, left: bool) -> datetime | None:
    """When to try again; None where it is given up. `left`: a byte of it may have reached the subscriber.

    What certainly never left gives its numbers back: should it be withheld by the next try, none is missing.
    """
    one = _locked(conn, ready.key)
    if one is None or one.status not in ("requested", "active"):
        return None
    if ready.fresh and not left:
        conn.execute(update(subscription_event).where(_E.id.in_(ready.events)).values(number=None))
        before = one.events - len(ready.events)
        conn.execute(update(subscription).where(_S.key == one.key).values(events=before))
    if one.failures + 1 >= TRIES:
        _stop(conn, one.key, "error", f"given up after {TRIES} tries: {why}", now)
        return None
    conn.execute(update(subscription).where(_S.key == one.key).values(failures=one.failures + 1, error=why))
    return now + wait(one.failures)


def wait(failures: int) -> timedelta:
    """How long until the next try after so many that failed before: twice as long each time, and never quite the same,
    so that those who failed together don't come back together.
    """
    longest: timedelta = min(FIRST_WAIT * 2 ** min(failures, 12), MOST_WAIT)
    return longest * random.uniform(0.5, 1.0)


def rest(conn: Connection, key: UUID) -> bool:
    """Whether there is more to tell that subscriber; its row is locked from now on, so that nothing is added unseen."""
    one = _locked(conn, key)
    if one is None or one.status not in ("requested", "active"):
        return False
    open_ = select(_E.id).where(_E.subscription == key, _E.done_at.is_(None)).limit(1)
    return one.status == "requested" or conn.execute(open_).first() is not None


def _end(conn: Connection, ids: Sequence[int], outcome: str, now: datetime) -> None:
    if ids:
        conn.execute(update(subscription_event).where(_E.id.in_(ids)).values(done_at=now, outcome=outcome))


def _stop(conn: Connection, key: UUID, status: str, why: str, now: datetime) -> None:
    """Nothing more is told, until its client asks anew."""
    ended = {"status": status, "error": why, "version": _S.version + 1, "last_updated": now}
    conn.execute(update(subscription).where(_S.key == key).values(ended))
    given_up(conn, key, now)


def given_up(conn: Connection, key: UUID, now: datetime) -> None:
    """What waits to be told is told no more."""
    waits = update(subscription_event).where(_E.subscription == key, _E.done_at.is_(None))
    conn.execute(waits.values(done_at=now, outcome="given-up"))
