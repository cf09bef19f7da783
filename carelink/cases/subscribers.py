"""As whom a subscriber hears: its client as it is registered now, for the purpose and by the scopes of when it subscribed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import Connection

from carelink.consent.lens import Lens
from carelink.consent.requester import Requester
from carelink.errors import Invalid
from carelink.identity import clients, scopes
from carelink.identity.reach import reach_of
from carelink.ids import Ods, UserId
from carelink.place import Place, Subscriber

OF_CLIENT = "client:"  # what stands before the id of a client where it is a user

Filter = tuple[str, tuple[tuple[str, tuple[str, ...], str], ...]]  # type, [(parameter, values, modifier)]


@dataclass(frozen=True)
class Subscribed:
    """A row of `subscription`, as far as telling needs it."""

    key: UUID
    client: str
    purpose: str
    scopes: str
    status: str
    topic: str
    endpoint: str
    content: str
    filters: tuple[Filter, ...]
    most: int
    secret: bytes
    ends: datetime | None
    events: int
    failures: int
    version: int

    @classmethod
    def of(cls, row: Any) -> Subscribed:
        """The row, which has all of these columns."""
        filters = tuple(
            (type_, tuple((name, tuple(values), modifier) for name, values, modifier in said))
            for type_, said in row.filters
        )
        told = {name: getattr(row, name) for name in cls.__dataclass_fields__}
        return cls(**(told | {"filters": filters}))


def client_of(user: str) -> str:
    """The id of the client that this user is; empty where it is none."""
    return user.removeprefix(OF_CLIENT) if user.startswith(OF_CLIENT) else ""


def lens_of(conn: Connection, place: Place, one: Subscribed, now: datetime) -> Lens | None:
    """What it may see now; None where its client, or the role in which it asked, is no more."""
    client = clients.find(conn, one.client)
    if client is None or client.organisation not in place.organisations:
        return None
    role = place.roles.get(client.role)
    if role is None or one.purpose not in role.purposes:
        return None
    reach = reach_of(frozenset(scopes.granted(one.scopes.split(), client.scopes.split())), None)
    organisation = place.organisations[client.organisation]
    requester = Requester(
        user=UserId(OF_CLIENT + client.id),
        name=client.id,
        organisation=organisation.ods,
        organisation_type=organisation.type,
        role=client.role,
        purpose=one.purpose,
        types=reach.types,
        narrowed=reach.narrowed,
    )
    return Lens.compile(place, requester, now)


def allowed(place: Place, organisation: Ods, endpoint: str) -> Subscriber:
    """The entry of the place's list that lets a client of that organisation have notifications sent there.

    Raises `Invalid` for an address that is on nobody's list, or on another's.
    """
    found = next((one for one in place.subscribers if one.organisation == organisation and _below(endpoint, one)), None)
    if found is None:
        raise Invalid(
            "Subscription.channel.endpoint", "is not an address that this place sends notifications to for you"
        )
    return found


def _below(endpoint: str, one: Subscriber) -> bool:
    """Same scheme, host and port; the path is that of the list or lies below it. A path that climbs is none."""
    try:
        asked, listed = urlsplit(endpoint), urlsplit(one.url)
        same = (asked.scheme, asked.hostname, asked.port) == (listed.scheme, listed.hostname, listed.port)
    except ValueError:  # no port is a word
        return False
    if not same or asked.username or asked.password or asked.query or asked.fragment or "\\" in endpoint:
        return False
    if "%" in asked.path or ".." in asked.path.split("/") or any(ord(one) < 33 or ord(one) > 126 for one in endpoint):
        return False
    base = listed.path.rstrip("/")
    return asked.path == base or asked.path.startswith(base + "/")
