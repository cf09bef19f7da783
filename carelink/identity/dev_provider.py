"""A small OpenID provider for the demo and the tests: it asks nobody for a password, so never run it elsewhere.

    python -m carelink.identity.dev_provider --port 8001 --place config/places/example --redirect http://127.0.0.1:8000/signed-in

Discovery, keys, authorization code with PKCE (S256 only), signed ID tokens. The client's id and secret are those of
CARELINK_OIDC_CLIENT_ID and CARELINK_OIDC_CLIENT_SECRET.
"""

from __future__ import annotations

import argparse
import hmac
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from authlib.common.security import generate_token
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from flask import Flask, Response, jsonify, redirect, render_template, request
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Response as Answer

from carelink.clock import now
from carelink.identity.dev_people import DemoUser, read_people, workers
from carelink.place_loader import load

CODE_LIFE = timedelta(seconds=60)
TOKEN_LIFE = timedelta(minutes=5)
ASKED = ("client_id", "redirect_uri", "state", "nonce", "code_challenge")


@dataclass(frozen=True)
class Registered:
    """The one client of this provider."""

    client_id: str
    client_secret: str
    redirects: tuple[str, ...]


@dataclass(frozen=True)
class Granted:
    """What a code stands for until it is used, once."""

    user: DemoUser
    redirect: str
    nonce: str
    challenge: str
    until: datetime


@dataclass
class DevProvider:
    """Keys, users and the codes that are not used yet."""

    issuer: str
    client: Registered
    users: Sequence[DemoUser]
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True))
    codes: dict[str, Granted] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def discovery(self) -> dict[str, object]:
        """OpenID Connect Discovery 1.0, section 3."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "scopes_supported": ["openid", "profile"],
        }

    def refusal(self, asked: dict[str, str]) -> str:
        """Why this authorization request is not answered; empty where it is."""
        if asked.get("client_id") != self.client.client_id or asked.get("redirect_uri") not in self.client.redirects:
            return "This application is not known here"
        if asked.get("response_type") != "code" or asked.get("code_challenge_method") != "S256":
            return "Only the authorization code with PKCE (S256) is supported"
        return "" if all(asked.get(name) for name in ASKED) else "The request is not complete"

    def grant(self, user: DemoUser, asked: dict[str, str], at: datetime) -> str:
        """A fresh code for this user and request."""
        code = str(generate_token(32))
        granted = Granted(user, asked["redirect_uri"], asked["nonce"], asked["code_challenge"], at + CODE_LIFE)
        with self.lock:
            self.codes = {old: one for old, one in self.codes.items() if one.until > at}
            self.codes[code] = granted
        return code

    def redeem(self, form: dict[str, str], at: datetime) -> Granted | None:
        """What the code stands for, if the verifier fits; a code is used up by the attempt."""
        with self.lock:
            granted = self.codes.pop(form.get("code", ""), None)
        if granted is None or granted.until <= at or granted.redirect != form.get("redirect_uri"):
            return None
        challenge = create_s256_code_challenge(form.get("code_verifier", ""))
        return granted if hmac.compare_digest(challenge, granted.challenge) else None

    def id_token(self, granted: Granted, at: datetime) -> str:
        """Signed claims of who it is."""
        claims = {
            "iss": self.issuer,
            "aud": self.client.client_id,
            "sub": granted.user.sub,
            "name": granted.user.name,
            "nonce": granted.nonce,
            "iat": int(at.timestamp()),
            "exp": int((at + TOKEN_LIFE).timestamp()),
            **granted.user.claims,
        }
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)


def provider_app(provider: DevProvider) -> Flask:
    """The provider as a WSGI application."""
    app = Flask("carelink.identity", template_folder="templates", static_folder=None)

    @app.get("/.well-known/openid-configuration")
    def discovery() -> Response:
        return jsonify(provider.discovery())

    @app.get("/keys")
    def keys() -> Response:
        return jsonify({"keys": [provider.key.as_dict(private=False)]})

    @app.get("/authorize")
    def choose() -> tuple[str, int] | str:
        asked = request.args.to_dict()
        if why := provider.refusal(asked):
            return render_template("dev_provider.html", refused=why), 400
        return render_template("dev_provider.html", users=provider.users, asked=asked)

    @app.post("/authorize")
    def chosen() -> tuple[str, int] | Answer:
        asked = request.form.to_dict()
        user = next((one for one in provider.users if one.sub == asked.get("sub")), None)
        if why := provider.refusal(asked) or ("" if user else "There is no such person"):
            return render_template("dev_provider.html", refused=why), 400
        assert user is not None
        code = provider.grant(user, asked, now())
        return redirect(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}", 303)

    @app.post("/token")
    def token() -> tuple[Response, int]:
        given = request.authorization
        client = provider.client
        if not given or given.username != client.client_id or given.password != client.client_secret:
            return jsonify(error="invalid_client"), 401
        granted = provider.redeem(request.form.to_dict(), now())
        if granted is None:
            return jsonify(error="invalid_grant"), 400
        return jsonify(
            token_type="Bearer",
            access_token=generate_token(32),
            expires_in=int(TOKEN_LIFE.total_seconds()),
            id_token=provider.id_token(granted, now()),
        ), 200

    return app


class _Quiet(WSGIRequestHandler):
    """Codes and states stand in query strings: they are not for a log."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        return


@dataclass(frozen=True)
class Running:
    """A provider that answers at `url` until it is closed."""

    url: str
    provider: DevProvider
    server: BaseWSGIServer

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def serve(users: Sequence[DemoUser], client: Registered, port: int = 0) -> Running:
    """Answer on loopback in a thread of this process; port 0 is any free one."""
    provider = DevProvider("", client, users)
    server = make_server("127.0.0.1", port, provider_app(provider), threaded=True, request_handler=_Quiet)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return Running(provider.issuer, provider, server)


def main(arguments: Sequence[str] | None = None) -> None:
    """Answer until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m carelink.identity.dev_provider")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--place", type=Path, required=True, help="folder of the place pack whose staff may sign in")
    parser.add_argument("--redirect", action="append", required=True, help="where CareLink may be returned to")
    parser.add_argument("--people", type=Path, help="JSON file of people who sign in as themselves")
    chosen = parser.parse_args(arguments)
    users = [*workers(load(chosen.place)), *(read_people(chosen.people) if chosen.people else ())]
    client = Registered(
        os.environ.get("CARELINK_OIDC_CLIENT_ID", "carelink"),
        os.environ.get("CARELINK_OIDC_CLIENT_SECRET", ""),
        tuple(chosen.redirect),
    )
    running = serve(users, client, chosen.port)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        running.close()


if __name__ == "__main__":
    main()
