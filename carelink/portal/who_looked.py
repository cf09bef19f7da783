"""The person's page of who looked at their record."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from carelink.audit import who_looked
from carelink.cases import audit_pages
from carelink.errors import Forbidden
from carelink.web.parts import parts
from carelink.web.session import lens, requester
from carelink.web.transaction import connection

blueprint = Blueprint("who_looked", __name__, template_folder="templates")


@blueprint.get("/me/who-looked")
def page() -> str:
    """Day by day, the newest first."""
    key = requester().person
    if key is None:
        raise Forbidden("This page is for people who look at their own record", rule="own-record")
    asked = audit_pages.wanted({name: request.args.get(name, "") for name in ("since", "until", "after")})
    told = who_looked.who_looked(connection(), parts().place, lens(), key, asked)
    return render_template("portal/who_looked.html", told=told, asked=asked)
