"""Finding, caseload, oversight and the person's own page as a browser gets them; and that everybody can read each page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from html_reading import read, wrongs
from ingest_builders import item, take
from page_builders import form, page, section, signed_in
from sqlalchemy import Engine

from carelink.ids import PersonKey
from carelink.place import Place

SAM, GWEN, PRIYA, IRIS = "sam.okafor", "gwen.price", "priya.nair", "iris.lang"


def test_what_is_typed_to_find_somebody_is_in_no_address_and_no_log(sam: FlaskClient, known: PersonKey) -> None:
    told = page(sam, "/people/find").one("main").one("form")
    assert told.attributes["method"] == "post"
    with structlog.testing.capture_logs() as logged:
        typed = {"family": "Hart", "born-day": "6", "born-month": "5", "born-year": "1944"}
        answer = sam.post("/people/find", data=form(sam) | typed)
    found = read(answer.text).one("section", aria_labelledby="found")
    assert "Nora Hart" in found.text
    assert "NHS number 999 000 0018" in found.text
    [link] = found.all("a")
    assert link.attributes["href"] == f"/people/{known}"
    assert not any(word in repr(logged).lower() for word in ("hart", "1944", "9990000018", str(known)))


def test_a_mistake_is_said_at_the_top_and_beside_its_field_and_what_was_typed_stays(
    sam: FlaskClient, known: PersonKey
) -> None:
    answer = sam.post("/people/find", data=form(sam) | {"nhs_number": "999 000 0019"})
    told = read(answer.text)
    assert answer.status_code == 400
    assert told.one("head").one("title").text.startswith("Error: ")
    [link] = told.one("div", class_="nhsuk-error-summary").all("a")
    assert (link.attributes["href"], link.text) == ("#nhs_number", "This is not an NHS number: check the ten digits")
    field = told.one("input", id="nhs_number")
    assert field.attributes["value"] == "999 000 0019"
    assert "nhs_number-error" in field.attributes["aria-describedby"]


def test_nobody_found_says_what_to_do(app: Flask, known: PersonKey, now: datetime) -> None:
    gwen = signed_in(app, GWEN, now)
    answer = gwen.post("/people/find", data=form(gwen) | {"nhs_number": "9990000018"})
    assert "Nobody found" in answer.text
    assert "ask your manager to allocate them to you" in answer.text


def test_the_caseload_tells_what_is_late_and_who_is_in_hospital_in_words(sam: FlaskClient, known: PersonKey) -> None:
    told = page(sam, "/caseload?sort=due")
    assert told.one("p", class_="app-count").text == "1 person: 1 allocated to you."
    [row] = told.one("tbody").all("tr")
    assert row.one("a").attributes["href"] == f"/people/{known}"
    assert "Care Act assessment was due 20 November 2026" in row.text
    assert "In hospital now Ward 7, Dale Valley Hospitals NHS Trust" in row.text
    [sorted_by] = [one for one in told.all("th", scope="col") if one.attributes["aria-sort"] != "none"]
    assert sorted_by.text.startswith("Next due")
    assert page(sam, "/caseload?sort=nonsense").one("caption").text == "My caseload, sorted by name"


def test_an_empty_caseload_says_what_to_do(app: Flask, known: PersonKey, now: datetime) -> None:
    told = page(signed_in(app, GWEN, now), "/caseload")
    assert "Nobody is allocated to you or your team" in told.text
    assert [one for one in told.one("main").all("a") if one.attributes["href"] == "/people/find"]


def test_the_information_governance_lead_sees_what_was_refused_without_what_it_says(
    app: Flask, known: PersonKey, changed: Engine, place: Place, now: datetime
) -> None:
    with changed.begin() as conn:
        take(conn, place, [item("Condition", "bad", code={"text": "Alcohol dependence"})], now)
    told = page(signed_in(app, IRIS, now), "/quarantine")
    row = told.one("main").all("table")[0].all("tr")[-1].text
    assert "Hospital Condition" in row
    assert "Alcohol" not in told.text
    home = signed_in(app, IRIS, now).get("/")
    assert (home.status_code, home.headers["Location"]) == (303, "/quarantine")


def test_a_person_reads_their_own_record_in_plain_words_and_can_change_nothing(
    app: Flask, known: PersonKey, now: datetime
) -> None:
    told = page(signed_in(app, "nora", now), "/me")
    assert told.one("h1").text == "Nora Hart: my record"
    assert "Ramipril 5mg capsules" in section(told, "medicines").text
    assert [one.attributes["method"] for one in told.one("main").all("form")] == ["get"]
    assert page(signed_in(app, "nora", now), "/caseload").one("main").text.count("Nora") == 0


EVERY: list[tuple[str, Callable[[PersonKey], str]]] = [
    (SAM, lambda known: "/caseload"),
    (SAM, lambda known: "/people/find"),
    (SAM, lambda known: f"/people/{known}"),
    (SAM, lambda known: f"/people/{known}?category=documents"),
    (SAM, lambda known: "/nowhere"),
    (PRIYA, lambda known: f"/people/{known}"),
    (IRIS, lambda known: "/quarantine"),
    (IRIS, lambda known: "/links"),
    ("nora", lambda known: "/me"),
    ("", lambda known: "/"),
]


@pytest.mark.parametrize(("user", "path"), EVERY, ids=[f"{user or 'nobody'} {path(None)}" for user, path in EVERY])  # type: ignore[arg-type]
def test_a_page_has_one_first_heading_named_landmarks_labels_and_headers(
    app: Flask, known: PersonKey, now: datetime, user: str, path: Callable[[PersonKey], str]
) -> None:
    browser = signed_in(app, user, now) if user else app.test_client()
    assert wrongs(read(browser.get(path(known)).text)) == []
