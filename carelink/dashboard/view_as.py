"""Pages of looking as somebody else: whose view of whom, the page as they see it, and back again. Nothing can be done."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from carelink.cases import story, viewing
from carelink.cases.standing import labels
from carelink.errors import Invalid, NotFound
from carelink.ids import PersonKey
from carelink.web.parts import parts
from carelink.web.session import at, lens
from carelink.web.transaction import connection
from carelink.web.words import today

blueprint = Blueprint("view_as", __name__, template_folder="templates")
KEPT = "view_as"  # in the session


@blueprint.get("/view-as")
def choose() -> str:
    """Whose view of whom."""
    offered = viewing.choices(parts().place, lens())
    return render_template("dashboard/view_as.html", choices=offered, form={}, wrong={})


@blueprint.post("/view-as")
def begin() -> Response | tuple[str, int]:
    """Keep whose view it is and go to the person."""
    offered = viewing.choices(parts().place, lens())
    try:
        view, person = viewing.begin(connection(), parts().place, lens(), request.form)
    except (Invalid, NotFound) as wrong:
        why = {wrong.place: wrong.why} if isinstance(wrong, Invalid) else {"person": str(wrong)}
        return render_template("dashboard/view_as.html", choices=offered, form=request.form, wrong=why), 400
    session[KEPT] = viewing.kept(view)
    return redirect(url_for("view_as.person", person=person), 303)


@blueprint.get("/view-as/people/<uuid:person>")
def person(person: UUID) -> str | Response:
    """The person's page as they see it; a refreshed timeline alone where htmx asks for it."""
    view = viewing.remembered(session.get(KEPT))
    if view is None:
        return redirect(url_for("view_as.choose"), 303)
    wanted = story.wanted(request.args, parts().place)
    shown = viewing.page(connection(), parts().place, lens(), view, PersonKey(person), wanted)
    if shown.page is None:
        return render_template("dashboard/view_as_nobody.html", viewed=shown)
    if request.headers.get("HX-Request"):
        told = {"story": shown.page.story, "filters": wanted, "labels": labels(parts().place)}
        return render_template("dashboard/timeline.html", **told)
    return render_template(
        "dashboard/view_as_person.html",
        viewed=shown,
        page=shown.page,
        story=shown.page.story,
        labels=shown.page.labels,
        filters=wanted,
        place=parts().place,
        now=at(),
        today=today(at()),
    )


@blueprint.post("/view-as/end")
def end() -> Response:
    """Back to one's own view."""
    session.pop(KEPT, None)
    return redirect(url_for("view_as.choose"), 303)
