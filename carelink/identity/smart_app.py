"""CareLink as the app: opened from the patient record system of a hospital or practice (SMART App Launch 2.2).

The system says who its user is and whose record they have open; both are believed only where the place pack names it.
"""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast
from urllib.parse import quote

import httpx
from authlib.common.security import generate_token
from authlib.oauth2.rfc6749 import OAuth2Error
from authlib.oauth2.rfc6749.parameters import parse_authorization_code_response, prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization

from carelink.errors import Forbidden, SourceUnavailable
from carelink.ids import NHS_NUMBER
from carelink.place import Ehr, Place

ALGORITHMS = ("RS256", "RS384", "ES256", "ES384", "PS256")  # of ID tokens: never `none`, never a shared secret
SLACK = 60  # seconds that two clocks may differ
FRESH = timedelta(hours=1)
LARGEST = 500_000  # bytes of one answer
FROM_THERE = "launch openid fhirUser patient/Patient.rs"
STANDALONE = "launch/patient openid fhirUser patient/Patient.rs"


@dataclass(frozen=True)
class Attempt:
    """What must be remembered between leaving for the system and coming back."""

    iss: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True)
class Told:
    """Who the user is there, by the claims of a checked ID token, and the NHS number of the open patient; empty: none."""

    claims: Mapping[str, Any]
    nhs_number: str


@dataclass(frozen=True)
class _Known:
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    keys: KeySet
    read_at: datetime


