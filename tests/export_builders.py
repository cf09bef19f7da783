"""Exports as a client and a worker make them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from fhir_builders import settings_for
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from werkzeug.test import TestResponse

from carelink import clock
from carelink.app import create_app
from carelink.db.tables import outbox
from carelink.jobs import handlers
from carelink.jobs.shop import Shop
from carelink.place import Place
from carelink.settings import Settings
from fhir_adapters import exact_json

ASYNC = {"Prefer": "respond-async"}
LENIENT = {"Prefer": "respond-async, handling=lenient"}
EXPORT, OF_PATIENTS = "/fhir/R4/$export", "/fhir/R4/Patient/$export"


def settings_in(place: Place, folder: Path) -> Settings:
    return replace(settings_for(place), exports=folder / "exports")


def serving(engine: Engine, place: Place, folder: Path) -> Any:
    """The whole application, with its exports in that folder."""
    return create_app(settings_in(place, folder), place, engine)


def shop(engine: Engine, place: Place, folder: Path, clock_: Any = clock.now) -> Shop:
    return Shop(engine, place, settings_in(place, folder), clock_)


def work(shop_: Shop, kind: str = "export.run") -> int:
    """Do what is open of that kind; gives how much of it was done."""
    with shop_.engine.connect() as conn:
        asked = select(outbox.c.id).where(outbox.c.kind == kind, outbox.c.done_at.is_(None)).order_by(outbox.c.id)
        ids = list(conn.execute(asked).scalars())
    return sum(handlers.run(shop_, id_) for id_ in ids)


def path_of(url: str) -> str:
    return url.removeprefix("http://localhost")


def begun(browser: FlaskClient, address: str = EXPORT, **headers: str) -> str:
    """The address at which an export's status is, after it was asked for."""
    answer = browser.get(address, headers={**ASYNC, **headers})
    assert answer.status_code == 202, answer.text
    return path_of(answer.headers["Content-Location"])


def manifest(answer: TestResponse) -> dict[str, Any]:
    assert (answer.status_code, answer.content_type) == (200, "application/json"), answer.text
    told: dict[str, Any] = exact_json.loads(answer.data)
    return told


def lines(browser: FlaskClient, told: dict[str, Any], kind: str = "output") -> dict[str, list[dict[str, Any]]]:
    """What the files of a manifest hold, by type; each file is fetched."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in told[kind]:
        answer = browser.get(path_of(one["url"]))
        assert (answer.status_code, answer.content_type) == (200, "application/fhir+ndjson"), answer.text
        here = [exact_json.loads(line) for line in answer.data.splitlines()]
        assert len(here) == one["count"]
        found.setdefault(one["type"], []).extend(here)
    return found
