"""A patient record system that opens SMART apps for its users: `SmartEhr.serve()`, for the tests and for a demo.

It asks nobody for a password. A launch is a user and a patient who is open; the code and the tokens say so.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import secrets
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

from joserfc import jwt
from joserfc.jwk import RSAKey

from fhir_adapters.simulators.serving import Answer, Asked, Simulated

NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
CLIENT_ID = "carelink"


@dataclass(frozen=True)
class Open:
    """Who uses the system, and whose record is open: an id there; empty for none."""

    user: str
    patient: str = ""


@dataclass
class SmartEhr:
    """Its users, patients (id -> NHS number), launches, and what it gave out."""

    patients: dict[str, str] = field(default_factory=dict)
    launches: dict[str, Open] = field(default_factory=dict)
    alone: Open = field(default_factory=lambda: Open("nurse-1"))  # who uses it where nothing launched the app
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, auto_kid=True))
    iss: str = ""
    claims: dict[str, Any] = field(default_factory=dict)  # of ID tokens, instead of what is right
    algorithm: str = "RS256"
    asked: list[dict[str, str]] = field(default_factory=list)  # what apps came with
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)  # access token -> patient

    def serve(self, port: int = 0) -> Simulated:
        """Answer at `iss` until it is closed."""
        running = Simulated(self.answer, port, "/fhir")
        self.iss = running.url
        return running

    def launch(self, user: str, patient: str = "") -> str:
        """What a launch of these is called: the app is opened with it."""
        name = secrets.token_urlsafe(8)
        self.launches[name] = Open(user, patient)
        return name

    def answer(self, asked: Asked) -> Answer:
        """Each path of it."""
        if asked.path == "/fhir/.well-known/smart-configuration":
            return Answer(self._configuration())
        if asked.path == "/keys":
            return Answer({"keys": [self.key.as_dict(private=False)]})
        if asked.path == "/authorize":
            return self._authorize({name: values[0] for name, values in asked.params.items()})
        if asked.path == "/token" and asked.method == "POST":
            return self._token({name: values[0] for name, values in parse_qs(asked.body.decode()).items()})
        if asked.path.startswith("/fhir/Patient/"):
            return self._patient(asked.path.rpartition("/")[2], asked.headers.get("authorization", ""))
        return Answer({"error": "not found"}, 404)

    @property
    def root(self) -> str:
        return self.iss.removesuffix("/fhir")

    def _configuration(self) -> dict[str, Any]:
        return {
            "issuer": self.root,
            "jwks_uri": f"{self.root}/keys",
            "authorization_endpoint": f"{self.root}/authorize",
            "token_endpoint": f"{self.root}/token",
            "grant_types_supported": ["authorization_code"],
            "code_challenge_methods_supported": ["S256"],
            "capabilities": ["launch-ehr", "launch-standalone", "client-public", "sso-openid-connect"],
        }

    def _authorize(self, asked: dict[str, str]) -> Answer:
        """Whoever sits there says yes."""
        self.asked.append(asked)
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        back = urlencode({"code": code, "state": asked.get("state", "")})
        return Answer({}, 302, headers={"Location": f"{asked['redirect_uri']}?{back}"})

    def _token(self, form: dict[str, str]) -> Answer:
        asked = self.codes.pop(form.get("code", ""), None)
        made = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(made).decode().rstrip("=")
        if asked is None or asked["code_challenge"] != challenge or asked["redirect_uri"] != form.get("redirect_uri"):
            return Answer({"error": "invalid_grant"}, 400)
        opened = self.launches.get(asked.get("launch", ""), self.alone)
        token = secrets.token_urlsafe(16)
        self.tokens[token] = opened.patient
        context = {"patient": opened.patient} if opened.patient else {}
        told = {"token_type": "Bearer", "access_token": token, "expires_in": 300, "scope": asked["scope"]}
        return Answer(told | context | {"id_token": self._id_token(opened.user, asked)})

    def _id_token(self, user: str, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.root,
            "aud": asked["client_id"],
            "sub": user,
            "fhirUser": f"{self.iss}/Practitioner/{user}",
            "nonce": asked["nonce"],
            "iat": now,
            "exp": now + 300,
        } | self.claims
        header = {"alg": self.algorithm, "kid": self.key.kid}
        return str(jwt.encode(header, claims, self.key, algorithms=[self.algorithm]))

    def _patient(self, id_: str, authorization: str) -> Answer:
        if self.tokens.get(authorization.removeprefix("Bearer ")) != id_ or id_ not in self.patients:
            return Answer({"resourceType": "OperationOutcome", "issue": []}, 404)
        said = [{"system": NHS_NUMBER, "value": self.patients[id_]}] if self.patients[id_] else []
        return Answer({"resourceType": "Patient", "id": id_, "identifier": said})


def main(arguments: list[str] | None = None) -> int:
    """Answer until the process is ended, with one launch; print the address that opens CareLink by it."""
    parser = argparse.ArgumentParser(prog="python -m fhir_adapters.simulators.smart_ehr", description=__doc__)
    parser.add_argument("number", help="NHS number of the patient whose record is open")
    parser.add_argument("--user", default="W001", help="who uses the system, as it knows them")
    parser.add_argument("--port", type=int, default=8478)
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="of CareLink")
    asked = parser.parse_args(arguments)
    ehr = SmartEhr(patients={"p-1": asked.number})
    running = ehr.serve(asked.port)
    launch = urlencode({"iss": ehr.iss, "launch": ehr.launch(asked.user, "p-1")})
    sys.stdout.write(f"{asked.url.rstrip('/')}/launch?{launch}\n")
    sys.stdout.flush()
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        running.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
