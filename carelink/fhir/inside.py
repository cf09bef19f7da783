"""One entry of a Bundle, answered by the very view that would answer it alone, in the transaction of the whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from flask import Response, current_app, g, request
from flask.ctx import RequestContext
from werkzeug.test import EnvironBuilder

from carelink.errors import Invalid
from carelink.fhir import bearer
from carelink.fhir.bundle_requests import Entry
from carelink.fhir.endpoint import ROOT
from fhir_adapters import exact_json

_NOT_INSIDE = frozenset({"fhir_batches.take"})  # a Bundle in a Bundle: it would have no end
# Of the whole request, what holds for each entry too.
_SHARED = ("Authorization", "Prefer")
_FHIR = frozenset({bearer.FHIR_JSON, "application/json"})
_LITTLE = {"Prefer": "return=minimal"}  # as much as is said of a write in a Bundle where nothing else is asked for


@contextmanager
def as_asked(one: Entry, body: Mapping[str, object] | None) -> Iterator[None]:
    """Within, the entry is the request. What is asked and told in it is part of the whole transaction."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]  # werkzeug's proxy
    headers = _LITTLE | {name: request.headers[name] for name in _SHARED if name in request.headers} | dict(one.headers)
    builder = EnvironBuilder(
        path=f"{ROOT}/{one.path.partition('?')[0]}",
        query_string=one.path.partition("?")[2],
        base_url=request.url_root,
        method=one.method,
        headers=list(headers.items()),
        data=exact_json.dumps(body) if body is not None else None,
        content_type=bearer.FHIR_JSON if body is not None else None,
    )
    try:
        environ = builder.get_environ()
    finally:
        builder.close()
    kept = {"form": g.pop("form", None)}
    try:
        with RequestContext(app, environ):
            try:
                yield
            finally:  # what ends with a request must not end with this one: it is not over
                kept["conn"] = g.pop("conn", None)
                g.pop("form", None)
    finally:
        for name, value in kept.items():
            if value is not None:
                setattr(g, name, value)


def answer(one: Entry, body: Mapping[str, object] | None) -> Response:
    """The answer of the route that the entry names. Raises what its view raises, and `HTTPException` where there is none."""
    if request.routing_exception is not None:
        raise request.routing_exception
    rule = request.url_rule
    if rule is None or rule.endpoint in _NOT_INSIDE:
        raise Invalid(f"{one.at}.request.url", "can't be asked inside a Bundle")
    if bearer.form().xml:
        raise Invalid(f"{one.at}.request.url", "asks for XML; what is inside a Bundle has the form of the Bundle")
    made = current_app.ensure_sync(current_app.view_functions[rule.endpoint])(**(request.view_args or {}))
    if not isinstance(made, Response):
        made = current_app.make_response(made)
    if made.mimetype not in _FHIR and (made.is_streamed or made.get_data()):
        raise Invalid(f"{one.at}.request.url", "is answered with a file, which a Bundle can't hold")
    return made
