"""Every failure in one place: a page in plain words with a reference, or what a system reads. No stack trace reaches anyone."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import structlog
from flask import Flask, g, make_response, redirect, render_template, request, session, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from carelink.audit.trail import Event, append
from carelink.errors import CareLinkError, Conflict, Forbidden, Invalid, NotFound, SourceUnavailable
from carelink.ids import PersonKey
from carelink.web import systems
from carelink.web.parts import parts
from carelink.web.session import SignInNeeded, at
from carelink.web.session import user as signed_in_user
from carelink.web.transaction import abandon

log = structlog.get_logger("carelink.web")


@dataclass(frozen=True)
class Words:
    """What a page says of one kind of failure."""

    status: int
    heading: str
    text: str


PAGES: Mapping[type[Exception], Words] = {
    NotFound: Words(
        404,
        "There is nothing here that you can see",
        "It may not exist, or you may not be involved with this person. If you care for them, ask your manager to "
        "allocate them to you.",
    ),
    Forbidden: Words(403, "You can't do this", ""),
    Conflict: Words(409, "Somebody else was faster", "Go back, load the page again and look at what changed."),
    Invalid: Words(400, "CareLink could not read what was sent", "Go back and check it."),
    SourceUnavailable: Words(
        503, "This does not answer just now", "Try again in a few minutes. What CareLink already holds is safe."
    ),
    CareLinkError: Words(400, "This did not work", "Go back and try again."),
    CSRFError: Words(400, "This form is too old", "Go back, load the page again and send the form once more."),
}
HTTP = {
    404: Words(404, "There is no such page", "If you typed the address, check it."),
    405: Words(405, "There is no such page", "If you typed the address, check it."),
    413: Words(413, "What was sent is too large", "Send less at once."),
    429: Words(429, "Too many requests", "Wait a minute, then try again."),
}
BROKEN = Words(
    500,
    "Sorry, something went wrong on our side",
    "Nothing was changed. Try again in a few minutes. If you need the "
    "record now, ring the organisation that you need it from.",
)


def words_of(error: Exception) -> Words:
    """The words for an error, by its nearest class in the table."""
    return next((PAGES[kind] for kind in type(error).__mro__ if kind in PAGES), BROKEN)


def page(words: Words, said: str = "") -> Response:
    """The page itself. Where even that fails, the bare words are better than nothing."""
    return make_response(render_template("failure.html", failed=words, said=said, reference=g.reference), words.status)


def as_page(error: Exception) -> Response:
    """A failure, for people."""
    if isinstance(error, HTTPException) and not isinstance(error, CSRFError):
        code = error.code or 500
        return page(HTTP.get(code, BROKEN if code >= 500 else PAGES[CareLinkError]))
    told = isinstance(error, CareLinkError) and not isinstance(error, NotFound)
    return page(words_of(error), f"{error}." if told else "")


def _told(error: Exception) -> Response:
    return (systems.speaker() or as_page)(error)


def refusal(error: CareLinkError) -> Event:
    """Who was refused what in this request, for the audit."""
    named = request.view_args or {}
    person, key = named.get("person"), named.get("key")
    asked = g.get("requester")
    return Event(
        action="refusal",
        requester=asked,
        person=PersonKey(person) if isinstance(person, UUID) else None,
        query=request.url_rule.rule if request.url_rule else "",
        outcome="refused",
        reason=str(error),
        rules=tuple(filter(None, [getattr(error, "rule", "")])),
        user=getattr(error, "user", "") or signed_in_user() or "",
        request=g.reference,
        detail={"resource": str(key)} if isinstance(key, UUID) else None,
    )


def note_refusal(error: CareLinkError) -> None:
    """Keep who was refused what, in a transaction of its own: that of the request is undone."""
    event = refusal(error)
    with parts().engine.begin() as conn:
        append(conn, event, at())


def _refused(error: CareLinkError) -> Response:
    abandon()
    if isinstance(error, (Forbidden, NotFound)):
        note_refusal(error)
    log.info("refused", reference=g.reference, kind=type(error).__name__, rule=getattr(error, "rule", ""))
    return _told(error)


def _to_sign_in(error: SignInNeeded) -> Response:
    abandon()
    if request.method == "GET" and not request.headers.get("HX-Request"):
        session["next"] = request.path
    if request.headers.get("HX-Request"):
        return make_response("", 401, {"HX-Redirect": url_for("web.home")})
    return redirect(url_for("web.home"), 303)


def _http(error: HTTPException) -> Response:
    abandon()
    if (fault := getattr(error, "original_exception", None)) is not None:
        return _broken(fault)  # after the view: the commit failed, or what answers a failure did
    return _told(error)


def _broken(error: Exception) -> Response:
    abandon()
    log.error("failed", reference=g.get("reference", ""), kind=type(error).__name__, where=where(error))
    return _told(error)


def where(error: BaseException) -> list[str]:
    """The way to a fault, without messages or values: they may hold what was asked or found about a person."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename.rpartition('site-packages/')[2]}:{frame.lineno} {frame.name}" for frame in frames]


def install(app: Flask) -> None:
    """Give `app` its answers to failures."""
    app.register_error_handler(SignInNeeded, _to_sign_in)
    app.register_error_handler(CareLinkError, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _broken)
