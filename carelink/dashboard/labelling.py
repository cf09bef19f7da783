"""Pages of who corrects labels: one item's label, and the items whose words make somebody look."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from carelink.cases import labelling, labelling_queue
from carelink.cases.labelling import Wanted
from carelink.cases.standing import labels
from carelink.errors import Invalid
from carelink.ids import PersonKey, ResourceKey
from carelink.record.timeline import Entry
from carelink.web.parts import parts
from carelink.web.session import lens
from carelink.web.transaction import connection

blueprint = Blueprint("labelling", __name__, template_folder="templates")


@blueprint.get("/labels")
def queue() -> str:
    """What waits at the requester's organisation."""
    waiting = labelling_queue.queue(connection(), parts().place, lens())
    return render_template(
        "dashboard/labels_queue.html", queue=waiting, labels=labels(parts().place), said=session.pop("said", "")
    )


@blueprint.post("/labels/hints/<int:hint>")
def not_needed(hint: int) -> Response:
    """The item needs no such label."""
    labelling_queue.not_needed(connection(), lens(), hint)
    session["said"] = "label-not-needed"
    return redirect(url_for("labelling.queue"), 303)


@blueprint.get("/labels/<uuid:key>")
def item(key: UUID) -> str:
    """One item, its label, and the form to correct it."""
    return _page(ResourceKey(key))


@blueprint.post("/labels/<uuid:key>")
def correct(key: UUID) -> str | Response:
    """Keep the correction; where the item is hidden from who made it now, go on with what waits."""
    form = request.form
    wanted = Wanted(form.get("category", ""), tuple(form.getlist("sensitivities")), form.get("why", ""))
    try:
        seen = labelling.correct(connection(), parts().place, lens(), ResourceKey(key), wanted)
    except Invalid as wrong:
        return _page(ResourceKey(key), {wrong.place: wrong.why}, wanted)
    session["said"] = "label-corrected"
    return redirect(url_for("labelling.item", key=key) if seen else url_for("labelling.queue"), 303)


@blueprint.post("/labels/<uuid:key>/undo")
def undo(key: UUID) -> Response:
    """Label it by the rules again."""
    labelling.undo(connection(), parts().place, lens(), ResourceKey(key))
    session["said"] = "label-undone"
    return redirect(url_for("labelling.item", key=key), 303)


def _page(key: ResourceKey, wrong: dict[str, str] | None = None, wanted: Wanted | None = None) -> str:
    """Answers 200 also where something is wrong: it shows the item, and only good answers keep their audit."""
    place = parts().place
    seen = labelling.item(connection(), place, lens(), key)
    return render_template(
        "dashboard/label.html",
        seen=seen,
        key=key,
        wanted=wanted or Wanted(seen.label.category, seen.names, ""),
        choices=labelling.choices(place, seen.by_rules),
        categories=place.categories,
        staff=place.staff,
        labels=labels(place),
        wrong=wrong or {},
        said=session.pop("said", ""),
        longest=labelling.LONGEST,
    )


@blueprint.app_template_global("may_label")
def may_label(one: Entry) -> bool:
    """Whether who looks may correct the label of this line of a person's page."""
    return labelling.may_correct(lens(), one.custodian) and _records()


def _records() -> bool:
    """Whether they record something of the person whose page it is; asked once a page."""
    if "records" not in g:
        whose = (request.view_args or {}).get("person")
        g.records = whose is not None and lens().may_record(connection(), PersonKey(whose))
    told: bool = g.records
    return told
