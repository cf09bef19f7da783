"""Looking as somebody else: the lead sees what they see, marked, able to change nothing, and is in the audit herself."""

from __future__ import annotations

import re
from functools import reduce
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from html_reading import Element, read, wrongs
from ingest_builders import patient, take
from page_builders import NORA, page, signed_in
from sqlalchemy import Engine, select

from carelink.db.tables import audit_event, outbox
from carelink.ids import PersonKey
from carelink.place import Place

IRIS, SAM, GWEN, NADIA = "iris.lang", "sam.okafor", "gwen.price", "nadia.rahman"
NUMBER = "999 000 0018"


@pytest.fixture
def iris(app: Flask, now: Any) -> FlaskClient:
    """The information governance lead."""
    return signed_in(app, IRIS, now)


def look(lead: FlaskClient, person: object = NUMBER, **asked: str) -> Element:
    """Begin, and the page that it leads to."""
    begun = send(lead, "/view-as", person=str(person), **asked)
    assert begun.status_code == 303, read(begun.text).text
    return page(lead, begun.location)


def send(browser: FlaskClient, path: str, **data: str) -> Any:
    """Post a form of ours, with the token that every page has beside its sign-out button."""
    token = read(browser.get("/view-as").text).all("input", name="csrf_token")[0].attributes["value"]
    return browser.post(path, data={"csrf_token": token, **data})


def as_worker(worker: str, **more: str) -> dict[str, str]:
    return {"worker": worker, **more}


def as_role(role: str, organisation: str, **more: str) -> dict[str, str]:
    return {"role": role, "organisation": organisation, **more}


def record(told: Element) -> list[str]:
    """What the page says of the person, without what can be done there."""
    banner = told.one("div", aria_label="Who this is")
    parts = [*told.all("section", class_="app-card"), *told.all("section", class_="app-section")]
    shown = [banner, *told.all("p", id="withheld"), *parts]
    acts = [one.text for part in shown for one in part.all("a") if not one.attributes["href"].startswith("#")]
    return [reduce(lambda text, act: text.replace(f" {act}", ""), acts, one.text) for one in shown]


def after(engine: Engine, id_: int) -> list[Any]:
    """What was kept in the audit since."""
    with engine.connect() as conn:
        return list(conn.execute(select(audit_event).where(audit_event.c.id > id_).order_by(audit_event.c.id)).all())


@pytest.mark.parametrize("worker", [SAM, "priya.nair", NADIA], ids=str)
def test_a_workers_view_says_what_the_worker_reads(
    iris: FlaskClient, app: Flask, known: PersonKey, worker: str, now: Any
) -> None:
    own = page(signed_in(app, worker, now), f"/people/{known}")
    assert record(look(iris, **as_worker(worker))) == record(own)


def test_the_view_of_a_stranger_finds_nobody(iris: FlaskClient, known: PersonKey) -> None:
    told = look(iris, **as_worker(GWEN))
    assert told.one("h1").text == "They would not find this person"
    assert "Nora" not in told.text


def test_as_if_involved_shows_what_the_role_would_see(
    iris: FlaskClient, app: Flask, known: PersonKey, now: Any
) -> None:
    told = look(iris, **as_role("social-worker", "901", involved="yes"))
    assert record(told) == record(page(signed_in(app, SAM, now), f"/people/{known}"))
    assert "as if they were involved" in told.one("section", class_="app-viewing").text


def test_anyone_in_a_role_is_not_on_the_caseload_of_the_one_who_is(iris: FlaskClient, known: PersonKey) -> None:
    assert look(iris, **as_role("social-worker", "901")).one("h1").text == "They would not find this person"


def test_everyone_on_the_ward_is_involved_by_the_stay(
    iris: FlaskClient, app: Flask, known: PersonKey, now: Any
) -> None:
    told = look(iris, **as_role("nurse", "RDV"))
    assert record(told) == record(page(signed_in(app, NADIA, now), f"/people/{known}"))


def test_every_page_is_marked_with_whose_view_it_is(iris: FlaskClient, known: PersonKey) -> None:
    for asked, words in (
        (as_worker(SAM), "Looking as: Sam Okafor, Social worker, Northdale Council."),
        (as_worker(GWEN), "Looking as: Gwen Price, Social worker,"),
        (as_role("nurse", "RDV"), "Looking as: Any ward nurse, Dale Valley Hospitals NHS Trust"),
    ):
        told = look(iris, **asked)
        band = told.one("section", class_="app-viewing")
        assert band.text.startswith(words)
        assert "Nothing can be changed, and the audit has your name" in band.text
        assert told.one("head").one("title").text.startswith("As ")
        assert wrongs(told) == []


def test_nothing_can_be_done_from_the_page_but_to_stop(iris: FlaskClient, known: PersonKey) -> None:
    told = look(iris, **as_worker(SAM))
    does = {one.attributes["action"] for one in told.all("form") if one.attributes.get("method") == "post"}
    assert does == {"/view-as/end", "/sign-out"}
    links = {one.attributes["href"] for one in told.one("main").all("a") if not one.attributes["href"].startswith("#")}
    assert [one for one in links if not one.startswith(f"/view-as/people/{known}")] == []


