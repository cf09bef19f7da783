"""The floors: Flask views that read rows by their keys in one prepared statement and send them, and do nothing else."""

from __future__ import annotations

import json
import os
from pathlib import Path
from uuid import UUID

from flask import Flask, Response
from sqlalchemy import ARRAY, Engine, Uuid, bindparam, select

from carelink.db.engine import engine_for
from carelink.db.tables import resource

_ASKED = select(resource.c.body).where(resource.c.key == bindparam("asked"))
_SEVERAL = select(resource.c.body).where(resource.c.key == bindparam("asked", type_=ARRAY(Uuid())).any_())
SAME = "the same rows by one prepared statement, sent by the smallest Flask view"
IS = "a bare Flask view that reads one row by its key and returns it"


def bare(engine: Engine) -> Flask:
    """Not signed in, not filtered, not audited, not committed."""
    app = Flask("bare")

    @app.get("/row/<uuid:key>")
    def row(key: UUID) -> Response:
        with engine.connect() as conn:
            body = conn.execute(_ASKED, {"asked": key}).scalar_one()
        return Response(body, content_type="application/fhir+json")

    asked = [[UUID(key) for key in keys] for keys in same()]

    @app.get("/same/<int:number>")
    def rows(number: int) -> Response:
        with engine.connect() as conn:
            bodies = conn.execute(_SEVERAL, {"asked": asked[number]}).scalars().all()
        entries = ",".join([f'{{"resource":{body}}}' for body in bodies])
        whole = f'{{"resourceType":"Bundle","type":"searchset","entry":[{entries}]}}'
        return Response(whole, content_type="application/fhir+json")

    return app


def same() -> list[list[str]]:
    """The keys of the answers that are sent again, of the file that the environment names; none without one."""
    file = os.environ.get("CARELINK_BENCH_KEYS")
    return json.loads(Path(file).read_text("utf-8")) if file else []


def create() -> Flask:
    """For gunicorn, over the database of the environment."""
    return bare(engine_for(os.environ["CARELINK_DATABASE_URL"]))
