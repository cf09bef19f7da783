"""Signing in at the development provider, over HTTP: the application, the provider, and a browser between the two."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
from conftest import NOW
from flask import Flask
from flask.testing import FlaskClient
from html_reading import Element, read
from ingest_builders import patient, take
from page_builders import identified
from sqlalchemy import Engine, select
from werkzeug.test import TestResponse

from carelink.app import create_app
from carelink.db import sync
from carelink.db.embedded import Embedded
from carelink.db.engine import engine_for
from carelink.db.tables import audit_event
from carelink.identity.dev_people import DemoUser, themselves, workers
from carelink.identity.dev_provider import Registered, Running, serve
from carelink.place import Place
from carelink.settings import Settings
from fhir_adapters.simulators.cast import SIGNS_IN as JOYCE

HERE = "http://localhost"
CLIENT = Registered("carelink", "known to both and to nobody else", (f"{HERE}/signed-in",))
SAM, IRIS = "sam.okafor", "iris.lang"
NUMBER, BORN = JOYCE.nhs_number, JOYCE.born.isoformat()


@contextmanager
def knowing_joyce(postgres: Embedded, place: Place, name: str) -> Iterator[Engine]:
    """A database with the staff of the place, and Joyce with a verified NHS number."""
    made = engine_for(postgres.database(name, template="template_carelink"))
    with made.begin() as conn:
        sync.sync(conn, place)
        take(conn, place, [patient("joyce", **identified(NUMBER, JOYCE.family, JOYCE.given[0], BORN))], NOW)
    yield made
    made.dispose()


@contextmanager
def provider(place: Place) -> Iterator[Running]:
    """The development provider: it lets pass the staff but Priya Nair, Joyce, and some who are not what they say."""
    staff = [one for one in workers(place) if one.sub != "priya.nair"]
    by_vot = {"nhs_number": NUMBER, "birthdate": BORN, "vot": "P9.Cp.Cd"}
    made = serve(
        [
            *staff,
            DemoUser("nobody", "Nobody", "is not in CareLink"),
            DemoUser("joyce-by-vot", JOYCE.name, "is proven by the vector of trust alone", by_vot),
            themselves("joyce", JOYCE.name, NUMBER, BORN),
            themselves("joyce-unproven", JOYCE.name, NUMBER, BORN, level="P5"),
            themselves("joyce-born-elsewhen", JOYCE.name, NUMBER, "1950-01-01"),
            themselves("unknown-person", "Una Known", "9990000999", "1950-01-01"),
            themselves("priya.nair", "Priya Nair", NUMBER, BORN),
        ],
        CLIENT,
    )
    yield made
    made.close()


def application(issuer: str, engine: Engine, place: Place) -> Flask:
    """CareLink, whose users sign in at `issuer`."""
    settings = Settings(
        secret_key="only for tests", base_url=HERE, oidc_issuer=issuer, oidc_client_secret=CLIENT.client_secret
    )
    return create_app(settings, place, engine)


def last_event(engine: Engine) -> Any:
    """The newest row of the audit trail."""
    with engine.connect() as conn:
        return conn.execute(select(audit_event).order_by(audit_event.c.id.desc()).limit(1)).one()


@dataclass
class Visit:
    """One browser, and the provider's pages beside it."""

    browser: FlaskClient

    @classmethod
    def of(cls, app: Flask) -> Visit:
        return cls(app.test_client())

    def leave(self) -> str:
        """The address at the provider to which signing in leads."""
        away = self.browser.get("/sign-in")
        assert away.status_code == 303
        return away.headers["Location"]

    def choose(self, sub: str, at: str) -> str:
        """The address to which the provider sends back whoever says that they are `sub`."""
        assert httpx.get(at).status_code == 200
        query = urlsplit(at)
        asked = dict(parse_qsl(query.query))
        chosen = httpx.post(f"{query.scheme}://{query.netloc}{query.path}", data={**asked, "sub": sub})
        assert chosen.status_code == 303
        return chosen.headers["Location"]

    def back(self, address: str) -> TestResponse:
        """Come back to that address."""
        query = urlsplit(address)
        assert f"{query.scheme}://{query.netloc}{query.path}" == f"{HERE}/signed-in"
        return self.browser.get(f"{query.path}?{query.query}")

    def sign_in(self, sub: str) -> TestResponse:
        """All of it; what the application answers then."""
        return self.back(self.choose(sub, self.leave()))

    def goes_to(self, path: str = "/") -> str:
        """Where this path leads; itself where it is a page."""
        answer = self.browser.get(path)
        return urlsplit(answer.headers["Location"]).path if answer.status_code == 303 else path

    def page(self, path: str) -> Element:
        answer = self.browser.get(path)
        assert answer.status_code == 200, answer.status_code
        return read(answer.text)

    def post(self, path: str, of: str, **fields: str) -> TestResponse:
        """Send a form, with the token of the page `of` that it stands on."""
        token = self.page(of).all("input", name="csrf_token")[0].attributes["value"]
        return self.browser.post(path, data={"csrf_token": token, **fields})


def asked(address: str) -> Mapping[str, str]:
    """The parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
