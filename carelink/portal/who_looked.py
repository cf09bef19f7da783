"""The person's page of who looked at their record."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from carelink.cases import audit_pages
from carelink.web.parts import parts
from carelink.web.session import lens
from carelink.web.transaction import connection

blueprint = Blueprint("who_looked", __name__, template_folder="templates")


@blueprint.get("/me/who-looked")
def page() -> str:
    """Day by day, the newest first."""
    asked = audit_pages.wanted({name: request.args.get(name, "") for name in ("since", "until", "after")})
    told = audit_pages.of_myself(connection(), parts().place, lens(), asked)
    return render_template("portal/who_looked.html", told=told, asked=asked)
