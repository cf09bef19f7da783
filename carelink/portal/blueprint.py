"""The person's own page: their record, read-only, in plain words."""

from __future__ import annotations

from flask import Blueprint, render_template, request

from carelink.cases import breakglass_telling, person_page, story
from carelink.cases.standing import labels
from carelink.errors import Forbidden
from carelink.ids import PersonKey
from carelink.web.parts import parts
from carelink.web.session import at, lens, requester
from carelink.web.transaction import connection
from carelink.web.words import today

blueprint = Blueprint("portal", __name__, template_folder="templates")


def _own() -> PersonKey:
    key = requester().person
    if key is None:
        raise Forbidden("This page is for people who look at their own record", rule="own-record")
    return key


@blueprint.get("/me")
def me() -> str:
    """My record; a refreshed timeline alone where htmx asks for it."""
    key, wanted = _own(), story.wanted(request.args, parts().place)
    if request.headers.get("HX-Request"):
        told = story.story_alone(connection(), lens(), key, wanted)
        return render_template("dashboard/timeline.html", story=told, filters=wanted, labels=labels(parts().place))
    page = person_page.person_page(connection(), parts().place, lens(), key, wanted)
    return render_template(
        "portal/me.html",
        page=page,
        notices=breakglass_telling.notices(connection(), lens(), key),
        story=page.story,
        labels=page.labels,
        filters=wanted,
        place=parts().place,
        now=at(),
        today=today(at()),
    )
