"""The pages of subject access requests: opened, reviewed and released by forms, refused to others, seen by the person."""

from __future__ import annotations

from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from html_reading import read
from ingest_builders import condition, patient, person_of, take
from page_builders import page, signed_in
from sqlalchemy import Engine, select
from subject_access_builders import DAUGHTER, IRIS, gathered, released, reviewed

from carelink.db.tables import audit_event, subject_request
from carelink.ids import PersonKey
from carelink.place import Place

NUMBER = "9990000018"
DATES = {"asked-day": "24", "asked-month": "11", "asked-year": "2026"}
SEEN = {"identity-day": "24", "identity-month": "11", "identity-year": "2026"}


@pytest.fixture
def iris(app: Flask, changed: Engine, now: datetime) -> FlaskClient:
    return signed_in(app, IRIS, now)


def send(browser: FlaskClient, path: str, of: str, **fields: str) -> tuple[int, str]:
    token = page(browser, of).one("main").all("input", name="csrf_token")[0].attributes["value"]
    answer = browser.post(path, data={"csrf_token": token, **fields})
    return answer.status_code, answer.headers.get("Location", "") or answer.text


def opened(iris: FlaskClient, known: PersonKey, **more: str) -> str:
    fields = {"person": str(known), "requested_by": "Nora Hart", "authority": "self", **DATES, **more}
    status, where = send(iris, "/requests", "/requests/new", **fields)
    assert status == 303, where
    return where


def test_a_request_is_opened_for_the_right_person_and_shows_its_last_day(iris: FlaskClient, known: PersonKey) -> None:
    status, text = send(iris, "/requests/new", "/requests/new", nhs_number=NUMBER)
    assert status == 200
    assert "Nora Hart, born 6 May 1944" in read(text).one("main").text
    where = opened(iris, known, **SEEN)
    told = page(iris, where).one("main").text
    assert "24 December 2026" in told
    assert "One month from 24 November 2026." in told
    [row] = page(iris, "/requests").one("tbody").all("tr")
    assert "Nora Hart" in row.text
    assert "24 December 2026" in row.text


def test_without_proof_of_who_asks_the_clock_stands_and_starts_with_it(iris: FlaskClient, known: PersonKey) -> None:
    where = opened(iris, known)
    assert "The month starts when it is known who asks" in page(iris, where).one("main").text
    assert send(iris, f"{where}/identity", where, **SEEN)[0] == 303
    assert "24 December 2026" in page(iris, where).one("main").text


WRONG = [
    ({"requested_by": ""}, "Say who asks"),
    ({"authority": ""}, "Choose by what right they ask"),
    ({"asked-month": "13"}, "must be a real date"),
    ({"asked-day": "25"}, "can't be in the future"),
    ({"asked-day": "", "asked-month": "", "asked-year": ""}, "Enter the day of the request"),
]


@pytest.mark.parametrize(("fields", "says"), WRONG)
def test_what_is_wrong_with_a_request_is_said_at_its_field_and_nothing_is_kept(
    iris: FlaskClient, changed: Engine, known: PersonKey, fields: dict[str, str], says: str
) -> None:
    typed = {"person": str(known), "requested_by": "Nora Hart", "authority": "self", **DATES, **fields}
    status, text = send(iris, "/requests", "/requests/new", **typed)
    assert status == 200
    assert says in read(text).one("div", role="alert").text
    with changed.connect() as conn:
        assert conn.execute(select(subject_request.c.id)).all() == []


def test_nobody_of_a_number_is_said_and_a_wrong_number_too(iris: FlaskClient) -> None:
    for number, says in (("9990000999", "Nobody of that NHS number"), ("12", "not an NHS number")):
        status, text = send(iris, "/requests/new", "/requests/new", nhs_number=number)
        assert (status, says in text) == (200, True)


