"""Systems that may ask: registered clients, each of one organisation and one role (RFC 6749 section 2)."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from authlib.oauth2.rfc6749 import ClientMixin
from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from carelink.db.tables import client
from carelink.db.tables import organisation as organisation_table
from carelink.errors import Invalid, NotFound
from carelink.identity import scopes
from carelink.ids import Ods
from carelink.place import Place

ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")  # no colon: an id and its secret travel as id:secret
SHORTEST_SECRET = 32  # characters


def _digest(secret: str) -> str:
    """A secret is 256 random bits or as long, so one round of SHA-256 is enough: there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True)
class Client(ClientMixin):  # type: ignore[misc]  # Authlib carries no types
    """A registered client, in the form that Authlib asks."""

    id: str
    organisation: Ods
    role: str
    secret_hash: str
    scopes: str

    def get_client_id(self) -> str:
        return self.id

    def get_allowed_scope(self, scope: str | None) -> str:
        return " ".join(scopes.granted((scope or "").split(), self.scopes.split()))

    def check_client_secret(self, client_secret: str) -> bool:
        return hmac.compare_digest(self.secret_hash, _digest(client_secret))

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in ("client_secret_basic", "client_secret_post")

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "client_credentials"


def find(conn: Connection, id_: str) -> Client | None:
    """The active client of that id, or None."""
    if not ID.fullmatch(id_):
        return None
    row = conn.execute(select(client).where(client.c.id == id_, client.c.active)).one_or_none()
    return Client(row.id, Ods(row.organisation), row.role, row.secret_hash, row.scopes) if row else None


def register(
    conn: Connection, place: Place, id_: str, organisation: str, role: str, asked: str, secret: str = ""
) -> str:
    """Register (or change) a client, with the scopes `asked`; gives its secret, which is not kept.

    Raises `Invalid` for what the place doesn't know, `NotFound` where the database does not know it yet.
    """
    _check(place, id_, organisation, role, asked, secret)
    if conn.execute(select(organisation_table).where(organisation_table.c.ods == organisation)).first() is None:
        raise NotFound(f"{organisation} is in the place pack and not in the database; run carelink db upgrade first")
    secret = secret or secrets.token_urlsafe(32)
    row = {"name": id_, "organisation": organisation, "role": role, "scopes": asked, "secret_hash": _digest(secret)}
    statement = insert(client).values(id=id_, active=True, **row)
    conn.execute(statement.on_conflict_do_update(index_elements=["id"], set_={**row, "active": True}))
    return secret


def _check(place: Place, id_: str, organisation: str, role: str, asked: str, secret: str) -> None:
    if not ID.fullmatch(id_):
        raise Invalid("NAME", "is at most 63 lower-case letters, digits, full stops, hyphens and underscores")
    if organisation not in place.organisations:
        raise Invalid("--organisation", f"the place has no organisation {organisation}")
    if role not in place.roles:
        raise Invalid("--role", f"the place has no role {role}; it has {', '.join(sorted(place.roles))}")
    if unknown := sorted(one for one in set(asked.split()) if not scopes.is_known(one)):
        raise Invalid("--scopes", f"not given here: {', '.join(unknown)}; given are {scopes.IN_WORDS}")
    if not asked.split():
        raise Invalid("--scopes", f"names none; given are {scopes.IN_WORDS}")
    if secret and len(secret) < SHORTEST_SECRET:
        raise Invalid("--secret", f"has fewer than {SHORTEST_SECRET} characters; without it, one is made")
