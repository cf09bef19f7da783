"""The application over one connection: asked, answered byte for byte, and undone; chance, time and counters stand still.

So nothing of an answer has to be left out when two are compared. What is random or counted by nature (STILL) is made
the same in both worlds instead, each with the reason why it tells nobody anything.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from conftest import NOW
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from sqlalchemy import Connection, text
from werkzeug.test import TestResponse

from carelink.app import create_app
from carelink.errors import Forbidden
from carelink.fhir.endpoint import Endpoint
from carelink.identity.clients import Client
from carelink.identity.oidc import Attempt, Claims
from carelink.ids import Ods
from carelink.place import Place
from carelink.settings import Settings
from carelink.web.systems import Sessions

SECRET_KEY = "a key for tests only, of enough length"
CSRF = "one token for every session of these tests"
COUNTED_FROM = 1_000_000  # by the database's counters in every ask

# What is the same in both worlds without being looked at, and why that hides nothing.
STILL: Mapping[str, str] = {
    "request id": "drawn anew for every request, before anybody is known",
    "CSRF token": "drawn for a session, salted for every page",
    "token of a form": "drawn when the form is shown, so that it is stored once",
    "key of what is made here": "a random UUID",
    "id of an access token": "drawn when the token is made",
    "sealed link to a further page": "encrypted under a fresh nonce; what is in it is compared by being followed",
    "signature and age of cookies": "the moment of the request, under the key of the installation",
    "Date": "the moment of the answer; the web server adds it",
    "numbers of rows": "counted by the database over everybody; shown only where somebody works a queue of all of them",
}


@dataclass(frozen=True)
class Who:
    """Somebody who asks: signed in by a cookie, with a token, or not at all."""

    name: str
    user: str = ""
    client: Client | None = None
    session: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return self.name


Ready = Callable[["Site", Who], None]


@dataclass(frozen=True)
class Ask:
    """One request, before it is known who sends it."""

    endpoint: str
    values: Mapping[str, Any] = field(default_factory=dict)  # of the address, and its query
    method: str = "GET"
    form: Mapping[str, Any] | None = None
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    session: Mapping[str, Any] = field(default_factory=dict)
    path: str = ""  # instead of the endpoint: a link that was in an answer
    ready: Ready | None = field(default=None, compare=False, repr=False)  # what is done in the world before it is asked

    def __str__(self) -> str:
        sent = f" {dict(self.form)}" if self.form else f" {self.body!r}" if self.body else ""
        return f"{self.method} {self.endpoint} {dict(self.values)} {self.path} {dict(self.headers)}{sent}"


@dataclass(frozen=True)
class Answer:
    """All that comes back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @classmethod
    def of(cls, response: TestResponse) -> Answer:
        headers = tuple((name, value) for name, value in response.headers.items() if name != "Date")
        return cls(response.status_code, headers, response.get_data())

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


class _Request:
    """The one connection as a request has it: its transaction is a savepoint of ours."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._savepoint: Any = None

    def begin(self) -> None:
        self._savepoint = self._conn.begin_nested()

    def commit(self) -> None:
        self._savepoint.commit()

    def rollback(self) -> None:
        if self._savepoint is not None and self._savepoint.is_active:
            self._savepoint.rollback()

    close = rollback

    def __getattr__(self, name: str) -> Any:
        return getattr(self._conn, name)


class OneConnection:
    """Stands for the engine: everything that is asked, is asked on this connection."""

    def __init__(self) -> None:
        self.conn: Connection | None = None

    def connect(self) -> _Request:
        assert self.conn is not None
        return _Request(self.conn)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        assert self.conn is not None
        with self.conn.begin_nested():
            yield self.conn


@dataclass
class Provided:
    """Stands for the identity provider: whoever comes back is who the session's attempt says."""

    claims: Claims = field(default_factory=dict)

    def begin(self, redirect: str, now: datetime) -> tuple[str, Attempt]:
        return "http://provider.example/authorize", Attempt("state", "nonce", "verifier")

    def finish(self, came_back: str, attempt: Attempt, redirect: str, now: datetime) -> Claims:
        if not self.claims:
            raise Forbidden("Signing in was not completed", rule="oidc-response")
        return self.claims

    def end(self, back_to: str, now: datetime) -> str:
        return back_to


