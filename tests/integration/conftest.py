"""What the tests of pages share: a database that knows Nora, the application over it, whoever is signed in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import count

import pytest
from flask import Flask
from flask.testing import FlaskClient
from ingest_builders import patient, person_of
from page_builders import nora, signed_in, site
from sqlalchemy import Engine

from carelink.db import sync
from carelink.db.embedded import Embedded
from carelink.db.engine import engine_for
from carelink.identity import proofing
from carelink.ids import PersonKey, UserId
from carelink.place import Place

PAGES = "pages"
NOW = datetime.fromisoformat("2026-11-24T12:00:00+00:00")  # as `now`
_numbers = count(1)


@pytest.fixture(scope="session")
def pages_engine(postgres: Embedded, place: Place) -> Iterator[Engine]:
    """A database that knows Nora, for all tests of pages that change nothing; a copy, for every look leaves a row."""
    first = engine_for(postgres.database(PAGES, template="template_carelink"))
    with first.begin() as conn:
        sync.sync(conn, place)
        proofing.admit(conn, UserId("nora"), "Nora Hart", nora(conn, place, NOW))
    first.dispose()  # a database is copied while nobody is connected to it
    made = engine_for(postgres.database(f"{PAGES}_looked_at", template=PAGES))
    yield made
    made.dispose()


@pytest.fixture(scope="session")
def known(pages_engine: Engine) -> PersonKey:
    """Nora's key."""
    with pages_engine.connect() as conn:
        return person_of(conn, patient("p1"))


@pytest.fixture
def changed(postgres: Embedded, pages_engine: Engine) -> Iterator[Engine]:
    """The same as it was at first, for a test that changes something; `app` is over it then."""
    name = f"{PAGES}_{next(_numbers)}"
    made = engine_for(postgres.database(name, template=PAGES))
    yield made
    made.dispose()
    postgres.drop(name)


@pytest.fixture(scope="session")
def pages_app(pages_engine: Engine, place: Place) -> Flask:
    return site(pages_engine, place)


@pytest.fixture
def app(request: pytest.FixtureRequest, pages_app: Flask, place: Place, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application, at the time that tests call now."""
    monkeypatch.setenv("CARELINK_NOW", NOW.isoformat())
    if "changed" in request.fixturenames:
        return site(request.getfixturevalue("changed"), place)
    return pages_app


@pytest.fixture
def sam(app: Flask, now: datetime) -> FlaskClient:
    """A social worker of Northdale Council, to whom Nora is allocated."""
    return signed_in(app, "sam.okafor", now)
