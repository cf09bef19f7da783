"""The OAuth2 server: what systems get for their proof (RFC 6749 4.4, SMART Backend Services 2.2), and apps for a code."""

from __future__ import annotations

import logging

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.integrations.flask_oauth2.requests import FlaskOAuth2Payload, FlaskOAuth2Request
from authlib.oauth2.rfc6749 import InvalidRequestError, InvalidScopeError, OAuth2Request
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from flask import Request, request

from carelink.errors import Forbidden
from carelink.identity import app_grants, assertions, given_back
from carelink.identity.client_proof import METHODS, by_key
from carelink.identity.clients import Client
from carelink.identity.rim import AUTHORIZE, Rim
from carelink.identity.scopes import is_known
from carelink.identity.tokens import LIFETIME
from carelink.ids import Ods

PURPOSE = "purpose_of_use"  # the parameter, named after the claim of IHE Internet User Authorization
logging.getLogger("authlib.oauth2").setLevel(logging.INFO)  # what it says at DEBUG holds the tokens themselves

# Stands in for a client that is not known here: asked for its proof it fails as one with a wrong one does.
NOBODY = Client("", Ods(""), "", "", "")


class _OfSystems(ClientCredentialsGrant):  # type: ignore[misc]  # Authlib carries no types
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def validate_requested_scope(self) -> None:
        """Scopes of which none is granted are an error, not a token that is good for nothing (RFC 6749 5.2).

        So is a purpose that the client's role may not ask for: a token for another one would mislead.
        """
        super().validate_requested_scope()
        if not _scope(self.request.client, self.request.payload.scope):
            raise InvalidScopeError()
        try:
            self.server.rim.tokens.purpose(self.request.client, _purpose())
        except Forbidden as wrong:
            raise InvalidRequestError(f"{PURPOSE}: {wrong}") from wrong


def _scope(client: Client, asked: str | None) -> str:
    """What is granted of what was asked for; all that the client is registered for, where nothing was (RFC 6749 3.3)."""
    return client.get_allowed_scope(asked or client.scopes)


def _purpose() -> str:
    """The purpose asked for, in the body as all else; empty for the usual one."""
    return request.form.get(PURPOSE, "").strip()


class _Body(FlaskOAuth2Payload):  # type: ignore[misc]
    @property
    def data(self) -> object:
        """The body alone: what stands in an address stands in logs too (RFC 6749 2.3.1). An app asks a worker by one."""
        asked = self._request
        return asked.args if asked.method == "GET" and asked.path == AUTHORIZE else asked.form

    @property
    def datalist(self) -> dict[str, list[str]]:
        """All values of each."""
        return self.data.to_dict(flat=False)  # type: ignore[attr-defined, no-any-return]


class _Asked(FlaskOAuth2Request):  # type: ignore[misc]
    def __init__(self, asked: Request, address: str) -> None:
        OAuth2Request.__init__(self, asked.method, address, headers=asked.headers)
        self._request = asked
        self.payload = _Body(asked)


class Server(AuthorizationServer):  # type: ignore[misc]
    """Authlib's server over our clients. Access tokens carry what they grant, so none is stored."""

    rim: Rim

    def create_oauth2_request(self, _: object) -> _Asked:
        """By the address that we are known by: TLS may end before us, and then the request itself looks unsafe."""
        return _Asked(request, self.rim.url(request.path))

    def validate_requested_scope(self, scope: str | None) -> None:
        """Raises `InvalidScopeError` for one that this server gives to no system."""
        if not all(is_known(one) for one in (scope or "").split()):
            raise InvalidScopeError()


def server(rim: Rim) -> Server:
    """The server of one application."""

    def known(id_: str) -> Client:
        client = rim.find(id_)
        if client is None or not rim.tokens.speaks_here(client) or (client.secret_hash and not rim.secrets):
            return NOBODY
        return client

    def of_system(
        grant_type: str, client: Client, user: object = None, scope: str = "", **_: object
    ) -> dict[str, str | int]:
        granted, purpose = _scope(client, scope), rim.tokens.purpose(client, _purpose())
        return {
            "token_type": "Bearer",
            "access_token": rim.tokens.make(client, granted, rim.clock(), purpose),
            "expires_in": int(LIFETIME.total_seconds()),
            "scope": granted,
            PURPOSE: purpose,
        }

    made = Server(query_client=known, save_token=lambda token, request: None)
    made.rim = rim
    made.register_token_generator("default", of_system)
    made.register_client_auth_method(assertions.METHOD, by_key(rim))
    made.register_grant(_OfSystems)
    app_grants.install(made)
    given_back.install(made)
    return made
