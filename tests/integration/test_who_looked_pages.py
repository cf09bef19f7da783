"""The pages of who looked: the person reads plain words, who reads the audit all of it, everybody else neither."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from html_reading import Element, read, wrongs
from page_builders import page, signed_in
from sqlalchemy import Engine, insert, select

from carelink.audit.trail import Event, append
from carelink.consent.requester import Requester
from carelink.db.tables import audit_event, audit_signal
from carelink.identity import requesters
from carelink.ids import PersonKey, UserId
from carelink.place import Place

Opens = Callable[[str], FlaskClient]


@pytest.fixture
def opens(changed: Engine, app: Flask, now: datetime) -> Opens:
    """A browser in which somebody is signed in, over a database of this test's own."""
    return lambda user: signed_in(app, user, now)


@pytest.fixture
def iris(opens: Opens) -> FlaskClient:
    return opens("iris.lang")


def asked_by(engine: Engine, place: Place, user: str) -> Requester:
    with engine.connect() as conn:
        return requesters.requester(conn, place, UserId(user))


def sent(browser: FlaskClient, path: str, of: str = "/audit", status: int = 200, **fields: str) -> Element:
    """The page that a form leads to."""
    token = page(browser, of).all("input", name="csrf_token")[0].attributes["value"]
    answer = browser.post(path, data={"csrf_token": token, **fields}, follow_redirects=True)
    assert answer.status_code == status, answer.text
    return read(answer.text)


def rows(told: Element) -> list[str]:
    return [one.text for one in told.one("tbody").all("tr")]


# The person ----------------------------------------------------------------------------------------


def test_the_person_reads_who_opened_their_record_when_and_why(opens: Opens, known: PersonKey) -> None:
    for worker in ("tom.ellis", "sam.okafor"):
        opens(worker).get(f"/people/{known}")
    told = page(opens("nora"), "/me/who-looked")
    text = told.one("main").text
    assert (
        "Dr Tom Ellis, general practitioner at Riverside Surgery opened your record at 12:00, because you are "
        "registered there." in text
    )
    assert (
        "Sam Okafor, social worker at Northdale Council opened your record at 12:00, because you are on their" in text
    )
    assert told.one("h2").text == "24 November 2026"


def test_the_person_reads_their_own_looks_as_theirs(opens: Opens) -> None:
    nora = opens("nora")
    nora.get("/me")
    assert "You opened your record at 12:00." in page(nora, "/me/who-looked").one("main").text


def test_broken_glass_is_told_plainly_and_a_refusal_too(
    opens: Opens, changed: Engine, place: Place, known: PersonKey, now: datetime
) -> None:
    gwen = asked_by(changed, place, "gwen.price")
    with changed.begin() as conn:
        append(conn, Event("break-glass", gwen, known, detail={"reason": "safeguarding"}), now)
    opens("gwen.price").get(f"/people/{known}")
    text = page(opens("nora"), "/me/who-looked").one("main").text
    assert "Opened in need Gwen Price, social worker at Southmere Council opened your record in need at 12:00." in text
    assert "tried to open your record, and CareLink did not let them" in text
    assert "safeguarding" not in text.lower(), "the reason could put somebody in danger"


def test_what_jobs_did_is_summed_up(opens: Opens, changed: Engine, known: PersonKey, now: datetime) -> None:
    with changed.begin() as conn:
        append(conn, Event("merge", person=known, user="carelink"), now)
    assert "worked on your record once" in page(opens("nora"), "/me/who-looked").one("main").text


def test_the_person_chooses_days(opens: Opens, known: PersonKey) -> None:
    opens("sam.okafor").get(f"/people/{known}")
    nora = opens("nora")
    assert "Sam Okafor" in page(nora, "/me/who-looked?since=2026-11-24&until=2026-11-24").one("main").text
    assert "Sam Okafor" not in page(nora, "/me/who-looked?until=2026-11-23").one("main").text
    assert nora.get("/me/who-looked?since=tomorrow").status_code == 400


def test_a_worker_has_no_such_page_and_nora_has_none_of_the_leads(opens: Opens, known: PersonKey) -> None:
    assert opens("sam.okafor").get("/me/who-looked").status_code == 403
    assert opens("iris.lang").get("/me/who-looked").status_code == 403
    assert opens("nora").get(f"/audit/people/{known}").status_code == 403


# Who reads the audit -------------------------------------------------------------------------------


def test_the_lead_finds_a_person_by_number_and_sees_every_look_with_its_purpose_rules_and_questions(
    opens: Opens, iris: FlaskClient, known: PersonKey
) -> None:
    opens("sam.okafor").get(f"/people/{known}")
    told = sent(iris, "/audit/person", nhs_number="999 000 0018")
    assert told.one("h1").text == "Who looked at Nora Hart"
    assert wrongs(told) == []
    (row,) = [one for one in rows(told) if "Sam Okafor" in one]
    for said in ("24 November 2026, 12:00", "Opened", "planning and arranging care", "caseload", "L8-agreement"):
        assert said in row, said
    assert "Patient?" in row


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("", "Enter the NHS number of the person"),
        ("12", "This is not an NHS number: check the ten digits"),
        ("9990000999", "Nobody of that NHS number is in the record"),
    ],
)
def test_a_number_that_leads_to_nobody_is_said_beside_the_field(iris: FlaskClient, number: str, why: str) -> None:
    told = sent(iris, "/audit/person", status=400, nhs_number=number)
    assert why in told.one("main").text


