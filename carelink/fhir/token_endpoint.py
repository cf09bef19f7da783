"""POST /oauth2/token: a registered client gets an access token for its proof. Every attempt is audited."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from authlib.oauth2 import OAuth2Error
from flask import Blueprint, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException, TooManyRequests

from carelink.audit.trail import Event, append
from carelink.errors import Forbidden
from carelink.fhir.endpoint import endpoint
from carelink.identity.assertions import Assertion, Refused
from carelink.identity.clients import ID
from carelink.identity.rim import INTROSPECT, KEYS, REVOKE, TOKEN
from carelink.web.session import at
from carelink.web.transaction import connection

blueprint = Blueprint("oauth2", __name__)


class TokenDenied(Forbidden):
    """No token is given; `answer` says it as OAuth2 does, `user` who claimed to ask."""

    def __init__(self, code: str, answer: Response, user: str) -> None:
        super().__init__(f"No access token is given: {code}", rule=f"oauth2-{code}")
        self.answer = answer
        self.user = user


def not_too_often() -> None:
    """Per address and per client, as it says that it is. Raises `TooManyRequests`."""
    if request.method not in ("GET", "POST") or request.path == KEYS:
        return
    made, address = endpoint(), request.remote_addr or ""
    asked = [made.rates_of_addresses.wait(address, at())]
    if claimed := _claimed():  # from elsewhere nobody uses up what is another's
        asked.append(made.rates.wait(f"{claimed} {address}", at()))
    if seconds := max(asked):
        raise TooManyRequests(retry_after=seconds)


blueprint.before_request(not_too_often)


@blueprint.post(TOKEN)
def token() -> Response:
    """A token, or a refusal that is kept."""
    answer = _answered(endpoint().server.create_token_response)
    asks = endpoint().tokens.read(answer.get_json()["access_token"], at()).requester
    detail = {"grant": request.form.get("grant_type", "")}
    append(connection(), Event("sign-in", replace(asks, request=g.reference), query=TOKEN, detail=detail), at())
    return answer


@blueprint.post(INTROSPECT)
def introspect() -> Response:
    """What a token of the client's own is good for (RFC 7662)."""
    return _answered(lambda: endpoint().server.create_endpoint_response("introspection"))


@blueprint.post(REVOKE)
def revoke() -> Response:
    """The end of a token of the client's own, and of all that came of the same consent (RFC 7009)."""
    answer = _answered(lambda: endpoint().server.create_endpoint_response("revocation"))
    append(connection(), Event("sign-out", query=REVOKE, user=_claimed(), request=g.reference), at())
    return answer


@blueprint.get(KEYS)
def keys() -> Response:
    """The public keys of the ID tokens that apps get (RFC 7517)."""
    return jsonify(endpoint().server.rim.id_tokens.key_set())


def _answered(ask: Callable[[], Response]) -> Response:
    """What Authlib answers. Raises `TokenDenied` for any refusal."""
    try:
        answer = ask()
    except OAuth2Error as refused:  # before Authlib itself would answer with it
        answer = _said(refused.error, refused.status_code)
    except ValueError:  # what Authlib decodes of a Basic header need not be text
        answer = _said("invalid_client", 401)
    if answer.status_code != 200:
        raise TokenDenied(answer.get_json()["error"], answer, _claimed())
    return answer


def failed(error: Exception) -> Response:
    """Any failure of these endpoints, in OAuth2's words (RFC 6749 5.2)."""
    if isinstance(error, TokenDenied):
        return error.answer
    if isinstance(error, TooManyRequests):
        answer = _said("temporarily_unavailable", 429, f"too many requests; wait {error.retry_after} seconds")
        answer.headers["Retry-After"] = str(error.retry_after)
        return answer
    status = (error.code or 500) if isinstance(error, HTTPException) else 500
    answer = _said("invalid_request" if status < 500 else "server_error", status)
    if allowed := getattr(error, "valid_methods", None):
        answer.headers["Allow"] = ", ".join(sorted(allowed))
    return answer


def _said(code: str, status: int, words: str = "") -> Response:
    answer = jsonify({"error": code} | ({"error_description": words} if words else {}))
    answer.status_code = status
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Basic realm="CareLink"'
    return answer


def _claimed() -> str:
    """Who the client says it is, where that looks like an id; whatever else was sent is not kept."""
    try:
        basic = request.authorization
        named = basic.username if basic is not None else None
    except ValueError:  # a header that is no text
        named = None
    id_ = named or request.values.get("client_id", "") or _subject()
    return f"client:{id_}" if ID.fullmatch(id_) else ""


def _subject() -> str:
    """Whom an assertion is about, believed or not."""
    try:
        return Assertion.read(request.form.get("client_assertion", "")).subject
    except Refused:
        return ""
