"""The person's own page of what they asked for: a copy of everything that is held about them."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response

from carelink.cases import subject_access as requests
from carelink.web.session import lens
from carelink.web.transaction import connection

blueprint = Blueprint("my_requests", __name__, template_folder="templates")


@blueprint.get("/me/requests")
def mine() -> str:
    """What I asked for, and where it is."""
    return render_template("portal/requests.html", requests=requests.own(connection(), lens()))


@blueprint.post("/me/requests")
def ask() -> Response:
    """I ask for a copy of everything."""
    requests.ask_for_oneself(connection(), lens())
    return redirect(url_for("my_requests.mine"), 303)