def test_the_timeline_is_filtered_within_the_view(iris: FlaskClient, known: PersonKey) -> None:
    look(iris, **as_worker(SAM))
    part = iris.get(f"/view-as/people/{known}?category=medicines", headers={"HX-Request": "true"})
    told = read(part.text)
    assert [one.text for one in told.all("strong", class_="app-title")] == ["Ramipril 5mg capsules"]


def test_the_look_is_the_leads_and_says_whose_view_it_was(iris: FlaskClient, known: PersonKey, changed: Engine) -> None:
    before = max((one.id for one in after(changed, 0)), default=0)
    look(iris, **as_worker(SAM))
    rows = after(changed, before)
    assert {one.user for one in rows} == {IRIS}
    assert {one.person for one in rows if one.action != "search"} == {known}
    [begun] = [one for one in rows if one.action == "view-as"]
    assert begun.detail == {
        "view_of": SAM,
        "organisation": "901",
        "role": "social-worker",
        "as_if_involved": False,
    }
    assert begun.role == "ig-lead"
    looks = [one for one in rows if one.action != "view-as" and one.reason is None]  # whose number it is has a reason
    assert looks
    assert {one.detail["view_of"] for one in looks} == {SAM}
    assert {(one.organisation, one.role) for one in looks} == {(None, None)}


def test_a_view_asks_for_no_pull(iris: FlaskClient, known: PersonKey, changed: Engine) -> None:
    look(iris, **as_worker(SAM))
    with changed.connect() as conn:
        assert conn.execute(select(outbox.c.id).where(outbox.c.kind == "source.pull")).all() == []


def test_where_a_restricted_person_lives_is_not_shown_to_a_lead_who_may_not_know(
    iris: FlaskClient, known: PersonKey, changed: Engine, place: Place, now: Any
) -> None:
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    with changed.begin() as conn:
        take(conn, place, [patient("p1", **NORA, meta={"security": [label]})], now, "pds")
    told = look(iris, **as_role("gp", "P81001"))
    assert not any(where in told.text for where in ("Mill Lane", "DM1 4QT", "Ward 7"))
    assert "your own role may not see it: where restricted people are" in told.one("section", class_="app-viewing").text


def test_stopping_ends_the_view(iris: FlaskClient, known: PersonKey) -> None:
    look(iris, **as_worker(SAM))
    assert send(iris, "/view-as/end").location.endswith("/view-as")
    gone = iris.get(f"/view-as/people/{known}")
    assert (gone.status_code, gone.location) == (303, "/view-as")


WRONG = [
    ({}, "Choose whose view you want to take"),
    ({"worker": "nobody"}, "Choose a worker from the list"),
    ({"worker": SAM, "role": "nurse"}, "Choose a worker, or a role and an organisation, not both"),
    ({"organisation": "901"}, "Choose a role from the list"),
    ({"role": "person", "organisation": "901"}, "Choose a role from the list"),
    ({"role": "nurse", "organisation": "X"}, "Choose an organisation from the list"),
    (as_worker(SAM, person="Nora Hart"), "must be the key of a person, or an NHS number"),
    (as_worker(SAM, person="9990000999"), "Nobody of that NHS number is in the record"),
]


@pytest.mark.parametrize(("form", "words"), WRONG, ids=[words for _, words in WRONG])
def test_what_is_wrong_with_the_form_is_said_at_its_field(
    iris: FlaskClient, known: PersonKey, form: dict[str, str], words: str
) -> None:
    answer = send(iris, "/view-as", **({"person": NUMBER} | form))
    told = read(answer.text)
    assert answer.status_code == 400
    assert words in told.one("div", class_="nhsuk-error-summary").text
    assert wrongs(told) == []


def test_the_form_can_be_used_by_everybody(iris: FlaskClient) -> None:
    told = page(iris, "/view-as")
    assert wrongs(told) == []
    assert "Sam Okafor, Social worker, Northdale Council" in told.one("select", id="worker").text


def test_no_address_says_whose_view_or_whose_record_it_is(iris: FlaskClient, known: PersonKey) -> None:
    begun = send(iris, "/view-as", person=NUMBER, **as_worker(SAM))
    assert re.fullmatch(rf"/view-as/people/{known}", begun.location)


@pytest.mark.parametrize("worker", [SAM, NADIA, "paul.reyes"], ids=str)
def test_nobody_else_may_look_as_somebody_else(app: Flask, known: PersonKey, worker: str, now: Any) -> None:
    one = signed_in(app, worker, now)
    assert one.get("/view-as").status_code == 403
    assert send(one, "/view-as", person=NUMBER, **as_worker(GWEN)).status_code == 403
    with one.session_transaction() as kept:
        kept["view_as"] = {"organisation": "901", "role": "social-worker", "worker": SAM, "involved": True}
    assert one.get(f"/view-as/people/{known}").status_code == 403