def test_the_looks_are_narrowed_by_day_worker_and_organisation(
    opens: Opens, iris: FlaskClient, known: PersonKey
) -> None:
    for worker in ("tom.ellis", "sam.okafor"):
        opens(worker).get(f"/people/{known}")
    here = f"/audit/people/{known}"
    assert {"Dr Tom Ellis" in one for one in rows(sent(iris, here, user="tom.ellis"))} == {True}
    assert {"Northdale" in one for one in rows(sent(iris, here, organisation="901"))} == {True}
    assert "Nobody looked" in sent(iris, here, until="2026-11-23").one("main").text


def test_a_worker_is_found_by_a_part_of_their_name_with_all_that_they_looked_at(
    opens: Opens, iris: FlaskClient, known: PersonKey
) -> None:
    sam = opens("sam.okafor")
    sam.get(f"/people/{known}")
    sam.get("/caseload")
    found = sent(iris, "/audit/workers", worker="okaf")
    assert [one.text for one in found.one("section").all("button")] == ["Sam Okafor"]
    told = sent(iris, "/audit/worker", user="sam.okafor")
    assert told.one("h1").text == "What Sam Okafor looked at"
    assert wrongs(told) == []
    assert all("Nora Hart" in one for one in rows(told))
    assert {"Opened" in one or "Saw in a list" in one for one in rows(told)} == {True}
    assert "No worker found" in sent(iris, "/audit/workers", worker="nobody").one("main").text
    assert "at least two letters" in sent(iris, "/audit/workers", status=400, worker="x").one("main").text


def test_the_leads_own_looks_are_kept_and_shown_to_both(iris: FlaskClient, opens: Opens, known: PersonKey) -> None:
    iris.get(f"/audit/people/{known}")
    assert any("Read the audit" in one for one in rows(page(iris, f"/audit/people/{known}")))
    text = page(opens("nora"), "/me/who-looked").one("main").text
    assert "Iris Lang, information governance lead at Dalemere Integrated Care Board checked who had looked" in text


def test_older_looks_are_on_further_pages_which_lose_and_repeat_nothing(
    opens: Opens, iris: FlaskClient, changed: Engine, place: Place, known: PersonKey, now: datetime
) -> None:
    sam = asked_by(changed, place, "sam.okafor")
    with changed.begin() as conn:
        for number in range(1200):
            at = now - timedelta(minutes=number // 2)  # two rows a request
            event = Event("search", sam, known, query="Patient?", count=1, request=f"r{number // 2}")
            append(conn, event, at)
    here, seen, after = f"/audit/people/{known}", 0, ""
    while True:
        told = sent(iris, here, user="sam.okafor", after=after)
        seen += len(rows(told))
        more = told.all("input", name="after")
        if not more:
            break
        after = more[0].attributes["value"]
    assert seen == 600


@pytest.mark.parametrize("path", ["/audit", "/audit/people/{known}", "/audit/signals", "/audit/signals/1"])
def test_only_who_reads_the_audit_opens_its_pages(opens: Opens, known: PersonKey, path: str) -> None:
    assert opens("sam.okafor").get(path.format(known=known)).status_code == 403


# Worth a look --------------------------------------------------------------------------------------


@pytest.fixture
def signal(changed: Engine, known: PersonKey, now: datetime) -> int:
    """One that waits: Sam Okafor and Nora."""
    row = {"pattern": "same-surname", "user": "sam.okafor", "organisation": "901", "person": known}
    more = {"day": now, "count": 2, "raised_at": now}
    with changed.begin() as conn:
        return int(conn.execute(insert(audit_signal).values(row | more).returning(audit_signal.c.id)).scalar_one())


def test_what_is_worth_a_look_is_listed_with_who_and_whose(iris: FlaskClient, signal: int) -> None:
    told = page(iris, "/audit/signals")
    assert wrongs(told) == []
    (row,) = rows(told)
    for said in ("The same family name", "opened 2 times", "Sam Okafor", "Nora Hart", "24 November 2026"):
        assert said in row, said
    assert "may be quite right" in told.one("main").text


def test_it_is_closed_with_an_answer_and_words(iris: FlaskClient, changed: Engine, signal: int) -> None:
    here = f"/audit/signals/{signal}"
    assert wrongs(page(iris, here)) == []
    again = sent(iris, here, of=here, status=400, answer="in-order")
    assert "Say in a few words what you found" in again.one("main").text
    told = sent(iris, here, of=here, answer="in-order", words="A common name.")
    assert "Nothing waits for an answer." in told.one("main").text
    assert told.one(role="status").text == "Saved: this is closed."
    with changed.connect() as conn:
        row = conn.execute(select(audit_signal)).one()
        last = conn.execute(select(audit_event).where(audit_event.c.action == "signal")).one()
    assert (row.answer, row.words, row.answered_by) == ("in-order", "A common name.", "iris.lang")
    assert (last.user, last.detail) == ("iris.lang", {"signal": signal, "answer": "in-order"})
    assert iris.get(here).status_code == 404
