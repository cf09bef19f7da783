"""Pages of who asks how the decision was, or would be: as it was at a time, and what a place pack would change."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from carelink.cases import looking_back, rehearsal
from carelink.cases.rehearsal_report import named
from carelink.errors import CareLinkError, Forbidden, Invalid
from carelink.web.parts import parts
from carelink.web.session import lens
from carelink.web.transaction import connection

blueprint = Blueprint("looking_back", __name__, template_folder="templates")


@blueprint.get("/who-sees-what")
def choose() -> str:
    """The ways to ask, of which each role finds those that it may."""
    return render_template("dashboard/who_sees_what.html", ways=looking_back.ways(lens()))


@blueprint.route("/as-it-was", methods=["GET", "POST"])
def as_it_was() -> str | tuple[str, int]:
    """What a worker could see of a person at a time; who and of whom travel in the body, never in an address."""
    looking_back.must_may(lens())
    shown = {"workers": looking_back.workers(parts().place), "form": request.form, "wrong": {}}
    if request.method == "GET":
        return render_template("dashboard/as_it_was.html", **shown)
    try:
        answer = looking_back.ask(connection(), lens(), request.form)
    except Forbidden:
        raise
    except CareLinkError as wrong:
        why = {wrong.place: wrong.why} if isinstance(wrong, Invalid) else {"person": str(wrong)}
        return render_template("dashboard/as_it_was.html", **(shown | {"wrong": why})), 400
    return render_template("dashboard/as_it_was.html", answer=answer, **shown)


@blueprint.get("/what-if")
def rehearsals() -> str:
    """The place packs that were tried on the record."""
    return render_template("dashboard/what_if.html", made=rehearsal.listed(connection(), lens()))


@blueprint.get("/what-if/<int:number>")
def rehearsed(number: int) -> str:
    """What one of them would change."""
    one = rehearsal.kept(connection(), lens(), number)
    rows = [(row, *named(row, parts().place)) for row in one.report.rows]
    return render_template("dashboard/what_if_report.html", one=one, report=one.report, rows=rows)
