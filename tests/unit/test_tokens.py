"""Access tokens: read back as they were granted, and by nobody who changed or made them elsewhere."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import OctKey

from carelink.errors import Forbidden
from carelink.identity.clients import Client
from carelink.identity.tokens import LIFETIME, TokenRefused, Tokens
from carelink.ids import Ods
from carelink.place import Place

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
BASE = "https://carelink.example"
KEY = "the secret of this installation, of enough length"
WARD = Client("ward-system", Ods("RDV"), "nurse", "", "system/Patient.rs")
SCOPE = "system/Patient.rs"


@pytest.fixture
def tokens(place: Place) -> Tokens:
    return Tokens.of(KEY, BASE, place)


@pytest.fixture
def token(tokens: Tokens) -> str:
    return tokens.make(WARD, SCOPE, NOW)


def part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def opened(token: str, number: int) -> dict[str, Any]:
    text = token.split(".")[number]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found


def changed(token: str, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """The token with other content under the signature that it had."""
    first, second, signature = token.split(".")
    first = part(opened(token, 0) | header) if header else first
    return f"{first}.{part(opened(token, 1) | claims) if claims else second}.{signature}"


def test_a_token_speaks_for_its_client_organisation_role_and_purpose(tokens: Tokens, token: str) -> None:
    granted = tokens.read(token, NOW)
    asks = granted.requester
    assert (asks.user, asks.organisation, asks.organisation_type, asks.role, asks.purpose) == (
        "client:ward-system",
        "RDV",
        "nhs-trust",
        "nurse",
        "TREAT",
    )
    assert (granted.may_read("Patient"), granted.may_read("Observation")) == (True, False)
    assert asks.types == {"Patient"}


def test_a_scope_for_every_type_reads_each(tokens: Tokens) -> None:
    granted = tokens.read(tokens.make(WARD, "system/*.rs", NOW), NOW)
    assert all(granted.may_read(type_) for type_ in ("Patient", "Observation"))
    assert granted.requester.types is None


def test_a_token_is_for_the_purpose_that_was_asked_for(tokens: Tokens) -> None:
    assert tokens.read(tokens.make(WARD, SCOPE, NOW, "ETREAT"), NOW).requester.purpose == "ETREAT"


# what is asked for -> the purpose of a ward nurse
PURPOSES = [
    ("", "TREAT"),
    ("ETREAT", "ETREAT"),
    ("http://terminology.hl7.org/CodeSystem/v3-ActReason|ETREAT", "ETREAT"),
]


@pytest.mark.parametrize(("asked", "purpose"), PURPOSES)
def test_a_purpose_of_the_role_may_be_asked_for_by_its_code_alone_or_with_its_system(
    tokens: Tokens, asked: str, purpose: str
) -> None:
    assert tokens.purpose(WARD, asked) == purpose


@pytest.mark.parametrize("asked", ["SAFEGUARDING", "HRESCH", "etreat", "urn:other|ETREAT", "|", "nonsense"])
def test_a_purpose_that_the_role_may_not_ask_for_is_refused_with_those_that_it_may(tokens: Tokens, asked: str) -> None:
    with pytest.raises(Forbidden, match="A ward nurse may not ask for this purpose; it may ask for TREAT, ETREAT"):
        tokens.purpose(WARD, asked)


def test_our_own_purpose_has_a_system_of_ours(tokens: Tokens) -> None:
    council = Client("duty", Ods("901"), "social-worker", "", "")
    assert tokens.purpose(council, "https://carelink.example/CodeSystem/purpose|SAFEGUARDING") == "SAFEGUARDING"
    with pytest.raises(Forbidden):
        tokens.purpose(council, "http://terminology.hl7.org/CodeSystem/v3-ActReason|SAFEGUARDING")


def test_a_token_lasts_five_minutes_and_no_longer(tokens: Tokens, token: str) -> None:
    assert timedelta(minutes=5) == LIFETIME
    tokens.read(token, NOW + LIFETIME - timedelta(seconds=1))
    with pytest.raises(TokenRefused, match="expired"):
        tokens.read(token, NOW + LIFETIME)


def test_no_two_tokens_are_the_same(tokens: Tokens, token: str) -> None:
    assert tokens.make(WARD, SCOPE, NOW) != token


CHANGES: list[tuple[dict[str, Any] | None, dict[str, Any]]] = [
    (None, {"scope": "system/*.rs"}),
    (None, {"role": "gp"}),
    (None, {"organisation": "901"}),
    (None, {"exp": 4_000_000_000}),
    ({"alg": "none"}, {}),
    ({"alg": "None"}, {"scope": "system/*.rs"}),
    ({"alg": "HS512"}, {}),
    ({"alg": "RS256"}, {}),
    ({"typ": "JWT"}, {}),
]


@pytest.mark.parametrize(("header", "claims"), CHANGES)
def test_a_token_whose_content_was_changed_is_refused(
    tokens: Tokens, token: str, header: dict[str, Any] | None, claims: dict[str, Any]
) -> None:
    other = changed(token, header, **claims)
    assert other != token
    with pytest.raises(TokenRefused, match="can't be read"):
        tokens.read(other, NOW)


@pytest.mark.parametrize("algorithm", ["none", "NONE"])
def test_an_unsigned_token_is_refused(tokens: Tokens, token: str, algorithm: str) -> None:
    unsigned = f"{part({'alg': algorithm, 'typ': 'at+jwt'})}.{token.split('.')[1]}."
    with pytest.raises(TokenRefused, match="can't be read"):
        tokens.read(unsigned, NOW)


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_a_token_of_our_own_key_by_another_algorithm_is_refused(tokens: Tokens, token: str, algorithm: str) -> None:
    header = {"alg": algorithm, "typ": "at+jwt"}
    other = jwt.encode(header, opened(token, 1), tokens.key, algorithms=[algorithm])
    with pytest.raises(TokenRefused, match="can't be read"):
        tokens.read(other, NOW)


def test_a_key_that_the_token_brings_with_it_is_not_used(tokens: Tokens, token: str) -> None:
    theirs = OctKey.generate_key(256)
    header = {"alg": "HS256", "typ": "at+jwt", "jwk": theirs.as_dict(private=True)}
    registry = jws.JWSRegistry(algorithms=["HS256"], strict_check_header=False)
    other = jwt.encode(header, opened(token, 1), theirs, registry=registry)
    with pytest.raises(TokenRefused, match="can't be read"):
        tokens.read(other, NOW)


def test_something_else_that_we_signed_is_no_access_token(tokens: Tokens, token: str) -> None:
    other = jwt.encode({"alg": "HS256", "typ": "JWT"}, opened(token, 1), tokens.key)
    with pytest.raises(TokenRefused, match="no access token"):
        tokens.read(other, NOW)


def test_the_secret_of_the_installation_itself_signs_no_token(tokens: Tokens, token: str) -> None:
    other = jwt.encode({"alg": "HS256", "typ": "at+jwt"}, opened(token, 1), OctKey.import_key(KEY))
    with pytest.raises(TokenRefused, match="can't be read"):
        tokens.read(other, NOW)


def test_a_token_of_another_server_is_refused_though_it_has_the_same_key(place: Place, token: str) -> None:
    other = Tokens.of(KEY, "https://other.example", place)
    with pytest.raises(TokenRefused, match="another server"):
        other.read(token, NOW)


@pytest.mark.parametrize("claim", ["iss", "aud"])
def test_a_token_for_another_audience_or_of_another_issuer_is_refused(tokens: Tokens, token: str, claim: str) -> None:
    claims = opened(token, 1) | {claim: "https://other.example"}
    with pytest.raises(TokenRefused, match="another server"):
        tokens.read(jwt.encode({"alg": "HS256", "typ": "at+jwt"}, claims, tokens.key), NOW)


def test_a_token_of_a_role_that_the_place_gave_up_is_refused(tokens: Tokens, token: str, place: Place) -> None:
    without = {name: role for name, role in place.roles.items() if name != "nurse"}
    with pytest.raises(TokenRefused, match="no longer"):
        replace(tokens, place=replace(place, roles=without)).read(token, NOW)


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "é", "\0", "a" * 10_000, "e30.e30.", "bnVsbA.bnVsbA."])
def test_what_is_no_token_is_refused(tokens: Tokens, text: str) -> None:
    with pytest.raises(TokenRefused):
        tokens.read(text, NOW)
