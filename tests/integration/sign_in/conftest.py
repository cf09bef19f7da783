"""CareLink, the development provider and somebody who comes in by it, over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sign_in_builders import Visit, application, knowing_joyce, provider
from sqlalchemy import Engine

from carelink.db.embedded import Embedded
from carelink.identity.dev_provider import Running
from carelink.place import Place

NOW = "2026-11-24T12:00:00+00:00"  # as `now`


@pytest.fixture(scope="module")
def known(request: pytest.FixtureRequest, postgres: Embedded, place: Place) -> Iterator[Engine]:
    """A database of the module's own that knows Joyce."""
    with knowing_joyce(postgres, place, request.path.stem) as engine:
        yield engine


@pytest.fixture(scope="module")
def running(place: Place) -> Iterator[Running]:
    with provider(place) as made:
        yield made


@pytest.fixture(scope="module")
def carelink(running: Running, known: Engine, place: Place) -> Flask:
    return application(running.url, known, place)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """Moves the clock to so long after the time that tests call now."""

    def move(after: timedelta) -> None:
        monkeypatch.setenv("CARELINK_NOW", (datetime.fromisoformat(NOW) + after).isoformat())

    move(timedelta())
    return move


@pytest.fixture
def visit(carelink: Flask, at: Callable[[timedelta], None]) -> Visit:
    return Visit.of(carelink)
