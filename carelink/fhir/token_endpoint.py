"""POST /oauth2/token: a registered client gets an access token for its secret. Every attempt is audited."""

from __future__ import annotations

from dataclasses import replace

from authlib.oauth2 import OAuth2Error
from flask import Blueprint, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from carelink.audit.trail import Event, append
from carelink.errors import Forbidden
from carelink.fhir.endpoint import endpoint
from carelink.identity.clients import ID
from carelink.identity.token_server import PATH
from carelink.web.session import at
from carelink.web.transaction import connection

blueprint = Blueprint("oauth2", __name__)


class TokenDenied(Forbidden):
    """No token is given; `answer` says it as OAuth2 does, `user` who claimed to ask."""

    def __init__(self, code: str, answer: Response, user: str) -> None:
        super().__init__(f"No access token is given: {code}", rule=f"oauth2-{code}")
        self.answer = answer
        self.user = user


@blueprint.post(PATH)
def token() -> Response:
    """A token, or a refusal that is kept."""
    try:
        answer: Response = endpoint().server.create_token_response()
    except OAuth2Error as refused:  # before Authlib itself would answer with it
        answer = _said(refused.error, refused.status_code)
    except ValueError:  # what Authlib decodes of a Basic header need not be text
        answer = _said("invalid_client", 401)
    said = answer.get_json()
    if answer.status_code != 200:
        raise TokenDenied(said["error"], answer, _claimed())
    asks = endpoint().tokens.read(said["access_token"], at()).requester
    append(connection(), Event("sign-in", replace(asks, request=g.reference), query=PATH), at())
    return answer


def failed(error: Exception) -> Response:
    """Any failure of the token endpoint, in OAuth2's words (RFC 6749 5.2)."""
    if isinstance(error, TokenDenied):
        return error.answer
    status = (error.code or 500) if isinstance(error, HTTPException) else 500
    answer = _said("invalid_request" if status < 500 else "server_error", status)
    if allowed := getattr(error, "valid_methods", None):
        answer.headers["Allow"] = ", ".join(sorted(allowed))
    return answer


def _said(code: str, status: int) -> Response:
    answer = jsonify({"error": code})
    answer.status_code = status
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Basic realm="CareLink"'
    return answer


def _claimed() -> str:
    """Who the client says it is, where that looks like an id; whatever else was sent is not kept."""
    try:
        basic = request.authorization
    except ValueError:  # a header that is no text
        return ""
    id_ = (basic.username if basic is not None else None) or request.form.get("client_id", "")
    return f"client:{id_}" if ID.fullmatch(id_) else ""
