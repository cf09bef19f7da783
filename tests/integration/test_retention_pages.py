"""The page and the commands of retention: holds are put on and taken off, what is due is counted, no role erases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from command_builders import Carelink, in_this_process
from flask import Flask
from flask.testing import FlaskClient
from html_reading import read
from ingest_builders import condition, patient, take
from page_builders import identified, page, signed_in
from sqlalchemy import Engine, select

from carelink.db.tables import audit_event, legal_hold, resource
from carelink.ids import PersonKey
from carelink.place import Place

NUMBER = "9990000018"  # Nora's
OTHER = "9990000107"  # of somebody whom nobody saw since 2018
IRIS = "iris.lang"
LATER = "2047-11-24T12:00:00+00:00"


@pytest.fixture
def iris(app: Flask, changed: Engine, now: datetime) -> FlaskClient:
    return signed_in(app, IRIS, now)


@pytest.fixture
def carelink(
    changed: Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Carelink]:
    with in_this_process(changed.url.render_as_string(hide_password=False), monkeypatch, capsys) as command:
        yield command


def send(browser: FlaskClient, path: str, **fields: str) -> tuple[int, str]:
    token = page(browser, "/retention").one("main").all("input", name="csrf_token")[0].attributes["value"]
    answer = browser.post(path, data={"csrf_token": token, **fields})
    return answer.status_code, answer.text


def test_a_hold_is_put_on_by_nhs_number_and_taken_off_again(
    iris: FlaskClient, changed: Engine, known: PersonKey
) -> None:
    assert send(iris, "/retention/holds", nhs_number=NUMBER, why="Claim of 2026")[0] == 303
    told = page(iris, "/retention").one("section", aria_labelledby="holds")
    assert "Nora Hart" in told.text
    assert "Claim of 2026" in told.text
    with changed.connect() as conn:
        hold = conn.execute(select(legal_hold)).one()
    assert (hold.person, hold.made_by) == (known, IRIS)
    assert send(iris, f"/retention/holds/{hold.id}/end")[0] == 303
    assert "No hold is on." in page(iris, "/retention").one("main").text


WRONG = [("12", "x", "not an NHS number"), ("9990000999", "x", "Nobody of that"), (NUMBER, " ", "Say why")]


@pytest.mark.parametrize(("number", "why", "says"), WRONG)
def test_what_is_wrong_with_a_hold_is_said(iris: FlaskClient, number: str, why: str, says: str) -> None:
    status, text = send(iris, "/retention/holds", nhs_number=number, why=why)
    assert status == 200
    assert says in read(text).one("div", role="alert").text


def test_what_is_due_is_counted_when_it_is_asked(iris: FlaskClient) -> None:
    status, text = send(iris, "/retention/due")
    assert status == 200
    assert "0 people" in read(text).one("section", aria_labelledby="due").text


def test_another_role_sees_none_of_it(app: Flask, changed: Engine, now: datetime) -> None:
    sam = signed_in(app, "sam.okafor", now)
    assert sam.get("/retention").status_code == 403
    token = page(sam, "/people/find").one("main").one("input", name="csrf_token").attributes["value"]
    for path in ("/retention/due", "/retention/holds", "/retention/holds/1/end"):
        assert sam.post(path, data={"csrf_token": token, "nhs_number": NUMBER, "why": "x"}).status_code == 403


def test_the_schedules_are_told_in_words(iris: FlaskClient) -> None:
    told = page(iris, "/retention").one("section", aria_labelledby="schedules").text
    assert "25 years after birth (26 if care ended at 17), or 8 after death if that is sooner" in told


def test_the_commands_tell_what_is_due_hold_it_and_erase_it_with_a_reason(
    carelink: Carelink, changed: Engine, place: Place, now: datetime
) -> None:
    with changed.begin() as conn:
        seen = condition("seen", "p5", onsetDateTime="2018-03-01", recordedDate="2018-03-01")
        take(conn, place, [patient("p5", **identified(OTHER, "Last", "Ada", "1940-01-01")), seen], now)
    due = carelink("retention", "due", CARELINK_NOW=LATER)
    assert due.code == 0, due.err
    assert any(line.endswith("items due") for line in due.lines)
    assert carelink("retention", "run", CARELINK_NOW=LATER).code == 2, "a reason is needed"
    held = carelink("retention", "hold", OTHER, "--why", "Claim")
    assert held.lines == ["Hold 1 is on"]
    assert carelink("retention", "holds").lines[0].startswith("1: person ")
    stopped = carelink("retention", "run", "--reason", "IG lead, 24 Nov", CARELINK_NOW=LATER)
    assert stopped.lines[-1].startswith("1 people are held back")
    assert carelink("retention", "lift", "1").lines == ["Hold 1 has ended"]
    with changed.connect() as conn:
        before = len(conn.execute(select(resource.c.key)).all())
    assert "items erased" in carelink("retention", "run", "--reason", "IG lead, 24 Nov", CARELINK_NOW=LATER).out
    with changed.connect() as conn:
        assert len(conn.execute(select(resource.c.key)).all()) < before
        event = conn.execute(select(audit_event).where(audit_event.c.action == "erase")).first()
    assert event is not None
    assert event.reason == "IG lead, 24 Nov"
    assert event.user.startswith("operator:")
