"""How all subscriptions stand, for who runs the place; of nobody's record a word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, select, update

from carelink.audit.trail import Event, append
from carelink.cases.subscription_sending import given_up
from carelink.db.tables import subscription, subscription_event
from carelink.errors import Invalid, NotFound

_T, _E = subscription.c, subscription_event.c


@dataclass(frozen=True)
class Stands:
    """One subscription. `waiting`: events that are still to be told."""

    key: UUID
    client: str
    topic: str
    endpoint: str
    status: str
    events: int
    waiting: int
    failures: int
    error: str
    told_at: datetime | None


def everybody(conn: Connection) -> tuple[Stands, ...]:
    """Every subscription that is not deleted, by client."""
    waits = (
        select(func.count()).where(_E.subscription == _T.key, _E.done_at.is_(None)).scalar_subquery().label("waiting")
    )
    columns = (_T.key, _T.client, _T.topic, _T.endpoint, _T.status, _T.events, waits, _T.failures)
    asked = select(*columns, func.coalesce(_T.error, "").label("error"), _T.told_at).where(_T.deleted_at.is_(None))
    return tuple(Stands(**row._mapping) for row in conn.execute(asked.order_by(_T.client, _T.created_at, _T.key)))


def switch_off(conn: Connection, key: UUID, why: str, by: str, now: datetime) -> None:
    """Nothing more is told until its client asks anew, who reads why. Audited.

    Raises `Invalid` without a reason, `NotFound` where there is none.
    """
    if not why.strip():
        raise Invalid("--why", "must say why; the client reads it")
    ended = {"status": "off", "error": why.strip()[:500], "version": _T.version + 1, "last_updated": now}
    changed = update(subscription).where(_T.key == key, _T.deleted_at.is_(None)).values(ended)
    if conn.execute(changed).rowcount == 0:
        raise NotFound("There is no such subscription")
    given_up(conn, key, now)
    append(
        conn,
        Event("update", query="Subscription", user=by, reason=why.strip()[:500], detail={"resource": str(key)}),
        now,
    )
