"""POST /oauth2/token: registered systems get a token for their secret; every attempt is kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from fhir_builders import api, basic, bearer, people, registered, settings_for, statements, token, trail, wrong
from flask.testing import FlaskClient
from oauth_builders import Keyed
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from carelink.app import create_app
from carelink.db import sync
from carelink.db.tables import client as client_table
from carelink.errors import Invalid
from carelink.place import Place

ASKED = {"grant_type": "client_credentials"}
ID = "ward-system"


@pytest.fixture
def secret(engine: Engine, place: Place) -> str:
    with engine.begin() as conn:
        sync.sync(conn, place)
    return registered(engine, place, ID, "RDV", "nurse", "system/*.rs")


@pytest.fixture
def client(engine: Engine, place: Place) -> Iterator[FlaskClient]:
    with api(engine, place).test_client() as made:
        yield made


def refused(answer: TestResponse, status: int, code: str) -> None:
    assert (answer.status_code, answer.mimetype) == (status, "application/json"), answer.text
    assert answer.get_json()["error"] == code
    assert "no-store" in answer.headers["Cache-Control"]
    assert "Set-Cookie" not in answer.headers


def test_a_client_gets_a_token_for_its_secret_in_the_header_or_in_the_body(client: FlaskClient, secret: str) -> None:
    in_header = client.post("/oauth2/token", data=ASKED, headers=basic(ID, secret))
    in_body = client.post("/oauth2/token", data={**ASKED, "client_id": ID, "client_secret": secret})
    for answer in (in_header, in_body):
        assert (answer.status_code, answer.mimetype) == (200, "application/json")
        told = answer.get_json()
        assert (told["token_type"], told["expires_in"], told["scope"]) == ("Bearer", 300, "system/*.rs")
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers


def test_a_client_may_ask_for_less_than_it_is_registered_for(
    client: FlaskClient, secret: str, engine: Engine, place: Place
) -> None:
    ann = people(engine, place)["ann"]
    less = token(client, ID, secret, scope="system/Patient.rs")
    assert client.get(f"/fhir/R4/Patient/{ann}", headers=bearer(less)).status_code == 200
    wrong(client.get(f"/fhir/R4/Consent/{ann}", headers=bearer(less)), 403, "forbidden")


def test_a_client_says_what_it_asks_for_or_asks_for_what_its_role_usually_does(
    client: FlaskClient, engine: Engine, secret: str
) -> None:
    for asked, given in (({}, "TREAT"), ({"purpose_of_use": ""}, "TREAT"), ({"purpose_of_use": "ETREAT"}, "ETREAT")):
        answer = client.post("/oauth2/token", data={**ASKED, **asked}, headers=basic(ID, secret))
        assert (answer.status_code, answer.get_json()["purpose_of_use"]) == (200, given)
        kept = trail(engine)[-1]
        assert (kept.action, kept.purpose) == ("sign-in", given)


def test_a_purpose_that_its_role_may_not_ask_for_is_refused_in_words_and_the_refusal_kept(
    client: FlaskClient, engine: Engine, secret: str
) -> None:
    for purpose in ("SAFEGUARDING", "HRESCH", "nonsense"):
        answer = client.post("/oauth2/token", data={**ASKED, "purpose_of_use": purpose}, headers=basic(ID, secret))
        refused(answer, 400, "invalid_request")
        why = "purpose_of_use: A ward nurse may not ask for this purpose; it may ask for TREAT, ETREAT"
        assert answer.get_json()["error_description"] == why
        kept = trail(engine)[-1]
        assert (kept.action, kept.rules) == ("refusal", ["oauth2-invalid_request"])
        assert purpose not in str(kept)


def test_a_purpose_in_the_address_is_not_taken(client: FlaskClient, secret: str) -> None:
    answer = client.post("/oauth2/token?purpose_of_use=ETREAT", data=ASKED, headers=basic(ID, secret))
    assert answer.get_json()["purpose_of_use"] == "TREAT"


def test_a_client_does_not_get_more_than_it_is_registered_for(
    client: FlaskClient, engine: Engine, place: Place, secret: str
) -> None:
    small = registered(engine, place, "small", "RDV", "nurse", "system/Patient.rs")
    both = {**ASKED, "scope": "system/Patient.rs system/*.rs"}
    answer = client.post("/oauth2/token", data=both, headers=basic("small", small))
    assert answer.get_json()["scope"] == "system/Patient.rs"
    for scope in ("system/*.rs", "system/Patient.cud", "system/*.*"):
        refused(
            client.post("/oauth2/token", data={**ASKED, "scope": scope}, headers=basic("small", small)),
            400,
            "invalid_scope",
        )


def test_an_unknown_client_and_a_wrong_secret_are_told_the_same(client: FlaskClient, secret: str) -> None:
    unknown = client.post("/oauth2/token", data=ASKED, headers=basic("nobody", secret))
    guessed = client.post("/oauth2/token", data=ASKED, headers=basic(ID, "x" * 43))
    refused(unknown, 401, "invalid_client")
    refused(guessed, 401, "invalid_client")
    assert unknown.data == guessed.data
    assert unknown.headers["WWW-Authenticate"].startswith("Basic")


# (headers, body) -> status and error
BAD: list[tuple[dict[str, str], dict[str, str], int, str]] = [
    ({}, ASKED, 401, "invalid_client"),
    ({}, {**ASKED, "client_id": ID}, 401, "invalid_client"),
    ({"Authorization": "Basic !!!"}, ASKED, 401, "invalid_client"),
    ({"Authorization": "Basic /w=="}, ASKED, 401, "invalid_client"),
    ({"Authorization": "Basic \xe9"}, ASKED, 401, "invalid_client"),
    (basic("a\0b", "x"), ASKED, 401, "invalid_client"),
    (basic("a'; drop table client; --", "x"), ASKED, 401, "invalid_client"),
    ({}, {}, 400, "unsupported_grant_type"),
    ({}, {"grant_type": "password", "username": "a", "password": "b"}, 400, "unsupported_grant_type"),
    ({}, {"grant_type": "authorization_code", "code": "x"}, 401, "invalid_client"),
    ({}, {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}, 400, "unsupported_grant_type"),
]


@pytest.mark.parametrize(("headers", "body", "status", "code"), BAD)
def test_a_request_that_proves_nothing_is_refused(
    client: FlaskClient, secret: str, headers: dict[str, str], body: dict[str, str], status: int, code: str
) -> None:
    refused(client.post("/oauth2/token", data=body, headers=headers), status, code)


def test_a_secret_in_the_address_is_no_proof(client: FlaskClient, secret: str) -> None:
    asked = f"grant_type=client_credentials&client_id={ID}&client_secret={secret}"
    refused(client.post(f"/oauth2/token?{asked}"), 400, "unsupported_grant_type")


def test_other_methods_and_addresses_are_answered_in_json(client: FlaskClient) -> None:
    answer = client.get("/oauth2/token")
    refused(answer, 405, "invalid_request")
    assert "POST" in answer.headers["Allow"]
    refused(client.post("/oauth2/other"), 404, "invalid_request")


def test_a_client_that_was_ended_gets_no_token(client: FlaskClient, engine: Engine, secret: str) -> None:
    with engine.begin() as conn:
        conn.execute(client_table.update().values(active=False))
    refused(client.post("/oauth2/token", data=ASKED, headers=basic(ID, secret)), 401, "invalid_client")


def test_a_client_whose_role_the_place_gave_up_gets_no_token(engine: Engine, place: Place, secret: str) -> None:
    without = replace(place, roles={name: role for name, role in place.roles.items() if name != "nurse"})
    other = create_app(settings_for(place), without, engine).test_client()
    refused(other.post("/oauth2/token", data=ASKED, headers=basic(ID, secret)), 401, "invalid_client")


def test_a_token_is_given_where_tls_ends_before_us_and_refused_where_there_is_none(
    engine: Engine, place: Place, secret: str
) -> None:
    ward = Keyed.registered(engine, place, "ward", "RDV", "nurse", "system/*.rs")
    for base, status in (("https://carelink.example", 200), ("http://carelink.example", 400)):
        settings = replace(settings_for(place), base_url=base)
        other = create_app(settings, place, engine).test_client()
        answer = other.post("http://inside:8000/oauth2/token", data=ward.asks(audience=f"{base}/oauth2/token"))
        assert answer.status_code == status, answer.text


def test_where_it_is_more_than_development_a_secret_proves_nothing(engine: Engine, place: Place, secret: str) -> None:
    settings = replace(settings_for(place), base_url="https://carelink.example")
    other = create_app(settings, place, engine).test_client()
    refused(other.post("/oauth2/token", data=ASKED, headers=basic(ID, secret)), 401, "invalid_client")


def test_secrets_are_not_to_be_had_where_it_is_more_than_development(engine: Engine, place: Place) -> None:
    settings = replace(settings_for(place), base_url="https://carelink.example", client_secrets=True)
    with pytest.raises(Invalid, match="CARELINK_CLIENT_SECRETS: is for development"):
        create_app(settings, place, engine)


def test_every_attempt_is_kept_with_who_claimed_to_ask(client: FlaskClient, engine: Engine, secret: str) -> None:
    token(client, ID, secret)
    client.post("/oauth2/token", data=ASKED, headers=basic(ID, "x" * 43))
    client.post("/oauth2/token", data=ASKED, headers=basic("9990000018 Ann", "x"))
    good, guessed, odd = trail(engine)
    assert (good.action, good.outcome, good.user, good.organisation, good.role) == (
        "sign-in",
        "success",
        "client:ward-system",
        "RDV",
        "nurse",
    )
    assert (guessed.action, guessed.outcome, guessed.user, guessed.rules) == (
        "refusal",
        "refused",
        "client:ward-system",
        ["oauth2-invalid_client"],
    )
    assert (odd.action, odd.user) == ("refusal", None)
    assert secret not in str(trail(engine))


def test_a_token_costs_two_statements(client: FlaskClient, engine: Engine, secret: str) -> None:
    with statements(engine) as said:
        token(client, ID, secret)
    assert said == ["select", "insert"]


def test_neither_secrets_nor_tokens_are_logged(
    client: FlaskClient,
    engine: Engine,
    secret: str,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    given = token(client, ID, secret)
    client.post("/oauth2/token", data={**ASKED, "client_id": ID, "client_secret": "guess-" + "x" * 40})
    client.get("/fhir/R4/Patient", headers=bearer(given))
    said = "".join(capsys.readouterr()) + caplog.text
    assert "/oauth2/token" in said
    assert not [one for one in (secret, given, "guess-") if one in said]
