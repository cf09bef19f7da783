"""What this server can do for apps and systems, as they find it (SMART App Launch 2.2 section 8; RFC 8414; OpenID Discovery)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify

from carelink.fhir.endpoint import ROOT, endpoint
from carelink.identity import assertions, id_tokens, scopes
from carelink.identity.rim import AUTHORIZE, INTROSPECT, KEYS, REVOKE, TOKEN, Rim

CAPABILITIES = (
    "launch-ehr",
    "launch-standalone",
    "client-public",
    "client-confidential-asymmetric",
    "sso-openid-connect",
    "context-banner",
    "context-ehr-patient",
    "context-standalone-patient",
    "permission-offline",
    "permission-online",
    "permission-patient",
    "permission-user",
    "permission-v1",
    "permission-v2",
)
SCOPES = (*scopes.OF_IDENTITY, "patient/*.rs", "user/*.rs", "system/*.cruds")
# What OAuth2 (RFC 8414) and OpenID Connect ask of an issuer, by their own names.
OAUTH = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"

blueprint = Blueprint("smart", __name__)


@blueprint.get(f"{ROOT}/.well-known/smart-configuration")
def smart() -> Response:
    """For SMART; asked without a token, also from the pages of other sites."""
    rim = endpoint().server.rim
    answer = jsonify(told(rim) | {"capabilities": capabilities(rim), "associated_endpoints": []})
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


@blueprint.get(OAUTH)
@blueprint.get(OPENID)
def issuer() -> Response:
    """For whoever knows the issuer alone."""
    openid = {
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [id_tokens.ALGORITHM],
        "claims_supported": ["sub", "iss", "fhirUser", "nonce"],
    }
    return jsonify(told(endpoint().server.rim) | openid)


def capabilities(rim: Rim) -> list[str]:
    """Each of them is really there; a secret proves a client in development alone."""
    return [*CAPABILITIES, *(["client-confidential-symmetric"] if rim.secrets else [])]


def told(rim: Rim) -> dict[str, Any]:
    """What all of them say."""
    methods = [assertions.METHOD, *(["client_secret_basic", "client_secret_post"] if rim.secrets else [])]
    return {
        "issuer": rim.tokens.issuer,
        "jwks_uri": rim.url(KEYS),
        "authorization_endpoint": rim.url(AUTHORIZE),
        "token_endpoint": rim.url(TOKEN),
        "introspection_endpoint": rim.url(INTROSPECT),
        "revocation_endpoint": rim.url(REVOKE),
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "scopes_supported": list(SCOPES),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [*methods, "none"],
        "token_endpoint_auth_signing_alg_values_supported": list(assertions.ALGORITHMS),
        "introspection_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": [*methods, "none"],
        "authorization_response_iss_parameter_supported": True,
    }
