"""How we say who we are to a source: API key, bearer token, a JWT that we sign, or a token that we get for one."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Mapping
from typing import Any
from uuid import uuid4

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from fhir_adapters.source import SourceFailed, SourceSettings

SigningKey = RSAKey | ECKey | OctKey
Flow = Generator[httpx.Request, httpx.Response, None]


class ApiKey(httpx.Auth):
    """The key in a header of the source's choosing."""

    def __init__(self, key: str, header: str = "X-API-Key") -> None:
        self._key = key
        self._header = header

    def auth_flow(self, request: httpx.Request) -> Flow:
        request.headers[self._header] = self._key
        yield request


class Bearer(httpx.Auth):
    """A token that somebody gave us (RFC 6750)."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Flow:
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


class SignedJwt(httpx.Auth):
    """A fresh JWT on every request, as GP Connect asks: `claims(now)` gives its claims, `now` in epoch seconds."""

    def __init__(
        self,
        key: SigningKey,
        claims: Callable[[int], Mapping[str, Any]],
        algorithm: str = "RS512",
        key_id: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._key = key
        self._claims = claims
        self._header = {"alg": algorithm, "typ": "JWT"} | ({"kid": key_id} if key_id else {})
        self._clock = clock

    def token(self) -> str:
        """The signed token of this moment."""
        claims = dict(self._claims(int(self._clock())))
        return jwt.encode(self._header, claims, self._key, algorithms=[self._header["alg"]])

    def auth_flow(self, request: httpx.Request) -> Flow:
        request.headers["Authorization"] = f"Bearer {self.token()}"
        yield request


class ClientAssertion(httpx.Auth):
    """An access token for a signed assertion (RFC 7523), as the NHS API platform's application-restricted APIs ask.

    The token is kept until shortly before it runs out. Raises SourceFailed where the token endpoint gives none.
    """

    requires_response_body = True

    def __init__(
        self,
        source: str,
        token_url: str,
        client_id: str,
        key: SigningKey,
        key_id: str = "",
        algorithm: str = "RS512",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._source = source
        self._token_url = token_url
        self._clock = clock
        self._assertion = SignedJwt(key, self._claims, algorithm, key_id, clock)
        self._client_id = client_id
        self._token = ""
        self._until = 0.0

    def _claims(self, now: int) -> Mapping[str, Any]:
        who = self._client_id
        return {"iss": who, "sub": who, "aud": self._token_url, "jti": str(uuid4()), "exp": now + 300}

    def auth_flow(self, request: httpx.Request) -> Flow:
        if self._clock() >= self._until:
            self._keep((yield self._token_request()))
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request

    def _token_request(self) -> httpx.Request:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": self._assertion.token(),
        }
        return httpx.Request("POST", self._token_url, data=form)

    def _keep(self, response: httpx.Response) -> None:
        try:
            answer = response.json() if response.is_success else {}
            self._token = str(answer["access_token"])
            self._until = self._clock() + float(answer.get("expires_in", 300)) - 30
        except (ValueError, KeyError, TypeError, AttributeError) as wrong:
            why = f"its token endpoint gave no access token (answered {response.status_code})"
            raise SourceFailed(self._source, why) from wrong


WAYS = ("api-key", "bearer", "client-assertion", "none")


def auth_of(settings: SourceSettings, usual: str) -> httpx.Auth | None:
    """What the source's options say (`auth`, one of `WAYS`), else the usual way of its kind.

    `client-assertion` needs the options token_url, client_id and key_id, and a PEM private key as the secret.
    None where there is no secret. Raises SourceFailed for a way that is not known or not fully set.
    """
    way = settings.options.get("auth", usual)
    if way not in WAYS:
        raise SourceFailed(settings.name, f"options.auth = {way!r} is not known: {', '.join(WAYS)}")
    if way == "none" or not settings.secret:
        return None
    if way == "bearer":
        return Bearer(settings.secret)
    if way == "client-assertion":
        return _client_assertion(settings)
    return ApiKey(settings.secret, settings.options.get("api_key_header", "X-API-Key"))


def _client_assertion(settings: SourceSettings) -> ClientAssertion:
    missing = [name for name in ("token_url", "client_id", "key_id") if not settings.options.get(name)]
    if missing:
        raise SourceFailed(settings.name, f"auth = 'client-assertion' needs options.{', options.'.join(missing)}")
    try:
        key = RSAKey.import_key(settings.secret)
    except ValueError as wrong:
        raise SourceFailed(settings.name, "its secret must be an RSA private key in PEM form") from wrong
    token_url, client_id, key_id = (settings.options[name] for name in ("token_url", "client_id", "key_id"))
    return ClientAssertion(settings.name, token_url, client_id, key, key_id)
