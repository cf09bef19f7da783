"""The pages as a browser gets them: what they say, what they never say, and that everybody can read them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from html_reading import Element, read, wrongs
from ingest_builders import item, patient, person_of, take
from page_builders import NORA, allocation, many, nora, objection, signed_in, site
from sqlalchemy import Engine, select

from carelink.db import sync
from carelink.db.tables import audit_event, outbox
from carelink.identity import proofing
from carelink.ids import PersonKey, UserId
from carelink.place import Place
from carelink.record import source_state

SAM, GWEN, PRIYA, IRIS = "sam.okafor", "gwen.price", "priya.nair", "iris.lang"


@pytest.fixture(autouse=True)
def _at(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARELINK_NOW", now.isoformat())


@pytest.fixture
def app(engine: Engine, place: Place) -> Flask:
    with engine.begin() as conn:
        sync.sync(conn, place)
    return site(engine, place)


@pytest.fixture
def known(app: Flask, engine: Engine, place: Place, now: datetime) -> PersonKey:
    with engine.begin() as conn:
        key = nora(conn, place, now)
        proofing.admit(conn, UserId("nora"), "Nora Hart", key)
    return key


@pytest.fixture
def sam(app: Flask, now: datetime) -> FlaskClient:
    return signed_in(app, SAM, now)


def page(browser: FlaskClient, path: str, status: int = 200) -> Element:
    answer = browser.get(path)
    assert answer.status_code == status
    return read(answer.text)


def banner(told: Element) -> str:
    return told.one("div", aria_label="Who this is").text


def section(told: Element, id_: str) -> Element:
    return told.one("section", aria_labelledby=id_)


# The person's page ------------------------------------------------------------------------------------


def test_the_banner_says_who_it_is(sam: FlaskClient, known: PersonKey) -> None:
    told = page(sam, f"/people/{known}")
    assert told.one("h1").text == "Nora Hart"
    assert "999 000 0018" in banner(told)
    assert "6 May 1944 (82 years)" in banner(told)
    assert "1 Mill Lane, Dalemere, DM1 4QT" in banner(told)
    assert "Key safe by the back door" in banner(told)
    assert "Lasting power of attorney: daughter, Susan" in banner(told)


def test_who_died_has_no_age_and_a_date_of_death(
    sam: FlaskClient, known: PersonKey, engine: Engine, place: Place, now: datetime
) -> None:
    with engine.begin() as conn:
        take(conn, place, [patient("p1", **NORA, deceasedDateTime="2026-11-03")], now, "pds")
    told = banner(page(sam, f"/people/{known}"))
    assert "Died 3 November 2026" in told
    assert "years" not in told


def test_where_a_restricted_person_lives_is_nowhere_on_the_page(
    sam: FlaskClient, known: PersonKey, engine: Engine, place: Place, now: datetime
) -> None:
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    with engine.begin() as conn:
        take(conn, place, [patient("p1", **NORA, meta={"security": [label]})], now, "pds")
    told = sam.get(f"/people/{known}").text
    assert "Address is restricted" in told
    assert not any(where in told for where in ("Mill Lane", "DM1 4QT", "Riverside", "Ward 7"))


def test_each_item_says_what_it_is_once_with_its_source_and_its_date_as_exactly_as_it_is_known(
    sam: FlaskClient, known: PersonKey
) -> None:
    told = page(sam, f"/people/{known}")
    [medicine] = section(told, "medicines").all("tr")[1:]
    assert medicine.text == "Ramipril 5mg capsules One each day 1 Feb 2026 GP record"
    past = section(told, "packages").one("details")
    assert "Meals ended 2019 to Mar 2020 Northdale Council" in past.text
    [problem] = [one for one in told.all("li", class_="app-event") if "Diabetes" in one.text]
    assert problem.text == "May 2019 Problem Diabetes mellitus Hospital"
    [admitted] = [one for one in told.all("li", class_="app-event") if "Hospital stay" in one.text]
    assert admitted.text.startswith("20 Nov 2026 14:20 Contact or stay Hospital stay in hospital now")


def test_severe_allergies_come_first_and_no_known_allergy_is_said_with_its_source(
    sam: FlaskClient, known: PersonKey
) -> None:
    told = section(page(sam, f"/people/{known}"), "allergies")
    first, second = told.all("li")
    assert first.text == "Allergy to penicillin high risk GP record, 2001"
    assert second.text == "Allergy to latex GP record, 2020"
    assert "But “no known allergies”, says: Hospital." in told.text


def test_a_source_that_is_not_reachable_says_since_when_and_how_old_it_is(
    sam: FlaskClient, known: PersonKey, engine: Engine, now: datetime
) -> None:
    with engine.begin() as conn:
        source_state.failing(conn, "hospital", "no answer", now - timedelta(minutes=80))
    told = page(sam, f"/people/{known}")
    said = section(told, "sources-heading").text
    assert "Hospital: not reachable since 10:40, showing what we had 4 minutes ago" in said
    assert "GP record, 4 minutes ago" in said
    assert "Hospital can't be reached now" in section(told, "allergies").text


def test_a_source_that_is_late_says_so_and_is_asked_again(
    app: FlaskClient, known: PersonKey, engine: Engine, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = now + timedelta(hours=1)
    monkeypatch.setenv("CARELINK_NOW", later.isoformat())
    told = page(signed_in(app, SAM, later), f"/people/{known}")
    assert "Hospital: last heard 1 hour ago, may be out of date" in section(told, "sources-heading").text
    with engine.connect() as conn:
        asked = conn.execute(select(outbox.c.payload).where(outbox.c.once == "pull:hospital")).scalars().all()
    assert asked == [{"source": "hospital"}]


def test_what_is_withheld_is_said_with_whom_to_ask(
    sam: FlaskClient, known: PersonKey, engine: Engine, place: Place, now: datetime
) -> None:
    assert "Ramipril" in page(sam, f"/people/{known}").text
    with engine.begin() as conn:
        take(conn, place, [objection()], now)
    told = page(sam, f"/people/{known}")
    notice = told.one("p", id="withheld").text
    assert place.words.withheld_notice in notice
    assert place.words.help_contact in notice
    assert "something is not shown to you" in section(told, "medicines").text
    assert "Ramipril" not in told.text


def test_parts_in_which_there_is_nothing_say_so_and_nothing_about_allergies_is_not_none(
    sam: FlaskClient, engine: Engine, place: Place, now: datetime
) -> None:
    with engine.begin() as conn:
        take(conn, place, [patient("p1", **NORA), allocation()], now, "council-a")
        key = person_of(conn, patient("p1"), "council-a")
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
    assert [one.text.split(" ", 3)[-1] for one in told.all("li", class_="app-event")] == [
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
    app: Flask, known: PersonKey, engine: Engine, place: Place, now: datetime
) -> None:
    with engine.begin() as conn:
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


# Who may not, and what goes wrong ---------------------------------------------------------------------


@pytest.mark.parametrize("refreshed", [False, True], ids=["a page", "a refresh"])
def test_a_stranger_is_told_in_plain_words_that_there_is_nothing_and_the_refusal_is_kept(
    app: Flask, known: PersonKey, engine: Engine, now: datetime, refreshed: bool
) -> None:
    headers = {"HX-Request": "true"} if refreshed else {}
    answer = signed_in(app, GWEN, now).get(f"/people/{known}", headers=headers)
    told = read(answer.text)
    assert answer.status_code == 404
    assert told.one("h1").text == "There is nothing here that you can see"
    assert told.one("strong", class_="app-reference").text == answer.headers["X-Request-Id"]
    assert not any(word in answer.text for word in ("Nora", "Hart", "999 000 0018", "Traceback"))
    with engine.connect() as conn:
        kept = conn.execute(select(audit_event).where(audit_event.c.action == "refusal")).one()
    assert (kept.user, kept.person, kept.request) == (GWEN, known, answer.headers["X-Request-Id"])


def test_whoever_is_not_signed_in_is_asked_to(app: Flask, known: PersonKey) -> None:
    for path in ("/caseload", "/people/find", f"/people/{known}", "/oversight", "/me"):
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
    assert page(sam, "/oversight", status=403).one("h1").text == "You can't do this"


def form(browser: FlaskClient) -> dict[str, str]:
    """What the form hides: the token against forgery."""
    token = page(browser, "/people/find").one("main").one("input", name="csrf_token")
    return {"csrf_token": token.attributes["value"]}


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


# Finding, caseload, oversight, own page ---------------------------------------------------------------


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
    app: Flask, known: PersonKey, engine: Engine, place: Place, now: datetime
) -> None:
    with engine.begin() as conn:
        take(conn, place, [item("Condition", "bad", code={"text": "Alcohol dependence"})], now)
    told = page(signed_in(app, IRIS, now), "/oversight")
    row = told.one("main").all("tr")[-1].text
    assert "Hospital Condition" in row
    assert "Alcohol" not in told.text
    assert "No decision waits." in told.text
    home = signed_in(app, IRIS, now).get("/")
    assert (home.status_code, home.headers["Location"]) == (303, "/oversight")


def test_a_person_reads_their_own_record_in_plain_words_and_can_change_nothing(
    app: Flask, known: PersonKey, now: datetime
) -> None:
    told = page(signed_in(app, "nora", now), "/me")
    assert told.one("h1").text == "Nora Hart: my record"
    assert "Ramipril 5mg capsules" in section(told, "medicines").text
    assert [one.attributes["method"] for one in told.one("main").all("form")] == ["get"]
    assert page(signed_in(app, "nora", now), "/caseload").one("main").text.count("Nora") == 0


# For everybody ----------------------------------------------------------------------------------------

PAGES: list[tuple[str, Callable[[PersonKey], str]]] = [
    (SAM, lambda known: "/caseload"),
    (SAM, lambda known: "/people/find"),
    (SAM, lambda known: f"/people/{known}"),
    (SAM, lambda known: f"/people/{known}?category=documents"),
    (SAM, lambda known: "/nowhere"),
    (PRIYA, lambda known: f"/people/{known}"),
    (IRIS, lambda known: "/oversight"),
    ("nora", lambda known: "/me"),
    ("", lambda known: "/"),
]


@pytest.mark.parametrize(("user", "path"), PAGES, ids=[f"{user or 'nobody'} {path(None)}" for user, path in PAGES])  # type: ignore[arg-type]
def test_a_page_has_one_first_heading_named_landmarks_labels_and_headers(
    app: Flask, known: PersonKey, now: datetime, user: str, path: Callable[[PersonKey], str]
) -> None:
    browser = signed_in(app, user, now) if user else app.test_client()
    assert wrongs(read(browser.get(path(known)).text)) == []
