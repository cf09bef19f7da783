"""The web application for a WSGI server: `gunicorn 'carelink.wsgi:create()'`."""

from __future__ import annotations

from flask import Flask

from carelink import place_loader, settings
from carelink.app import create_app
from carelink.db.engine import engine_for
from carelink.errors import Invalid


def create() -> Flask:
    """The application of this process by its environment. Raises `Invalid` with the key that is wrong."""
    here = settings.load()
    if not here.database_url:
        raise Invalid("CARELINK_DATABASE_URL", "must be set: the web processes share one database")
    return create_app(here, place_loader.load(here.place), engine_for(here.database_url))
