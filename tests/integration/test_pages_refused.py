"""Pages of those who may not, forms that were forged, and what every answer tells the browser."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from html_reading import read
from page_builders import page, signed_in
from sqlalchemy import Engine, select

from carelink.db.tables import audit_event
from carelink.ids import PersonKey

SAM, GWEN, PRIYA, IRIS = "sam.okafor", "gwen.price", "priya.nair", "iris.lang"


@pytest.mark.parametrize("refreshed", [False, True], ids=["a page", "a refresh"])
def test_a_stranger_is_told_in_plain_words_that_there_is_nothing_and_the_refusal_is_kept(
    app: Flask, known: PersonKey, pages_engine: Engine, now: datetime, refreshed: bool
) -> None:
    headers = {"HX-Request": "true"} if refreshed else {}
    answer = signed_in(app, GWEN, now).get(f"/people/{known}", headers=headers)
    told, reference = read(answer.text), answer.headers["X-Request-Id"]
    assert answer.status_code == 404
    assert told.one("h1").text == "There is nothing here that you can see"
    assert told.one("strong", class_="app-reference").text == reference
    assert not any(word in answer.text for word in ("Nora", "Hart", "999 000 0018", "Traceback"))
    with pages_engine.connect() as conn:
        kept = conn.execute(select(audit_event).where(audit_event.c.request == reference)).one()
    assert (kept.action, kept.outcome, kept.user, kept.person) == ("refusal", "refused", GWEN, known)


def test_whoever_is_not_signed_in_is_asked_to(app: Flask, known: PersonKey) -> None:
    for path in ("/caseload", "/people/find", f"/people/{known}", "/quarantine", "/me"):
        answer = app.test_client().get(path)
        assert (answer.status_code, urlsplit(answer.headers["Location"]).path) == (303, "/")


def test_a_session_ends_after_idle_minutes_and_says_why(
    app: Flask, known: PersonKey, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = signed_in(app, SAM, now)
    monkeypatch.setenv("CARELINK_NOW", (now + timedelta(minutes=31)).isoformat())
    assert browser.get("/caseload").status_code == 303
    assert "signed out because nothing happened" in page(browser, "/").text


def test_a_worker_has_no_page_of_a_person_and_no_oversight(sam: FlaskClient, known: PersonKey) -> None:
    assert page(sam, "/me", status=403).one("h1").text == "You can't do this"
    assert page(sam, "/quarantine", status=403).one("h1").text == "You can't do this"


@pytest.mark.parametrize("path", ["/people/find", "/roles", "/sign-out"])
def test_a_form_that_another_site_sent_is_refused(app: Flask, sam: FlaskClient, path: str) -> None:
    answer = sam.post(path, data={"nhs_number": "9990000018"})
    assert answer.status_code == 400
    assert "This form is too old" in answer.text


HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@pytest.mark.parametrize("path", ["/", "/caseload", "/people/{known}", "/nowhere"])
def test_every_answer_tells_the_browser_to_run_nothing_inline_and_to_remember_nothing(
    sam: FlaskClient, known: PersonKey, path: str
) -> None:
    answer = sam.get(path.format(known=known))
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_no_page_has_script_or_style_of_its_own(sam: FlaskClient, known: PersonKey) -> None:
    for path in ("/caseload", "/people/find", f"/people/{known}"):
        told = page(sam, path)
        assert not told.all("style")
        assert all("src" in one.attributes for one in told.all("script"))
        assert not [one for one in told.all() if any(name.startswith("on") for name in one.attributes)]
        assert not [one for one in told.all() if "style" in one.attributes]
