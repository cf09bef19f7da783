"""Access tokens for systems: signed, short-lived, naming organisation, role and purpose (RFC 9068)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from carelink.consent.requester import Requester
from carelink.errors import Forbidden
from carelink.identity.clients import SCOPES, Client
from carelink.ids import Ods, UserId
from carelink.place import Place

LIFETIME = timedelta(minutes=5)  # SMART Backend Services 2.2: at most five minutes
ALGORITHM = "HS256"  # the one accepted: a token that names another is refused


class _Secret(ClientCredentialsGrant):  # type: ignore[misc]  # Authlib carries no types
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post")


@dataclass(frozen=True)
class Tokens:
    """Makes and reads the access tokens of one server."""

    key: OctKey
    issuer: str
    audience: str
    place: Place

    @classmethod
    def of(cls, secret_key: str, base_url: str, place: Place) -> Tokens:
        """Signed with a key of their own, derived from the installation's secret."""
        derived = hashlib.sha256(b"carelink access tokens|" + secret_key.encode()).hexdigest()
        return cls(OctKey.import_key(derived), base_url, f"{base_url}/fhir/R4", place)

    def make(self, client: Client, scope: str, now: datetime) -> str:
        """A token for what this client was granted."""
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": client.id,
            "client_id": client.id,
            "scope": scope,
            "organisation": client.organisation,
            "role": client.role,
            "purpose": self.place.roles[client.role].purposes[0],
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
            "jti": secrets.token_hex(16),
        }
        return jwt.encode({"alg": ALGORITHM, "typ": "at+jwt"}, claims, self.key)

    def read(self, token: str, now: datetime) -> Granted:
        """What the token grants. Raises `Forbidden` where it is not ours, not for us, or over."""
        try:
            claims = jwt.decode(token, self.key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError) as wrong:
            raise Forbidden("The access token can't be read", rule="token") from wrong
        if claims.get("iss") != self.issuer or claims.get("aud") != self.audience:
            raise Forbidden("The access token was made for another server", rule="token")
        if claims.get("exp", 0) <= now.timestamp():
            raise Forbidden("The access token has expired", rule="token")
        return self._granted(claims)

    def _granted(self, claims: dict[str, str]) -> Granted:
        organisation = self.place.organisations.get(Ods(claims["organisation"]))
        if organisation is None or claims["role"] not in self.place.roles:
            raise Forbidden(
                "The access token speaks for an organisation or role that this place no longer has", "token"
            )
        requester = Requester(
            user=UserId(f"client:{claims['client_id']}"),
            name=claims["client_id"],
            organisation=organisation.ods,
            organisation_type=organisation.type,
            role=claims["role"],
            purpose=claims["purpose"],
        )
        return Granted(requester, frozenset(claims["scope"].split()))


@dataclass(frozen=True)
class Granted:
    """Who asks with a token, and the SMART scopes that it carries."""

    requester: Requester
    scopes: frozenset[str]

    def may_read(self, type_: str) -> bool:
        """Whether a scope covers reading and searching that type (SMART 2.2, `rs`)."""
        return f"system/{type_}.rs" in self.scopes or "system/*.rs" in self.scopes


def server(tokens: Tokens, find: Callable[[str], Client | None], clock: Callable[[], datetime]) -> AuthorizationServer:
    """Authlib's token endpoint over our clients. Tokens carry what they grant, so none is stored."""
    made = AuthorizationServer(query_client=find, save_token=lambda token, request: None)
    made.scopes_supported = list(SCOPES)

    def bearer(
        grant_type: str, client: Client, user: object = None, scope: str = "", **_: object
    ) -> dict[str, str | int]:
        token = tokens.make(client, client.get_allowed_scope(scope), clock())
        return {
            "token_type": "Bearer",
            "access_token": token,
            "expires_in": int(LIFETIME.total_seconds()),
            "scope": client.get_allowed_scope(scope),
        }

    made.register_token_generator("default", bearer)
    made.register_grant(_Secret)
    return made
