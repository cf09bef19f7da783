"""CareLink as a SMART app: opened from a hospital's or practice's own system, at the person whose record is open there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from fhir_builders import ANN_NUMBER, BOB_NUMBER, involve, people, trail
from flask.testing import FlaskClient
from joserfc.jwk import RSAKey
from page_builders import site
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from carelink.db.tables import user
from carelink.ids import Ods, PersonKey
from carelink.place import Ehr, Place
from fhir_adapters.simulators.smart_ehr import CLIENT_ID, Open, SmartEhr

WORKERS = "https://northdale.example/worker"  # Sam Okafor is W001 there


@pytest.fixture
def ehr() -> Iterator[SmartEhr]:
    made = SmartEhr(patients={"p-ann": ANN_NUMBER, "p-bob": BOB_NUMBER, "p-none": ""})
    running = made.serve()
    yield made
    running.close()


@pytest.fixture
def who(engine: Engine, place: Place) -> dict[str, PersonKey]:
    known = people(engine, place)
    with engine.begin() as conn:
        involve(conn, known["ann"], "901")
    return known


def entry(ehr: SmartEhr, **changed: str) -> Ehr:
    return replace(Ehr(ehr.iss, "Northdale Social Care", Ods("901"), CLIENT_ID, WORKERS), **changed)  # type: ignore[arg-type]


@pytest.fixture
def browser(engine: Engine, place: Place, ehr: SmartEhr, who: dict[str, PersonKey]) -> FlaskClient:
    return site(engine, replace(place, ehrs=(entry(ehr),))).test_client()


def opened(browser: FlaskClient, ehr: SmartEhr, user: str = "W001", patient: str = "p-ann") -> TestResponse:
    """What CareLink answers at the end of a launch from there."""
    away = browser.get("/launch", query_string={"iss": ehr.iss, "launch": ehr.launch(user, patient)})
    return back(browser, away)


def back(browser: FlaskClient, away: TestResponse) -> TestResponse:
    assert away.status_code == 303, away.text
    there = httpx.get(away.headers["Location"])
    assert there.status_code == 302
    where = urlsplit(there.headers["Location"])
    assert f"{where.scheme}://{where.netloc}{where.path}" == "http://localhost/launched"
    return browser.get(f"/launched?{where.query}")


def test_the_worker_is_signed_in_and_stands_before_the_person_who_is_open_there(
    browser: FlaskClient, ehr: SmartEhr, who: dict[str, PersonKey], engine: Engine
) -> None:
    answer = opened(browser, ehr)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/people/{who['ann']}")
    assert browser.get(answer.headers["Location"]).status_code == 200
    signed = next(one for one in trail(engine) if one.action == "sign-in")
    assert (signed.user, signed.organisation, signed.detail["from"]) == ("sam.okafor", "901", ehr.iss)
    asked = ehr.asked[0]
    assert (asked["aud"], asked["code_challenge_method"], asked["response_type"]) == (ehr.iss, "S256", "code")
    assert ANN_NUMBER not in str(ehr.asked)


def test_without_a_launch_there_is_the_round_trip_all_the_same(
    browser: FlaskClient, ehr: SmartEhr, who: dict[str, PersonKey]
) -> None:
    ehr.alone = Open("W001", "p-ann")
    answer = back(browser, browser.get("/launch", query_string={"iss": ehr.iss}))
    assert answer.headers["Location"] == f"/people/{who['ann']}"
    assert ehr.asked[0]["scope"].startswith("launch/patient ")
    ehr.alone = Open("W001")
    assert back(browser, browser.get("/launch", query_string={"iss": ehr.iss})).headers["Location"] == "/"


@pytest.mark.parametrize("patient", ["p-bob", "p-none"])
def test_somebody_unknown_and_somebody_of_others_get_one_page_that_says_what_to_do(
    browser: FlaskClient, ehr: SmartEhr, patient: str
) -> None:
    answer = opened(browser, ehr, patient=patient)
    if patient == "p-none":
        assert answer.headers["Location"] == "/"
        return
    assert answer.status_code == 200
    for words in ("There is nobody to show", "Northdale Social Care", "You are signed in", "Find a person"):
        assert words in answer.text
    ehr.patients["p-new"] = "9990000999"
    unknown = opened(browser, ehr, patient="p-new")
    assert unknown.text.partition("<main")[2] == answer.text.partition("<main")[2], (
        "whether the person is in CareLink is not told"
    )


@pytest.mark.parametrize("user", ["W999", "Sam Okafor", "sam.okafor", "S001"])
def test_a_user_who_is_no_worker_by_the_identifier_is_let_in_by_nothing_else(
    browser: FlaskClient, ehr: SmartEhr, engine: Engine, user: str
) -> None:
    ehr.claims = {"name": "Sam Okafor", "preferred_username": "sam.okafor"}
    answer = opened(browser, ehr, user)
    assert (answer.status_code, "does not know who you are in Northdale Social Care" in answer.text) == (403, True)
    assert browser.get("/people/find").status_code == 303, "nobody is signed in"
    assert trail(engine)[-1].action == "refusal"


def test_the_claim_that_names_the_worker_is_the_pack_s(
    engine: Engine, place: Place, ehr: SmartEhr, who: dict[str, PersonKey]
) -> None:
    by_user = entry(ehr, worker_claim="fhirUser", worker_system="https://northdale.example/practitioner")
    staff = dict(place.staff)
    browser = site(engine, replace(place, ehrs=(by_user,), staff=staff)).test_client()
    assert opened(browser, ehr).status_code == 403, "his identifiers have none of that system"
    with engine.begin() as conn:
        known = ["https://northdale.example/practitioner|W001"]
        conn.execute(user.update().where(user.c.id == "sam.okafor").values(identifiers=known))
    assert opened(browser, ehr).headers["Location"] == f"/people/{who['ann']}"


def test_a_worker_of_another_organisation_than_the_system_s_is_not_let_in(
    engine: Engine, place: Place, ehr: SmartEhr, who: dict[str, PersonKey]
) -> None:
    browser = site(engine, replace(place, ehrs=(entry(ehr, organisation="RDV"),))).test_client()
    assert opened(browser, ehr).status_code == 403


@pytest.mark.parametrize("iss", ["", "https://other.example/fhir", "http://169.254.169.254/latest", "javascript:1"])
def test_a_system_that_the_pack_does_not_name_is_not_asked(browser: FlaskClient, ehr: SmartEhr, iss: str) -> None:
    answer = browser.get("/launch", query_string={"iss": iss, "launch": "x"})
    assert (answer.status_code, "not opened from that system" in answer.text) == (403, True)
    assert ehr.asked == []


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example"},
        {"aud": "another-app"},
        {"nonce": "another"},
        {"exp": 1_000_000_000},
    ],
)
def test_what_was_not_said_for_this_launch_is_not_believed(
    browser: FlaskClient, ehr: SmartEhr, claims: dict[str, object]
) -> None:
    ehr.claims = claims
    assert opened(browser, ehr).status_code == 403
    assert browser.get("/people/find").status_code == 303


def test_a_key_that_is_not_the_system_s_is_not_believed_and_a_changed_one_is(
    browser: FlaskClient, ehr: SmartEhr, who: dict[str, PersonKey]
) -> None:
    assert opened(browser, ehr).status_code == 303
    ehr.key = RSAKey.generate_key(2048, auto_kid=True)
    assert opened(browser, ehr).status_code == 303
    stranger = RSAKey.generate_key(2048, {"kid": ehr.key.kid})
    own, ehr.key = ehr.key, stranger
    assert opened(browser, ehr).status_code == 403
    ehr.key = own


def test_what_comes_back_is_good_once_and_for_who_left_alone(
    browser: FlaskClient, ehr: SmartEhr, engine: Engine, place: Place
) -> None:
    away = browser.get("/launch", query_string={"iss": ehr.iss, "launch": ehr.launch("W001", "p-ann")})
    where = urlsplit(httpx.get(away.headers["Location"]).headers["Location"])
    other = site(engine, replace(place, ehrs=(entry(ehr),))).test_client()
    assert other.get(f"/launched?{where.query}").status_code == 403, "another browser"
    said = dict(parse_qsl(where.query))
    assert browser.get("/launched", query_string=said | {"state": "another"}).status_code == 403
    assert browser.get(f"/launched?{where.query}").status_code == 403, "the attempt was used up"


def test_a_system_that_does_not_answer_is_said_so(engine: Engine, place: Place, who: dict[str, PersonKey]) -> None:
    gone = SmartEhr()
    gone.serve().close()
    browser = site(engine, replace(place, ehrs=(entry(gone),))).test_client()
    answer = browser.get("/launch", query_string={"iss": gone.iss, "launch": "x"})
    assert (answer.status_code, "Northdale Social Care" in answer.text) == (503, True)


def test_a_code_that_the_system_does_not_know_opens_nothing(browser: FlaskClient, ehr: SmartEhr) -> None:
    away = browser.get("/launch", query_string={"iss": ehr.iss, "launch": ehr.launch("W001", "p-ann")})
    where = urlsplit(httpx.get(away.headers["Location"]).headers["Location"])
    ehr.codes.clear()
    assert browser.get(f"/launched?{where.query}").status_code == 403
