"""Who is signed in: a signed cookie that ends after some idle minutes, and what it may ask."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import Flask, g, request, session

from carelink import clock
from carelink.consent.lens import Lens
from carelink.consent.requester import Requester
from carelink.errors import Forbidden
from carelink.identity import requesters
from carelink.identity.purposes import NOT_OF_ROLE
from carelink.ids import UserId
from carelink.settings import Settings
from carelink.web.parts import parts
from carelink.web.transaction import connection

LONGEST = timedelta(hours=10)  # a shift; after it one signs in again, however busy


class SignInNeeded(Forbidden):
    """Nobody is signed in, or it was too long ago."""


def at() -> datetime:
    """The time of this request: one for all that it asks."""
    if "at" not in g:
        g.at = clock.now()
    moment: datetime = g.at
    return moment


def begin(user: UserId, assignment: str = "") -> None:
    """Start a session of this user, with nothing of an earlier one in it."""
    going_to = session.get("next")
    session.clear()
    session.permanent = True
    session.update(user=user, assignment=assignment, began=at().timestamp(), seen=at().timestamp())
    if going_to:
        session["next"] = going_to


def choose(assignment: str) -> None:
    """Go on in another of the user's roles, for its usual purpose."""
    session["assignment"] = assignment
    session.pop("purpose", None)


def look_for(purpose: str) -> None:
    """Go on for another purpose of the role."""
    session["purpose"] = purpose


def user() -> UserId | None:
    """Who is signed in and was here lately, else None."""
    name = session.get("user")
    return UserId(name) if name and not _over() else None


def _over() -> bool:
    now, idle = at().timestamp(), timedelta(minutes=parts().settings.session_minutes)
    seen, began = float(session.get("seen", 0)), float(session.get("began", 0))
    return now - seen > idle.total_seconds() or now - began > LONGEST.total_seconds()


def requester() -> Requester:
    """Who asks, read anew each request so that an ended role ends now. Raises `SignInNeeded`, `Forbidden`."""
    if "requester" not in g:
        name = user()
        if name is None:
            raise SignInNeeded("You are not signed in", rule="not-signed-in")
        g.requester = _asking(name)
    asked: Requester = g.requester
    return asked


def _asking(name: UserId) -> Requester:
    """For the purpose that was chosen; for the usual one, and that is what their pages say, where the role lost it."""
    held, chosen = session.get("assignment", ""), session.get("purpose", "")
    try:
        return requesters.requester(connection(), parts().place, name, chosen, g.reference, held)
    except Forbidden as refused:
        if refused.rule != NOT_OF_ROLE:
            raise
        session.pop("purpose")
        return requesters.requester(connection(), parts().place, name, request=g.reference, assignment=held)


def lens() -> Lens:
    """What this request may see."""
    if "lens" not in g:
        g.lens = Lens.compile(parts().place, requester(), at())
    made: Lens = g.lens
    return made


def _note_presence() -> None:
    if request.endpoint in ("static", "web.static", "web.healthz") or "user" not in session:
        return
    if _over():
        session.clear()
        session["over"] = True
    else:
        session["seen"] = at().timestamp()


def install(app: Flask, settings: Settings) -> None:
    """Cookie flags, and the idle clock of every request."""
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME="__Host-carelink" if settings.cookie_secure else "carelink",
        SESSION_COOKIE_SECURE=settings.cookie_secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=LONGEST,
        WTF_CSRF_TIME_LIMIT=None,  # a form lives as long as its session
        WTF_CSRF_SSL_STRICT=False,  # pages send no referrer; the token is what is checked
    )
    app.before_request(_note_presence)
