"""How clients prove to our endpoints who they are: by a key of their own, once for each request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from authlib.oauth2.rfc6749 import InvalidClientError
from sqlalchemy import Connection
from sqlalchemy.dialects.postgresql import insert

from carelink.db.tables import used_jti
from carelink.identity.assertions import METHOD, SLACK, TYPE, Assertion, Refused, digest, proved
from carelink.identity.clients import Client
from carelink.identity.rim import TOKEN, Rim

METHODS = (METHOD, "client_secret_basic", "client_secret_post", "none")


def by_key(rim: Rim) -> Callable[..., Client | None]:
    """The method `private_key_jwt`, as Authlib asks it."""

    def prove(query_client: Callable[[str], Client], request: Any) -> Client | None:
        form = request.form
        if form.get("client_assertion_type") != TYPE or not form.get("client_assertion"):
            return None
        try:
            return _proved(rim, query_client, form.to_dict())
        except Refused as refused:
            raise InvalidClientError(description=str(refused), status_code=401) from refused

    return prove


def _proved(rim: Rim, query_client: Callable[[str], Client], form: dict[str, str]) -> Client:
    now = rim.clock()
    sent = Assertion.read(form["client_assertion"])
    if form.get("client_id", sent.subject) != sent.subject:
        raise Refused("client_id: is not the sub of the client_assertion")
    client = query_client(sent.subject)
    claims = proved(sent, client, rim.url(TOKEN), now)
    ends = datetime.fromtimestamp(float(claims["exp"]), UTC) + SLACK
    if not use(rim.connection(), client.id, claims["jti"], ends, now):
        raise Refused("client_assertion: jti was used before; make a new assertion for each request")
    return client


def use(conn: Connection, client: str, jti: str, ends: datetime, now: datetime) -> bool:
    """Use that `jti` up until it is over; whether it was new. Of two at once the second waits for the first, and loses."""
    t = used_jti.c
    conn.execute(used_jti.delete().where(t.client == client, t.expires < now))
    row = insert(used_jti).values(client=client, jti=digest(client, jti), expires=ends)
    return conn.execute(row.on_conflict_do_nothing().returning(t.jti)).first() is not None
