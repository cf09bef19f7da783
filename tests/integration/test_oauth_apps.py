"""Apps that act for a worker: they ask, the worker says yes or no, and they see what that worker may see and no more."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from fhir_builders import ANN_NUMBER, BOB_NUMBER, api, bearer, entries, involve, people, settings_for, trail, wrong
from fhir_builders import read as body
from flask import Flask
from flask.testing import FlaskClient
from html_reading import read
from joserfc import jwt
from joserfc.jwk import KeySet
from oauth_builders import APP, REDIRECT, Keyed, agreed, asking, public, redeeming, returned, rsa
from page_builders import signed_in
from sqlalchemy import Engine

from carelink import clock
from carelink.app import create_app
from carelink.db.tables import client as client_table
from carelink.db.tables import oauth_refresh, relationship, user
from carelink.identity import families, registering
from carelink.identity.registering import Wanted
from carelink.ids import PersonKey
from carelink.place import Place

SAM = "sam.okafor"
EVERYTHING = "patient/*.rs user/*.rs openid fhirUser launch/patient offline_access online_access"
OF_ANN = "patient/*.rs openid offline_access"
Redeems = Callable[..., dict[str, str]]


@pytest.fixture
def who(engine: Engine, place: Place) -> dict[str, PersonKey]:
    """Ann and Bob; Sam's council is involved with both."""
    known = people(engine, place)
    with engine.begin() as conn:
        for key in known.values():
            involve(conn, key, "901")
        registering.add(conn, place, Wanted(APP, "901", scopes=EVERYTHING, redirect_uris=(REDIRECT,), public=True))
    return known


@pytest.fixture
def app(engine: Engine, place: Place, who: dict[str, PersonKey]) -> Flask:
    return api(engine, place)


@pytest.fixture
def sam(app: Flask) -> FlaskClient:
    return signed_in(app, SAM, clock.now())


@pytest.fixture
def outside(app: Flask) -> FlaskClient:
    """The app itself: no cookie of anybody's."""
    return app.test_client()


@pytest.fixture
def redeem(sam: FlaskClient, outside: FlaskClient) -> Redeems:
    """The tokens that come of Sam's yes."""

    def all_of_it(scope: str = OF_ANN, number: str = ANN_NUMBER, **changed: str) -> dict[str, str]:
        code = agreed(sam, scope, number, **changed)["code"]
        answer = outside.post("/oauth2/token", data=redeeming(code))
        assert answer.status_code == 200, answer.text
        told: dict[str, str] = answer.get_json()
        return told

    return all_of_it


def test_the_page_says_which_app_asks_for_what_and_as_whom(sam: FlaskClient) -> None:
    told = read(sam.get("/oauth2/authorize", query_string=asking(EVERYTHING)).text).one("main").text
    for words in (
        "Let growth-chart use CareLink as you?",
        "an app of Northdale Council",
        "Read everything that you may see of the one person whom you choose",
        "Know who you are",
        "Go on for up to 30 days",
        "as Social worker at Northdale Council",
    ):
        assert words in told, told


def test_the_worker_s_yes_gives_the_app_tokens_in_the_person_s_context(
    redeem: Redeems, outside: FlaskClient, who: dict[str, PersonKey], engine: Engine
) -> None:
    told = redeem()
    assert (told["patient"], told["scope"], told["token_type"]) == (str(who["ann"]), OF_ANN, "Bearer")
    asked = outside.get(f"/fhir/R4/Patient/{who['ann']}", headers=bearer(told["access_token"]))
    assert asked.status_code == 200, asked.text
    read_, gave, said = trail(engine)[-1], trail(engine)[-2], trail(engine)[-3]
    assert (read_.action, read_.user, read_.organisation, read_.role) == ("read", SAM, "901", "social-worker")
    assert read_.detail["client"] == APP
    assert (gave.action, gave.detail["grant"]) == ("sign-in", "authorization_code")
    assert (said.person, said.detail["scopes"], said.detail["client"]) == (who["ann"], OF_ANN, APP)


