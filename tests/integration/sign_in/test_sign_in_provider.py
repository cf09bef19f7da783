"""What does not fit the attempt to sign in is refused, and a provider that is away is said to be."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from conftest import NOW
from flask import Flask
from html_reading import read
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from processes import free_port
from scripted_server import reply, scripted
from sign_in_builders import CLIENT, HERE, SAM, Visit, application, asked, last_event
from sqlalchemy import Engine

from carelink.identity.dev_provider import DevProvider, Granted, Running, serve
from carelink.place import Place


def refused(came: Any, known: Engine, rule: str) -> None:
    assert (came.status_code, read(came.text).one("h1").text) == (403, "You can't do this")
    assert last_event(known).rules == [rule]


def test_coming_back_twice_is_refused(visit: Visit, known: Engine) -> None:
    address = visit.choose(SAM, visit.leave())
    assert visit.back(address).status_code == 303
    refused(visit.back(address), known, "oidc-no-attempt")


def test_an_attempt_that_failed_is_used_up(visit: Visit, known: Engine) -> None:
    address = visit.choose(SAM, visit.leave())
    wrong = address.replace("state=", "state=x")
    refused(visit.back(wrong), known, "oidc-response")
    refused(visit.back(address), known, "oidc-no-attempt")


def test_a_code_that_was_used_is_refused_even_with_the_cookie_of_its_attempt(visit: Visit, known: Engine) -> None:
    address = visit.choose(SAM, visit.leave())
    with visit.browser.session_transaction() as session:
        attempt = session["attempt"]
    assert visit.back(address).status_code == 303
    with visit.browser.session_transaction() as session:
        session["attempt"] = attempt
    refused(visit.back(address), known, "oidc-code")


def test_a_code_from_another_browser_is_refused(carelink: Flask, visit: Visit, known: Engine) -> None:
    mine, theirs = visit, Visit.of(carelink)
    stolen = asked(theirs.choose(SAM, theirs.leave()))["code"]
    state = asked(mine.leave())["state"]
    address = f"{HERE}/signed-in?{urlencode({'code': stolen, 'state': state})}"
    refused(mine.back(address), known, "oidc-code")  # PKCE: the challenge is that of their attempt


def test_whoever_gives_up_at_the_provider_is_not_signed_in(visit: Visit, known: Engine) -> None:
    state = asked(visit.leave())["state"]
    came = visit.back(f"{HERE}/signed-in?{urlencode({'error': 'access_denied', 'state': state})}")
    refused(came, known, "oidc-response")
    assert "Signing in was not completed." in read(came.text).text


def test_a_code_lives_for_a_minute(visit: Visit, known: Engine, at: Callable[[timedelta], None]) -> None:
    address = visit.choose(SAM, visit.leave())
    at(timedelta(seconds=61))
    refused(visit.back(address), known, "oidc-code")


OTHER = RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True)


def _signed(provider: DevProvider, granted: Granted, key: Any, alg: str = "RS256", **changed: Any) -> str:
    claims = {
        "iss": provider.issuer,
        "aud": provider.client.client_id,
        "sub": granted.user.sub,
        "nonce": granted.nonce,
        "exp": int(NOW.timestamp()) + 300,
    }
    claims = {name: value for name, value in (claims | changed).items() if value is not None}
    return jwt.encode({"alg": alg, "kid": provider.key.kid}, claims, key, algorithms=[alg])


WRONG_TOKENS: dict[str, Callable[[DevProvider, Granted], str]] = {
    "another nonce": lambda one, granted: _signed(one, granted, one.key, nonce="of another attempt"),
    "no nonce": lambda one, granted: _signed(one, granted, one.key, nonce=None),
    "for another client": lambda one, granted: _signed(one, granted, one.key, aud="another"),
    "by another issuer": lambda one, granted: _signed(one, granted, one.key, iss="https://evil.example"),
    "over": lambda one, granted: _signed(one, granted, one.key, exp=int(NOW.timestamp()) - 61),
    "without an end": lambda one, granted: _signed(one, granted, one.key, exp=None),
    "of nobody": lambda one, granted: _signed(one, granted, one.key, sub=None),
    "by another key": lambda one, granted: _signed(one, granted, OTHER),
    "by a shared secret": lambda one, granted: _signed(one, granted, OctKey.import_key(CLIENT.client_secret), "HS256"),
    "unsigned": lambda one, granted: _signed(one, granted, one.key).rsplit(".", 1)[0] + ".",
    "not a token": lambda one, granted: "token",
    "a head that is a list": lambda one, granted: "W10.e30.e30",
}


@pytest.mark.parametrize("make", WRONG_TOKENS.values(), ids=WRONG_TOKENS.keys())
def test_a_token_that_was_not_made_for_this_sign_in_is_refused(
    visit: Visit,
    running: Running,
    known: Engine,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[DevProvider, Granted], str],
) -> None:
    monkeypatch.setattr(running.provider, "id_token", lambda granted, _: make(running.provider, granted))
    refused(visit.sign_in(SAM), known, "oidc-token")
    assert visit.goes_to("/caseload") == "/"


def test_a_provider_may_change_its_key_at_any_time(
    visit: Visit, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit.sign_in(SAM)
    monkeypatch.setattr(running.provider, "key", OTHER)
    assert visit.sign_in(SAM).status_code == 303


WRONG_REQUESTS = [
    {"client_id": "another"},
    {"redirect_uri": "https://evil.example/"},
    {"response_type": "token"},
    {"code_challenge_method": "plain"},
    {"code_challenge": ""},
    {"nonce": ""},
]


@pytest.mark.parametrize("changed", WRONG_REQUESTS, ids=lambda changed: next(iter(changed)))
def test_the_provider_sends_nobody_back_whose_request_is_wrong(visit: Visit, changed: dict[str, str]) -> None:
    at = visit.leave()
    request = dict(asked(at)) | changed
    for answer in (
        httpx.get(at.split("?")[0], params=request),
        httpx.post(at.split("?")[0], data={**request, "sub": SAM}),
    ):
        assert (answer.status_code, "This sign-in can't go on" in answer.text) == (400, True)


def away(answer: Any) -> None:
    told = read(answer.text)
    assert (answer.status_code, told.one("h1").text) == (503, "This does not answer just now")
    assert "the identity provider" in told.one("main").text
    assert "Try again in a few minutes." in told.one("main").text
    assert "Traceback" not in answer.text


def test_a_provider_that_is_down_is_said_in_plain_words(known: Engine, place: Place, visit: Visit) -> None:
    there = application(f"http://127.0.0.1:{free_port()}", known, place).test_client()
    assert there.get("/").status_code == 200
    away(there.get("/sign-in"))


WRONG_ANSWERS = {
    "an error": lambda _: reply({"error": "broken"}, 500),
    "not JSON": lambda _: reply(b"<html>", content_type="text/html"),
    "a list": lambda _: reply([1]),
    "another's name": lambda _: reply({"issuer": "https://another.example"}),
    "no name": lambda _: reply({"issuer": None}),
}


@pytest.mark.parametrize("answer", WRONG_ANSWERS.values(), ids=WRONG_ANSWERS.keys())
def test_a_provider_that_answers_nonsense_is_down(known: Engine, place: Place, visit: Visit, answer: Any) -> None:
    with scripted(answer) as server:
        away(application(server.url, known, place).test_client().get("/sign-in"))


def test_a_provider_that_goes_down_on_the_way_back_signs_nobody_in_and_one_can_sign_out_without_it(
    running: Running, known: Engine, place: Place, visit: Visit
) -> None:
    short = serve(running.provider.users, CLIENT)
    visit = Visit.of(application(short.url, known, place))
    visit.sign_in(SAM)
    address = visit.choose(SAM, visit.leave())
    short.close()
    away(visit.back(address))
    assert visit.post("/sign-out", of="/people/find").status_code == 303
    assert visit.goes_to("/people/find") == "/"
