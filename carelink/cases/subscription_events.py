"""What of a change is news to whom: worked out through each subscriber's own lens, and noted with its delivery.

The moment of an event is when it is worked out, right after the change: in the transaction of the work that the change
itself noted. What the subscriber may not see then is no event, and leaves no trace: no row, no number, no delivery.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, and_, not_, or_, select
from sqlalchemy.dialects.postgresql import insert

from carelink import outbox
from carelink.cases.subscribers import Filter, Subscribed, lens_of
from carelink.cases.subscription_topics import TOPICS, Topic
from carelink.consent.lens import Lens
from carelink.db.among import among, one_of
from carelink.db.tables import resource, resource_version, subscription, subscription_event
from carelink.ids import PersonKey, ResourceKey
from carelink.place import Place
from carelink.record import search
from carelink.record.query import Criterion, Query
from fhir_adapters import exact_json

DELIVER = "subscription.deliver"  # the kind of work
UNTOLD = ("Provenance", "AuditEvent")  # about the record, not of it

_V = resource_version
_EARLIER = resource_version.alias("earlier")


def note(conn: Connection, place: Place, persons: Sequence[PersonKey], at: datetime, now: datetime) -> None:
    """Note for every active subscriber what of the change at that time is news to it."""
    for one in active(conn, now):
        lens = lens_of(conn, place, one, now)
        if lens is not None:
            admit(conn, one, _news(conn, lens, one, persons, at), now)


def active(conn: Connection, now: datetime) -> list[Subscribed]:
    """Those that hear of events at this time."""
    t = subscription.c
    here = and_(t.deleted_at.is_(None), t.status == "active", or_(t.ends.is_(None), t.ends > now))
    return [Subscribed.of(row) for row in conn.execute(select(subscription).where(here).order_by(t.key))]


def wake(conn: Connection, key: UUID, now: datetime) -> None:
    """Ask for a delivery to that subscriber; its row must be locked, so that no delivery ends unaware of it."""
    outbox.add(conn, DELIVER, {"subscription": str(key)}, now, once=f"{DELIVER}:{key}")


def admit(conn: Connection, one: Subscribed, news: Sequence[dict[str, Any]], now: datetime) -> None:
    """Keep the events, each once however often this is worked out, and ask for their delivery."""
    if not news:
        return
    t = subscription.c
    still = conn.execute(select(t.status).where(t.key == one.key, t.deleted_at.is_(None)).with_for_update()).scalar()
    if still != "active":
        return
    added = insert(subscription_event).values([{"subscription": one.key, **event} for event in news])
    kept = added.on_conflict_do_nothing(index_elements=["subscription", "resource", "version"])
    if conn.execute(kept.returning(subscription_event.c.id)).first() is not None:
        wake(conn, one.key, now)


def _news(
    conn: Connection, lens: Lens, one: Subscribed, persons: Sequence[PersonKey], at: datetime
) -> list[dict[str, Any]]:
    topic = TOPICS[one.topic]
    changes = [row for row in _changes(conn, lens, topic, persons, at) if _starts(topic, row, at)]
    passing = _passing(conn, lens, one.filters, changes)
    return [
        {"resource": row.key, "type": row.type, "version": row.version, "at": at}
        for row in changes
        if row.key in passing
    ]


def _changes(conn: Connection, lens: Lens, topic: Topic, persons: Sequence[PersonKey], at: datetime) -> list[Any]:
    """What changed of these people at that time, as this subscriber may see it, with what it may see of it before."""
    before = and_(
        _EARLIER.c.key == _V.c.key,
        _EARLIER.c.version == _V.c.version - 1,
        not_(_EARLIER.c.deleted),
        lens.where(_EARLIER),
    )
    statement = (
        select(_V.c.key, _V.c.type, _V.c.version, lens.body(_V).label("after"), lens.body(_EARLIER).label("before"))
        .select_from(resource.join(_V, resource.c.key == _V.c.key).outerjoin(_EARLIER, before))
        .where(among(resource.c.person, persons), resource.c.last_updated >= at, not_(resource.c.deleted))
        .where(_V.c.last_updated == at, not_(_V.c.deleted), lens.where(_V))
        .where(one_of(resource.c.type, topic.types) if topic.types else resource.c.type.not_in(UNTOLD))
        .order_by(_V.c.key, _V.c.version)
    )
    return list(conn.execute(statement))


def _starts(topic: Topic, row: Any, at: datetime) -> bool:
    before = exact_json.loads(row.before) if row.before is not None else None
    return topic.starts(before, exact_json.loads(row.after), at)


def _passing(conn: Connection, lens: Lens, filters: Sequence[Filter], changes: Sequence[Any]) -> set[UUID]:
    """Those that meet every filter for their type; a type that no filter names is not narrowed (R5 filterBy)."""
    named = {type_ for type_, _ in filters}
    passing = {row.key for row in changes if row.type not in named}
    for type_ in sorted(named):
        keys = [row.key for row in changes if row.type == type_]
        criteria = [Criterion(*said) for of, all_ in filters if of == type_ for said in all_]
        passing |= _meeting(conn, lens, type_, keys, criteria)
    return passing


def _meeting(
    conn: Connection, lens: Lens, type_: str, keys: Sequence[ResourceKey], criteria: Iterable[Criterion]
) -> set[UUID]:
    if not keys:
        return set()
    which = Criterion("_id", tuple(map(str, keys)))
    found = search.unkept(conn, lens, Query(types=(type_,), criteria=(which, *criteria), count=len(keys)))
    return {row.key for row in found.rows}
