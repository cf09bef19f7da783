"""Somebody who opens a record in need, step by step, as a browser does it; and what is kept of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask.testing import FlaskClient
from html_reading import read
from page_builders import page
from sqlalchemy import Connection, Engine, insert, select
from werkzeug.test import TestResponse

from carelink.db.tables import access_grant, audit_event
from carelink.ids import PersonKey

GWEN = "gwen.price"  # a social worker of another council: involved with nobody here
NADIA = "nadia.rahman"  # a ward nurse, of the hospital where Nora is
IRIS = "iris.lang"  # reviews what was opened in need
NORA_FACTS = {"nhs_number": "999 000 0018", "born-day": "6", "born-month": "5", "born-year": "1944"}
NORA_PLACE = {k: v for k, v in NORA_FACTS.items() if k != "nhs_number"} | {"family": "hart", "postcode": "dm14qt"}
WORDS = "Found on the stairs by a neighbour, can't say what she takes"
WHY = {"reason": "emergency", "words": WORDS}


def csrf(browser: FlaskClient, path: str) -> dict[str, str]:
    """The token against forgery from a form on that page."""
    return {"csrf_token": page(browser, path).all("input", name="csrf_token")[0].attributes["value"]}


def post(browser: FlaskClient, path: str, shown: str = "/break-glass", **form: str) -> TestResponse:
    """Send a form; `shown` is the page from which its token comes."""
    return browser.post(path, data=csrf(browser, shown) | form)


def find(browser: FlaskClient, **facts: str) -> TestResponse:
    return post(browser, "/break-glass", **facts)


def open_in_need(browser: FlaskClient, person: PersonKey) -> TestResponse:
    """All steps, from the search to the record: gives the answer of the last."""
    assert find(browser, **NORA_FACTS).status_code == 303
    return post(browser, f"/people/{person}/break-glass", **WHY, confirmed="yes")


def grants(engine: Engine) -> Sequence[Any]:
    with engine.connect() as conn:
        return conn.execute(select(access_grant).order_by(access_grant.c.id)).all()


def trail(engine: Engine, *actions: str) -> Sequence[Any]:
    """The rows of the audit with these actions, the first first."""
    t = audit_event.c
    with engine.connect() as conn:
        return conn.execute(select(audit_event).where(t.action.in_(actions)).order_by(t.id)).all()


def grant(conn: Connection, person: PersonKey, starts: datetime, **changed: Any) -> int:
    """A row as breaking the glass leaves it; gives its id."""
    row = {
        "person": person,
        "user": GWEN,
        "organisation": "902",
        "role": "social-worker",
        "team": "adults-south",
        "reason": "emergency",
        "words": WORDS,
        "starts": starts,
        "reviewer_role": "ig-lead",
    }
    return int(conn.execute(insert(access_grant).values(row | changed).returning(access_grant.c.id)).scalar_one())


def said(answer: TestResponse) -> str:
    """What the main part of the page says."""
    return read(answer.text).one("main").text
