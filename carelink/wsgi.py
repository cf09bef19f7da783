"""The web application for a WSGI server: `gunicorn 'carelink.wsgi:create()'`."""

from __future__ import annotations

import sys

from flask import Flask

from carelink import clock, logs, place_loader, settings
from carelink.app import create_app
from carelink.consent import policies
from carelink.db.engine import engine_for
from carelink.errors import CareLinkError, Invalid

WRONG = 4  # gunicorn's own status for an application that can't be loaded: it ends instead of trying again


def create() -> Flask:
    """The application of this process by its environment. Ends the process with one line where a setting is wrong."""
    logs.to_stderr("info")
    try:
        return _created()
    except CareLinkError as wrong:
        sys.stderr.write(f"carelink: {wrong}\n")
        sys.exit(WRONG)


def _created() -> Flask:
    here = settings.load()
    if not here.database_url:
        raise Invalid("CARELINK_DATABASE_URL", "must be set: the web processes share one database")
    place, engine = place_loader.load(here.place), engine_for(here.database_url, keeps_plans=True)
    app = create_app(here, place, engine)
    policies.note_start(engine, place, clock.now(), "start of the web application")
    return app