def test_an_app_in_one_person_s_context_sees_nobody_else_on_any_path(
    redeem: Redeems, outside: FlaskClient, who: dict[str, PersonKey]
) -> None:
    headers = bearer(redeem()["access_token"])
    ann, bob = who["ann"], who["bob"]
    for path in (f"Patient/{bob}", f"Patient/{bob}/$everything"):
        wrong(outside.get(f"/fhir/R4/{path}", headers=headers), 404, "not-found")
    both = outside.get(f"/fhir/R4/Patient?identifier={ANN_NUMBER},{BOB_NUMBER}", headers=headers)
    assert [one["id"] for one in entries(body(both))] == [str(ann)]
    for whose, found in ((ann, True), (bob, False)):
        conditions = outside.get(f"/fhir/R4/Condition?patient={whose}", headers=headers)
        assert bool(entries(body(conditions))) is found
    everything = body(outside.get(f"/fhir/R4/Patient/{ann}/$everything", headers=headers))
    assert {"Patient", "Condition"} <= {one["resourceType"] for one in entries(everything)}


def test_an_app_for_the_user_sees_what_the_worker_may_see_and_no_more(
    redeem: Redeems, outside: FlaskClient, who: dict[str, PersonKey], sam: FlaskClient
) -> None:
    told = redeem("user/Patient.rs", "")
    assert "patient" not in told
    assert "refresh_token" not in told
    for key in who.values():
        assert outside.get(f"/fhir/R4/Patient/{key}", headers=bearer(told["access_token"])).status_code == 200
    wrong(
        outside.get(f"/fhir/R4/Condition?patient={who['ann']}", headers=bearer(told["access_token"])), 403, "forbidden"
    )


def test_a_narrowed_scope_shows_what_meets_it_and_nothing_else_on_any_path(
    redeem: Redeems, outside: FlaskClient, who: dict[str, PersonKey]
) -> None:
    ann = who["ann"]
    all_ = outside.get(f"/fhir/R4/Condition?patient={ann}", headers=bearer(redeem()["access_token"]))
    (problem,) = entries(body(all_))
    code = problem["code"]["coding"][0]
    for value, seen in (
        (f"{code['system']}|{code['code']}", True),
        (code["code"], True),
        (f"|{code['code']}", False),
        ("0", False),
    ):
        scope = f"patient/Condition.rs?code={value} patient/Patient.rs"
        headers = bearer(redeem(scope)["access_token"])
        found = outside.get(f"/fhir/R4/Condition?patient={ann}", headers=headers)
        assert bool(entries(body(found))) is seen, scope
        assert (outside.get(f"/fhir/R4/Condition/{problem['id']}", headers=headers).status_code == 200) is seen
        everything = body(outside.get(f"/fhir/R4/Patient/{ann}/$everything", headers=headers))
        types = [one["resourceType"] for one in entries(everything)]
        assert ("Condition" in types) is seen
        assert set(types) <= {"Patient", "Condition"}


def test_an_app_that_asks_for_writing_too_is_given_the_reading_part(redeem: Redeems) -> None:
    assert redeem("patient/*.* patient/Condition.write system/*.rs nonsense openid")["scope"] == "patient/*.rs openid"


def test_a_no_gives_the_app_nothing_and_is_kept(sam: FlaskClient, engine: Engine) -> None:
    told = read(sam.get("/oauth2/authorize", query_string=asking(OF_ANN)).text).one("main")
    hidden = {one.attributes["name"]: one.attributes["value"] for one in told.all("input", type="hidden")}
    back = returned(sam.post("/oauth2/authorize", data=hidden | {"answer": "no"}))
    assert (back["error"], back["state"], back["iss"]) == ("access_denied", "its-state", "http://localhost")
    assert (trail(engine)[-1].action, trail(engine)[-1].rules) == ("refusal", ["oauth2-access_denied"])


def test_somebody_whom_the_worker_may_not_know_is_told_as_nobody_is(
    sam: FlaskClient, engine: Engine, place: Place
) -> None:
    told = read(sam.get("/oauth2/authorize", query_string=asking(OF_ANN)).text).one("main")
    hidden = {one.attributes["name"]: one.attributes["value"] for one in told.all("input", type="hidden")}
    for number, words in (
        ("9990000999", "Nobody that you are involved with"),
        ("123", "not an NHS number"),
        ("", "Enter an NHS number"),
    ):
        again = sam.post("/oauth2/authorize", data=hidden | {"answer": "yes", "nhs_number": number})
        assert (again.status_code, words in again.text) == (200, True)


def test_whoever_is_not_signed_in_signs_in_first_and_comes_back(outside: FlaskClient) -> None:
    asked = asking(OF_ANN)
    away = outside.get("/oauth2/authorize", query_string=asked)
    assert (away.status_code, away.headers["Location"]) == (303, "/")
    with outside.session_transaction() as session:
        assert session["next"].startswith("/oauth2/authorize?")
        assert "code_challenge=" in session["next"]


