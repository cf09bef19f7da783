"""SMART Backend Services: a system proves by a key of its own who it is, once for each token."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from fhir_builders import api, trail
from flask.testing import FlaskClient
from joserfc import jws
from oauth_builders import TOKEN, Keyed, ec, public, rsa
from sqlalchemy import Engine, select
from werkzeug.test import TestResponse

from carelink import clock
from carelink.db import sync
from carelink.db.tables import used_jti
from carelink.identity import client_proof
from carelink.place import Place


@pytest.fixture
def ward(engine: Engine, place: Place) -> Keyed:
    with engine.begin() as conn:
        sync.sync(conn, place)
    return Keyed.registered(engine, place, "ward-system", "RDV", "nurse", "system/*.rs")


@pytest.fixture
def client(engine: Engine, place: Place, ward: Keyed) -> FlaskClient:
    return api(engine, place).test_client()


def sent(client: FlaskClient, assertion: str, **form: str) -> TestResponse:
    return client.post("/oauth2/token", data=Keyed.proves(assertion) | {"grant_type": "client_credentials"} | form)


def refused(answer: TestResponse, words: str = "") -> None:
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client"), answer.text
    assert words in answer.get_json()["error_description"]


def test_a_system_gets_a_token_for_an_assertion_by_either_algorithm(
    client: FlaskClient, engine: Engine, place: Place, ward: Keyed
) -> None:
    other = Keyed.registered(engine, place, "clinic", "RDV", "nurse", "system/Patient.rs", key=rsa())
    for system, scope in ((ward, "system/*.rs"), (other, "system/Patient.rs")):
        answer = client.post("/oauth2/token", data=system.asks())
        assert (answer.status_code, answer.get_json()["scope"]) == (200, scope), answer.text
    kept = trail(engine)[-1]
    assert (kept.action, kept.user, kept.organisation) == ("sign-in", "client:clinic", "RDV")


def test_an_assertion_is_good_once(client: FlaskClient, ward: Keyed) -> None:
    assertion = ward.assertion()
    assert sent(client, assertion).status_code == 200
    refused(sent(client, assertion), "jti was used before")
    assert sent(client, ward.assertion()).status_code == 200


def test_of_two_that_use_one_assertion_at_once_one_wins(engine: Engine, ward: Keyed) -> None:
    now, wins = clock.now(), []

    def use(_: int) -> bool:
        with engine.begin() as conn:
            return client_proof.use(conn, ward.id, "the same", now + timedelta(minutes=5), now)

    with ThreadPoolExecutor(4) as at_once:
        wins = list(at_once.map(use, range(8)))
    assert sorted(wins) == [False] * 7 + [True]


def test_what_was_used_is_forgotten_when_it_is_over(engine: Engine, ward: Keyed) -> None:
    now = clock.now()
    with engine.begin() as conn:
        assert client_proof.use(conn, ward.id, "old", now + timedelta(minutes=5), now)
        assert client_proof.use(conn, ward.id, "new", now + timedelta(minutes=16), now + timedelta(minutes=11))
        assert len(conn.execute(select(used_jti)).all()) == 1


def _in(minutes: float) -> int:
    return int((clock.now() + timedelta(minutes=minutes)).timestamp())


# what is sent instead -> what the refusal says
WRONG: list[tuple[Callable[[], dict[str, Any]], str]] = [
    (lambda: {"audience": "http://localhost/fhir/R4"}, "aud must be http://localhost/oauth2/token"),
    (lambda: {"audience": ["https://other.example/token"]}, "aud must be"),
    (lambda: {"exp": _in(-2)}, "expired"),
    (lambda: {"exp": _in(7)}, "five minutes ahead"),
    (lambda: {"exp": None}, "exp must be"),
    (lambda: {"exp": "soon"}, "exp must be"),
    (lambda: {"nbf": _in(3)}, "nbf has not come yet"),
    (lambda: {"iss": "somebody-else"}, "iss and sub must both"),
    (lambda: {"iss": None}, "iss and sub must both"),
    (lambda: {"sub": None}, "must be a signed JWT with kid"),
    (lambda: {"sub": 7}, "must be a signed JWT with kid"),
    (lambda: {"jti": None}, "jti must be"),
    (lambda: {"jti": ""}, "jti must be"),
    (lambda: {"jti": "x" * 201}, "jti must be"),
    (lambda: {"header": {"kid": "another"}}, "not signed by a key of it"),
    (lambda: {"sub": "nobody", "iss": "nobody"}, "not known here"),
]


@pytest.mark.parametrize(("changed", "words"), WRONG)
def test_an_assertion_that_is_not_right_is_refused_with_what_is_wrong(
    client: FlaskClient, ward: Keyed, changed: Callable[[], dict[str, Any]], words: str
) -> None:
    refused(sent(client, ward.assertion(**changed())), words)


def test_several_audiences_are_right_where_one_is_ours(client: FlaskClient, ward: Keyed) -> None:
    assert sent(client, ward.assertion(audience=["https://other.example", TOKEN])).status_code == 200


def test_an_assertion_that_somebody_else_signed_is_refused(client: FlaskClient, ward: Keyed) -> None:
    refused(sent(client, ward.with_key(ec()).assertion()), "not signed by a key of it")
    refused(sent(client, ward.with_key(rsa()).assertion()), "not signed by a key of it")


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE"])
def test_an_unsigned_assertion_is_refused(client: FlaskClient, ward: Keyed, algorithm: str) -> None:
    _, claims, signature = ward.assertion().split(".")
    for end in ("", signature):
        unsigned = f"{_part({'alg': algorithm, 'kid': ward.key.kid})}.{claims}.{end}"
        refused(sent(client, unsigned), "alg must be RS384 or ES384")


@pytest.mark.parametrize("key", [ec, rsa])
def test_the_public_key_is_no_shared_secret(
    client: FlaskClient, engine: Engine, place: Place, key: Callable[[], Any]
) -> None:
    """An HMAC by the text of the public key, which everybody has, proves nothing."""
    system = Keyed.registered(engine, place, "clinic", "RDV", "nurse", "system/*.rs", key=key())
    _, claims, _ = system.assertion().split(".")
    for text in (system.key.as_pem(private=False), json.dumps(system.key.as_dict(private=False)).encode()):
        for algorithm, hashed in (("HS256", "sha256"), ("HS384", "sha384")):
            signed = f"{_part({'alg': algorithm, 'kid': system.key.kid})}.{claims}"
            mac = base64.urlsafe_b64encode(hmac.digest(text, signed.encode(), hashed)).decode().rstrip("=")
            refused(sent(client, f"{signed}.{mac}"), "alg must be RS384 or ES384")


def test_another_algorithm_of_its_own_key_is_refused(client: FlaskClient, engine: Engine, place: Place) -> None:
    system = Keyed.registered(engine, place, "clinic", "RDV", "nurse", "system/*.rs", key=rsa())
    for algorithm in ("RS256", "PS384", "RS512"):
        refused(sent(client, system.assertion(header={"alg": algorithm})), "alg must be RS384 or ES384")


def test_a_key_that_the_assertion_brings_with_it_is_not_used(client: FlaskClient, ward: Keyed) -> None:
    theirs = ward.with_key(ec())
    claims = base64.urlsafe_b64decode(theirs.assertion().split(".")[1] + "==")
    header = {"alg": "ES384", "kid": "k1", "jwk": theirs.key.as_dict(private=False), "jku": "http://localhost/keys"}
    registry = jws.JWSRegistry(algorithms=["ES384"], strict_check_header=False)
    brought = jws.serialize_compact(header, claims, theirs.key, registry=registry)
    refused(sent(client, brought), "not signed by a key of it")


def test_the_client_id_beside_it_must_be_its_own(client: FlaskClient, ward: Keyed) -> None:
    assert sent(client, ward.assertion(), client_id=ward.id).status_code == 200
    refused(sent(client, ward.assertion(), client_id="other"), "client_id")


def test_a_system_with_keys_proves_nothing_by_a_secret(client: FlaskClient, ward: Keyed) -> None:
    for secret in ("", "x" * 40):
        asked = {"grant_type": "client_credentials", "client_id": ward.id, "client_secret": secret}
        assert client.post("/oauth2/token", data=asked).status_code == 401


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a.b.c", "é.é.é", "x" * 9000, "e30.e30.", "bnVsbA.bnVsbA.x", "[1].[2].[3]"]
)
def test_what_is_no_assertion_is_refused(client: FlaskClient, ward: Keyed, text: str) -> None:
    answer = sent(client, text)
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")


def test_a_refusal_is_kept_with_who_claims_to_ask_and_without_what_was_sent(
    client: FlaskClient, engine: Engine, ward: Keyed, caplog: pytest.LogCaptureFixture
) -> None:
    assertion = ward.with_key(ec()).assertion()
    sent(client, assertion)
    kept = trail(engine)[-1]
    assert (kept.action, kept.user, kept.rules) == ("refusal", "client:ward-system", ["oauth2-invalid_client"])
    assert assertion not in str(kept)
    assert assertion not in caplog.text


def test_keys_that_changed_hands_are_those_of_today(
    client: FlaskClient, engine: Engine, place: Place, ward: Keyed
) -> None:
    new = Keyed.registered(engine, place, "ward-system", "RDV", "nurse", "system/*.rs", key=ec("k2"))
    refused(sent(client, ward.assertion()), "not signed by a key of it")
    assert sent(client, new.assertion()).status_code == 200
    assert public(new.key) != public(ward.key)
