"""Coming in and going out: the landing page, the round trip to the identity provider, the choice of a role."""

from __future__ import annotations

from typing import Any

from flask import g, redirect, render_template, request, session, url_for
from sqlalchemy import Connection
from werkzeug.wrappers import Response

from carelink.audit.trail import Event, append
from carelink.consent.requester import Requester
from carelink.errors import Forbidden, SourceUnavailable
from carelink.identity import proofing, requesters
from carelink.identity.oidc import Attempt, Claims
from carelink.ids import UserId
from carelink.web import session as signed_in
from carelink.web.menu import menu
from carelink.web.parts import parts
from carelink.web.transaction import connection


class SignInDenied(Forbidden):
    """The identity provider knows them, CareLink does not let them in; `user` is who they are there, for the audit."""

    def __init__(self, refused: Forbidden, user: UserId) -> None:
        super().__init__(str(refused), rule=refused.rule)
        self.user = user


def home() -> str | Response:
    """The landing page; whoever is signed in goes on to where they work. Raises `Forbidden` for a role without pages."""
    if signed_in.user() is None:
        return render_template("landing.html", over=session.pop("over", False), left=session.pop("left", False))
    starts = menu(signed_in.lens())
    if not starts:
        raise Forbidden("Your role has no pages here: it asks through other systems", rule="no-pages")
    return redirect(url_for(starts[0].endpoint), 303)


def _redirect_uri() -> str:
    return parts().settings.base_url + url_for("web.come_back")


def leave_to_provider() -> Response:
    """Off to the identity provider."""
    url, attempt = parts().provider.begin(_redirect_uri(), signed_in.at())
    session["attempt"] = [attempt.state, attempt.nonce, attempt.verifier]
    return redirect(url, 303)


def come_back() -> Response:
    """Back from the identity provider. An attempt is used once; whatever does not fit it is refused and kept."""
    remembered = session.pop("attempt", None)
    if remembered is None:
        raise Forbidden("This sign-in was already used or took too long; start again", rule="oidc-no-attempt")
    claims = parts().provider.finish(request.url, Attempt(*remembered), _redirect_uri(), signed_in.at())
    user = UserId(str(claims["sub"]))
    conn = connection()
    asked = _admitted(conn, user, claims)
    signed_in.begin(user)
    append(conn, Event("sign-in", asked), signed_in.at())
    if len(requesters.assignments(conn, user)) > 1:
        return redirect(url_for("web.roles"), 303)
    return redirect(_next(), 303)


def _admitted(conn: Connection, user: UserId, claims: Claims) -> Requester:
    """Who asks from now on. Raises `SignInDenied`."""
    try:
        if proofing.speaks_for_themselves(claims):
            key = proofing.person_of(conn, claims)
            proofing.admit(conn, user, str(claims.get("name", "")), key)
        return requesters.requester(conn, parts().place, user, request=g.reference)
    except Forbidden as refused:
        raise SignInDenied(refused, user) from refused


def _next() -> str:
    """Where they were going before they were asked to sign in; only ever a path of ours."""
    return path_of_ours(session.pop("next", None))


def path_of_ours(going_to: Any) -> str:
    """That path, where it is one of this site; else the start."""
    known = isinstance(going_to, str) and going_to.startswith("/") and not going_to.startswith(("//", "/\\"))
    return going_to if known else url_for("web.home")


def roles() -> str:
    """The choice between the roles that one holds."""
    asked = signed_in.requester()
    held = requesters.assignments(connection(), asked.user)
    return render_template("roles.html", held=held, place=parts().place)


def choose_role() -> Response:
    """Go on in the chosen role. Raises `Forbidden` for one that is not held."""
    asked = signed_in.requester()
    chosen = request.form.get("assignment", "")
    conn = connection()
    became = requesters.requester(conn, parts().place, asked.user, request=asked.request, assignment=chosen)
    signed_in.choose(chosen)
    append(conn, Event("role", became), signed_in.at())
    return redirect(_next(), 303)


def sign_out() -> Response:
    """The end of the session, here and, where it has an end, at the provider."""
    user = signed_in.user()
    if user is not None:  # also where their roles have ended meanwhile
        append(connection(), Event("sign-out", user=user, request=g.reference), signed_in.at())
    session.clear()
    session["left"] = True
    home_url = parts().settings.base_url + url_for("web.home")
    try:
        return redirect(parts().provider.end(home_url, signed_in.at()), 303)
    except SourceUnavailable:  # the session here has ended all the same
        return redirect(home_url, 303)
