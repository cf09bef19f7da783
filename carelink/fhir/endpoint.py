"""What the FHIR API of one application is made of, built once."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version

from flask import Flask, current_app
from sqlalchemy import Engine

from carelink import clock
from carelink.fhir import capability, practitioners
from carelink.fhir.page_links import PageLinks
from carelink.identity import clients, token_server
from carelink.identity.id_tokens import IdTokens
from carelink.identity.key_sets import KeySets
from carelink.identity.launches import Launches
from carelink.identity.rates import Rates
from carelink.identity.rim import Rim
from carelink.identity.token_server import Server
from carelink.identity.tokens import Tokens
from carelink.place import Place
from carelink.settings import Settings
from carelink.web.session import at
from carelink.web.transaction import connection
from fhir_adapters import exact_json

ROOT = "/fhir/R4"
CLIENTS_AT_AN_ADDRESS = 10  # behind one proxy there may be many


@dataclass(frozen=True)
class Endpoint:
    """Read by the views."""

    base: str
    tokens: Tokens
    server: Server
    links: PageLinks
    key_sets: KeySets  # public keys of others, by their address
    statement: bytes  # the CapabilityStatement
    rates: Rates  # of clients
    rates_of_addresses: Rates


def endpoint() -> Endpoint:
    """The one of the application that answers this request."""
    made: Endpoint = current_app.extensions["carelink.fhir"]
    return made


def install(app: Flask, settings: Settings, place: Place) -> None:
    """Give `app` what the blueprints of this package need. Raises `Invalid` where it can't be run safely."""
    base = settings.base_url + ROOT
    tokens = Tokens.of(settings.secret_key, settings.base_url, place)
    sets = KeySets(settings.safe, frozenset(filter(None, settings.keys_nearby.split(","))))
    engine: Engine = app.extensions["carelink"].engine
    app.extensions["carelink.fhir"] = Endpoint(
        base=base,
        tokens=tokens,
        server=token_server.server(_rim(settings, tokens, engine, base, sets)),
        links=PageLinks.of(settings.secret_key),
        key_sets=sets,
        statement=exact_json.dumps(
            capability.statement(base, version("carelink"), clock.now(), update_creates=place.update_creates)
        ),
        rates=Rates(settings.tokens_per_minute),
        rates_of_addresses=Rates(settings.tokens_per_minute * CLIENTS_AT_AN_ADDRESS),
    )


def _rim(settings: Settings, tokens: Tokens, engine: Engine, base: str, sets: KeySets) -> Rim:
    return Rim(
        tokens=tokens,
        id_tokens=IdTokens.of(settings.secret_key, settings.base_url),
        launches=Launches.of(settings.secret_key),
        find=lambda id_: clients.find(connection(), id_, sets),
        connection=connection,
        apart=engine.begin,
        clock=at,
        practitioner=lambda asks: practitioners.address(connection(), tokens.place, asks, base, at()),
        secrets=settings.has_client_secrets,
    )
