"""One transaction a request, ended before the first byte of the response leaves (decision 4: the audit row is in it)."""

from __future__ import annotations

from flask import Flask, Response, g
from sqlalchemy import Connection

from carelink.web.parts import parts


def connection() -> Connection:
    """The connection of this request, begun at its first use. Nobody but `finish` commits it."""
    if "conn" not in g:
        g.conn = parts().engine.connect()
        g.conn.begin()
    conn: Connection = g.conn
    return conn


def abandon() -> None:
    """Undo all that this request did so far; the next `connection()` begins anew."""
    if (conn := g.pop("conn", None)) is not None:
        conn.rollback()
        conn.close()


def finish(response: Response) -> Response:
    """Commit what led to a good answer, undo what led to a refusal; raises where the commit fails, so nothing leaves."""
    if response.status_code >= 400:
        abandon()
    elif (conn := g.pop("conn", None)) is not None:
        try:
            conn.commit()
        finally:
            conn.close()
    return response


def install(app: Flask) -> None:
    """Every request of `app` ends its transaction so, also where a view fails in a way nobody foresaw."""
    app.after_request(finish)
    app.teardown_request(lambda _: abandon())