def test_the_whole_way_by_forms(
    iris: FlaskClient, changed: Engine, place: Place, now: datetime, known: PersonKey
) -> None:
    with changed.begin() as conn:
        take(conn, place, [DAUGHTER, condition("told", note=[{"text": "Susan rings from 01632 960 777"}])], now)
    where = opened(iris, known, **SEEN)
    id_ = int(where.rsplit("/", 1)[1])
    with changed.begin() as conn:
        package = gathered(conn, place, now, id_)
    assert package.open
    for _ in range(20):
        shown = page(iris, f"{where}/review").one("main")
        fields = {}
        for hidden in [one for one in shown.all("input") if one.attributes.get("name", "").startswith("item-")]:
            number = hidden.attributes["name"].removeprefix("item-")
            fields |= {
                hidden.attributes["name"]: hidden.attributes["value"],
                f"answer-{number}": "leave-out",
                f"why-{number}": "It is hers",
            }
        status, _ = send(iris, f"{where}/review", f"{where}/review", **fields)
        assert status == 303
        if "Everything is decided" in page(iris, where).one("main").text:
            break
    assert send(iris, f"{where}/finish", where)[0] == 303
    assert send(iris, f"{where}/release", where)[0] == 303
    assert "being made" in page(iris, where).one("main").text
    with changed.begin() as conn:
        from carelink.cases.subject_access_release import make
        from carelink.consent.lens import Lens

        make(conn, place, Lens.system("test: release", now), id_, "http://localhost/fhir")
    sent = iris.get(f"{where}/printed")
    assert (sent.mimetype, sent.data[:5]) == ("application/pdf", b"%PDF-")
    assert sent.headers["Content-Disposition"] == f"attachment; filename=request-{id_}.pdf"
    assert sent.headers["Cache-Control"] == "no-store"
    told = iris.get(f"{where}/fhir")
    assert told.json is not None
    assert told.json["resourceType"] == "Bundle"
    assert "01632 960 777" not in told.text
    with changed.connect() as conn:
        t = audit_event.c
        exports = conn.execute(select(t.user, t.person).where(t.action == "export").order_by(t.id)).all()
    assert [tuple(row) for row in exports][1:] == [(IRIS, known), (IRIS, known)]


def test_no_page_of_a_request_is_there_for_another_role(
    app: Flask, iris: FlaskClient, changed: Engine, place: Place, now: datetime, known: PersonKey
) -> None:
    where = opened(iris, known, **SEEN)
    id_ = int(where.rsplit("/", 1)[1])
    with changed.begin() as conn:
        gathered(conn, place, now, id_)
        reviewed(conn, place, now, id_)
        released(conn, place, now, id_)
    for user in ("sam.okafor", "nora"):
        other = signed_in(app, user, now)
        for path in (
            "/requests",
            "/requests/new",
            where,
            f"{where}/held",
            f"{where}/review",
            f"{where}/printed",
            f"{where}/fhir",
        ):
            answer = other.get(path)
            assert (answer.status_code, "Hart" in answer.text and user != "nora") == (403, False), path


def test_a_person_asks_on_their_own_page_and_sees_when_they_are_answered(
    app: Flask, changed: Engine, now: datetime, known: PersonKey
) -> None:
    nora = signed_in(app, "nora", now)
    assert send(nora, "/me/requests", "/me/requests")[0] == 303
    told = page(nora, "/me/requests").one("main")
    assert "You will be answered by 24 December 2026" in told.text
    assert told.all("button") == [], "nobody asks twice"
    assert nora.post("/me/requests", data={"csrf_token": "x"}).status_code in (400, 409)
    with changed.connect() as conn:
        row = conn.execute(select(subject_request)).one()
    assert (row.person, row.authority, row.status, row.identity_at) == (known, "self", "received", now)


def test_a_request_by_somebody_else_is_not_told_to_the_person(
    app: Flask, iris: FlaskClient, now: datetime, known: PersonKey
) -> None:
    opened(iris, known, **{**SEEN, "authority": "attorney", "requested_by": "Susan Hart"})
    assert "Susan" not in page(signed_in(app, "nora", now), "/me/requests").one("main").text


def test_a_day_before_the_end_the_list_warns(
    app: Flask, iris: FlaskClient, now: datetime, known: PersonKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(iris, known, **SEEN)
    for then, says in (("2026-12-23T12:00:00+00:00", "due soon"), ("2026-12-28T12:00:00+00:00", "overdue")):
        moment = datetime.fromisoformat(then)
        monkeypatch.setenv("CARELINK_NOW", then)
        assert says in page(signed_in(app, IRIS, moment), "/requests").one("tbody").text


def test_a_person_without_a_request_is_offered_one(app: Flask, changed: Engine, now: datetime) -> None:
    assert (
        page(signed_in(app, "nora", now), "/me/requests").one("main").one("button").text
        == "Ask for a copy of everything"
    )
    with changed.connect() as conn:
        assert person_of(conn, patient("p1"))
