"""One line a request: route, status, time. Never a path with an id in it, a query string or who it was about."""

from __future__ import annotations

import re
import secrets
from time import perf_counter

import structlog
from flask import Flask, Response, g, request

_LISTED = re.compile(r"<any\([^)]*\):")  # a part of a route that is one of many words: its name is enough
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that is misread aloud: no 0 O 1 I L U
log = structlog.get_logger("carelink.web")


def reference() -> str:
    """A fresh id of a request, short enough to be read out to a help desk: `7F3K-92QD`."""
    drawn = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"{drawn[:4]}-{drawn[4:]}"


def _begin() -> None:
    g.reference = reference()
    g.began = perf_counter()


def _say(response: Response) -> Response:
    log.info(
        "request",
        reference=g.reference,
        method=request.method,
        route=_LISTED.sub("<", request.url_rule.rule) if request.url_rule else "none",
        status=response.status_code,
        milliseconds=round((perf_counter() - g.began) * 1000, 1),
    )
    response.headers["X-Request-Id"] = g.reference
    return response


def install(app: Flask) -> None:
    """Number every request of `app` and log its end."""
    app.before_request(_begin)
    app.after_request(_say)
