"""A person's page as a browser gets it: what it says of them, of its sources and of what is not shown."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from html_reading import Element, read
from ingest_builders import patient, person_of, take
from page_builders import NORA, allocation, identified, many, objection, page, section, signed_in
from sqlalchemy import Engine, select, update

from carelink.db.tables import outbox
from carelink.db.tables import source_state as source_states
from carelink.ids import PersonKey
from carelink.place import Place
from carelink.record import source_state

SAM, GWEN, PRIYA, IRIS = "sam.okafor", "gwen.price", "priya.nair", "iris.lang"
ADA = identified("9990000026", "Moss", "Ada", "1950-01-01")


def banner(told: Element) -> str:
    return told.one("div", aria_label="Who this is").text


def test_the_banner_says_who_it_is(sam: FlaskClient, known: PersonKey) -> None:
    told = page(sam, f"/people/{known}")
    assert told.one("h1").text == "Nora Hart"
    assert "999 000 0018" in banner(told)
    assert "6 May 1944 (82 years)" in banner(told)
    assert "1 Mill Lane, Dalemere, DM1 4QT" in banner(told)
    assert "Key safe by the back door" in banner(told)
    assert "Lasting power of attorney: daughter, Susan" in banner(told)


def test_who_died_has_no_age_and_a_date_of_death(
    sam: FlaskClient, known: PersonKey, changed: Engine, place: Place, now: datetime
) -> None:
    with changed.begin() as conn:
        take(conn, place, [patient("p1", **NORA, deceasedDateTime="2026-11-03")], now, "pds")
    told = banner(page(sam, f"/people/{known}"))
    assert "Died 3 November 2026" in told
    assert "years" not in told


def test_where_a_restricted_person_lives_is_nowhere_on_the_page(
    sam: FlaskClient, known: PersonKey, changed: Engine, place: Place, now: datetime
) -> None:
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    with changed.begin() as conn:
        take(conn, place, [patient("p1", **NORA, meta={"security": [label]})], now, "pds")
    told = sam.get(f"/people/{known}").text
    assert "Address is restricted" in told
    assert not any(where in told for where in ("Mill Lane", "DM1 4QT", "Riverside", "Ward 7"))


def said(line: Element) -> str:
    """The line without the question that may be asked of it."""
    return line.text.partition(" Why?")[0]


def test_each_item_says_what_it_is_once_with_its_source_and_its_date_as_exactly_as_it_is_known(
    sam: FlaskClient, known: PersonKey
) -> None:
    told = page(sam, f"/people/{known}")
    [medicine] = section(told, "medicines").all("tr")[1:]
    assert said(medicine) == "Ramipril 5mg capsules One each day 1 Feb 2026 GP record"
    past = section(told, "packages").one("details")
    assert "Meals ended 2019 to Mar 2020 Northdale Council" in past.text
    [problem] = [one for one in told.all("li", class_="app-event") if "Diabetes" in one.text]
    assert said(problem) == "May 2019 Problem Diabetes mellitus Hospital"
    [admitted] = [one for one in told.all("li", class_="app-event") if "Hospital stay" in one.text]
    assert admitted.text.startswith("20 Nov 2026 14:20 Contact or stay Hospital stay in hospital now")


def test_severe_allergies_come_first_and_no_known_allergy_is_said_with_its_source(
    sam: FlaskClient, known: PersonKey
) -> None:
    told = section(page(sam, f"/people/{known}"), "allergies")
    first, second = told.all("li")
    assert said(first) == "Allergy to penicillin high risk GP record, 2001"
    assert said(second) == "Allergy to latex GP record, 2020"
    assert "But “no known allergies”, says: Hospital." in told.text


def test_a_source_that_is_not_reachable_says_since_when_and_how_old_it_is(
    sam: FlaskClient, known: PersonKey, changed: Engine, now: datetime
) -> None:
    with changed.begin() as conn:
        source_state.failing(conn, "hospital", "no answer", now - timedelta(minutes=80))
    told = page(sam, f"/people/{known}")
    said = section(told, "sources-heading").text
    assert "Hospital: not reachable since 10:40, showing what we had 4 minutes ago" in said
    assert "GP record, 4 minutes ago" in said
    assert "Hospital can't be reached now" in section(told, "allergies").text


def test_a_source_that_is_late_says_so_and_is_asked_again(
    app: FlaskClient, known: PersonKey, changed: Engine, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = now + timedelta(hours=1)
    monkeypatch.setenv("CARELINK_NOW", later.isoformat())
    told = page(signed_in(app, SAM, later), f"/people/{known}")
    assert "Hospital: last heard 1 hour ago, may be out of date" in section(told, "sources-heading").text
    with changed.connect() as conn:
        asked = conn.execute(select(outbox.c.payload).where(outbox.c.once == "pull:hospital")).scalars().all()
    assert asked == [{"source": "hospital"}]


def test_what_is_withheld_is_said_with_whom_to_ask(
    sam: FlaskClient, known: PersonKey, changed: Engine, place: Place, now: datetime
) -> None:
    assert "Ramipril" in page(sam, f"/people/{known}").text
    with changed.begin() as conn:
        take(conn, place, [objection()], now)
    told = page(sam, f"/people/{known}")
    notice = told.one("p", id="withheld").text
    assert place.words.withheld_notice in notice
    assert place.words.help_contact in notice
    assert "something is not shown to you" in section(told, "medicines").text
    assert "Ramipril" not in told.text


def test_parts_in_which_there_is_nothing_say_so_and_nothing_about_allergies_is_not_none(
    sam: FlaskClient, changed: Engine, place: Place, now: datetime
) -> None:
    with changed.begin() as conn:
        take(conn, place, [patient("p2", **ADA), allocation(id_="al-2", subject="p2")], now, "council-a")
        conn.execute(update(source_states).values(good_at=None))
        key = person_of(conn, patient("p2"), "council-a")
    told = page(sam, f"/people/{key}")
    nothing = "Nothing is recorded about allergies. That is not the same as “no known allergies”."
    assert nothing in section(told, "allergies").text
    assert "No medicines to show." in section(told, "medicines").text
    missing = "Northdale Council, Southmere Council, Hospital and GP record"
    assert f"not everything has come from {missing} yet" in section(told, "medicines").text


def test_the_timeline_is_filtered_without_a_script_and_refreshed_alone_with_one(
    sam: FlaskClient, known: PersonKey
) -> None:
    path = f"/people/{known}?category=medicines&source=gp"
    told = page(sam, path)
    assert [said(one).split(" ", 3)[-1] for one in told.all("li", class_="app-event")] == [
        "Medicine Ramipril 5mg capsules One each day GP record"
    ]
    assert told.one("select", id="category").one("option", selected="").attributes["value"] == "medicines"
    alone = read(sam.get(path, headers={"HX-Request": "true"}).text)
    assert not alone.all("html")
    assert [one.text for one in alone.all("li", class_="app-event")] == [
        one.text for one in told.all("li", class_="app-event")
    ]
    nothing = page(sam, f"/people/{known}?since=1990-01-01&until=1990-12-31")
    assert "Nothing fits these filters." in nothing.one("div", id="timeline").text


def test_what_is_older_than_a_page_is_a_link_away_with_the_same_filters(
    app: Flask, known: PersonKey, changed: Engine, place: Place, now: datetime
) -> None:
    with changed.begin() as conn:
        many(conn, place, NORA, 400, now)
    nurse = signed_in(app, "nadia.rahman", now)
    told = page(nurse, f"/people/{known}?source=hospital")
    assert len(told.all("li", class_="app-event")) == 200
    [older] = [one for one in told.all("a") if one.text == "Show older items"]
    assert "source=hospital" in older.attributes["href"]
    rest = page(nurse, older.attributes["href"]).all("li", class_="app-event")
    assert rest
    assert not [one for one in rest if one.text == "Show older items"]


def test_a_filter_that_nobody_offered_is_refused_in_plain_words(sam: FlaskClient, known: PersonKey) -> None:
    told = page(sam, f"/people/{known}?category=secrets", status=400)
    assert "there is no such category here" in told.one("main").text
