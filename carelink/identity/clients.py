"""Systems and apps that may ask: registered clients, each of one organisation (RFC 6749 section 2)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from authlib.oauth2.rfc6749 import ClientMixin
from joserfc.jwk import KeySet
from sqlalchemy import Connection, select

from carelink.db.tables import client
from carelink.identity import assertions, key_sets, scopes
from carelink.identity.key_sets import KeySets
from carelink.identity.registering import ID, digest, register
from carelink.ids import Ods

__all__ = ["APP", "ID", "SYSTEM", "Client", "digest", "find", "register"]

SYSTEM, APP = "system", "app"  # one asks as itself, the other for the worker who uses it
_GRANTS = {SYSTEM: frozenset({"client_credentials"}), APP: frozenset({"authorization_code", "refresh_token"})}


@dataclass(frozen=True)
class Client(ClientMixin):  # type: ignore[misc]  # Authlib carries no types
    """A registered client, in the form that Authlib asks."""

    id: str
    organisation: Ods
    role: str
    secret_hash: str
    scopes: str
    kind: str = SYSTEM
    jwks: Mapping[str, Any] | None = None
    jwks_url: str = ""
    redirect_uris: tuple[str, ...] = ()
    key_sets: KeySets = field(default_factory=KeySets, compare=False, repr=False)

    def get_client_id(self) -> str:
        return self.id

    def get_allowed_scope(self, scope: str | None) -> str:
        asked = (scope or "").split()
        if self.kind == APP:
            asked = [less for one in asked if (less := scopes.lessened(one))]
        return " ".join(scopes.granted(asked, self.scopes.split()))

    def check_client_secret(self, client_secret: str) -> bool:
        return hmac.compare_digest(self.secret_hash, digest(client_secret))

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """One way alone: by its keys where it has some, else by its secret; an app without either proves nothing."""
        if self.has_keys:
            return method == assertions.METHOD
        if self.secret_hash or self.kind == SYSTEM:
            return method in ("client_secret_basic", "client_secret_post")
        return method == "none"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in _GRANTS.get(self.kind, frozenset())

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and self.kind == APP

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """By every character (RFC 9700 2.1)."""
        return redirect_uri in self.redirect_uris

    def get_default_redirect_uri(self) -> str:
        """None: an app says where it is (RFC 9700 4.1.3)."""
        return ""

    @property
    def has_keys(self) -> bool:
        """Whether it proves who it is by a key of its own."""
        return bool(self.jwks or self.jwks_url)

    def keys(self, kid: str, now: datetime) -> KeySet | None:
        """Its public keys; None where it has none. Raises `SourceUnavailable`, `Invalid` where they can't be had."""
        if self.jwks is not None:
            return key_sets.public(self.jwks)
        return self.key_sets.of(self.jwks_url, kid, now) if self.jwks_url else None


def find(conn: Connection, id_: str, sets: KeySets | None = None) -> Client | None:
    """The active client of that id, or None."""
    if not ID.fullmatch(id_):
        return None
    row = conn.execute(select(client).where(client.c.id == id_, client.c.active)).one_or_none()
    if row is None:
        return None
    return Client(
        row.id,
        Ods(row.organisation),
        row.role,
        row.secret_hash,
        row.scopes,
        row.kind,
        row.jwks,
        row.jwks_url,
        tuple(row.redirect_uris),
        sets or KeySets(),
    )
