"""/apps: what a worker let apps do, and ending it."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from carelink.audit.trail import Event, append
from carelink.identity import families
from carelink.identity.scope_words import in_words
from carelink.web import session as signed_in
from carelink.web.transaction import connection

blueprint = Blueprint("my_apps", __name__, template_folder="templates")


@blueprint.get("/apps")
def listed() -> str:
    """Each app that goes on without asking, with what it may do and until when."""
    signed_in.lens()  # what the menu is made of
    held = families.held(connection(), signed_in.requester().user, signed_in.at())
    return render_template("oauth2/my_apps.html", apps=[(one, in_words(one.scope.split())) for one in held])


@blueprint.post("/apps/<uuid:family>/end")
def end(family: UUID) -> Response:
    """No more tokens for it. Raises `NotFound` for what is not theirs."""
    asks = signed_in.requester()
    client = families.end_own(connection(), asks.user, family, signed_in.at())
    append(connection(), Event("sign-out", asks, detail={"client": client}), signed_in.at())
    return redirect(url_for("my_apps.listed"), 303)
