"""Subscriptions of systems: made, changed, looked at and ended by the client that they belong to, and by no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, func, select, update

from carelink.audit.trail import Event, append, looked
from carelink.cases import subscription_signing as signing
from carelink.cases.consents_received import VersionMoved
from carelink.cases.subscribers import Subscribed, allowed, client_of, lens_of
from carelink.cases.subscription_asked import TYPE, Asked, asked
from carelink.cases.subscription_events import wake
from carelink.cases.subscription_notices import SUBSCRIPTION_PROFILE, About, Told
from carelink.cases.subscription_sending import given_up, versions
from carelink.consent.requester import Requester
from carelink.db.tables import subscription, subscription_event
from carelink.errors import Conflict, Forbidden, Invalid, NotFound
from carelink.place import Place
from fhir_adapters import exact_json

MOST = 50  # subscriptions of one client
MOST_EVENTS = 100  # that `$events` gives at once
SECRET = "https://carelink.example/StructureDefinition/subscription-secret"

_T, _E = subscription.c, subscription_event.c


@dataclass(frozen=True)
class Kept:
    """A Subscription as its client reads it."""

    key: UUID
    version: int
    last_updated: datetime
    text: str
    status: str
    endpoint: str
    criteria: str


def create(
    conn: Connection, place: Place, asks: Requester, scopes: str, body: Mapping[str, Any], key: str, now: datetime
) -> Kept:
    """A new Subscription, with its secret, which is shown in this answer and never again. A handshake follows.

    `key` is the installation's secret. Raises `Invalid` for what is not done here, `Forbidden` for who is no system,
    `Conflict` for one too many.
    """
    client, made, secret = _client(asks), asked(body, now), signing.drawn()
    allowed(place, asks.organisation, made.endpoint)
    if made.status != "requested":
        raise Invalid("Subscription.status", "must be requested")
    if conn.execute(select(func.count()).where(_T.client == client, _T.deleted_at.is_(None))).scalar_one() >= MOST:
        raise Conflict(f"There are {MOST} subscriptions of this client already")
    new = uuid4()
    row = {"key": new, "client": client, "purpose": asks.purpose, "scopes": scopes, "created_at": now, "version": 1}
    conn.execute(subscription.insert().values(row | _values(made, now) | {"secret": signing.sealed(secret, key)}))
    wake(conn, new, now)
    _tell(conn, asks, "create", new, now)
    return _with_secret(read(conn, asks, new), secret)


def update_(
    conn: Connection,
    place: Place,
    asks: Requester,
    key: UUID,
    seen: int | None,
    body: Mapping[str, Any],
    now: datetime,
) -> Kept:
    """Replaced by this one: switched off, or asked for anew, with a handshake. Its numbers go on, its secret stays.

    Raises as `create`, `NotFound` where this client has none, `VersionMoved` where it is not at the version `seen`.
    """
    there = conn.execute(_mine(asks, key).with_for_update()).one_or_none()
    if there is None:
        raise NotFound("There is no such resource, or you may not see it")
    if body.get("id") != str(key):
        raise Invalid("Subscription.id", "must be the id in the address")
    if seen is not None and seen != there.version:
        raise VersionMoved(f"It is at version {there.version}, not at {seen}: read it again")
    made = asked(body, now)
    allowed(place, asks.organisation, made.endpoint)
    given_up(conn, key, now)
    values = _values(made, now) | {"version": there.version + 1, "failures": 0, "error": None}
    conn.execute(update(subscription).where(_T.key == key).values(values))
    if made.status == "requested":
        wake(conn, key, now)
    _tell(conn, asks, "update", key, now)
    return read(conn, asks, key)


def delete(conn: Connection, asks: Requester, key: UUID, now: datetime) -> None:
    """Ended: nothing more is told. Raises `NotFound` where this client has none."""
    read(conn, asks, key)
    conn.execute(update(subscription).where(_T.key == key).values(deleted_at=now, last_updated=now))
    given_up(conn, key, now)
    _tell(conn, asks, "delete", key, now)


def read(conn: Connection, asks: Requester, key: UUID) -> Kept:
    """One of this client's. Raises `NotFound`."""
    row = conn.execute(_mine(asks, key)).one_or_none()
    if row is None:
        raise NotFound("There is no such resource, or you may not see it")
    return _kept(row)


