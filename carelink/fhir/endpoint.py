"""What the FHIR API of one application is made of, built once."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version

from authlib.integrations.flask_oauth2 import AuthorizationServer
from flask import Flask, current_app

from carelink import clock
from carelink.fhir import capability
from carelink.fhir.page_links import PageLinks
from carelink.identity import clients, token_server
from carelink.identity.tokens import Tokens
from carelink.place import Place
from carelink.settings import Settings
from carelink.web.session import at
from carelink.web.transaction import connection
from fhir_adapters import exact_json

ROOT = "/fhir/R4"


@dataclass(frozen=True)
class Endpoint:
    """Read by the views."""

    base: str
    tokens: Tokens
    server: AuthorizationServer
    links: PageLinks
    statement: bytes  # the CapabilityStatement


def endpoint() -> Endpoint:
    """The one of the application that answers this request."""
    made: Endpoint = current_app.extensions["carelink.fhir"]
    return made


def install(app: Flask, settings: Settings, place: Place) -> None:
    """Give `app` what the blueprints of this package need."""
    base = settings.base_url + ROOT
    tokens = Tokens.of(settings.secret_key, settings.base_url, place)
    app.extensions["carelink.fhir"] = Endpoint(
        base=base,
        tokens=tokens,
        server=token_server.server(tokens, lambda id_: clients.find(connection(), id_), at),
        links=PageLinks.of(settings.secret_key),
        statement=exact_json.dumps(capability.statement(base, version("carelink"), clock.now())),
    )
