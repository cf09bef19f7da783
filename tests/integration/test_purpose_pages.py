"""Why somebody looks: the choice among the purposes of their role, what it changes, and how it is told and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from html_reading import read, wrongs
from ingest_builders import take
from page_builders import objection, page, signed_in, site
from sqlalchemy import Engine, select

from carelink.db.tables import audit_event
from carelink.ids import PersonKey
from carelink.place import Place

SAM, NADIA, IRIS = "sam.okafor", "nadia.rahman", "iris.lang"
SAFEGUARDING, USUAL = "protecting somebody from abuse or neglect", "planning and arranging care"


def trail(engine: Engine) -> Sequence[Any]:
    with engine.connect() as conn:
        return conn.execute(select(audit_event).order_by(audit_event.c.id)).all()


def choose(browser: FlaskClient, purpose: str, back: str = "/people/find") -> Any:
    token = page(browser, "/purpose").one("main").one("input", name="csrf_token").attributes["value"]
    return browser.post("/purpose", data={"csrf_token": token, "purpose": purpose, "back": back})


def bands(browser: FlaskClient, path: str = "/people/find") -> list[str]:
    return [one.text for one in page(browser, path).all("section", aria_label="Why you are looking")]


def test_the_usual_purpose_is_the_one_of_who_chose_none(sam: FlaskClient) -> None:
    [link] = [one for one in page(sam, "/people/find").one("header").all("a") if "Looking for" in one.text]
    assert link.text.split() == f"Looking for: {USUAL}".split()
    told = page(sam, link.attributes["href"])
    assert not wrongs(told)
    assert told.one("h1").text == "Why are you looking?"
    offered = {one.attributes["value"]: "checked" in one.attributes for one in told.all("input", type="radio")}
    assert offered == {"CAREMGT": True, "SAFEGUARDING": False}
    assert told.one("main").one("input", name="back").attributes["value"] == "/people/find"
    assert bands(sam) == []


def test_what_was_chosen_is_told_on_every_page_and_kept_with_every_look_until_it_is_given_up(
    app: Flask, changed: Engine, known: PersonKey, now: datetime
) -> None:
    sam, here = signed_in(app, SAM, now), f"/people/{known}"
    assert choose(sam, "SAFEGUARDING", here).headers["Location"] == here
    assert [(one.action, one.purpose) for one in trail(changed)[-1:]] == [("purpose", "SAFEGUARDING")]
    for path in (here, "/caseload", "/people/find"):
        [band] = bands(sam, path)
        assert f"You are looking for: {SAFEGUARDING}." in band
    kept = [one for one in trail(changed) if one.person == known]
    assert {one.purpose for one in kept[-3:]} == {"SAFEGUARDING"}
    [form] = page(sam, here).one("section", aria_label="Why you are looking").all("form")
    fields = {one.attributes["name"]: one.attributes["value"] for one in form.all("input")}
    assert sam.post("/purpose", data=fields).headers["Location"] == here
    assert bands(sam) == []
    assert trail(changed)[-1].purpose == "CAREMGT"


def test_the_law_that_overrides_an_objection_for_one_purpose_does_not_for_another(
    app: Flask, changed: Engine, place: Place, known: PersonKey, now: datetime
) -> None:
    with changed.begin() as conn:
        take(conn, place, [objection()], now)
    sam = signed_in(app, SAM, now)
    assert "Allergy to penicillin" not in page(sam, f"/people/{known}").text
    choose(sam, "SAFEGUARDING")
    assert "Allergy to penicillin" in page(sam, f"/people/{known}").text
    assert "L7-overridden" in trail(changed)[-1].rules
    choose(sam, "CAREMGT")
    assert "Allergy to penicillin" not in page(sam, f"/people/{known}").text


@pytest.mark.parametrize("purpose", ["TREAT", "HRESCH", "nonsense"])
def test_a_purpose_that_the_role_may_not_ask_for_is_refused_and_the_refusal_kept(
    app: Flask, changed: Engine, now: datetime, purpose: str
) -> None:
    sam = signed_in(app, SAM, now)
    refused = choose(sam, purpose)
    assert refused.status_code == 403
    told = "A social worker may not ask for this purpose; it may ask for CAREMGT, SAFEGUARDING"
    assert told in read(refused.text).one("main").text
    assert trail(changed)[-1].rules == ["purpose-of-role"]
    assert bands(sam) == []


def test_who_has_one_purpose_is_offered_none_and_neither_is_the_person(app: Flask, now: datetime) -> None:
    for user, start in ((IRIS, "/quarantine"), ("nora", "/me")):
        browser = signed_in(app, user, now)
        assert "Looking for" not in page(browser, start).one("header").text
        answer = browser.get("/purpose")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_another_role_begins_with_its_usual_purpose(app: Flask, now: datetime) -> None:
    nadia = signed_in(app, NADIA, now)
    choose(nadia, "ETREAT")
    assert "an emergency" in bands(nadia)[0]
    token = page(nadia, "/purpose").one("main").one("input", name="csrf_token").attributes["value"]
    nadia.post("/roles", data={"csrf_token": token, "assignment": "RDV|ward-7|nurse"})
    assert bands(nadia) == []


def test_a_purpose_that_the_role_lost_meanwhile_is_not_gone_on_with(
    pages_engine: Engine, place: Place, now: datetime, app: Flask
) -> None:
    sam = signed_in(app, SAM, now)
    choose(sam, "SAFEGUARDING")
    with sam.session_transaction() as session:
        kept = dict(session)
    roles = place.roles | {"social-worker": replace(place.roles["social-worker"], purposes=("CAREMGT",))}
    later = signed_in(site(pages_engine, replace(place, roles=roles)), SAM, now)
    with later.session_transaction() as session:
        session.update(kept)
    assert later.get("/people/find").status_code == 200
    with later.session_transaction() as session:
        assert "purpose" not in session


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "/\\evil.example/", ""])
def test_a_choice_leads_to_no_other_site(sam: FlaskClient, back: str) -> None:
    assert choose(sam, "CAREMGT", back).headers["Location"] == "/"
    assert page(sam, f"/purpose?back={back}").one("main").one("input", name="back").attributes["value"] == "/"
