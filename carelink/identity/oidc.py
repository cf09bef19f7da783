"""Signing in at an OpenID provider: authorization code with PKCE, state and nonce (OpenID Connect Core 1.0, RFC 7636)."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import urlencode

import httpx
from authlib.common.security import generate_token
from authlib.oauth2.rfc6749 import OAuth2Error
from authlib.oauth2.rfc6749.parameters import parse_authorization_code_response, prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization

from carelink.errors import Forbidden, SourceUnavailable

SCOPE = "openid profile"
ALGORITHMS = ["RS256", "ES256", "PS256", "RS512"]  # RS512 is NHS login's; never `none`, never a shared secret
SLACK = 60  # seconds that two clocks may differ
FRESH = timedelta(hours=1)  # how long discovery and keys are trusted before they are asked for again

Claims = Mapping[str, Any]


@dataclass(frozen=True)
class Attempt:
    """What must be remembered of a sign-in between leaving for the provider and coming back."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True)
class Metadata:
    """What the provider says of itself (OpenID Connect Discovery 1.0), and its keys."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    end_session_endpoint: str
    keys: KeySet
    read_at: datetime


@dataclass
class Provider:
    """One OpenID provider, discovered when it is first needed."""

    issuer: str
    client_id: str
    client_secret: str
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=5.0))
    _known: Metadata | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def metadata(self, now: datetime, anew: bool = False) -> Metadata:
        """Discovery and keys, at most an hour old. Raises `SourceUnavailable` where the provider does not answer."""
        with self._lock:
            if self._known is None or anew or now - self._known.read_at > FRESH:
                self._known = self._discover(now)
            return self._known

    def _discover(self, now: datetime) -> Metadata:
        found = self._get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if str(found.get("issuer")).rstrip("/") != self.issuer.rstrip("/"):
            raise SourceUnavailable("sign-in", None, "the identity provider calls itself by another name")
        try:
            return Metadata(
                found["issuer"],
                found["authorization_endpoint"],
                found["token_endpoint"],
                found.get("end_session_endpoint", ""),
                KeySet.import_key_set(cast(KeySetSerialization, self._get(found["jwks_uri"]))),
                now,
            )
        except (KeyError, TypeError, JoseError, ValueError) as wrong:
            raise SourceUnavailable("sign-in", None, "the identity provider's settings can't be read") from wrong

    def _get(self, url: str) -> dict[str, Any]:
        try:
            answer = self.http.get(url, headers={"Accept": "application/json"})
            answer.raise_for_status()
            return _object(answer.content)
        except (httpx.HTTPError, ValueError) as failed:
            raise SourceUnavailable("sign-in", None, "the identity provider does not answer") from failed

    def begin(self, redirect: str, now: datetime) -> tuple[str, Attempt]:
        """Where to send the browser, and what to remember until it comes back to `redirect`."""
        attempt = Attempt(generate_token(32), generate_token(32), generate_token(64))
        url: str = prepare_grant_uri(
            self.metadata(now).authorization_endpoint,
            client_id=self.client_id,
            response_type="code",
            redirect_uri=redirect,
            scope=SCOPE,
            state=attempt.state,
            nonce=attempt.nonce,
            code_challenge=create_s256_code_challenge(attempt.verifier),
            code_challenge_method="S256",
        )
        return url, attempt

    def finish(self, came_back: str, attempt: Attempt, redirect: str, now: datetime) -> Claims:
        """The claims of the person who signed in. Raises `Forbidden` for whatever does not fit the attempt."""
        try:
            code = parse_authorization_code_response(came_back, state=attempt.state)["code"]
        except OAuth2Error as refused:
            raise Forbidden("Signing in was not completed", rule="oidc-response") from refused
        return self._checked(self._token(code, attempt, redirect, now), attempt, now)

    def _token(self, code: str, attempt: Attempt, redirect: str, now: datetime) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "code_verifier": attempt.verifier,
        }
        try:
            answer = self.http.post(
                self.metadata(now).token_endpoint, data=form, auth=(self.client_id, self.client_secret)
            )
        except httpx.HTTPError as failed:
            raise SourceUnavailable("sign-in", None, "the identity provider does not answer") from failed
        if answer.status_code >= 500:
            raise SourceUnavailable("sign-in", None, "the identity provider does not answer")
        if answer.status_code != 200:
            raise Forbidden("The identity provider did not confirm the sign-in", rule="oidc-code")
        try:
            return str(_object(answer.content)["id_token"])
        except (KeyError, ValueError) as wrong:
            raise Forbidden("The identity provider's answer can't be read", rule="oidc-answer") from wrong

    def _checked(self, token: str, attempt: Attempt, now: datetime) -> Claims:
        rules = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=SLACK,
            iss={"essential": True, "value": self.metadata(now).issuer},
            aud={"essential": True, "value": self.client_id},
            sub={"essential": True},
            exp={"essential": True},
            nonce={"essential": True, "value": attempt.nonce},
        )
        try:
            claims = jwt.decode(token, self._keys(token, now), algorithms=ALGORITHMS).claims
            rules.validate(claims)
        except (JoseError, ValueError) as wrong:
            raise Forbidden(
                "The identity provider's answer was not made for this sign-in", rule="oidc-token"
            ) from wrong
        return claims

    def _keys(self, token: str, now: datetime) -> KeySet:
        """The provider's keys; read anew where the token names one that we have not seen (it changed its keys)."""
        header = _object(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
        known = self.metadata(now).keys
        if any(key.kid == header.get("kid") for key in known.keys):
            return known
        return self.metadata(now, anew=True).keys

    def end(self, back_to: str, now: datetime) -> str:
        """Where to go on signing out: the provider's own end, where it has one, else `back_to`."""
        endpoint = self.metadata(now).end_session_endpoint
        if not endpoint:
            return back_to
        return f"{endpoint}?{urlencode({'client_id': self.client_id, 'post_logout_redirect_uri': back_to})}"


def _object(text: bytes) -> dict[str, Any]:
    """A JSON object. Raises ValueError for whatever else it is."""
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")
    return found
