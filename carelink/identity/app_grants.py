"""What an app gets for the code that a worker let it have, and for a refresh token (RFC 6749 4.1 and 6; SMART 2.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

from authlib.common.security import generate_token
from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidRequestError, InvalidScopeError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, RefreshTokenGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from sqlalchemy import Connection, Table, func, select

from carelink.consent.requester import Requester
from carelink.db.tables import oauth_code, oauth_refresh, person
from carelink.errors import Forbidden
from carelink.identity import families, requesters, scopes
from carelink.identity.client_proof import METHODS
from carelink.identity.clients import Client
from carelink.identity.families import Given
from carelink.identity.rim import Rim
from carelink.identity.tokens import LIFETIME, Session
from carelink.ids import PersonKey


@dataclass(frozen=True)
class Acting:
    """A worker who uses an app, and what they let it do."""

    asks: Requester
    session: Session
    nonce: str = ""


class Pkce(CodeChallenge):  # type: ignore[misc]  # Authlib carries no types
    """S256 for every app, also for one that has keys (RFC 9700 2.1.1)."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)
    DEFAULT_CODE_CHALLENGE_METHOD = "S256"

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        data = grant.request.payload.data
        if not data.get("code_challenge") or data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("code_challenge must be given, with code_challenge_method=S256")
        super().validate_code_challenge(grant, redirect_uri)


class _Once:
    """What codes and refresh tokens have in common: each is found, and used once."""

    table: Table
    server: Any
    request: Any

    @property
    def rim(self) -> Rim:
        rim: Rim = self.server.rim
        return rim

    def unused(self, token: str) -> Given | None:
        """What it stands for; None for one that is not good, and the end of its family where it was used before."""
        now = self.rim.clock()
        given = families.found(self.rim.connection(), self.table, token, self.request.client.id, now)
        if given is not None and given.used is not None:
            with self.rim.apart() as conn:
                families.end(conn, given.family, now)
            return None
        return None if given is None or given.revoked else given

    def used_up(self, given: Given) -> None:
        """Raises `InvalidGrantError` where somebody else was faster."""
        if not families.use(self.rim.connection(), self.table, given, self.rim.clock()):
            raise InvalidGrantError()

    def acting(self, given: Given) -> Acting | None:
        """The worker as they are today; None where their role or the app's right has ended meanwhile."""
        conn, client = self.rim.connection(), self.request.client
        scope = client.get_allowed_scope(given.scope)
        try:
            asks = requesters.requester(
                conn, self.rim.tokens.place, given.user, given.purpose, assignment=given.assignment
            )
        except Forbidden:
            return None
        if asks.organisation != client.organisation or not scope:
            return None
        return Acting(asks, Session(given.family, scope, _today(conn, given.person)), given.nonce)


