"""Whom two facts find for a worker who is not involved: exactly one person or nobody, and every try is kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from breakglass_builders import GWEN, NORA_FACTS, NORA_PLACE, find, post, said, trail
from flask import Flask
from flask.testing import FlaskClient
from ingest_builders import patient, take
from page_builders import NORA, identified, objection, page, signed_in, site
from sqlalchemy import Engine, text

from carelink.consent.sensitivity import Sensitivity
from carelink.db.tables import kept_out
from carelink.ids import PersonKey
from carelink.place import Place

NOBODY = "No record can be opened by what you entered"


@pytest.fixture
def gwen(app: Flask, changed: Engine, now: datetime) -> FlaskClient:
    return signed_in(app, GWEN, now)


def stored(engine: Engine, place: Place, now: datetime, id_: str, **body: Any) -> None:
    with engine.begin() as conn:
        take(conn, place, [patient(id_, **body)], now)


@pytest.mark.parametrize("facts", [NORA_FACTS, NORA_PLACE], ids=["number and birth date", "name, birth date, postcode"])
def test_two_facts_find_somebody_whom_the_worker_is_not_involved_with(
    gwen: FlaskClient, known: PersonKey, facts: dict[str, str]
) -> None:
    answer = find(gwen, **facts)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/people/{known}/break-glass")
    told = page(gwen, f"/people/{known}/break-glass").one("main").text
    assert "Nora Hart" in told
    assert "6 May 1944" in told
    assert "Mill Lane" not in told, "where she is, is not needed to know that it is she"


NEARLY = {
    "one digit of the year": NORA_FACTS | {"born-year": "1945"},
    "another's number": NORA_FACTS | {"nhs_number": "9990000026"},
    "the beginning of the name": NORA_PLACE | {"family": "har"},
    "another spelling": NORA_PLACE | {"family": "heart"},
    "a postcode nearby": NORA_PLACE | {"postcode": "DM1 4QS"},
}


@pytest.mark.parametrize("facts", NEARLY.values(), ids=NEARLY)
def test_what_fits_nearly_finds_nobody(gwen: FlaskClient, facts: dict[str, str]) -> None:
    answer = find(gwen, **facts)
    assert (answer.status_code, NOBODY in said(answer)) == (200, True)


LACKING = {
    "a number alone": {"nhs_number": "9990000018"},
    "a birth date alone": {k: v for k, v in NORA_FACTS.items() if k != "nhs_number"},
    "a name and a birth date": {k: v for k, v in NORA_PLACE.items() if k != "postcode"},
    "a postcode and a birth date": {k: v for k, v in NORA_PLACE.items() if k != "family"},
    "a year for a birth date": {"nhs_number": "9990000018", "born-year": "1944"},
    "no number of the NHS": NORA_FACTS | {"nhs_number": "9990000019"},
}


@pytest.mark.parametrize("facts", LACKING.values(), ids=LACKING)
def test_one_fact_is_not_enough(gwen: FlaskClient, changed: Engine, facts: dict[str, str]) -> None:
    assert find(gwen, **facts).status_code == 400
    assert trail(changed, "break-glass-search") == [], "nothing was looked for"


def test_several_are_answered_like_nobody(gwen: FlaskClient, changed: Engine, place: Place, now: datetime) -> None:
    twin = identified("9990000026", "Hart", "Nell", NORA["birthDate"], address=NORA["address"])
    nobody = said(find(gwen, **NORA_PLACE | {"family": "nobody"}))
    stored(changed, place, now, "twin", **twin)
    assert said(find(gwen, **NORA_PLACE)) == nobody


def test_a_restricted_person_is_never_found_by_a_postcode(gwen: FlaskClient, changed: Engine, known: PersonKey) -> None:
    nobody = said(find(gwen, **NORA_PLACE | {"family": "nobody"}))
    with changed.begin() as conn:
        conn.execute(text("update person set restricted = true where key = :key"), {"key": known})
    assert said(find(gwen, **NORA_PLACE)) == nobody
    assert find(gwen, **NORA_FACTS).status_code == 303


def test_whom_a_court_keeps_away_finds_nobody_by_a_postcode(
    gwen: FlaskClient, changed: Engine, known: PersonKey, now: datetime
) -> None:
    nobody = said(find(gwen, **NORA_PLACE | {"family": "nobody"}))
    order = {
        "person": known,
        "kind": "court-order",
        "user": GWEN,
        "organisation": "902",
        "starts": now,
        "origin": known,
    }
    with changed.begin() as conn:
        conn.execute(kept_out.insert().values(order))
    assert said(find(gwen, **NORA_PLACE)) == nobody


@pytest.mark.parametrize("sensitivity", [Sensitivity.SDV, Sensitivity.RESTRICTED, 1 << 15])
def test_where_somebody_went_is_not_confirmed_by_a_record_that_is_kept_back(
    gwen: FlaskClient, changed: Engine, known: PersonKey, sensitivity: int
) -> None:
    nobody = said(find(gwen, **NORA_PLACE | {"family": "nobody"}))
    with changed.begin() as conn:
        label = text(
            "update resource set sensitivities = :bits where person = :key and type = 'Patient' and key <> :key"
        )
        conn.execute(label, {"key": known, "bits": int(sensitivity)})
        golden = text("delete from index_string where key = :key")
        conn.execute(golden, {"key": known})
    assert said(find(gwen, **NORA_PLACE)) == nobody
    assert find(gwen, **NORA_FACTS).status_code == 303, "by the number, which tells nobody where they are"


def test_a_name_that_the_law_hides_finds_nobody(gwen: FlaskClient, changed: Engine, known: PersonKey) -> None:
    nobody = said(find(gwen, **NORA_FACTS | {"born-year": "1900"}))
    with changed.begin() as conn:
        legal = text("update resource set sensitivities = sensitivities | 512 where person = :key and type = 'Patient'")
        conn.execute(legal, {"key": known})
    assert said(find(gwen, **NORA_FACTS)) == nobody


def test_every_try_is_kept_without_what_was_typed(gwen: FlaskClient, changed: Engine, known: PersonKey) -> None:
    find(gwen, **NORA_FACTS)
    find(gwen, **NORA_PLACE | {"family": "nobody"})
    found, missed = trail(changed, "break-glass-search")
    assert (found.user, found.person, found.count, found.query) == (GWEN, known, 1, "identifier&birthdate")
    assert (missed.person, missed.count, missed.query) == (None, 0, "family&birthdate&address-postalcode")
    whole = " ".join(str(value) for row in (found, missed) for value in row)
    assert not any(value in whole for value in ("9990000018", "1944", "DM1", "hart", "nobody"))


def test_who_it_is_is_told_once_and_that_is_kept(gwen: FlaskClient, changed: Engine, known: PersonKey) -> None:
    find(gwen, **NORA_FACTS)
    page(gwen, f"/people/{known}/break-glass")
    [look] = [row for row in trail(changed, "read") if row.user == GWEN]
    assert (look.person, look.query, look.count) == (known, "who they are, before break-glass", 1)
    assert (look.organisation, look.role, look.rules) == ("902", "social-worker", ["L9-break-glass"])


def test_nothing_that_was_typed_stands_in_an_address(gwen: FlaskClient) -> None:
    answer = find(gwen, **NORA_FACTS)
    assert "999" not in answer.headers["Location"].rpartition("/people/")[0]
    assert "?" not in answer.headers["Location"]


def test_who_is_involved_already_is_led_to_the_record_itself(
    sam: FlaskClient, changed: Engine, known: PersonKey
) -> None:
    answer = find(sam, **NORA_FACTS)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/people/{known}")


def test_who_only_holds_the_key_learns_nothing_by_it(gwen: FlaskClient, known: PersonKey) -> None:
    of_somebody = gwen.get(f"/people/{known}/break-glass")
    of_nobody = gwen.get("/people/00000000-0000-4000-8000-000000000000/break-glass")
    assert (of_somebody.status_code, of_nobody.status_code) == (404, 404)
    assert said(of_somebody).rpartition("reference")[0] == said(of_nobody).rpartition("reference")[0]


def test_the_name_that_the_law_hides_is_told_to_nobody_who_is_involved_either(
    app: Flask, changed: Engine, known: PersonKey, place: Place, now: datetime
) -> None:
    with changed.begin() as conn:
        legal = text("update resource set sensitivities = sensitivities | 512 where person = :key and type = 'Patient'")
        conn.execute(legal, {"key": known})
        take(conn, place, [objection()], now)
    sam = signed_in(app, "sam.okafor", now)
    assert "Hart" not in sam.get(f"/people/{known}/break-glass").text


def test_what_was_found_must_be_used_soon(gwen: FlaskClient, known: PersonKey, monkeypatch: pytest.MonkeyPatch) -> None:
    find(gwen, **NORA_FACTS)
    monkeypatch.setenv("CARELINK_NOW", "2026-11-24T12:15:00+00:00")
    assert gwen.get(f"/people/{known}/break-glass").status_code == 404


@pytest.mark.parametrize("user", ["iris.lang", "paul.reyes", "nora"])
def test_a_role_that_cares_for_nobody_is_refused(app: Flask, changed: Engine, now: datetime, user: str) -> None:
    browser = signed_in(app, user, now)
    assert browser.get("/break-glass").status_code == 403


def test_a_place_without_break_glass_has_none(changed: Engine, place: Place, now: datetime, app: Flask) -> None:
    browser = signed_in(site(changed, replace(place, glass=None)), GWEN, now)
    assert browser.get("/break-glass").status_code == 403
    answer = post(browser, "/people/find", "/people/find", nhs_number="9990000018")
    assert "Open a record in need" not in answer.text


def test_where_nobody_is_found_one_link_leads_there(gwen: FlaskClient, app: Flask, now: datetime) -> None:
    answer = post(gwen, "/people/find", "/people/find", nhs_number="9990000018")
    assert answer.text.count('href="/break-glass"') == 1
