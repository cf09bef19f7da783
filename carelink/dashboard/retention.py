"""The page of retention: what is due, and the legal holds that stop it."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from carelink.cases import legal_hold, retention, whose
from carelink.errors import Invalid, NotFound
from carelink.web.parts import parts
from carelink.web.session import lens
from carelink.web.transaction import connection

blueprint = Blueprint("retention", __name__, template_folder="templates")
WHY = "a legal hold: whose record it is"


@blueprint.get("/retention")
def overview() -> str:
    """The schedules, and the holds that are on."""
    return _page({})


@blueprint.post("/retention/due")
def due() -> str:
    """What would be erased now: looked up only when it is asked, since every record is looked through."""
    return _page({}, retention.what_is_due(connection(), parts().place, lens()))


@blueprint.post("/retention/holds")
def hold() -> str | Response:
    """Put a hold on a person's record; 200 also where something is wrong, to keep the look."""
    try:
        person = whose.by_number(connection(), parts().place, lens(), request.form.get("nhs_number", ""), WHY)
        legal_hold.hold(connection(), lens(), person.person, request.form.get("why", ""))
    except Invalid as wrong:
        return _page({wrong.place: wrong.why})
    except NotFound as nobody:
        return _page({"nhs_number": str(nobody)})
    return _back(f"A hold is on the record of {person.name}.")


@blueprint.post("/retention/holds/<int:number>/end")
def end(number: int) -> Response:
    """Take a hold off."""
    legal_hold.end(connection(), lens(), number)
    return _back("The hold has ended.")


def _back(said: str) -> Response:
    session["said"] = said
    return redirect(url_for("retention.overview"), 303)


def _page(wrong: Mapping[str, str], report: retention.Report | None = None) -> str:
    found = [
        (one, whose.by_key(connection(), parts().place, lens(), one.person, "the list of legal holds"))
        for one in legal_hold.holds(connection(), lens())
    ]
    return render_template(
        "dashboard/retention.html",
        holds=found,
        schedules=parts().place.schedules,
        report=report,
        wrong=wrong,
        form=request.form,
        said=session.pop("said", ""),
        events={"last-contact": "the last contact", "death": "death", "birth": "birth", "answer": "the answer"},
    )
