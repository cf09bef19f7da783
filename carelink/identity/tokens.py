"""Access tokens: signed, short-lived, naming who asks, organisation, role and purpose (RFC 9068)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from carelink.consent.requester import Requester
from carelink.errors import Forbidden
from carelink.identity import scopes as smart
from carelink.identity.clients import APP, SYSTEM, Client
from carelink.identity.purposes import purpose_of
from carelink.identity.reach import reach_of
from carelink.ids import Ods, PersonKey, UserId
from carelink.place import Place

LIFETIME = timedelta(minutes=5)  # SMART Backend Services 2.2: at most five minutes
ALGORITHM = "HS256"  # the one accepted: a token that names another is refused
TYPE = "at+jwt"  # RFC 9068 2.1
MOST_KNOWN = 2000  # tokens that a process has seen to be good


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
    _known: dict[str, Granted] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )  # those that were good, by their text

    @classmethod
    def of(cls, secret_key: str, base_url: str, place: Place) -> Tokens:
        """Signed with a key of their own, derived from the installation's secret."""
        derived = hashlib.sha256(b"carelink access tokens|" + secret_key.encode()).hexdigest()
        return cls(OctKey.import_key(derived), base_url, f"{base_url}/fhir/R4", place)

    def speaks_here(self, client: Client) -> bool:
        """Whether the place still has the client's organisation and role."""
        has_role = client.kind == APP or client.role in self.place.roles  # an app asks in the role of who uses it
        return client.organisation in self.place.organisations and has_role

    def purpose(self, client: Client, asked: str) -> str:
        """The purpose of use that a token of this client would be for. Raises `Forbidden` for one not of its role."""
        return purpose_of(self.place.roles[client.role], asked)

    def make(self, client: Client, scope: str, now: datetime, purpose: str = "") -> str:
        """A token for what this system was granted, for that purpose (the usual one of its role where empty)."""
        asks = {
            "sub": client.id,
            "client_id": client.id,
            "scope": scope,
            "organisation": client.organisation,
            "role": client.role,
            "purpose": purpose or self.purpose(client, ""),
        }
        return self._signed(asks, now)

    def make_for(self, asks: Requester, client: Client, session: Session, now: datetime) -> str:
        """A token of an app, for the worker who uses it."""
        patient = {"patient": str(session.patient)} if session.patient else {}
        claims = {
            "sub": asks.user,
            "client_id": client.id,
            "kind": APP,
            "scope": session.scope,
            "organisation": asks.organisation,
            "team": asks.team,
            "role": asks.role,
            "purpose": asks.purpose,
            "family": str(session.family),
        }
        return self._signed(claims | patient, now)

    def _signed(self, asks: Mapping[str, str], now: datetime) -> str:
        claims = {
            "iss": self.issuer,
            "aud": self.audience,
            **asks,
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
            "jti": secrets.token_hex(16),
        }
        return jwt.encode({"alg": ALGORITHM, "typ": TYPE}, claims, self.key)

    def read(self, token: str, now: datetime) -> Granted:
        """What the token grants. Raises `TokenRefused` where it is not ours, not for us, or over.

        A client sends one for five minutes: its signature is checked once, and each time whether it is over.
        """
        granted = self._known.get(token)
        if granted is None:
            granted = self._checked(token)
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[token] = granted
        if granted.claims.get("exp", 0) <= now.timestamp():
            self._known.pop(token, None)
            raise TokenRefused("The access token has expired")
        return granted

    def _checked(self, token: str) -> Granted:
        try:
            read = jwt.decode(token, self.key, algorithms=[ALGORITHM])
        except (JoseError, ValueError) as wrong:
            raise TokenRefused("The access token can't be read") from wrong
        claims = read.claims
        if read.header.get("typ") != TYPE:
            raise TokenRefused("This is no access token")
        if claims.get("iss") != self.issuer or claims.get("aud") != self.audience:
            raise TokenRefused("The access token was made for another server")
        return self._granted(claims)

    def _granted(self, claims: Mapping[str, Any]) -> Granted:
        organisation = self.place.organisations.get(Ods(claims["organisation"]))
        if organisation is None or claims["role"] not in self.place.roles:
            raise TokenRefused("The access token speaks for an organisation or role that this place no longer has")
        of_app = claims.get("kind", SYSTEM) == APP
        patient = PersonKey(UUID(claims["patient"])) if claims.get("patient") else None
        scopes = frozenset(claims["scope"].split())
        reach = reach_of(scopes, patient)
        requester = Requester(
            user=UserId(claims["sub"] if of_app else f"client:{claims['client_id']}"),
            name=claims["sub"],
            organisation=organisation.ods,
            organisation_type=organisation.type,
            role=claims["role"],
            purpose=claims["purpose"],
            team=claims.get("team", ""),
            types=reach.types,
            narrowed=reach.narrowed,
            confined=reach.confined,
            client=claims["client_id"] if of_app else "",
        )
        return Granted(requester, scopes, claims)


@dataclass(frozen=True)
class Session:
    """What a worker let an app do: all the tokens that come of one consent are of one family."""

    family: UUID
    scope: str
    patient: PersonKey | None = None


@dataclass(frozen=True)
class Granted:
    """Who asks with a token, the SMART scopes that it carries, and all that stands in it."""

    requester: Requester
    scopes: frozenset[str]
    claims: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def may_read(self, type_: str, letters: str = "rs") -> bool:
        """Whether a scope covers reading (`r`) or searching (`s`) that type; either, where nothing is said."""
        types = self.requester.types
        if types is not None and type_ not in types:
            return False
        return any(one.allows(type_, letter) for one in smart.of(self.scopes) for letter in letters)

    def may_write(self, type_: str, interaction: str) -> bool:
        """Whether a scope of a system covers that interaction (`c` create, `u` update, `d` delete) with that type."""
        return any(one.level == "system" and one.allows(type_, interaction) for one in smart.of(self.scopes))
