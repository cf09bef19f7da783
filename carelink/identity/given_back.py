"""Asking what a token is good for (RFC 7662), and giving it back (RFC 7009). Each client about its own alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from carelink.db.tables import oauth_refresh, revoked_token
from carelink.identity import families
from carelink.identity.client_proof import METHODS
from carelink.identity.clients import Client
from carelink.identity.families import Given
from carelink.identity.rim import Rim
from carelink.identity.tokens import TokenRefused


@dataclass(frozen=True)
class Access:
    """An access token that can be read."""

    claims: Mapping[str, Any]
    ended: bool

    def check_client(self, client: Client) -> bool:
        return bool(self.claims["client_id"] == client.id)

    def is_expired(self) -> bool:
        return False  # one that has can't be read

    def is_revoked(self) -> bool:
        return self.ended


def find(rim: Rim, token: str, client: Client) -> Access | Given | None:
    """What that text is, whatever the client says that it is; None for nothing of that client's that is good."""
    try:
        claims = rim.tokens.read(token, rim.clock()).claims
    except TokenRefused:
        given = families.found(rim.connection(), oauth_refresh, token, client.id, rim.clock())
        return given if given is not None and not given.is_revoked() else None
    return Access(claims, _is_ended(rim, claims)) if claims["client_id"] == client.id else None


def _is_ended(rim: Rim, claims: Mapping[str, Any]) -> bool:
    given_back = select(revoked_token.c.jti).where(revoked_token.c.jti == claims["jti"])
    if rim.connection().execute(given_back).first() is not None:
        return True
    return "family" in claims and families.is_ended(rim.connection(), UUID(claims["family"]))


class _Introspection(IntrospectionEndpoint):  # type: ignore[misc]  # Authlib carries no types
    CLIENT_AUTH_METHODS = METHODS
    ENDPOINT_NAME = "introspection"

    def authenticate_token(self, request: Any, client: Client) -> Access | Given | None:
        self.check_params(request, client)
        return find(self.server.rim, request.form["token"], client)

    def introspect_token(self, token: Access | Given) -> dict[str, Any]:
        """RFC 7662 2.2, with what SMART adds (App Launch 2.2, 7.0.2)."""
        if isinstance(token, Given):
            told = {
                "client_id": token.client,
                "scope": token.scope,
                "sub": token.user,
                "iss": self.server.rim.tokens.issuer,
            }
            return told | {"exp": int(token.expires.timestamp()), "token_type": "refresh_token"}
        names = (
            "iss",
            "aud",
            "sub",
            "client_id",
            "scope",
            "exp",
            "iat",
            "jti",
            "organisation",
            "role",
            "purpose",
            "patient",
        )
        return {name: token.claims[name] for name in names if name in token.claims} | {"token_type": "Bearer"}


class _Revocation(RevocationEndpoint):  # type: ignore[misc]
    CLIENT_AUTH_METHODS = METHODS

    def authenticate_token(self, request: Any, client: Client) -> Access | Given | None:
        self.check_params(request, client)
        return find(self.server.rim, request.form["token"], client)

    def revoke_token(self, token: Access | Given, request: Any) -> None:
        """With either of a family all of it ends: what is out lasts no longer than an access token does."""
        rim: Rim = self.server.rim
        if isinstance(token, Given):
            families.end(rim.connection(), token.family, rim.clock())
            return
        row = {"jti": token.claims["jti"], "expires": datetime.fromtimestamp(token.claims["exp"], UTC)}
        rim.connection().execute(insert(revoked_token).values(row).on_conflict_do_nothing())
        if "family" in token.claims:
            families.end(rim.connection(), UUID(token.claims["family"]), rim.clock())


def install(server: Any) -> None:
    """Let `server` answer both."""
    server.register_endpoint(_Introspection)
    server.register_endpoint(_Revocation)
