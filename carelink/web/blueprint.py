"""Routes of what is everyone's: landing, sign-in, health, our own style and scripts."""

from __future__ import annotations

from flask import Blueprint
from sqlalchemy import text

from carelink.web import purposes, sign_in
from carelink.web.transaction import connection

blueprint = Blueprint("web", __name__, template_folder="templates", static_folder="assets", static_url_path="/assets")
blueprint.get("/")(sign_in.home)
blueprint.get("/sign-in")(sign_in.leave_to_provider)
blueprint.get("/signed-in")(sign_in.come_back)
blueprint.get("/roles")(sign_in.roles)
blueprint.post("/roles")(sign_in.choose_role)
blueprint.get("/purpose")(purposes.purpose)
blueprint.post("/purpose")(purposes.choose_purpose)
blueprint.post("/sign-out")(sign_in.sign_out)


@blueprint.get("/healthz")
def healthz() -> tuple[str, int, dict[str, str]]:
    """Whether this process answers and reaches its database."""
    connection().execute(text("select 1"))
    return "good\n", 200, {"Content-Type": "text/plain; charset=utf-8"}
