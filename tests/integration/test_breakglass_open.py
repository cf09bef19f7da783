"""A record that is opened in need: the second look, what it shows and what stays closed, and how it ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from breakglass_builders import (
    GWEN,
    NORA_FACTS,
    WHY,
    WORDS,
    csrf,
    find,
    grant,
    grants,
    open_in_need,
    post,
    said,
    trail,
)
from fhir_builders import bearer, registered, token
from flask import Flask
from flask.testing import FlaskClient
from html_reading import read, wrongs
from ingest_builders import condition, take
from page_builders import objection, page, signed_in, site
from sqlalchemy import Connection, Engine, select, text

from carelink.cases import breakglass_opening
from carelink.cases.breakglass import Why
from carelink.consent.lens import Lens
from carelink.consent.requester import Requester
from carelink.db.tables import outbox, role_assignment
from carelink.errors import Conflict, Forbidden, Invalid
from carelink.identity import requesters
from carelink.ids import PersonKey, UserId
from carelink.place import Place


@pytest.fixture
def gwen(app: Flask, changed: Engine, now: datetime) -> FlaskClient:
    return signed_in(app, GWEN, now)


def pages(engine: Engine, place: Place, now: datetime, user: str, *widens: str) -> FlaskClient:
    """A browser of this user, in a place whose broken glass opens that."""
    assert place.glass is not None
    other = replace(place, glass=replace(place.glass, widens=frozenset(widens)))
    return signed_in(site(engine, other), user, now)


def objected(engine: Engine, place: Place, now: datetime) -> None:
    with engine.begin() as conn:
        take(conn, place, [objection()], now)


# Before it is open ---------------------------------------------------------------------------------


def test_a_reason_and_words_lead_to_a_second_look_and_open_nothing_yet(
    gwen: FlaskClient, changed: Engine, known: PersonKey
) -> None:
    find(gwen, **NORA_FACTS)
    look = post(gwen, f"/people/{known}/break-glass", **WHY)
    told = said(look)
    assert look.status_code == 200
    assert wrongs(read(look.text)) == []
    assert "You are about to open the record of a person you are not involved with" in told
    assert "reviewed by the information governance lead of Dalemere within 3 days" in told
    assert "The person will be told." in told
    assert "after 60 minutes, at 13:00" in told
    assert "medicines, problems" in told, "what will be shown, by kind"
    assert WORDS in told
    assert grants(changed) == []
    assert gwen.get(f"/people/{known}").status_code == 404


@pytest.mark.parametrize(
    ("sent", "asks"),
    [
        ({"words": WORDS}, "Choose why you need to open this record"),
        ({"reason": "curious", "words": WORDS}, "Choose why you need to open this record"),
        ({"reason": "emergency"}, "Say in your own words why"),
        ({"reason": "emergency", "words": "  urgent \n  "}, "Say in your own words why"),
        ({"reason": "emergency", "words": "x" * 1001}, "Say it in at most 1000 characters"),
    ],
)
def test_without_a_reason_of_the_place_and_words_of_ones_own_nothing_is_opened(
    gwen: FlaskClient, changed: Engine, known: PersonKey, sent: dict[str, str], asks: str
) -> None:
    find(gwen, **NORA_FACTS)
    answer = post(gwen, f"/people/{known}/break-glass", confirmed="yes", **sent)
    assert asks in read(answer.text).one("div", class_="nhsuk-error-summary").text
    assert grants(changed) == []


def test_a_reason_that_is_none_is_refused_also_past_the_form(
    changed: Engine, place: Place, now: datetime, known: PersonKey
) -> None:
    with changed.begin() as conn:
        lens = Lens.compile(place, requesters.requester(conn, place, UserId("sam.okafor")), now)
        with pytest.raises(Invalid):
            breakglass_opening.break_glass(conn, place, lens, known, Why("curious", WORDS))


def test_the_reason_can_be_changed_after_the_second_look(gwen: FlaskClient, known: PersonKey) -> None:
    find(gwen, **NORA_FACTS)
    back = read(post(gwen, f"/people/{known}/break-glass", **WHY, step="change").text)
    assert back.one("textarea").text == WORDS
    assert [one.attributes["value"] for one in back.all("input", type="radio") if "checked" in one.attributes] == [
        "emergency"
    ]


# While it is open ----------------------------------------------------------------------------------


def test_the_record_opens_with_a_grant_an_event_of_high_severity_and_word_to_the_lead(
    gwen: FlaskClient, changed: Engine, known: PersonKey, now: datetime
) -> None:
    answer = open_in_need(gwen, known)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/people/{known}")
    [row] = grants(changed)
    assert (row.person, row.user, row.organisation, row.role, row.team) == (
        known,
        GWEN,
        "902",
        "social-worker",
        "adults-south",
    )
    assert (row.reason, row.words, row.reviewer_role) == ("emergency", WORDS, "ig-lead")
    assert (row.starts, row.ends, row.review_due) == (now, now + timedelta(hours=1), now + timedelta(days=3))
    [event] = trail(changed, "break-glass")
    assert (event.user, event.person, event.rules) == (GWEN, known, ["L9-break-glass"])
    assert (event.detail["severity"], event.detail["reason"], event.detail["grant"]) == ("high", "emergency", row.id)
    assert WORDS not in str(event)
    with changed.connect() as conn:
        note = conn.execute(select(outbox.c.payload).where(outbox.c.kind == "break-glass.opened")).scalar_one()
    assert note == {"grant": row.id}


def test_the_page_shows_what_is_agreed_and_a_banner_until_when(
    gwen: FlaskClient, changed: Engine, known: PersonKey
) -> None:
    open_in_need(gwen, known)
    told = page(gwen, f"/people/{known}")
    assert wrongs(told) == []
    banner = told.one("section", aria_label="Opened in need")
    assert banner.one("p", role="status").text == (
        "You opened this record in need. It closes at 13:00, in 60 minutes. Every look is reviewed."
    )
    assert "Diabetes mellitus" in told.text
    assert "Alcohol dependence" not in told.text, "sensitive, and no agreement names it"
    [row] = grants(changed)
    looks = [one for one in trail(changed, "search", "read") if one.user == GWEN and one.person == known]
    assert {one.detail["glass"] for one in looks} == {row.id}, "each look says that it rests on broken glass"


def test_what_the_law_restricts_stays_closed(
    gwen: FlaskClient, changed: Engine, known: PersonKey, place: Place, now: datetime
) -> None:
    with changed.begin() as conn:
        take(conn, place, [condition("law", onsetDateTime="2020", code="1")], now)
        conn.execute(text("update resource set sensitivities = 512 where source_id = 'law'"))
        conn.execute(text("update resource set body = replace(body, 'Diabetes', 'Lawful') where source_id = 'law'"))
    open_in_need(gwen, known)
    assert "Lawful" not in page(gwen, f"/people/{known}").text


def test_the_banner_is_on_every_page_of_the_person_and_on_no_other(
    gwen: FlaskClient, app: Flask, changed: Engine, known: PersonKey
) -> None:
    open_in_need(gwen, known)
    paths = [
        rule.rule.replace("<uuid:person>", str(known))
        for rule in app.url_map.iter_rules()
        if rule.arguments == {"person"} and rule.rule.startswith("/people/") and "GET" in (rule.methods or ())
    ]
    shown = {path: answer.text for path in paths if (answer := gwen.get(path)).status_code == 200}
    assert f"/people/{known}" in shown
    assert [path for path, html in shown.items() if not read(html).all("section", aria_label="Opened in need")] == []
    assert not page(gwen, "/people/find").all("section", aria_label="Opened in need")


def test_it_closes_by_itself_and_the_next_request_is_a_strangers(
    gwen: FlaskClient, changed: Engine, known: PersonKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_in_need(gwen, known)
    monkeypatch.setenv("CARELINK_NOW", "2026-11-24T12:29:30+00:00")
    assert "It closes at 13:00, in 31 minutes" in page(gwen, f"/people/{known}").text
    monkeypatch.setenv("CARELINK_NOW", "2026-11-24T12:59:00+00:00")
    assert "in 1 minute." in page(gwen, f"/people/{known}").text
    monkeypatch.setenv("CARELINK_NOW", "2026-11-24T13:00:00+00:00")
    assert page(gwen, f"/people/{known}", 404).one("h1").text == "There is nothing here that you can see"


def test_a_second_time_says_that_it_is_open_and_makes_nothing_longer(
    gwen: FlaskClient, changed: Engine, known: PersonKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_in_need(gwen, known)
    monkeypatch.setenv("CARELINK_NOW", "2026-11-24T12:10:00+00:00")
    again = post(gwen, f"/people/{known}/break-glass", f"/people/{known}", **WHY, confirmed="yes")
    assert again.status_code == 409
    assert "open in need already: it closes in 50 minutes. Nothing was made longer" in said(again)
    [row] = grants(changed)
    assert row.ends == datetime.fromisoformat("2026-11-24T13:00:00+00:00")


def test_of_two_requests_at_once_one_opens_it(changed: Engine, place: Place, now: datetime, known: PersonKey) -> None:
    def opens(conn: Connection) -> None:
        lens = Lens.compile(place, requesters.requester(conn, place, UserId("sam.okafor")), now)
        breakglass_opening.break_glass(conn, place, lens, known, Why("duty", WORDS))

    def second() -> str:
        with changed.begin() as conn, pytest.raises(Conflict) as refused:
            opens(conn)
        return str(refused.value)

    objected(changed, place, now)
    with ThreadPoolExecutor(1) as other:
        with changed.begin() as conn:
            opens(conn)
            waits = other.submit(second)  # for the end of this transaction, wherever it is by then
        assert "open in need already" in waits.result()
    assert len(grants(changed)) == 1


def test_who_is_done_closes_it(
    gwen: FlaskClient, changed: Engine, known: PersonKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_in_need(gwen, known)
    token = csrf(gwen, "/break-glass")
    monkeypatch.setenv("CARELINK_NOW", "2026-11-24T12:20:00+00:00")
    done = gwen.post(f"/people/{known}/break-glass/end", data=token, follow_redirects=True)
    assert read(done.text).one("h1").text == "The record is closed"
    assert gwen.get(f"/people/{known}").status_code == 404
    [row] = grants(changed)
    assert row.ends == datetime.fromisoformat("2026-11-24T12:20:00+00:00")
    [event] = trail(changed, "break-glass-end")
    assert (event.person, event.detail["grant"]) == (known, row.id)


def test_it_opens_to_nobody_else(
    gwen: FlaskClient, app: Flask, changed: Engine, known: PersonKey, now: datetime
) -> None:
    """Not to a colleague, and not to the same worker where they work for somebody else."""
    open_in_need(gwen, known)
    with changed.begin() as conn:
        for user, organisation in (("paul.reyes", "902"), (GWEN, "901")):
            row = {"user": user, "organisation": organisation, "role": "social-worker", "team": "x"}
            conn.execute(role_assignment.insert().values(row))
    for user, held in (("paul.reyes", "902|x|social-worker"), (GWEN, "901|x|social-worker")):
        assert signed_in(app, user, now, held).get(f"/people/{known}").status_code == 404


def test_no_system_sees_more_by_it_nor_asks_for_it_itself(
    gwen: FlaskClient, app: Flask, changed: Engine, place: Place, known: PersonKey
) -> None:
    """Not the systems of the worker's own organisation and role, whatever purpose they say."""
    secret = registered(changed, place, "southmere", "902", "social-worker", "system/*.rs")
    client = app.test_client()
    asks = bearer(token(client, "southmere", secret)) | {"X-Purpose-Of-Use": "BTG"}
    open_in_need(gwen, known)
    for path in (f"/fhir/R4/Patient/{known}", f"/fhir/R4/Patient/{known}/$everything"):
        assert client.get(path, headers=asks).status_code == 404
    assert client.post(f"/fhir/R4/Patient/{known}/$break-glass", headers=asks).status_code in (404, 405)
    assert len(grants(changed)) == 1