def mine(conn: Connection, asks: Requester) -> tuple[Kept, ...]:
    """All of this client's, in the order of their ids."""
    statement = select(subscription).where(_T.client == client_of(asks.user), _T.deleted_at.is_(None)).order_by(_T.key)
    return tuple(_kept(row) for row in conn.execute(statement))


def about(conn: Connection, asks: Requester, key: UUID) -> tuple[About, str]:
    """How it stands, for `$status`, and what went wrong. Raises `NotFound`."""
    row = conn.execute(_mine(asks, key)).one_or_none()
    if row is None:
        raise NotFound("There is no such resource, or you may not see it")
    return About(row.key, row.status, row.topic, row.content, row.events), row.error or ""


def told(
    conn: Connection, place: Place, asks: Requester, key: UUID, since: int, until: int | None, now: datetime
) -> tuple[About, Sequence[Told]]:
    """What it was told, from that number to that one, as far as it may be seen still. Audited. Raises `NotFound`."""
    row = conn.execute(_mine(asks, key)).one_or_none()
    if row is None:
        raise NotFound("There is no such resource, or you may not see it")
    asked_ = select(subscription_event).where(_E.subscription == key, _E.outcome == "told", _E.number >= since)
    if until is not None:
        asked_ = asked_.where(_E.number <= until)
    events = conn.execute(asked_.order_by(_E.number).limit(MOST_EVENTS)).all()
    lens = lens_of(conn, place, Subscribed.of(row), now)
    shown = versions(conn, lens, [(one.resource, one.version) for one in events]) if lens and events else {}
    if lens is not None:
        looked(conn, lens, "notify", f"{row.topic} {row.content}", list(shown.values()))
    seen = [one for one in events if (one.resource, one.version) in shown]
    said = [
        Told(one.number, one.at, one.type, one.resource, one.version, shown[one.resource, one.version].text)
        for one in seen
    ]
    return About(row.key, row.status, row.topic, row.content, row.events), said


def _client(asks: Requester) -> str:
    client = client_of(asks.user)
    if not client:
        raise Forbidden("Only a system subscribes", rule="subscriber")
    return client


def _mine(asks: Requester, key: UUID) -> Any:
    return select(subscription).where(_T.key == key, _T.client == client_of(asks.user), _T.deleted_at.is_(None))


def _values(made: Asked, now: datetime) -> dict[str, Any]:
    return {
        "status": made.status,
        "topic": made.topic.id,
        "endpoint": made.endpoint,
        "content": made.content,
        "filters": made.filters,
        "most": made.most,
        "ends": made.ends,
        "body": exact_json.dumps(dict(made.rest)).decode(),
        "last_updated": now,
    }


def _kept(row: Any) -> Kept:
    sent = exact_json.loads(row.body)
    stamp = row.last_updated.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    meta = {"versionId": str(row.version), "lastUpdated": stamp, "profile": [SUBSCRIPTION_PROFILE]}
    body = {"resourceType": TYPE, "id": str(row.key), "meta": meta, **sent, "status": row.status}
    body |= {"error": row.error} if row.error else {}
    text = exact_json.dumps(body).decode()
    return Kept(row.key, row.version, row.last_updated, text, row.status, row.endpoint, sent["criteria"])


def _with_secret(kept: Kept, secret: str) -> Kept:
    body = exact_json.loads(kept.text)
    extension = [*body.get("extension", ()), {"url": SECRET, "valueString": secret}]
    return replace(kept, text=exact_json.dumps({**body, "extension": extension}).decode())


def _tell(conn: Connection, asks: Requester, action: str, key: UUID, now: datetime) -> None:
    append(conn, Event(action, asks, query=TYPE, count=1, detail={"resource": str(key)}), now)
