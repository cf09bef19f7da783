"""What a worker let an app do, from their word to the last token that comes of it: codes and refresh tokens.

Each is good for one use. One that is used twice was in two hands, and nobody can tell which of them was the app's: all
that came of it ends (RFC 9700 4.14.2).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, select, update

from carelink.db.tables import oauth_code, oauth_refresh, revoked_token, used_jti
from carelink.errors import NotFound
from carelink.ids import PersonKey, UserId

CODE_LIFE = timedelta(seconds=60)
KEPT_AFTER = timedelta(days=1)  # a used code, so that its second use is known for what it is
ONLINE_LIFE = timedelta(hours=8)  # a working day
OFFLINE_LIFE = timedelta(days=30)  # then the worker is asked again


@dataclass(frozen=True)
class Given:
    """A code or a refresh token, in the form that Authlib asks; `hash` stands for it."""

    hash: str
    family: UUID
    client: str
    user: UserId
    assignment: str
    purpose: str
    scope: str
    expires: datetime
    person: PersonKey | None = None
    redirect_uri: str = ""
    challenge: str = ""
    nonce: str = ""
    used: datetime | None = None
    revoked: bool = False

    code_challenge_method = "S256"

    @property
    def code_challenge(self) -> str:
        return self.challenge

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def check_client(self, client: Any) -> bool:
        return bool(client.id == self.client)

    def is_expired(self) -> bool:
        """Asked where it was found, and there it was not."""
        return False

    def is_revoked(self) -> bool:
        return self.revoked or self.used is not None


def digest(token: str) -> str:
    """What is kept of a code or token."""
    return hashlib.sha256(token.encode()).hexdigest()


def keep(conn: Connection, table: Table, given: Given) -> None:
    """Keep a code or a refresh token."""
    row = {column.name: getattr(given, column.name) for column in table.columns}
    conn.execute(table.insert().values(row))


def found(conn: Connection, table: Table, token: str, client: str, now: datetime) -> Given | None:
    """What that code or refresh token of that client stands for, also where it was used; None where it is over."""
    row = conn.execute(
        select(table).where(table.c.hash == digest(token), table.c.client == client, table.c.expires > now)
    ).one_or_none()
    return _given(row._mapping) if row is not None else None


def use(conn: Connection, table: Table, given: Given, now: datetime) -> bool:
    """Use it up; whether nobody else was faster."""
    once = update(table).where(table.c.hash == given.hash, table.c.used.is_(None)).values(used=now)
    return conn.execute(once.returning(table.c.hash)).first() is not None


def end(conn: Connection, family: UUID, now: datetime) -> None:
    """No more tokens of that family."""
    conn.execute(update(oauth_refresh).where(oauth_refresh.c.family == family).values(revoked=True))
    conn.execute(update(oauth_code).where(oauth_code.c.family == family, oauth_code.c.used.is_(None)).values(used=now))


def held(conn: Connection, user: str, now: datetime) -> Sequence[Any]:
    """What a worker let apps do that is not over: for each the family, the client, the scope and the end."""
    t = oauth_refresh.c
    asked = select(t.family, t.client, t.scope, t.expires).where(t.user == user, t.used.is_(None), ~t.revoked)
    return conn.execute(asked.where(t.expires > now).order_by(t.client, t.expires)).all()


def end_own(conn: Connection, user: str, family: UUID, now: datetime) -> str:
    """End one of theirs; gives the client. Raises `NotFound` for one that is not."""
    found = next((one.client for one in held(conn, user, now) if one.family == family), None)
    if found is None:
        raise NotFound("This was ended already")
    end(conn, family, now)
    return str(found)


def is_ended(conn: Connection, family: UUID) -> bool:
    """Whether a family was ended."""
    ended = select(oauth_refresh.c.hash).where(oauth_refresh.c.family == family, oauth_refresh.c.revoked).limit(1)
    return conn.execute(ended).first() is not None


def forget(conn: Connection, now: datetime) -> None:
    """Throw away what is over; nothing hangs on when."""
    conn.execute(oauth_code.delete().where(oauth_code.c.expires < now - KEPT_AFTER))
    for table in (oauth_refresh, used_jti, revoked_token):
        conn.execute(table.delete().where(table.c.expires < now))


def _given(row: Mapping[Any, Any]) -> Given:
    return Given(**{name: value for name, value in row.items() if value is not None})