# what the app sends instead -> the error that it is sent back with
WRONG: list[tuple[dict[str, str | None], str]] = [
    ({"aud": "https://other.example/fhir"}, "invalid_request"),
    ({"aud": None}, "invalid_request"),
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"code_challenge": "short"}, "invalid_request"),
    ({"scope": "system/*.rs"}, "invalid_scope"),
    ({"scope": None}, "invalid_scope"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"launch": "made-up"}, "invalid_request"),
    ({"prompt": "none"}, "interaction_required"),
]


@pytest.mark.parametrize(("changed", "error"), WRONG)
def test_an_app_is_told_what_is_wrong_with_what_it_asks(
    sam: FlaskClient, changed: dict[str, str | None], error: str
) -> None:
    asked = {name: value for name, value in (asking(OF_ANN) | changed).items() if value is not None}
    back = returned(sam.get("/oauth2/authorize", query_string=asked))
    assert (back["error"], back["state"], back["iss"]) == (error, "its-state", "http://localhost")


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": REDIRECT + "/"},
        {"redirect_uri": REDIRECT + "?x=1"},
        {"redirect_uri": "https://app.example.evil/back"},
        {"redirect_uri": None},
        {"client_id": "nobody"},
        {"client_id": None},
    ],
)
def test_nobody_is_sent_where_the_app_is_not_certainly(
    sam: FlaskClient, engine: Engine, changed: dict[str, str | None]
) -> None:
    answer = sam.get("/oauth2/authorize", query_string=asking(OF_ANN, **changed))
    assert answer.status_code == 403
    assert "Location" not in answer.headers
    assert trail(engine)[-1].action == "refusal"


def test_the_form_may_lead_to_the_app_and_nowhere_else(sam: FlaskClient) -> None:
    page = sam.get("/oauth2/authorize", query_string=asking(OF_ANN))
    assert "form-action 'self' https://app.example;" in page.headers["Content-Security-Policy"]
    assert "app.example" not in sam.get("/people/find").headers["Content-Security-Policy"]


def test_an_app_of_another_organisation_is_not_let_in(app: Flask, engine: Engine, place: Place) -> None:
    elsewhere = next(one for one in place.staff.values() if one.organisation == "RDV")
    browser = signed_in(app, elsewhere.id, clock.now())
    answer = browser.get("/oauth2/authorize", query_string=asking(OF_ANN))
    assert (answer.status_code, "people who work at Northdale Council" in answer.text) == (403, True)


def test_a_code_is_good_once_and_used_twice_ends_all_that_came_of_it(sam: FlaskClient, outside: FlaskClient) -> None:
    code = agreed(sam, OF_ANN, ANN_NUMBER)["code"]
    told = outside.post("/oauth2/token", data=redeeming(code)).get_json()
    again = outside.post("/oauth2/token", data=redeeming(code))
    assert (again.status_code, again.get_json()["error"]) == (400, "invalid_grant")
    assert _refreshed(outside, told["refresh_token"]).status_code == 400


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"code_verifier": "b" * 43}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"redirect_uri": "https://app.example/other"}, "invalid_grant"),
        ({"code": "made-up"}, "invalid_grant"),
        ({"client_id": "nobody"}, "invalid_client"),
    ],
)
def test_a_code_is_nothing_without_what_belongs_to_it(
    sam: FlaskClient, outside: FlaskClient, changed: dict[str, str], error: str
) -> None:
    code = agreed(sam, OF_ANN, ANN_NUMBER)["code"]
    answer = outside.post("/oauth2/token", data=redeeming(code) | changed)
    assert answer.get_json()["error"] == error
    assert outside.post("/oauth2/token", data=redeeming(code)).status_code == 200, "it was not used up by others"


def test_a_code_is_over_after_a_minute(sam: FlaskClient, outside: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    code, now = agreed(sam, OF_ANN, ANN_NUMBER)["code"], clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(seconds=61))
    assert outside.post("/oauth2/token", data=redeeming(code)).get_json()["error"] == "invalid_grant"


def _refreshed(outside: FlaskClient, token: str, **more: str):  # type: ignore[no-untyped-def]
    asked = {"grant_type": "refresh_token", "refresh_token": token, "client_id": APP}
    return outside.post("/oauth2/token", data=asked | more)


