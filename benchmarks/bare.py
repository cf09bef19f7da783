"""The floor of pages and answers: a Flask view that reads one row by its key and returns it, and nothing else."""

from __future__ import annotations

import os
from uuid import UUID

from flask import Flask, Response
from sqlalchemy import Engine, bindparam, select

from carelink.db.engine import engine_for
from carelink.db.tables import resource

_ASKED = select(resource.c.body).where(resource.c.key == bindparam("asked"))
IS = "a bare Flask view that reads one row by its key and returns it"


def bare(engine: Engine) -> Flask:
    """Not signed in, not filtered, not audited, not committed."""
    app = Flask("bare")

    @app.get("/row/<uuid:key>")
    def row(key: UUID) -> Response:
        with engine.connect() as conn:
            body = conn.execute(_ASKED, {"asked": key}).scalar_one()
        return Response(body, content_type="application/fhir+json")

    return app


def create() -> Flask:
    """For gunicorn, over the database of the environment."""
    return bare(engine_for(os.environ["CARELINK_DATABASE_URL"]))
