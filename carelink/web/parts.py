"""What a running web application is made of, reachable from a request."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import current_app
from sqlalchemy import Engine

from carelink.identity.oidc import Provider
from carelink.identity.smart_app import SmartApp
from carelink.place import Place
from carelink.settings import Settings


@dataclass(frozen=True)
class Parts:
    """Given to `create_app` once; read by views."""

    settings: Settings
    place: Place
    engine: Engine
    provider: Provider
    smart_app: SmartApp = field(default_factory=SmartApp)


def parts() -> Parts:
    """The parts of the application that answers this request."""
    made: Parts = current_app.extensions["carelink"]
    return made
