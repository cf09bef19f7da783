"""The pages of who corrects labels: the link on the person's page, the form, what it refuses, and the queue."""

from __future__ import annotations

from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from html_reading import Element, read, wrongs
from ingest_builders import item, key, take
from page_builders import ME, NORA, RECORD, form, page, section, signed_in
from sqlalchemy import Engine, select

from carelink.db.tables import audit_event, label_correction
from carelink.ids import PersonKey
from carelink.place import Place

MEDICINE = key(item("MedicationStatement", "ms", RECORD), "gp")
PATH = f"/labels/{MEDICINE}"
HIV = {"category": "medicines", "sensitivities": ["HIV"], "why": "Part of an HIV regime"}


@pytest.fixture
def tom(app: Flask, now: datetime) -> FlaskClient:
    """Nora's GP, who may correct what the practice holds."""
    return signed_in(app, "tom.ellis", now)


def send(browser: FlaskClient, path: str, **said: object) -> Element:
    answer = browser.post(path, data={**form(browser), **said}, follow_redirects=True)
    assert answer.status_code == 200
    return read(answer.text)


def links(told: Element) -> list[str]:
    return [one.attributes["href"] for one in told.all("a") if one.attributes.get("href", "").startswith("/labels/")]


def test_who_may_finds_the_label_beside_each_item_of_their_own_organisation_and_of_no_other(
    tom: FlaskClient, sam: FlaskClient, known: PersonKey
) -> None:
    mine = page(tom, f"/people/{known}")
    assert PATH in links(section(mine, "medicines"))
    assert links(section(mine, "packages")) == [], "the council answers for those"
    assert links(page(sam, f"/people/{known}")) == [], "a social worker corrects no labels"


def test_the_page_says_what_the_item_is_how_it_is_labelled_and_asks_for_a_reason(tom: FlaskClient) -> None:
    told = page(tom, PATH)
    assert wrongs(told) == []
    assert "CareLink for Dalemere" in told.text
    said = told.one("main").text
    assert "Medicine: Ramipril 5mg capsules" in said
    assert "Nora Hart" in said
    assert "nothing that needs more care" in said
    boxes = {one.attributes["value"] for one in told.all("input", type="checkbox")}
    assert {"HIV", "LEGAL", "GAMBLING"} <= boxes
    assert told.one("option", selected="").attributes["value"] == "medicines"


def test_a_correction_is_kept_told_and_taken_back(
    changed: Engine, tom: FlaskClient, sam: FlaskClient, known: PersonKey
) -> None:
    told = send(tom, PATH, **HIV)
    assert "the label is corrected" in told.one("", role="status").text
    assert "Dr Tom Ellis" in told.one("main").text
    assert "Part of an HIV regime" in told.one("main").text
    assert "Ramipril" not in page(sam, f"/people/{known}").one("main").text
    back = send(tom, f"{PATH}/undo")
    assert "the rules label this item again" in back.one("", role="status").text
    assert "Ramipril" in page(sam, f"/people/{known}").one("main").text


def test_without_a_reason_nothing_is_changed_and_what_was_ticked_stays(changed: Engine, tom: FlaskClient) -> None:
    told = send(tom, PATH, **{**HIV, "why": " "})
    assert wrongs(told) == []
    assert told.one("head").one("title").text.startswith("Error: ")
    summary = told.one("div", class_="nhsuk-error-summary")
    assert [one.attributes["href"] for one in summary.all("a")] == ["#why"]
    assert [one.attributes["value"] for one in told.all("input", type="checkbox", checked="")] == ["HIV"]
    with changed.connect() as conn:
        assert conn.execute(select(label_correction)).all() == []
        looked = select(audit_event.c.id).where(audit_event.c.user == "tom.ellis", audit_event.c.query == "by key")
        assert conn.execute(looked).all(), "the look at the item is kept"


def test_what_the_law_restricts_is_hidden_from_who_labelled_it_and_the_page_says_so(
    changed: Engine, tom: FlaskClient
) -> None:
    told = send(tom, PATH, **{**HIV, "sensitivities": ["LEGAL"]})
    assert told.one("h1").text == "Labels to check"
    assert "You can't see the item any more" in told.one("", role="status").text
    page(tom, PATH, 404)


@pytest.mark.parametrize(
    ("user", "path", "status"),
    [
        ("sam.okafor", PATH, 403),
        ("sam.okafor", "/labels", 403),
        ("priya.nair", PATH, 403),
        ("tom.ellis", "/labels/00000000-0000-0000-0000-000000000001", 404),
    ],
)
def test_who_may_not_is_told_so(app: Flask, now: datetime, user: str, path: str, status: int) -> None:
    page(signed_in(app, user, now), path, status)


def test_a_form_without_its_token_changes_nothing(changed: Engine, tom: FlaskClient) -> None:
    assert tom.post(PATH, data=HIV).status_code == 400
    with changed.connect() as conn:
        assert conn.execute(select(label_correction)).all() == []


def test_the_queue_shows_what_to_look_at_and_takes_both_answers(
    changed: Engine, tom: FlaskClient, place: Place, now: datetime
) -> None:
    note = item("Condition", "g", RECORD, code={"text": "Gambling every night"}, **ME)
    with changed.begin() as conn:
        take(conn, place, [item("Patient", "p1", RECORD, **NORA), note], now, "gp")
    waiting = page(tom, "/labels")
    assert wrongs(waiting) == []
    [row] = waiting.one("tbody").all("tr")
    assert "Gambling every night" in row.text
    assert "Harmful gambling" in row.text
    assert links(row) == [f"/labels/{key(note, 'gp')}"]
    told = send(tom, row.one("form").attributes["action"])
    assert "the item needs no label" in told.one("", role="status").text
    assert "Nothing waits that you can see." in told.one("main").text


def test_the_menu_leads_there_for_who_corrects_labels(tom: FlaskClient, sam: FlaskClient) -> None:
    def entries(browser: FlaskClient) -> list[str]:
        return [one.text for one in page(browser, "/people/find").one("nav", aria_label="Main").all("a")]

    assert "Labels to check" in entries(tom)
    assert "Labels to check" not in entries(sam)
