"""How we say who we are to a source."""

import json
from urllib.parse import parse_qs

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from fhir_adapters.auth import Bearer, ClientAssertion, SignedJwt, auth_of
from fhir_adapters.source import SourceFailed, SourceSettings

KEY = OctKey.import_key("a secret of at least thirty-two bytes")
TOKEN_URL = "https://auth.example/token"


def sent(auth: httpx.Auth, answers: list[httpx.Response]) -> tuple[httpx.Response, list[httpx.Request]]:
    """What a client with that auth sends, against a transport that answers in order."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return answers.pop(0)

    with httpx.Client(auth=auth, transport=httpx.MockTransport(answer)) as client:
        return client.get("https://source.example/Patient"), requests


def test_every_request_carries_a_fresh_jwt_with_the_claims_of_its_moment() -> None:
    at = [1_000]
    auth = SignedJwt(KEY, lambda now: {"iat": now, "exp": now + 300}, "HS512", "key-1", clock=lambda: at[0])
    tokens = []
    for at[0] in (1_000, 2_000):
        _, (request,) = sent(auth, [httpx.Response(200)])
        tokens.append(jwt.decode(request.headers["Authorization"].removeprefix("Bearer "), KEY, algorithms=["HS512"]))
    assert [token.claims for token in tokens] == [{"iat": 1_000, "exp": 1_300}, {"iat": 2_000, "exp": 2_300}]
    assert tokens[0].header == {"alg": "HS512", "typ": "JWT", "kid": "key-1"}


def test_an_access_token_is_got_once_and_again_when_it_runs_out() -> None:
    at = [0.0]
    auth = ClientAssertion("pds", TOKEN_URL, "carelink", KEY, "key-1", "HS512", clock=lambda: at[0])
    token = httpx.Response(200, json={"access_token": "t0ken", "expires_in": 600})
    _, (asking, request) = sent(auth, [token, httpx.Response(200)])
    assert request.headers["Authorization"] == "Bearer t0ken"
    form = {name: values[0] for name, values in parse_qs(asking.content.decode()).items()}
    assert (str(asking.url), form["grant_type"]) == (TOKEN_URL, "client_credentials")
    claims = jwt.decode(form["client_assertion"], KEY, algorithms=["HS512"]).claims
    assert (claims["iss"], claims["aud"], claims["exp"]) == ("carelink", TOKEN_URL, 300)
    at[0] = 500
    assert len(sent(auth, [httpx.Response(200)])[1]) == 1
    at[0] = 571
    assert len(sent(auth, [httpx.Response(200, json={"access_token": "n3w"}), httpx.Response(200)])[1]) == 2


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", json.dumps({"access_token": "t", "expires_in": "soon"}).encode()])
def test_no_access_token_is_one_clear_line(body: bytes) -> None:
    auth = ClientAssertion("pds", TOKEN_URL, "carelink", KEY, algorithm="HS512")
    with pytest.raises(SourceFailed, match=r"pds: its token endpoint gave no access token \(answered 200\)"):
        sent(auth, [httpx.Response(200, content=body)])


def test_a_source_without_a_secret_is_asked_without_one() -> None:
    assert auth_of(SourceSettings("h", "fhir_r4", "RDV"), usual="bearer") is None
    assert auth_of(SourceSettings("h", "fhir_r4", "RDV", secret="s", options={"auth": "none"}), usual="bearer") is None
    assert isinstance(auth_of(SourceSettings("h", "fhir_r4", "RDV", secret="s"), usual="bearer"), Bearer)
