"""Pages of consent: what a person agreed and objected to, a form that a worker fills in with them, a page to sign."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, render_template, url_for
from werkzeug.wrappers import Response

from carelink.cases import consent_list, consent_unclear
from carelink.cases.consent_dialogue import About
from carelink.ids import PersonKey, ResourceKey
from carelink.web import consent_steps
from carelink.web.consent_steps import Walk
from carelink.web.parts import parts
from carelink.web.session import lens
from carelink.web.transaction import connection

blueprint = Blueprint("consents", __name__, template_folder="templates")


@blueprint.get("/people/<uuid:person>/consents")
def listed(person: UUID) -> str:
    """What the person agreed and objected to, with its history."""
    page = consent_list.consents(connection(), parts().place, lens(), PersonKey(person))
    said, key = consent_steps.said()
    return render_template("dashboard/consents.html", page=page, said=said, key=key)


@blueprint.get("/people/<uuid:person>/consents/new")
def ask(person: UUID) -> str:
    """The first step of a new consent."""
    return consent_steps.begin(_new(person))


@blueprint.post("/people/<uuid:person>/consents/new")
def answer(person: UUID) -> str | Response:
    """The next step; after the last, the list."""
    return consent_steps.go_on(_new(person), "recorded")


@blueprint.get("/people/<uuid:person>/consents/<uuid:key>/change")
def ask_change(person: UUID, key: UUID) -> str:
    """The first step of a change, with what was wanted so far."""
    return consent_steps.begin(_of(person, key))


@blueprint.post("/people/<uuid:person>/consents/<uuid:key>/change")
def answer_change(person: UUID, key: UUID) -> str | Response:
    """The next step of a change."""
    return consent_steps.go_on(_of(person, key), "changed")


@blueprint.route("/people/<uuid:person>/consents/<uuid:key>/withdraw", methods=["GET", "POST"])
def withdraw(person: UUID, key: UUID) -> str | Response:
    """Why it is withdrawn, by whom, and what will be the case without it."""
    return consent_steps.withdraw(_of(person, key))


@blueprint.get("/people/<uuid:person>/consents/<uuid:key>/print")
def printed(person: UUID, key: UUID) -> str:
    """What was agreed, to be signed."""
    page = consent_list.to_print(connection(), parts().place, lens(), PersonKey(person), ResourceKey(key))
    return render_template("dashboard/consent_print.html", page=page, held=page.one(ResourceKey(key)), now=lens().at)


@blueprint.get("/consents/unclear")
def unclear() -> str:
    """What can't be read, and why, for who reviews it."""
    found = consent_unclear.to_look_at(connection(), parts().place, lens())
    return render_template("dashboard/consents_unclear.html", found=found)


def _new(person: UUID) -> Walk:
    return Walk(About(PersonKey(person)), url_for("consents.listed", person=person))


def _of(person: UUID, key: UUID) -> Walk:
    held = consent_list.to_change(connection(), parts().place, lens(), PersonKey(person), ResourceKey(key))
    return Walk(About(PersonKey(person), held), url_for("consents.listed", person=person))
