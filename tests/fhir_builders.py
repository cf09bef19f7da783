"""A running FHIR API over a real database, with people in it, and clients that ask."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from ingest_builders import NHS, condition, item, observation, patient, person_of, take
from sqlalchemy import Connection, Engine, event, select
from werkzeug.test import TestResponse

from carelink import clock
from carelink.app import create_app
from carelink.db import sync
from carelink.db.tables import audit_event, relationship
from carelink.identity import clients
from carelink.ids import ODS, PersonKey
from carelink.place import Place
from carelink.settings import Settings
from fhir_adapters import exact_json

SECRET_KEY = "a key for tests only, of enough length"
BASE = "http://localhost/fhir/R4"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
ANN_NUMBER, BOB_NUMBER = "9990000018", "9990000026"
ANN = patient("ann", identifier=[{"system": NHS, "value": ANN_NUMBER}, {"system": "urn:ward", "value": "7"}])
BOB = patient("bob", identifier=[{"system": NHS, "value": BOB_NUMBER}, {"system": "urn:ward", "value": "7"}])
DOCTOR = item("Practitioner", "dr", name=[{"family": "Desai"}])
ON_THE_WARD = item(
    "Encounter",
    "e1",
    status="in-progress",
    subject={"reference": "Patient/ann"},
    period={"start": "2026-01-01"},
    serviceProvider={"identifier": {"system": ODS, "value": "RDV"}},
    **{"class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"}},
)
HER_ITEMS = [
    ON_THE_WARD,
    condition("c1", "ann"),
    observation("o1", "ann", performer=[{"reference": "Practitioner/dr"}]),
]
HIS_ITEMS = [condition("c2", "bob")]


def settings_for(place: Place) -> Settings:
    return Settings(place=place.folder, secret_key=SECRET_KEY, base_url="http://localhost")


def api(engine: Engine, place: Place) -> Flask:
    """The whole application; what it is asked under /fhir is asked of this database."""
    return create_app(settings_for(place), place, engine)


def people(engine: Engine, place: Place) -> dict[str, PersonKey]:
    """Ann and Bob, as the hospital knows them; Ann is on a ward of it, so it is involved with her alone."""
    now = clock.now()
    with engine.begin() as conn:
        sync.sync(conn, place)
        take(conn, place, [DOCTOR, ANN, BOB, *HER_ITEMS, *HIS_ITEMS], now)
        return {"ann": person_of(conn, ANN), "bob": person_of(conn, BOB)}


def involve(conn: Connection, person: PersonKey, organisation: str) -> None:
    row = {"person": person, "kind": "encounter", "organisation": organisation, "starts": LONG_AGO}
    conn.execute(relationship.insert().values(row))


def registered(engine: Engine, place: Place, id_: str, organisation: str, role: str, scopes: str) -> str:
    """A client; gives its secret."""
    with engine.begin() as conn:
        return clients.register(conn, place, id_, organisation, role, scopes)


def basic(id_: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{id_}:{secret}".encode()).decode()}


def token(browser: FlaskClient, id_: str, secret: str, **form: str) -> str:
    """An access token from the endpoint."""
    asked = {"grant_type": "client_credentials", **form}
    answer = browser.post("/oauth2/token", data=asked, headers=basic(id_, secret))
    assert answer.status_code == 200, answer.text
    return str(answer.get_json()["access_token"])


def system(app: Flask, place: Place, id_: str, organisation: str, role: str, scopes: str) -> FlaskClient:
    """A registered system that asks with its token."""
    browser = app.test_client()
    secret = registered(app.extensions["carelink"].engine, place, id_, organisation, role, scopes)
    browser.environ_base["HTTP_AUTHORIZATION"] = bearer(token(browser, id_, secret))["Authorization"]
    return browser


def bearer(token_: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token_}"}


def read(answer: TestResponse) -> Any:
    """The body as JSON with exact decimals."""
    return exact_json.loads(answer.data)


def wrong(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    """The one issue of an OperationOutcome with that status and that code."""
    assert (answer.status_code, answer.content_type) == (status, "application/fhir+json"), answer.text
    told = read(answer)
    assert told["resourceType"] == "OperationOutcome"
    assert [one["code"] for one in told["issue"]] == [code]
    issue: dict[str, Any] = told["issue"][0]
    return issue


def entries(bundle: dict[str, Any], mode: str = "match") -> list[dict[str, Any]]:
    return [one["resource"] for one in bundle.get("entry", []) if one["search"]["mode"] == mode]


def link(bundle: dict[str, Any], relation: str) -> str:
    """The address of that link as a path of the test client; empty where there is none."""
    found = [one["url"] for one in bundle["link"] if one["relation"] == relation]
    return str(found[0]).removeprefix("http://localhost") if found else ""


def trail(engine: Engine) -> Sequence[Any]:
    """The audit rows that are committed, the oldest first."""
    with engine.connect() as conn:
        return conn.execute(select(audit_event).order_by(audit_event.c.id)).all()


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """The first word of every statement that is sent meanwhile."""
    said: list[str] = []

    def note(conn: object, cursor: object, statement: str, *_: object) -> None:
        said.append(statement.split()[0].lower())

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", note)


def later(minutes: int) -> datetime:
    return clock.now() + timedelta(minutes=minutes)