def test_a_refresh_token_gives_the_next_and_used_twice_ends_all_of_its_family(
    redeem: Redeems, outside: FlaskClient
) -> None:
    first = redeem()["refresh_token"]
    told = _refreshed(outside, first).get_json()
    assert told["scope"] == OF_ANN
    assert told["refresh_token"] != first
    assert _refreshed(outside, first).get_json()["error"] == "invalid_grant"
    assert _refreshed(outside, told["refresh_token"]).get_json()["error"] == "invalid_grant", "the thief's or the app's"


def test_a_refresh_may_ask_for_less_and_never_for_more(redeem: Redeems, outside: FlaskClient) -> None:
    told = _refreshed(outside, redeem()["refresh_token"], scope="patient/*.rs").get_json()
    assert told["scope"] == "patient/*.rs"
    assert _refreshed(outside, told["refresh_token"], scope="user/*.rs").get_json()["error"] == "invalid_scope"
    assert _refreshed(outside, told["refresh_token"]).get_json()["scope"] == OF_ANN


def test_who_left_or_whose_app_was_ended_is_refreshed_no_more(
    redeem: Redeems, outside: FlaskClient, engine: Engine
) -> None:
    told = redeem()
    with engine.begin() as conn:
        conn.execute(user.update().where(user.c.id == SAM).values(active=False))
    assert _refreshed(outside, told["refresh_token"]).get_json()["error"] == "invalid_grant"
    with engine.begin() as conn:
        conn.execute(user.update().where(user.c.id == SAM).values(active=True))
        registering.revoke(conn, APP)
    assert _refreshed(outside, told["refresh_token"]).get_json()["error"] == "invalid_client"
    with engine.begin() as conn:
        conn.execute(client_table.update().values(active=True))
    assert _refreshed(outside, told["refresh_token"]).get_json()["error"] == "invalid_grant"


def test_a_refresh_token_lasts_as_long_as_was_said(
    redeem: Redeems, outside: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    offline, online = redeem()["refresh_token"], redeem("patient/*.rs online_access")["refresh_token"]
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=9))
    assert _refreshed(outside, online).status_code == 400
    next_ = _refreshed(outside, offline)
    assert next_.status_code == 200
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=31))
    assert _refreshed(outside, next_.get_json()["refresh_token"]).status_code == 400, "using it made it no longer"


def test_who_uses_it_is_told_to_the_app_in_a_signed_token(redeem: Redeems, outside: FlaskClient) -> None:
    told = redeem(nonce="its-nonce")
    keys = KeySet.import_key_set(outside.get("/oauth2/keys").get_json())
    claims = jwt.decode(told["id_token"], keys, algorithms=["ES256"]).claims
    assert (claims["iss"], claims["aud"], claims["sub"], claims["nonce"]) == ("http://localhost", APP, SAM, "its-nonce")
    assert "d" not in outside.get("/oauth2/keys").get_json()["keys"][0]


def test_introspection_tells_a_client_of_its_own_tokens_and_of_no_others(
    redeem: Redeems, outside: FlaskClient, engine: Engine, place: Place
) -> None:
    told = redeem()
    ward = Keyed.registered(engine, place, "ward-system", "RDV", "nurse", "system/*.rs")
    own = outside.post("/oauth2/token", data=ward.asks()).get_json()["access_token"]

    def introspected(token: str, **proof: str) -> dict[str, object]:
        answer = outside.post("/oauth2/introspect", data={"token": token, **proof})
        assert answer.status_code == 200, answer.text
        found: dict[str, object] = answer.get_json()
        return found

    for token in (told["access_token"], told["refresh_token"], "nonsense"):
        assert introspected(token, **ward.proves(ward.assertion())) == {"active": False}
    mine = introspected(own, **ward.proves(ward.assertion()))
    assert (mine["active"], mine["scope"], mine["organisation"], mine["role"]) == (True, "system/*.rs", "RDV", "nurse")
    theirs = introspected(told["access_token"], client_id=APP)
    assert (theirs["active"], theirs["sub"], theirs["patient"]) == (True, SAM, told["patient"])
    assert introspected(told["refresh_token"], client_id=APP)["active"] is True
    assert outside.post("/oauth2/introspect", data={"token": own}).status_code == 401