class _Code(_Once, AuthorizationCodeGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    table = oauth_code

    def validate_requested_scope(self) -> None:
        """What is not known here is left out (RFC 6749 3.3); where nothing of it is left, that is an error."""
        asked = self.request.payload
        client = self.server.query_client(asked.client_id)
        if not client.get_allowed_scope(asked.scope):
            raise InvalidScopeError()

    def save_authorization_code(self, code: str, request: Any) -> None:
        acting, data = request.user, request.payload.data
        given = _given(code, acting, request.client, self.rim, families.CODE_LIFE)
        told = {"redirect_uri": request.payload.redirect_uri, "challenge": data["code_challenge"]}
        families.forget(self.rim.connection(), self.rim.clock())
        families.keep(self.rim.connection(), oauth_code, replace(given, nonce=acting.nonce, **told))

    def query_authorization_code(self, code: str, client: Client) -> Given | None:
        self.request.client = client
        return self.unused(code)

    def authenticate_user(self, authorization_code: Given) -> Acting | None:
        return self.acting(authorization_code)

    def delete_authorization_code(self, authorization_code: Given) -> None:
        self.used_up(authorization_code)


class _Refresh(_Once, RefreshTokenGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True
    table = oauth_refresh

    def authenticate_refresh_token(self, refresh_token: str) -> Given | None:
        return self.unused(refresh_token)

    def authenticate_user(self, refresh_token: Given) -> Acting:
        acting = self.acting(refresh_token)
        if acting is None:
            raise InvalidGrantError()
        return acting

    def issue_token(self, user: Acting, refresh_token: Given) -> dict[str, Any]:
        """For the scopes asked for, of those that were granted; the next refresh token is good for all of them."""
        asked = self.request.payload.scope
        less = " ".join(one for one in user.session.scope.split() if not asked or one in asked.split())
        if not less:
            raise InvalidScopeError()
        told = _told(self.rim, self.request.client, replace(user, session=replace(user.session, scope=less)))
        token = generate_token(48)
        hash_ = families.digest(token)
        families.keep(self.rim.connection(), oauth_refresh, replace(refresh_token, hash=hash_, used=None))
        return told | {"refresh_token": token}

    def revoke_old_credential(self, refresh_token: Given) -> None:
        self.used_up(refresh_token)


def install(server: Any) -> None:
    """Let `server` give tokens to apps."""
    server.register_grant(_Code, [Pkce(required=True)])
    server.register_grant(_Refresh)

    def of_code(grant_type: str, client: Client, user: Acting, scope: str = "", **_: object) -> dict[str, Any]:
        told = _told(server.rim, client, user)
        held = user.session.scope.split()
        life = families.OFFLINE_LIFE if scopes.OFFLINE in held else families.ONLINE_LIFE
        if not {scopes.OFFLINE, scopes.ONLINE} & set(held):
            return told
        token = generate_token(48)
        families.keep(server.rim.connection(), oauth_refresh, _given(token, user, client, server.rim, life))
        return told | {"refresh_token": token}

    server.register_token_generator("authorization_code", of_code)


def begun(asks: Requester, scope: str, patient: PersonKey | None, nonce: str) -> Acting:
    """What a worker lets an app do, from now on."""
    return Acting(asks, Session(uuid4(), scope, patient), nonce)


def _given(token: str, acting: Acting, client: Client, rim: Rim, life: Any) -> Given:
    asks, session = acting.asks, acting.session
    return Given(
        hash=families.digest(token),
        family=session.family,
        client=client.id,
        user=asks.user,
        assignment=requesters.assignment_of(asks).id,
        purpose=asks.purpose,
        scope=session.scope,
        expires=rim.clock() + life,
        person=session.patient,
    )


def _told(rim: Rim, client: Client, acting: Acting) -> dict[str, Any]:
    """What the app is answered (SMART App Launch 2.2, 3.0.4)."""
    now, asks, session = rim.clock(), acting.asks, acting.session
    told: dict[str, Any] = {
        "token_type": "Bearer",
        "access_token": rim.tokens.make_for(asks, client, session, now),
        "expires_in": int(LIFETIME.total_seconds()),
        "scope": session.scope,
        "purpose_of_use": asks.purpose,
    }
    if session.patient is not None:
        told |= {"patient": str(session.patient), "need_patient_banner": True}
    held = session.scope.split()
    if scopes.OPENID in held:
        fhir_user = rim.practitioner(asks) if scopes.FHIR_USER in held else ""
        more = {"nonce": acting.nonce, "fhirUser": fhir_user}
        told["id_token"] = rim.id_tokens.make(client.id, asks.user, now, more)
    return told


def _today(conn: Connection, key: PersonKey | None) -> PersonKey | None:
    """The person, also where two records of theirs became one meanwhile."""
    if key is None:
        return None
    current = select(func.coalesce(person.c.merged_into, person.c.key)).where(person.c.key == key)
    found: UUID | None = conn.execute(current).scalar_one_or_none()
    return PersonKey(found) if found else None
