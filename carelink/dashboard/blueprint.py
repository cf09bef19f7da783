"""Pages of social workers, care managers, nurses and the information governance lead."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from carelink.cases import caseload as caseloads
from carelink.cases import finding, identity, oversight, person_page, story
from carelink.cases.standing import labels
from carelink.errors import Invalid
from carelink.ids import PersonKey
from carelink.web.parts import parts
from carelink.web.session import at, lens
from carelink.web.transaction import connection
from carelink.web.words import today

blueprint = Blueprint("dashboard", __name__, template_folder="templates")


@blueprint.get("/caseload")
def caseload() -> str:
    """The people allocated to me or my team."""
    sort = request.args.get("sort", "")
    sort = sort if sort in caseloads.SORTS else "name"
    mine = caseloads.caseload(connection(), parts().place, lens(), sort)
    return render_template(
        "dashboard/caseload.html", caseload=mine, sort=sort, sorts=caseloads.SORTS, today=today(at())
    )


@blueprint.route("/people/find", methods=["GET", "POST"])
def find() -> str | tuple[str, int]:
    """The search form; what was typed travels in the body, never in an address."""
    asked_by = lens()
    if request.method == "GET":
        return render_template("dashboard/find.html", form={}, wrong={}, today=today(at()))
    asked, wrong = finding.read(request.form)
    if wrong:
        return render_template("dashboard/find.html", form=request.form, wrong=wrong, today=today(at())), 400
    found = finding.find(connection(), parts().place, asked_by, asked)
    return render_template("dashboard/find.html", form=request.form, wrong={}, found=found, today=today(at()))


@blueprint.get("/people/<uuid:person>")
def person(person: UUID) -> str:
    """One person's page; a refreshed timeline alone where htmx asks for it."""
    key, wanted = PersonKey(person), story.wanted(request.args, parts().place)
    if request.headers.get("HX-Request"):
        told = story.story_alone(connection(), lens(), key, wanted)
        return render_template("dashboard/timeline.html", story=told, filters=wanted, labels=labels(parts().place))
    page = person_page.person_page(connection(), parts().place, lens(), key, wanted)
    person_page.refresh_stale(connection(), page.sources, at())
    return render_template(
        "dashboard/person.html",
        page=page,
        story=page.story,
        labels=page.labels,
        filters=wanted,
        place=parts().place,
        now=at(),
        today=today(at()),
    )


@blueprint.get("/quarantine")
def quarantine() -> str:
    """What could not be stored, for who watches over it."""
    waiting = oversight.quarantined(connection(), parts().place, lens())
    return render_template("dashboard/quarantine.html", quarantine=waiting)


@blueprint.get("/links")
def links() -> str:
    """Which records may be one person: what waits for a human."""
    waiting = identity.questions(connection(), parts().place, lens())
    return render_template("dashboard/links.html", questions=waiting, said=session.pop("said", ""))


@blueprint.get("/links/<int:decision>")
def link(decision: int) -> str:
    """Two records side by side."""
    asked = identity.question(connection(), parts().place, lens(), decision)
    return render_template("dashboard/link.html", question=asked, wrong="")


@blueprint.post("/links/<int:decision>")
def decide_link(decision: int) -> Response | tuple[str, int]:
    """Keep the answer and go back to what waits."""
    try:
        said = identity.answer(connection(), parts().place, lens(), decision, request.form.get("answer", ""))
    except Invalid as wrong:
        asked = identity.question(connection(), parts().place, lens(), decision)
        return render_template("dashboard/link.html", question=asked, wrong=wrong.why), 400
    session["said"] = said
    return redirect(url_for("dashboard.links"), 303)
