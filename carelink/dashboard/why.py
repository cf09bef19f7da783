"""Pages of why: why I see this item, and for who may explain, why a worker sees what they see of a person, and why not."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, g, render_template, request, url_for

from carelink.cases import explaining, why
from carelink.cases.consent_words import PURPOSES
from carelink.cases.looking_back import must_may, workers
from carelink.errors import CareLinkError, Forbidden, Invalid
from carelink.ids import PersonKey, ResourceKey
from carelink.record.timeline import Entry
from carelink.web.parts import parts
from carelink.web.session import lens
from carelink.web.transaction import connection

blueprint = Blueprint("why", __name__, template_folder="templates")
_ITEM = UUID(int=0)


@blueprint.get("/people/<uuid:person>/why/<uuid:item>")
def mine(person: UUID, item: UUID) -> str:
    """Why who asks sees this item of the person's page."""
    told = why.why(connection(), parts().place, lens(), PersonKey(person), ResourceKey(item))
    return render_template("dashboard/why.html", why=told)


@blueprint.route("/explain", methods=["GET", "POST"])
def explain() -> str | tuple[str, int]:
    """What a worker sees of a person now, what not, and why; who and of whom travel in the body, never in an address."""
    must_may(lens())
    shown: dict[str, Any] = {"workers": workers(parts().place), "form": request.form, "wrong": {}}
    shown["purposes"] = {code: words for code, words in PURPOSES.items() if code != "PATRQT"}
    if request.method == "GET":
        return render_template("dashboard/explain.html", **shown)
    try:
        answer = explaining.ask(connection(), parts().place, lens(), request.form)
    except Forbidden:
        raise
    except CareLinkError as wrong:
        why_not = {wrong.place: wrong.why} if isinstance(wrong, Invalid) else {"person": str(wrong)}
        return render_template("dashboard/explain.html", **(shown | {"wrong": why_not})), 400
    return render_template("dashboard/explain.html", answer=answer, **shown)


@blueprint.app_template_global("why_link")
def why_link(one: Entry) -> str:
    """Where the reader of a person's page is told why they see this line; empty where they may not ask there."""
    start = _start()
    return f"{start}{one.key}" if start else ""


def _start() -> str:
    """The address of all of them but its end, put together once a page: there may be hundreds."""
    if "why_start" not in g:
        standing = lens().standing
        asks = request.endpoint == "dashboard.person" and standing is not None and standing.cares
        whose = (request.view_args or {}).get("person")
        g.why_start = url_for("why.mine", person=whose, item=_ITEM).removesuffix(str(_ITEM)) if asks else ""
    start: str = g.why_start
    return start