def test_who_views_as_somebody_else_opens_and_closes_nothing(
    changed: Engine, place: Place, now: datetime, known: PersonKey
) -> None:
    with changed.begin() as conn:
        grant(conn, known, now, ends=now + timedelta(hours=1), review_due=now)
        asked: Requester = requesters.requester(conn, place, UserId(GWEN))
        lens = Lens.compile(place, replace(asked, behind=UserId("iris.lang")), now)
        with pytest.raises(Forbidden):
            breakglass_opening.break_glass(conn, place, lens, known, Why("emergency", WORDS))
        with pytest.raises(Forbidden):
            breakglass_opening.end(conn, lens, known)


# What the place lets it open -----------------------------------------------------------------------

WIDENS = [
    # what broken glass opens, whether the stranger gets in at all, whether what was objected to is shown
    (("relationship",), False, False),
    (("relationship", "objection"), True, True),
    (("objection",), False, False),
]


@pytest.mark.parametrize(("widens", "opens", "shown"), WIDENS, ids=["+".join(one) for one, *_ in WIDENS])
def test_it_opens_to_a_stranger_exactly_what_the_place_lets_it(
    changed: Engine,
    place: Place,
    now: datetime,
    known: PersonKey,
    widens: tuple[str, ...],
    opens: bool,
    shown: bool,
    app: Flask,
) -> None:
    objected(changed, place, now)
    gwen = pages(changed, place, now, GWEN, *widens)
    found = find(gwen, **NORA_FACTS)
    assert found.status_code == (303 if opens else 200)
    if opens:
        post(gwen, f"/people/{known}/break-glass", **WHY, confirmed="yes")
        assert ("Diabetes" in gwen.get(f"/people/{known}").text) is shown


