"""Systems and apps with keys of their own, and what they send to prove it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from flask.testing import FlaskClient
from html_reading import read
from joserfc import jwt
from joserfc.jwk import ECKey, Key, RSAKey
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from carelink import clock
from carelink.identity import registering
from carelink.identity.assertions import TYPE
from carelink.identity.registering import Wanted
from carelink.place import Place

TOKEN = "http://localhost/oauth2/token"
REDIRECT = "https://app.example/back"


def rsa(kid: str = "k1") -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid})


def ec(kid: str = "k1", curve: str = "P-384") -> ECKey:
    return ECKey.generate_key(curve, {"kid": kid})


def public(*keys: Any) -> dict[str, Any]:
    """Their set, as a system gives it away."""
    return {"keys": [one.as_dict(private=False) for one in keys]}


@dataclass(frozen=True)
class Keyed:
    """A registered system, with the key that it signs with."""

    id: str
    key: Key
    algorithm: str = "ES384"

    @classmethod
    def registered(
        cls, engine: Engine, place: Place, id_: str, organisation: str, role: str, scopes: str, **more: Any
    ) -> Keyed:
        key = more.pop("key", None) or ec()
        keys = {} if "jwks_url" in more else {"jwks": public(key)}
        with engine.begin() as conn:
            registering.add(conn, place, Wanted(id_, organisation, role, scopes, **keys, **more))
        return cls(id_, key, "RS384" if isinstance(key, RSAKey) else "ES384")

    def assertion(self, audience: Any = TOKEN, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Signed by its key; claims that are None are left out."""
        now = int(clock.now().timestamp())
        said = {"iss": self.id, "sub": self.id, "aud": audience, "exp": now + 240, "jti": secrets.token_hex(8)} | claims
        head = {"alg": self.algorithm, "kid": self.key.kid} | (header or {})
        said = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(head, said, self.key, algorithms=[head["alg"]])

    def asks(self, audience: Any = TOKEN, **form: str) -> dict[str, str]:
        """The body of a request for a token."""
        return self.proves(self.assertion(audience)) | {"grant_type": "client_credentials"} | form

    @staticmethod
    def proves(assertion: str) -> dict[str, str]:
        return {"client_assertion_type": TYPE, "client_assertion": assertion}

    def with_key(self, key: Any) -> Keyed:
        return replace(self, key=key, algorithm="RS384" if isinstance(key, RSAKey) else "ES384")


VERIFIER = "a verifier of enough length for everybody".replace(" ", "-") + "-0"
CHALLENGE = create_s256_code_challenge(VERIFIER)
APP = "growth-chart"


def asking(scope: str, **changed: str | None) -> dict[str, str]:
    """What an app sends a worker's browser with; what is None is left out."""
    said: dict[str, str | None] = {
        "response_type": "code",
        "client_id": APP,
        "redirect_uri": REDIRECT,
        "scope": scope,
        "state": "its-state",
        "aud": "http://localhost/fhir/R4",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in (said | changed).items() if value is not None}


def redeeming(code: str, **changed: str) -> dict[str, str]:
    """What an app without keys sends for a code."""
    said = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
    return said | {"client_id": APP, "code_verifier": VERIFIER} | changed


def returned(answer: TestResponse) -> dict[str, str]:
    """What the app is sent back with."""
    assert answer.status_code == 303, answer.text
    where = urlsplit(answer.headers["Location"])
    assert f"{where.scheme}://{where.netloc}{where.path}" == REDIRECT
    return dict(parse_qsl(where.query))


def agreed(browser: FlaskClient, scope: str, number: str = "", **changed: str | None) -> dict[str, str]:
    """A worker says yes, for the person of that NHS number; what the app is sent back with."""
    asked = asking(scope, **changed)
    told = read(browser.get("/oauth2/authorize", query_string=asked).text)
    hidden = {one.attributes["name"]: one.attributes["value"] for one in told.one("main").all("input", type="hidden")}
    if number:
        found = browser.post("/oauth2/authorize", data=hidden | {"nhs_number": number, "answer": "yes"})
        told = read(found.text)
        fields = told.one("main").all("input", type="hidden")
        hidden = {one.attributes["name"]: one.attributes["value"] for one in fields}
    return returned(browser.post("/oauth2/authorize", data=hidden | {"answer": "yes"}))