@pytest.mark.parametrize("which", ["access_token", "refresh_token"])
def test_what_is_given_back_ends_with_all_that_came_of_it(redeem: Redeems, outside: FlaskClient, which: str) -> None:
    told = redeem()
    given = outside.post("/oauth2/revoke", data={"token": told[which], "client_id": APP})
    assert given.status_code == 200
    assert _refreshed(outside, told["refresh_token"]).status_code == 400
    asked = {"token": told["access_token"], "client_id": APP}
    assert outside.post("/oauth2/introspect", data=asked).get_json() == {"active": False}
    assert outside.post("/oauth2/revoke", data={"token": "unknown", "client_id": APP}).status_code == 200


def test_an_app_with_keys_proves_itself_by_them(
    sam: FlaskClient, outside: FlaskClient, engine: Engine, place: Place, who: dict[str, PersonKey]
) -> None:
    key = rsa()
    with engine.begin() as conn:
        registering.add(conn, place, Wanted(APP, "901", scopes=EVERYTHING, redirect_uris=(REDIRECT,), jwks=public(key)))
    app = Keyed(APP, key, "RS384")
    code = agreed(sam, OF_ANN, ANN_NUMBER)["code"]
    assert outside.post("/oauth2/token", data=redeeming(code)).status_code == 401
    answer = outside.post("/oauth2/token", data=redeeming(code) | app.proves(app.assertion()))
    assert answer.status_code == 200, answer.text


def test_an_app_gets_no_token_of_its_own_and_a_system_asks_nobody(
    outside: FlaskClient, sam: FlaskClient, engine: Engine, place: Place
) -> None:
    as_itself = outside.post("/oauth2/token", data={"grant_type": "client_credentials", "client_id": APP})
    assert as_itself.get_json()["error"] == "unauthorized_client"
    Keyed.registered(engine, place, "ward-system", "901", "social-worker", "system/*.rs")
    assert sam.get("/oauth2/authorize", query_string=asking("system/*.rs", client_id="ward-system")).status_code == 403


def test_the_places_where_it_is_said_what_can_be_done_say_the_same(outside: FlaskClient) -> None:
    told = outside.get("/fhir/R4/.well-known/smart-configuration").get_json()
    issuer = outside.get("/.well-known/oauth-authorization-server").get_json()
    assert issuer == outside.get("/.well-known/openid-configuration").get_json()
    assert {**issuer, **told} == {**told, **issuer}
    for name in (
        "token_endpoint",
        "introspection_endpoint",
        "revocation_endpoint",
        "jwks_uri",
        "authorization_endpoint",
    ):
        path = told[name].removeprefix("http://localhost")
        assert outside.get(path).status_code in (200, 403, 405), name
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert {"client-confidential-asymmetric", "permission-v2", "sso-openid-connect"} <= set(told["capabilities"])


def test_too_many_requests_of_one_client_are_put_off(engine: Engine, place: Place, who: dict[str, PersonKey]) -> None:
    few = create_app(replace(settings_for(place), tokens_per_minute=3), place, engine).test_client()
    asked = {"grant_type": "client_credentials", "client_id": "guesser", "client_secret": "x"}
    assert [few.post("/oauth2/token", data=asked).status_code for _ in range(4)] == [401, 401, 401, 429]
    late = few.post("/oauth2/token", data=asked)
    assert late.get_json()["error"] == "temporarily_unavailable"
    assert 1 <= int(late.headers["Retry-After"]) <= 60
    assert few.post("/oauth2/token", data=asked | {"client_id": "other"}).status_code == 401, "others are not put off"


def test_reading_alone_and_searching_alone_are_each_what_they_say(
    redeem: Redeems, outside: FlaskClient, who: dict[str, PersonKey]
) -> None:
    ann = who["ann"]
    for letters, reads, finds in (("r", 200, 403), ("s", 403, 200), ("rs", 200, 200)):
        headers = bearer(redeem(f"user/Patient.{letters}", "")["access_token"])
        assert outside.get(f"/fhir/R4/Patient/{ann}", headers=headers).status_code == reads, letters
        found = outside.get(f"/fhir/R4/Patient?identifier={ANN_NUMBER}", headers=headers)
        assert found.status_code == finds, letters


