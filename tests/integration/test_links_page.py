"""Two records that may be one person: who sees them side by side, what is shown, and what an answer does."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from html_reading import read
from ingest_builders import condition, patient, person_of, take
from page_builders import page, signed_in
from sqlalchemy import Engine, select

from carelink.consent.decision import DIRECT_CARE
from carelink.db.tables import audit_event, link_decision, person_link
from carelink.ids import PersonKey
from carelink.place import Place
from carelink.place_loader import load
from carelink.settings import PLACES

IRIS = "iris.lang"  # information governance lead
SAM = "sam.okafor"  # social worker
SIBLINGS = {"address": [{"line": ["9 Tenter Terrace"], "postalCode": "DM4 3QD"}], "birthDate": "1943-08-16"}
BROTHER = patient(
    "brother", name=[{"use": "official", "family": "Barraclough", "given": ["Daniel"]}], gender="male", **SIBLINGS
)
SISTER = patient("sister", name=[{"use": "official", "family": "Barraclough", "given": ["Danielle"]}], **SIBLINGS)
PROTECTED = {
    "meta": {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}
}


@pytest.fixture
def siblings(changed: Engine, place: Place, now: datetime) -> int:
    """The id of the question whether Danielle is Daniel."""
    return asked(changed, place, now)


def asked(engine: Engine, place: Place, now: datetime, **more: object) -> int:
    with engine.begin() as conn:
        brother = replace(BROTHER, body={**BROTHER.body, **more})
        take(conn, place, [brother, condition("c1", "brother")], now)
        take(conn, place, [SISTER], now, "council-a")
        return conn.execute(select(link_decision.c.id).where(link_decision.c.answer.is_(None))).scalar_one()


@pytest.fixture
def iris(app: Flask, siblings: int, now: datetime) -> FlaskClient:
    return signed_in(app, IRIS, now)


def csrf(browser: FlaskClient, path: str) -> str:
    return str(page(browser, path).one("main").one("input", name="csrf_token").attributes["value"])


def send(browser: FlaskClient, decision: int, **said: str) -> tuple[int, str]:
    path = f"/links/{decision}"
    answer = browser.post(path, data={"csrf_token": csrf(browser, path), **said})
    return answer.status_code, answer.text


def test_who_decides_links_sees_both_records_field_by_field(iris: FlaskClient, siblings: int) -> None:
    [row] = page(iris, "/links").one("tbody").all("tr")
    assert "Danielle Barraclough" in row.text
    assert "Daniel and Danielle at one address, born on one day, are two people" in row.text
    told = {one.one("th").text: one for one in page(iris, f"/links/{siblings}").one("tbody").all("tr")}
    assert [one.text for one in told["First names"].all("td")] == ["Danielle", "Daniel", "nearly the same"]
    assert told["Address"].all("td")[1].text == "9 Tenter Terrace, DM4 3QD"
    assert told["Born"].all("td")[2].text == "the same"


def test_the_question_shows_who_they_are_and_nothing_else_of_the_record(iris: FlaskClient, siblings: int) -> None:
    assert "Diabetes" not in iris.get(f"/links/{siblings}").text


def test_a_protected_address_is_not_shown_to_who_decides(
    app: Flask, changed: Engine, place: Place, now: datetime
) -> None:
    decision = asked(changed, place, now, **PROTECTED)
    told = {
        one.one("th").text: one for one in page(signed_in(app, IRIS, now), f"/links/{decision}").one("tbody").all("tr")
    }
    assert [one.text for one in told["Address"].all("td")][1] == "not known"
    assert "Daniel" in told["First names"].text


def test_a_role_that_decides_no_links_is_refused_and_no_name_is_told(app: Flask, siblings: int, now: datetime) -> None:
    sam = signed_in(app, SAM, now)
    for path in ("/links", f"/links/{siblings}"):
        answer = sam.get(path)
        assert (answer.status_code, "Barraclough" in answer.text) == (403, False)
    assert "One person or two?" not in sam.get("/caseload").text


def test_nothing_chosen_is_said_at_the_question_and_changes_nothing(
    iris: FlaskClient, siblings: int, changed: Engine
) -> None:
    status, text = send(iris, siblings)
    assert status == 400
    assert read(text).one("div", role="alert").text.endswith("Choose whether they are one person or two")
    with changed.connect() as conn:
        assert conn.execute(select(link_decision.c.answer)).scalar_one() is None


@pytest.mark.parametrize(
    ("said", "together", "words"), [("same", True, "one person now"), ("different", False, "two people")]
)
def test_an_answer_is_kept_done_and_told(
    iris: FlaskClient, siblings: int, changed: Engine, said: str, together: bool, words: str
) -> None:
    assert send(iris, siblings, answer=said)[0] == 303
    after = page(iris, "/links")
    assert words in after.one("div", role="status").text
    assert "No question waits." in after.text
    with changed.connect() as conn:
        assert (person_of(conn, BROTHER) == person_of(conn, SISTER, "council-a")) is together
        kept = conn.execute(select(link_decision.c.answer, link_decision.c.decided_by)).one()
        assert tuple(kept) == (said, IRIS)
        by = conn.execute(select(person_link.c.method, person_link.c.made_by).order_by(person_link.c.id.desc())).first()
        assert by is not None
        assert (by.method == "human") is together


def test_an_answer_that_came_too_late_says_so(iris: FlaskClient, siblings: int) -> None:
    token = csrf(iris, f"/links/{siblings}")
    assert send(iris, siblings, answer="different")[0] == 303
    late = iris.post(f"/links/{siblings}", data={"csrf_token": token, "answer": "same"})
    assert (late.status_code, "Barraclough" in late.text) == (404, False)


def test_whoever_was_looked_at_is_kept_with_the_rule_that_showed_them(
    iris: FlaskClient, siblings: int, changed: Engine
) -> None:
    page(iris, f"/links/{siblings}")
    with changed.connect() as conn:
        two: set[PersonKey] = {person_of(conn, BROTHER), person_of(conn, SISTER, "council-a")}
        looks = conn.execute(select(audit_event).where(audit_event.c.query == "an open link decision")).all()
    assert [(look.user, look.rules, set(look.detail["persons"])) for look in looks] == [
        (IRIS, ["L0-identity"], {str(key) for key in two})
    ]


@pytest.mark.parametrize("name", sorted(folder.name for folder in PLACES.iterdir() if folder.is_dir()))
def test_in_the_packs_that_ship_nobody_who_cares_for_people_decides_links(name: str) -> None:
    deciding = [role for role in load(PLACES / name).roles.values() if "decide-links" in role.may]
    assert deciding
    assert all(DIRECT_CARE.isdisjoint(role.purposes) for role in deciding)