@dataclass
class SmartApp:
    """CareLink as it is registered with the systems of the pack. `secrets`: by the name that the pack gives each."""

    secrets: Mapping[str, str] = field(default_factory=dict)
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=5.0, follow_redirects=False))
    _known: dict[str, _Known] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, place: Place, environ: Mapping[str, str] = os.environ) -> SmartApp:
        """With the secrets that the pack names, from the environment."""
        return cls({one.secret_env: environ.get(one.secret_env, "") for one in place.ehrs if one.secret_env})

    def begin(self, ehr: Ehr, launch: str, redirect: str, now: datetime) -> tuple[str, Attempt]:
        """Where to send the browser, and what to remember. Raises `SourceUnavailable`."""
        attempt = Attempt(ehr.iss, generate_token(32), generate_token(32), generate_token(64))
        more = {"launch": launch} if launch else {}
        url: str = prepare_grant_uri(
            self._metadata(ehr, now).authorization_endpoint,
            client_id=ehr.client_id,
            response_type="code",
            redirect_uri=redirect,
            scope=FROM_THERE if launch else STANDALONE,
            state=attempt.state,
            nonce=attempt.nonce,
            aud=ehr.iss,
            code_challenge=create_s256_code_challenge(attempt.verifier),
            code_challenge_method="S256",
            **more,
        )
        return url, attempt

    def finish(self, ehr: Ehr, came_back: str, attempt: Attempt, redirect: str, now: datetime) -> Told:
        """Who uses it and whose record is open there. Raises `Forbidden` for what does not fit, `SourceUnavailable`."""
        try:
            said = parse_authorization_code_response(came_back, state=attempt.state)
        except OAuth2Error as refused:
            raise Forbidden("Opening CareLink from there was not completed", rule="launch-response") from refused
        if said.get("iss") not in (None, self._metadata(ehr, now).issuer):
            raise Forbidden("Another system answered than the one that was asked", rule="launch-issuer")
        answer = self._redeemed(ehr, said["code"], attempt, redirect, now)
        claims = self._checked(ehr, str(answer.get("id_token", "")), attempt, now)
        patient = answer.get("patient")
        number = self._number(ehr, patient, str(answer.get("access_token", ""))) if isinstance(patient, str) else ""
        return Told(claims, number)

    def _metadata(self, ehr: Ehr, now: datetime, anew: bool = False) -> _Known:
        with self._lock:
            known = self._known.get(ehr.iss)
            if known is None or anew or now - known.read_at > FRESH:
                known = self._known[ehr.iss] = self._discovered(ehr, now)
            return known

    def _discovered(self, ehr: Ehr, now: datetime) -> _Known:
        found = self._get(ehr, f"{ehr.iss}/.well-known/smart-configuration")
        try:
            if "S256" not in found["code_challenge_methods_supported"]:
                raise ValueError("no PKCE")
            places = [found[name] for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
            if not all(str(one).startswith(ehr.iss.partition("://")[0] + "://") for one in places):
                raise ValueError("leads elsewhere than by https")
            keys = KeySet.import_key_set(cast(KeySetSerialization, self._get(ehr, places[2])))
            return _Known(str(found["issuer"]), places[0], places[1], keys, now)
        except (KeyError, TypeError, ValueError, JoseError) as wrong:
            raise _away(ehr, "what it says of itself can't be read") from wrong

    def _redeemed(self, ehr: Ehr, code: str, attempt: Attempt, redirect: str, now: datetime) -> dict[str, Any]:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect}
        form |= {"code_verifier": attempt.verifier}
        secret = self.secrets.get(ehr.secret_env, "")
        auth = httpx.BasicAuth(ehr.client_id, secret) if secret else httpx.USE_CLIENT_DEFAULT
        form |= {} if secret else {"client_id": ehr.client_id}
        try:
            answer = self.http.post(self._metadata(ehr, now).token_endpoint, data=form, auth=auth)
        except httpx.HTTPError as failed:
            raise _away(ehr, "does not answer") from failed
        if answer.status_code >= 500:
            raise _away(ehr, "does not answer")
        if answer.status_code != 200:
            raise Forbidden(f"{ehr.label} did not confirm who you are", rule="launch-code")
        return _object(ehr, answer)

    def _checked(self, ehr: Ehr, token: str, attempt: Attempt, now: datetime) -> Mapping[str, Any]:
        rules = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=SLACK,
            iss={"essential": True, "value": self._metadata(ehr, now).issuer},
            aud={"essential": True, "value": ehr.client_id},
            sub={"essential": True},
            exp={"essential": True},
            nonce={"essential": True, "value": attempt.nonce},
        )
        try:
            claims = jwt.decode(token, self._keys(ehr, token, now), algorithms=list(ALGORITHMS)).claims
            rules.validate(claims)
        except (JoseError, ValueError) as wrong:
            raise Forbidden(f"What {ehr.label} says of you was not made for this", rule="launch-token") from wrong
        return claims

    def _keys(self, ehr: Ehr, token: str, now: datetime) -> KeySet:
        """Its keys; read anew where the token names one that we have not seen (it changed its keys)."""
        header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
        known = self._metadata(ehr, now)
        if not isinstance(header, dict) or any(key.kid == header.get("kid") for key in known.keys.keys):
            return known.keys
        return self._metadata(ehr, now, anew=True).keys

    def _number(self, ehr: Ehr, patient: str, access_token: str) -> str:
        """The NHS number of the patient who is open there; empty where it does not say one."""
        url = f"{ehr.iss}/Patient/{quote(patient, safe='')}"
        found = self._get(ehr, url, {"Authorization": f"Bearer {access_token}"})
        said = found.get("identifier", []) if found.get("resourceType") == "Patient" else []
        numbers = [one.get("value") for one in said if isinstance(one, dict) and one.get("system") == NHS_NUMBER]
        return str(numbers[0]).replace(" ", "") if len(numbers) == 1 else ""

    def _get(self, ehr: Ehr, url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        try:
            answer = self.http.get(
                url, headers={"Accept": "application/json, application/fhir+json", **(headers or {})}
            )
        except httpx.HTTPError as failed:
            raise _away(ehr, "does not answer") from failed
        if answer.status_code != 200:
            raise _away(ehr, "does not answer")
        return _object(ehr, answer)


def _object(ehr: Ehr, answer: httpx.Response) -> dict[str, Any]:
    try:
        found = json.loads(answer.content) if len(answer.content) <= LARGEST else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _away(ehr, "its answer can't be read")
    return found


def _away(ehr: Ehr, why: str) -> SourceUnavailable:
    return SourceUnavailable(ehr.label, None, why)
