"""Access tokens for systems: signed, short-lived, naming organisation, role and purpose (RFC 9068)."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from carelink.consent.requester import Requester
from carelink.errors import Forbidden
from carelink.identity import scopes as smart
from carelink.identity.clients import Client
from carelink.identity.purposes import purpose_of
from carelink.identity.scopes import types_read
from carelink.ids import Ods, UserId
from carelink.place import Place

LIFETIME = timedelta(minutes=5)  # SMART Backend Services 2.2: at most five minutes
ALGORITHM = "HS256"  # the one accepted: a token that names another is refused
TYPE = "at+jwt"  # RFC 9068 2.1


class TokenRefused(Forbidden):
    """There is no access token (`missing`), or none that is any good: a new one is needed."""

    def __init__(self, why: str, missing: bool = False) -> None:
        super().__init__(why, rule="token")
        self.missing = missing


class ScopeTooSmall(Forbidden):
    """The token is good and grants less than this needs."""

    def __init__(self, why: str, needed: str) -> None:
        super().__init__(why, rule="scope")
        self.needed = needed


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

    def speaks_here(self, client: Client) -> bool:
        """Whether the place still has the client's organisation and role."""
        return client.organisation in self.place.organisations and client.role in self.place.roles

    def purpose(self, client: Client, asked: str) -> str:
        """The purpose of use that a token of this client would be for. Raises `Forbidden` for one not of its role."""
        return purpose_of(self.place.roles[client.role], asked)

    def make(self, client: Client, scope: str, now: datetime, purpose: str = "") -> str:
        """A token for what this client was granted, for that purpose (the usual one of its role where empty)."""
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            "sub": client.id,
            "client_id": client.id,
            "scope": scope,
            "organisation": client.organisation,
            "role": client.role,
            "purpose": purpose or self.purpose(client, ""),
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
            "jti": secrets.token_hex(16),
        }
        return jwt.encode({"alg": ALGORITHM, "typ": TYPE}, claims, self.key)

    def read(self, token: str, now: datetime) -> Granted:
        """What the token grants. Raises `TokenRefused` where it is not ours, not for us, or over."""
        try:
            read = jwt.decode(token, self.key, algorithms=[ALGORITHM])
        except (JoseError, ValueError) as wrong:
            raise TokenRefused("The access token can't be read") from wrong
        claims = read.claims
        if read.header.get("typ") != TYPE:
            raise TokenRefused("This is no access token")
        if claims.get("iss") != self.issuer or claims.get("aud") != self.audience:
            raise TokenRefused("The access token was made for another server")
        if claims.get("exp", 0) <= now.timestamp():
            raise TokenRefused("The access token has expired")
        return self._granted(claims)

    def _granted(self, claims: dict[str, str]) -> Granted:
        organisation = self.place.organisations.get(Ods(claims["organisation"]))
        if organisation is None or claims["role"] not in self.place.roles:
            raise TokenRefused("The access token speaks for an organisation or role that this place no longer has")
        requester = Requester(
            user=UserId(f"client:{claims['client_id']}"),
            name=claims["client_id"],
            organisation=organisation.ods,
            organisation_type=organisation.type,
            role=claims["role"],
            purpose=claims["purpose"],
            types=types_read(claims["scope"].split()),
        )
        return Granted(requester, frozenset(claims["scope"].split()))


@dataclass(frozen=True)
class Granted:
    """Who asks with a token, and the SMART scopes that it carries."""

    requester: Requester
    scopes: frozenset[str]

    def may_read(self, type_: str) -> bool:
        """Whether a scope covers reading and searching that type (SMART 2.2, `rs`)."""
        types = self.requester.types
        return types is None or type_ in types

    def may_write(self, type_: str, interaction: str) -> bool:
        """Whether a scope of a system covers that interaction (`c` create, `u` update, `d` delete) with that type."""
        return any(one.level == "system" and one.allows(type_, interaction) for one in smart.of(self.scopes))
