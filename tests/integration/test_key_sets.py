"""Keys by their address: over HTTP as others serve them, rotated, slow, too large, and where they must not be asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fhir_builders import api
from oauth_builders import Keyed, ec, public
from scripted_server import Reply, Scripted, scripted
from sqlalchemy import Engine

from carelink.db import sync
from carelink.errors import Invalid, SourceUnavailable
from carelink.identity import key_sets
from carelink.identity.key_sets import KeySets
from carelink.place import Place

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PUBLIC = "93.184.215.14"


class Served:
    """The keys of somebody, as their server gives them; changed by the test."""

    def __init__(self) -> None:
        self.key = ec("k1")
        self.reply: Any = None
        self.headers: dict[str, str] = {}

    def __call__(self, asked: Any) -> Any:
        if self.reply is not None:
            return self.reply
        body = json.dumps(public(self.key)).encode()
        if asked.headers.get("if-none-match") and asked.headers["if-none-match"] == self.headers.get("ETag"):
            return Reply(b"", 304, headers=self.headers)
        return Reply(body, 200, "application/json", self.headers)


@pytest.fixture
def served() -> Served:
    return Served()


@pytest.fixture
def there(served: Served) -> Iterator[Scripted]:
    with scripted(served) as running:
        yield running


@pytest.fixture
def sets() -> KeySets:
    """Of development, where http on this machine will do."""
    return KeySets(safe=False)


def after(**time: float) -> datetime:
    return NOW + timedelta(**time)


def test_keys_are_asked_for_once_and_again_when_they_are_old(sets: KeySets, there: Scripted) -> None:
    for minutes in (0, 5, 14):
        assert [one.kid for one in sets.of(there.url, "k1", after(minutes=minutes)).keys] == ["k1"]
    assert len(there.asked) == 1
    sets.of(there.url, "k1", after(minutes=16))
    assert len(there.asked) == 2


@pytest.mark.parametrize(
    ("said", "good", "over"),
    [("max-age=300", 290, 310), ("max-age=1", 50, 70), ("max-age=99999999", 3500, 3700), ("no-store", 50, 70)],
)
def test_they_are_good_as_long_as_was_said_within_reason(
    sets: KeySets, served: Served, there: Scripted, said: str, good: int, over: int
) -> None:
    served.headers = {"Cache-Control": said}
    for seconds, times in ((0, 1), (good, 1), (over, 2)):
        sets.of(there.url, "k1", after(seconds=seconds))
        assert len(there.asked) == times


def test_keys_that_did_not_change_are_not_sent_again(sets: KeySets, served: Served, there: Scripted) -> None:
    served.headers = {"ETag": '"v1"'}
    sets.of(there.url, "k1", NOW)
    assert [one.kid for one in sets.of(there.url, "k1", after(minutes=20)).keys] == ["k1"]
    assert there.asked[1].headers["if-none-match"] == '"v1"'


def test_a_key_that_is_not_known_makes_us_look_once_and_no_oftener(
    sets: KeySets, served: Served, there: Scripted
) -> None:
    sets.of(there.url, "k1", NOW)
    served.key = ec("k2")
    assert [one.kid for one in sets.of(there.url, "k2", after(minutes=1)).keys] == ["k2"], "the keys were rotated"
    for seconds in (61, 70, 80):
        sets.of(there.url, "made-up", after(seconds=seconds))
    assert len(there.asked) == 2
    sets.of(there.url, "made-up", after(seconds=100))
    assert len(there.asked) == 3


WRONG = [
    b"not JSON",
    b"[]",
    b"{}",
    b'{"keys": []}',
    b'{"keys": [{"kty": "oct", "kid": "k1", "k": "c2VjcmV0"}]}',
    b'{"keys": [{"kty": "RSA"}]}',
    b'{"keys": "' + b"x" * 200_000 + b'"}',
]


@pytest.mark.parametrize("body", WRONG)
def test_what_is_no_set_of_public_keys_is_not_believed(
    sets: KeySets, served: Served, there: Scripted, body: bytes
) -> None:
    served.reply = Reply(body, 200, "application/json")
    with pytest.raises(SourceUnavailable):
        sets.of(there.url, "k1", NOW)


def test_who_does_not_answer_is_not_asked_again_at_once(sets: KeySets, served: Served, there: Scripted) -> None:
    served.reply = Reply(b"", 500)
    for seconds in (0, 1, 29):
        with pytest.raises(SourceUnavailable, match="answered with 500"):
            sets.of(there.url, "k1", after(seconds=seconds))
    assert len(there.asked) == 1
    served.reply = None
    assert sets.of(there.url, "k1", after(seconds=31)).keys


def test_a_redirect_is_not_followed(sets: KeySets, served: Served, there: Scripted) -> None:
    served.reply = Reply(b"", 302, headers={"Location": f"{there.url}/elsewhere"})
    with pytest.raises(SourceUnavailable, match="answered with 302"):
        sets.of(there.url, "k1", NOW)
    assert len(there.asked) == 1


def test_who_is_too_slow_is_not_waited_for(served: Served, there: Scripted) -> None:
    served.reply = Reply(hang=True)
    hurried = KeySets(safe=False, http=httpx.Client(timeout=0.2))
    with pytest.raises(SourceUnavailable, match="do not answer"):
        hurried.of(there.url, "k1", NOW)


PRIVATE = ["127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.5.5", "169.254.169.254", "100.64.0.1", "0.0.0.0", "::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "224.0.0.1"]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_on_a_private_network_is_not_asked_whatever_its_name(address: str) -> None:
    """Neither where it is one of several: which of them would be taken is not ours to say."""
    for found in ([address], [PUBLIC, address]):
        with pytest.raises(SourceUnavailable, match="private network; CARELINK_KEYS_NEARBY"):
            KeySets(resolve=lambda host, port, found=found: found).of("https://keys.example/jwks", "k1", NOW)  # type: ignore[misc]


def test_what_was_looked_at_is_what_is_asked_and_the_name_goes_with_it() -> None:
    """Another answer of the name server between looking and asking changes nothing."""
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, content=iter([json.dumps(public(ec("k1"))).encode()]))

    made = KeySets(resolve=lambda host, port: [PUBLIC], http=httpx.Client(transport=httpx.MockTransport(answer)))
    made.of("https://keys.example/jwks?v=1", "k1", NOW)
    assert str(asked[0].url) == f"https://{PUBLIC}/jwks?v=1"
    assert asked[0].headers["Host"] == "keys.example"
    assert asked[0].extensions["sni_hostname"] == "keys.example"


def test_a_host_that_is_named_may_be_nearby() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, content=iter([json.dumps(public(ec("k1"))).encode()]))

    http = httpx.Client(transport=httpx.MockTransport(answer))
    made = KeySets(nearby=frozenset({"keys.trust.example"}), resolve=lambda host, port: ["10.0.0.7"], http=http)
    made.of("https://keys.trust.example:8443/jwks", "k1", NOW)
    assert asked == ["https://10.0.0.7:8443/jwks"]
    with pytest.raises(SourceUnavailable, match="private network"):
        made.of("https://keys.other.example/jwks", "k1", NOW)


@pytest.mark.parametrize(
    "url",
    ["http://keys.example/jwks", "ftp://keys.example", "file:///etc/passwd", "https://", "https://me@keys.example/", "https://keys.example/#a", "https://keys.example:0/", "keys", ""],
)  # fmt: skip
def test_nothing_but_https_is_asked_where_it_is_more_than_development(url: str) -> None:
    with pytest.raises(Invalid, match="--jwks-url"):
        key_sets.check(url, safe=True)


def test_a_system_whose_keys_are_at_an_address_gets_a_token_and_goes_on_after_it_rotated_them(
    engine: Engine, place: Place, served: Served, there: Scripted
) -> None:
    with engine.begin() as conn:
        sync.sync(conn, place)
    url = there.url.replace("127.0.0.1", "localhost")
    old = Keyed.registered(
        engine, place, "ward", "RDV", "nurse", "system/*.rs", key=served.key, jwks_url=url, safe=False
    )
    browser = api(engine, place).test_client()
    for _ in range(2):
        assert browser.post("/oauth2/token", data=old.asks()).status_code == 200
    assert len(there.asked) == 1
    served.reply = Reply(b"", 500)
    assert browser.post("/oauth2/token", data=old.asks()).status_code == 200, "known keys need no asking"
    other = api(engine, place).test_client()
    answer = other.post("/oauth2/token", data=old.asks())
    assert (answer.status_code, "the client's keys can't be had" in answer.get_json()["error_description"]) == (
        401,
        True,
    )
