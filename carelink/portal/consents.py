"""The person's own choices: they object, agree and take back, in plain words."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, render_template, url_for
from werkzeug.wrappers import Response

from carelink.cases import consent_list
from carelink.cases.consent_dialogue import About
from carelink.errors import Forbidden
from carelink.ids import PersonKey, ResourceKey
from carelink.web import consent_steps
from carelink.web.consent_steps import Walk
from carelink.web.parts import parts
from carelink.web.session import lens, requester
from carelink.web.transaction import connection

blueprint = Blueprint("choices", __name__, template_folder="templates")


@blueprint.get("/me/choices")
def listed() -> str:
    """What I chose, and what that means."""
    page = consent_list.consents(connection(), parts().place, lens(), _own())
    said, _ = consent_steps.said()
    return render_template("portal/choices.html", page=page, said=said)


@blueprint.get("/me/choices/new")
def ask() -> str:
    """What do I want?"""
    return consent_steps.begin(_walk())


@blueprint.post("/me/choices/new")
def answer() -> str | Response:
    """The next step; after the last, my choices."""
    return consent_steps.go_on(_walk(), "saved")


@blueprint.get("/me/choices/<uuid:key>/change")
def ask_change(key: UUID) -> str:
    """What do I want instead?"""
    return consent_steps.begin(_walk(key))


@blueprint.post("/me/choices/<uuid:key>/change")
def answer_change(key: UUID) -> str | Response:
    """The next step of a change."""
    return consent_steps.go_on(_walk(key), "saved")


@blueprint.route("/me/choices/<uuid:key>/withdraw", methods=["GET", "POST"])
def withdraw(key: UUID) -> str | Response:
    """I take it back, and why."""
    return consent_steps.withdraw(_walk(key))


def _own() -> PersonKey:
    key = requester().person
    if key is None:
        raise Forbidden("This page is for people who look at their own record", rule="own-record")
    return key


def _walk(key: UUID | None = None) -> Walk:
    person = _own()
    held = consent_list.to_change(connection(), parts().place, lens(), person, ResourceKey(key)) if key else None
    return Walk(About(person, held), url_for("choices.listed"), mine=True)