class _Chance:
    """Random bytes that are the same for every ask."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self._drawn = random.Random("chance stands still")
        self._named = random.Random("names within statements")

    def __call__(self, number: int) -> bytes:
        """What SQLAlchemy draws to name an alias is apart: a statement is put together once, and then it is kept."""
        return (self._named if _names_an_alias() else self._drawn).randbytes(number)


def _names_an_alias() -> bool:
    frame = sys._getframe(2)
    for _ in range(3):
        if frame is None or "sqlalchemy" in frame.f_code.co_filename:
            return frame is not None
        frame = frame.f_back  # type: ignore[assignment]
    return False


@contextmanager
def still() -> Iterator[_Chance]:
    """Chance and time stand still, in this process."""
    chance = _Chance()
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CARELINK_NOW", NOW.isoformat())
        patched.setattr(os, "urandom", chance)
        patched.setattr(random, "_urandom", chance)
        patched.setattr(TimestampSigner, "get_timestamp", lambda self: int(NOW.timestamp()))
        patched.setattr(Sessions, "get_expiration_time", lambda self, app, session: NOW)
        yield chance


@dataclass
class Site:
    """The application, and the connection that it is asked on."""

    app: Flask
    engine: OneConnection
    provider: Provided
    chance: _Chance
    place: Place
    _counters: str = ""

    @classmethod
    def of(cls, place: Place, chance: _Chance) -> Site:
        engine, provider = OneConnection(), Provided()
        folder = Path(mkdtemp(prefix="carelink-worlds-"))
        settings = Settings(
            place=place.folder,
            secret_key=SECRET_KEY,
            base_url="http://localhost",
            exports=folder / "exports",
            tokens_per_minute=10**6,
        )
        app = create_app(settings, place, engine)  # type: ignore[arg-type]  # as much of an Engine as is asked of one
        app.extensions["carelink"] = replace(app.extensions["carelink"], provider=provider)
        return cls(app, engine, provider, chance, place)

    @property
    def conn(self) -> Connection:
        assert self.engine.conn is not None
        return self.engine.conn

    def ask(self, who: Who, ask: Ask, *, goes_on: bool = False) -> Answer:
        """The answer; what was done for it stays done. Wrap it in `undone` to go back, or say that the next `goes_on`."""
        if not goes_on:
            self.count_from(COUNTED_FROM)
        self.chance.begin()
        if ask.ready is not None:
            ask.ready(self, who)
            self.chance.begin()
        return Answer.of(self._browser(who, ask).open(**self._sent(who, ask)))

    @contextmanager
    def undone(self) -> Iterator[None]:
        """What is done meanwhile was never done."""
        savepoint = self.conn.begin_nested()
        try:
            yield
        finally:
            savepoint.rollback()

    def token(self, client: Client) -> str:
        tokens = self._endpoint.tokens
        return str(tokens.make(client, client.scopes, NOW))

    @property
    def _endpoint(self) -> Endpoint:
        made: Endpoint = self.app.extensions["carelink.fhir"]
        return made

    def _browser(self, who: Who, ask: Ask) -> FlaskClient:
        browser = self.app.test_client()
        began = NOW.timestamp() - 60
        known = {"user": who.user, "assignment": "", "began": began, "seen": began} if who.user else {}
        with browser.session_transaction(base_url="http://localhost") as session:
            session.update(csrf_token=CSRF, **known, **who.session, **ask.session)
        return browser

    def _sent(self, who: Who, ask: Ask) -> dict[str, Any]:
        path = ask.path or self.app.url_map.bind("localhost").build(ask.endpoint, dict(ask.values), method=ask.method)
        token = {"Authorization": f"Bearer {self.token(who.client)}"} if who.client else {}
        sent: dict[str, Any] = {"path": path, "method": ask.method, "headers": {**token, **ask.headers}}
        if ask.form is not None:
            csrf = {} if ask.endpoint.startswith("fhir") else {"csrf_token": self._csrf()}
            sent["data"] = {**csrf, **ask.form}
        elif ask.body is not None:
            sent["data"] = ask.body
        return sent

    def _csrf(self) -> str:
        signed = URLSafeTimedSerializer(SECRET_KEY, salt="wtf-csrf-token").dumps(CSRF)
        return signed if isinstance(signed, str) else signed.decode()

    def count_from(self, number: int) -> None:
        """Every counter of the database goes on from there: what was counted before is not told by what comes."""
        if not self._counters:
            names = self.conn.execute(
                text("select sequencename from pg_sequences where schemaname = 'public'")
            ).scalars()
            self._counters = "select " + ", ".join(f"setval('{one}', :number)" for one in sorted(names))
        self.conn.execute(text(self._counters), {"number": number})


def client(id_: str, organisation: str, role: str, scopes: str) -> Client:
    return Client(id_, Ods(organisation), role, "", scopes)
