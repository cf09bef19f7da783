"""Pages of who plans or researches: a closed set of questions about many people, and their answers. Nobody is in them."""

from __future__ import annotations

from flask import Blueprint, Response, render_template

from carelink.cases import opt_outs, planning
from carelink.cases.disclosure import Disclosure
from carelink.cases.planning import Answer
from carelink.web.parts import parts
from carelink.web.session import lens
from carelink.web.transaction import connection

blueprint = Blueprint("planning", __name__, template_folder="templates")


@blueprint.get("/planning")
def questions() -> str:
    """What can be asked."""
    return render_template(
        "dashboard/planning.html",
        questions=planning.questions(lens()),
        checked=opt_outs.checked_at(connection()),
    )


@blueprint.get("/planning/<question>")
def answer(question: str) -> str:
    """One answer as a table."""
    return render_template("dashboard/planning_answer.html", answer=_ask(question, "search"))


@blueprint.get("/planning/<question>.csv")
def download(question: str) -> Response:
    """The same as a file to take away; audited as `export`."""
    told = Response(planning.as_csv(_ask(question, "export")), mimetype="text/csv")
    told.headers["Content-Disposition"] = f'attachment; filename="{question}.csv"'
    return told


def _ask(question: str, action: str) -> Answer:
    secret = Disclosure.of(parts().settings.secret_key)
    return planning.ask(connection(), parts().place, lens(), question, secret, action)