def test_a_worker_sees_which_apps_go_on_and_ends_them(
    redeem: Redeems, outside: FlaskClient, sam: FlaskClient, app: Flask
) -> None:
    told = redeem()
    page = read(sam.get("/apps").text).one("main")
    assert "growth-chart" in page.text
    assert "It must ask you again after" in page.text
    (form,) = page.all("form")
    token = form.one("input", name="csrf_token").attributes["value"]
    other = signed_in(app, "gwen.price", clock.now())
    assert "There are none" in other.get("/apps").text
    theirs = read(other.get("/people/find").text).one("main").all("input", name="csrf_token")[0].attributes["value"]
    assert other.post(form.attributes["action"], data={"csrf_token": theirs}).status_code == 404
    assert sam.post(form.attributes["action"], data={"csrf_token": token}).status_code == 303
    assert "There are none" in sam.get("/apps").text
    assert _refreshed(outside, told["refresh_token"]).status_code == 400


def test_of_two_that_use_a_refresh_token_at_once_one_wins(redeem: Redeems, engine: Engine) -> None:
    token, now = redeem()["refresh_token"], clock.now()

    def use(_: int) -> bool:
        with engine.begin() as conn:
            given = families.found(conn, oauth_refresh, token, APP, now)
            return given is not None and families.use(conn, oauth_refresh, given, now)

    with ThreadPoolExecutor(4) as at_once:
        assert sorted(at_once.map(use, range(8))) == [False] * 7 + [True]


LAUNCHED = "launch patient/*.rs"


@pytest.fixture
def opens(engine: Engine, place: Place, who: dict[str, PersonKey]) -> None:
    """The app opens at a person."""
    with engine.begin() as conn:
        wanted = Wanted(APP, "901", scopes=f"launch {EVERYTHING}", redirect_uris=(REDIRECT,), public=True)
        registering.add(conn, place, replace(wanted, launch_url="https://app.example/launch?from=here"))


def _opened(browser: FlaskClient, person: PersonKey) -> dict[str, str]:
    """What the app is opened with at that person."""
    page = browser.get(f"/people/{person}/apps")
    assert "form-action 'self' https://app.example;" in page.headers["Content-Security-Policy"].replace(
        "http://127.0.0.1:9 ", ""
    )
    (form,) = read(page.text).one("main").all("form")
    token = form.one("input", name="csrf_token").attributes["value"]
    away = browser.post(form.attributes["action"], data={"csrf_token": token})
    assert away.status_code == 303
    where = urlsplit(away.headers["Location"])
    assert where.netloc == "app.example"
    return dict(parse_qsl(where.query))


def test_an_app_that_is_opened_at_a_person_shows_that_person(
    opens: None, sam: FlaskClient, outside: FlaskClient, who: dict[str, PersonKey], engine: Engine
) -> None:
    given = _opened(sam, who["ann"])
    assert (given["iss"], given["from"]) == ("http://localhost/fhir/R4", "here")
    assert str(who["ann"]) not in given["launch"]
    back = agreed(sam, LAUNCHED, launch=given["launch"])
    told = outside.post("/oauth2/token", data=redeeming(back["code"])).get_json()
    assert told["patient"] == str(who["ann"])
    assert outside.get(f"/fhir/R4/Patient/{who['ann']}", headers=bearer(told["access_token"])).status_code == 200
    wrong(outside.get(f"/fhir/R4/Patient/{who['bob']}", headers=bearer(told["access_token"])), 404, "not-found")


def test_a_launch_is_good_for_that_app_that_worker_and_five_minutes(
    opens: None, sam: FlaskClient, app: Flask, who: dict[str, PersonKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    launch, now = _opened(sam, who["ann"])["launch"], clock.now()
    asked = asking(LAUNCHED, launch=launch)
    noor = signed_in(app, "noor.haddad", clock.now())
    assert returned(noor.get("/oauth2/authorize", query_string=asked))["error"] == "invalid_request"
    changed = asked | {"launch": launch[:-4] + "AAAA"}
    assert returned(sam.get("/oauth2/authorize", query_string=changed))["error"] == "invalid_request"
    assert sam.get("/oauth2/authorize", query_string=asked).status_code == 200
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(minutes=6))
    assert returned(sam.get("/oauth2/authorize", query_string=asked))["error"] == "invalid_request"


def test_nothing_opens_at_somebody_whom_the_worker_may_not_know(
    opens: None, sam: FlaskClient, engine: Engine, who: dict[str, PersonKey]
) -> None:
    with engine.begin() as conn:
        conn.execute(relationship.delete().where(relationship.c.person == who["bob"]))
    unknown = sam.get("/people/00000000-0000-4000-8000-000000000000/apps")
    theirs = sam.get(f"/people/{who['bob']}/apps")
    assert (unknown.status_code, theirs.status_code) == (404, 404)
