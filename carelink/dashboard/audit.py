"""Pages for who reads the audit: who looked at a person, what a worker looked at.

What is searched for travels in the body: neither a number nor a worker's name stands in an address.
"""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from carelink.cases import audit_pages, audit_people
from carelink.errors import Invalid
from carelink.ids import PersonKey
from carelink.web.parts import parts
from carelink.web.session import lens
from carelink.web.transaction import connection

blueprint = Blueprint("audit", __name__, template_folder="templates")


@blueprint.get("/audit")
def start() -> str:
    """By person or by worker."""
    audit_pages.must_read(lens())
    return render_template("dashboard/audit.html", form={}, wrong={})


@blueprint.post("/audit/person")
def find_person() -> Response | tuple[str, int]:
    """From a number to the page of its person."""
    try:
        key = audit_people.person_of(connection(), lens(), request.form.get("nhs_number", ""))
    except Invalid as wrong:
        return render_template("dashboard/audit.html", form=request.form, wrong={wrong.place: wrong.why}), 400
    return redirect(url_for("audit.of_person", person=key), 303)


@blueprint.route("/audit/people/<uuid:person>", methods=["GET", "POST"])
def of_person(person: UUID) -> str:
    """Who looked at that person; the filters are sent as a form."""
    asked = audit_pages.wanted(request.form)
    page = audit_pages.of_person(connection(), parts().place, lens(), PersonKey(person), asked)
    return render_template(
        "dashboard/audit_person.html", page=page, person=person, asked=request.form, place=parts().place
    )


@blueprint.post("/audit/workers")
def find_worker() -> str | tuple[str, int]:
    """The workers of that name."""
    try:
        found = audit_people.workers(connection(), parts().place, lens(), request.form.get("worker", ""))
    except Invalid as wrong:
        return render_template("dashboard/audit.html", form=request.form, wrong={wrong.place: wrong.why}), 400
    return render_template("dashboard/audit.html", form=request.form, wrong={}, workers=found)


@blueprint.post("/audit/worker")
def of_worker() -> str:
    """What that worker looked at."""
    asked = audit_pages.wanted(request.form)
    page = audit_pages.of_worker(connection(), parts().place, lens(), asked.user, asked)
    return render_template("dashboard/audit_worker.html", page=page, asked=request.form, place=parts().place)