def test_who_is_involved_is_offered_it_where_it_shows_more(
    sam: FlaskClient, changed: Engine, place: Place, now: datetime, known: PersonKey
) -> None:
    assert "Open it in need" not in page(sam, f"/people/{known}").text, "nothing is kept back that it opens"
    objected(changed, place, now)
    before = page(sam, f"/people/{known}")
    assert "Open it in need" in before.text
    assert "Diabetes" not in before.text
    look = post(sam, f"/people/{known}/break-glass", f"/people/{known}/break-glass", **WHY)
    assert "You are about to open what is kept from you in this record" in said(look)
    post(sam, f"/people/{known}/break-glass", f"/people/{known}/break-glass", **WHY, confirmed="yes")
    after = page(sam, f"/people/{known}")
    assert "Diabetes" in after.text
    assert "Open it in need" not in after.text
    assert after.all("section", aria_label="Opened in need")


def test_an_objection_that_the_place_never_overrides_offers_nothing(
    changed: Engine, place: Place, now: datetime, known: PersonKey, app: Flask
) -> None:
    objected(changed, place, now)
    sam = pages(changed, place, now, "sam.okafor", "relationship")
    assert "Open it in need" not in page(sam, f"/people/{known}").text
    assert post(sam, f"/people/{known}/break-glass", f"/people/{known}", **WHY, confirmed="yes").status_code == 403


def test_where_nobody_is_told_that_something_is_withheld_the_offer_does_not_tell_it(
    changed: Engine, place: Place, now: datetime, known: PersonKey, app: Flask
) -> None:
    objected(changed, place, now)
    silent = replace(place, words=replace(place.words, tell_withheld=False))
    sam = signed_in(site(changed, silent), "sam.okafor", now)
    assert "Open it in need" not in page(sam, f"/people/{known}").text
