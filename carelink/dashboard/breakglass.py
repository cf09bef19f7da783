"""Pages of break-glass: find somebody by two facts, say why, look twice, and the banner while it is open."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from carelink.cases import breakglass, breakglass_finding, breakglass_opening
from carelink.cases.breakglass import Why
from carelink.consent.facts import Grant
from carelink.ids import PersonKey
from carelink.web.parts import parts
from carelink.web.session import at, lens
from carelink.web.transaction import connection

blueprint = Blueprint("breakglass", __name__, template_folder="templates")


@blueprint.get("/break-glass")
def search() -> str:
    """The two facts that must be known of somebody; what is typed travels in the body, never in an address."""
    breakglass.must_be_offered(parts().place, lens())
    return render_template("dashboard/breakglass_find.html", form={}, wrong={}, nobody=False)


@blueprint.post("/break-glass")
def find() -> str | Response | tuple[str, int]:
    """To the reason, where exactly one person fits; the same words for nobody and for several."""
    breakglass.must_be_offered(parts().place, lens())
    facts, wrong = breakglass_finding.read(request.form)
    if wrong:
        return render_template("dashboard/breakglass_find.html", form=request.form, wrong=wrong, nobody=False), 400
    found = breakglass_finding.find(connection(), parts().place, lens(), facts)
    if found is None:
        return render_template("dashboard/breakglass_find.html", form=request.form, wrong={}, nobody=True)
    opens = lens().breakable(connection(), found)
    return redirect(url_for("breakglass.ask" if opens else "dashboard.person", person=found), 303)


@blueprint.get("/people/<uuid:person>/break-glass")
def ask(person: UUID) -> str:
    """Why this record must be opened."""
    return _asked(PersonKey(person), Why("", ""), {}, look=False)


@blueprint.post("/people/<uuid:person>/break-glass")
def say(person: UUID) -> str | Response:
    """The second look at what was said, and then, once that is confirmed, the record."""
    key = PersonKey(person)
    why, wrong = breakglass.read(request.form, parts().place)
    if wrong or request.form.get("confirmed") != "yes":
        back = request.form.get("step") == "change"
        return _asked(key, why, {} if back else wrong, look=not (wrong or back))
    breakglass_opening.break_glass(connection(), parts().place, lens(), key, why)
    return redirect(url_for("dashboard.person", person=person), 303)


def _asked(key: PersonKey, why: Why, wrong: dict[str, str], *, look: bool) -> str:
    """Answers 200 also where something is wrong: it shows who the person is, and only good answers keep their audit."""
    asking = breakglass_opening.asking(connection(), parts().place, lens(), key)
    page = "dashboard/breakglass_look.html" if look else "dashboard/breakglass_why.html"
    return render_template(page, asking=asking, why=why, wrong=wrong, reasons=asking.promise.reasons, now=at())


@blueprint.post("/people/<uuid:person>/break-glass/end")
def end(person: UUID) -> Response:
    """I am done: the record closes now."""
    breakglass_opening.end(connection(), lens(), PersonKey(person))
    return redirect(url_for("breakglass.done"), 303)


@blueprint.get("/break-glass/done")
def done() -> str:
    """That it is closed, and what comes now."""
    return render_template("dashboard/breakglass_done.html", promise=breakglass.promise(parts().place, lens()))


# For every page ------------------------------------------------------------------------------------


def _open_glass() -> tuple[Grant, int] | None:
    """What is open in need of the person whose page this is, with the minutes that are left."""
    person = (request.view_args or {}).get("person")
    if not isinstance(person, UUID) or "lens" not in g or "conn" not in g:
        return None  # the page of a failure asks the database nothing any more
    if "glass" not in g:
        grant = breakglass_opening.opened(connection(), parts().place, g.lens, PersonKey(person))
        g.glass = (grant, breakglass_opening.minutes_left(grant.ends, at())) if grant else None
    found: tuple[Grant, int] | None = g.glass
    return found


def _glass_offered() -> bool:
    return "lens" in g and breakglass.offered(parts().place, g.lens)


def _glass_helps(person: PersonKey) -> bool:
    """Whether to offer it on the page of somebody whom the reader is involved with."""
    return "lens" in g and breakglass_opening.helps(connection(), parts().place, g.lens, person)


@blueprint.app_context_processor
def _told() -> dict[str, Any]:
    return {"open_glass": _open_glass, "glass_offered": _glass_offered, "glass_helps": _glass_helps}
