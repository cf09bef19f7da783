"""What a running web application is made of, reachable from a request."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app
from sqlalchemy import Engine

from carelink.identity.oidc import Provider
from carelink.place import Place
from carelink.settings import Settings


@dataclass(frozen=True)
class Parts:
    """Given to `create_app` once; read by views."""

    settings: Settings
    place: Place
    engine: Engine
    provider: Provider


def parts() -> Parts:
    """The parts of the application that answers this request."""
    made: Parts = current_app.extensions["carelink"]
    return made
