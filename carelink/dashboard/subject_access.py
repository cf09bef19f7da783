"""Pages of who handles the requests of people for what is held about them."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, Response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as Answer

from carelink.cases import subject_access as requests
from carelink.cases import subject_access_form as forms
from carelink.cases import subject_access_release, subject_access_review, whose
from carelink.errors import Invalid, NotFound
from carelink.ids import PersonKey
from carelink.web.parts import parts
from carelink.web.session import at, lens
from carelink.web.transaction import connection

blueprint = Blueprint("subject_access", __name__, template_folder="templates")
WHY = "a request for what is held about a person: whose it is"


@blueprint.get("/requests")
def queue() -> str:
    """All requests: what is due first."""
    found = requests.requests(connection(), lens())
    return _page("requests.html", requests=found, said=session.pop("said", ""))


@blueprint.get("/requests/new")
def new() -> str:
    """Whose record was asked for."""
    whose.must_handle(lens())
    return _page("request_who.html", wrong={})


@blueprint.post("/requests/new")
def whose_record() -> str:
    """The person of that NHS number, and the form of the request; 200 also where nobody is found, to keep the look."""
    try:
        person = whose.by_number(connection(), parts().place, lens(), request.form.get("nhs_number", ""), WHY)
    except Invalid as wrong:
        return _page("request_who.html", wrong={"nhs_number": wrong.why})
    except NotFound as nobody:
        return _page("request_who.html", wrong={"nhs_number": f"{nobody}"})
    return _page("request_new.html", person=person, wrong={})


@blueprint.post("/requests")
def open_() -> str | Answer:
    """Keep the request."""
    try:
        person = PersonKey(UUID(request.form.get("person", "")))
    except ValueError as wrong:
        raise Invalid("person", "The form did not say whose record it is") from wrong
    asked, wrong_fields = forms.read(request.form)
    if asked is not None:
        try:
            id_ = requests.open_request(connection(), lens(), person, asked)
            return redirect(url_for("subject_access.one", id_=id_), 303)
        except Invalid as wrong:
            wrong_fields = {wrong.place: wrong.why}
    known = whose.by_key(connection(), parts().place, lens(), person, WHY)
    return _page("request_new.html", person=known, wrong=wrong_fields)


@blueprint.get("/requests/<int:id_>")
def one(id_: int) -> str:
    """Where a request is, and what is to be done next."""
    return _one(id_, {})


def _one(id_: int, wrong: Mapping[str, str]) -> str:
    asked = requests.request(connection(), lens(), id_)
    person = whose.by_key(connection(), parts().place, lens(), asked.person, f"subject access request {id_}")
    package = requests.package(connection(), lens(), id_) if asked.open else None
    said = session.pop("said", "")
    return _page("request.html", asked=asked, person=person, package=package, wrong=wrong, said=said)


@blueprint.post("/requests/<int:id_>/identity")
def identity(id_: int) -> str | Answer:
    """It is known who asks: the clock starts."""
    seen, wrong = forms.identity(request.form)
    if seen is None:
        return _one(id_, wrong)
    try:
        requests.note_identity(connection(), lens(), id_, seen)
    except Invalid as problem:
        return _one(id_, {problem.place: problem.why})
    return _back(id_, "The clock has started.")


@blueprint.post("/requests/<int:id_>/extend")
def extend(id_: int) -> str | Answer:
    """Two months more."""
    try:
        requests.extend(connection(), lens(), id_, request.form.get("why", ""))
    except Invalid as problem:
        return _one(id_, {problem.place: problem.why})
    return _back(id_, "There are two months more.")


@blueprint.post("/requests/<int:id_>/end")
def end(id_: int) -> str | Answer:
    """Refused or withdrawn."""
    try:
        requests.end(connection(), lens(), id_, request.form.get("how", ""), request.form.get("ended_why", ""))
    except Invalid as problem:
        return _one(id_, {problem.place: problem.why})
    return _back(id_, "The request is closed.")


@blueprint.post("/requests/<int:id_>/gather")
def gather(id_: int) -> Answer:
    """Gather what came since."""
    requests.gather_again(connection(), lens(), id_)
    return _back(id_, "It is being gathered. Load this page again in a minute.")


@blueprint.get("/requests/<int:id_>/review")
def review(id_: int) -> str:
    """What waits for a decision, a few at a time."""
    return _review(id_, {})


@blueprint.post("/requests/<int:id_>/review")
def decide(id_: int) -> str | Answer:
    """Keep the decisions of one page and show the next."""
    said = forms.decisions(request.form)
    if not said:
        return _review(id_, {"": "Choose what becomes of at least one item"})
    if wrong := subject_access_review.decide(connection(), lens(), id_, said):
        return _review(id_, wrong)
    left = len(requests.package(connection(), lens(), id_).open)
    if left == 0:
        return _back(id_, "Everything is decided.")
    return redirect(url_for("subject_access.review", id_=id_), 303)


def _review(id_: int, wrong: Mapping[str, str]) -> str:
    asked, package = requests.request(connection(), lens(), id_), requests.package(connection(), lens(), id_)
    waiting = package.open[: subject_access_review.PAGE]
    return _page("request_review.html", asked=asked, package=package, shown=waiting, wrong=wrong)


@blueprint.get("/requests/<int:id_>/held")
def held(id_: int) -> str:
    """Everything that was gathered, by part."""
    asked, package = requests.request(connection(), lens(), id_), requests.package(connection(), lens(), id_)
    return _page("request_held.html", asked=asked, package=package)


@blueprint.get("/requests/<int:id_>/held/<int:number>")
def item(id_: int, number: int) -> str:
    """One item, to decide about it or to decide otherwise."""
    return _item(id_, number, {})


@blueprint.post("/requests/<int:id_>/held/<int:number>")
def decide_item(id_: int, number: int) -> str | Answer:
    """Keep the decision about one item."""
    wrong = subject_access_review.decide(connection(), lens(), id_, forms.decisions(request.form))
    if wrong:
        return _item(id_, number, wrong)
    return redirect(url_for("subject_access.held", id_=id_), 303)


def _item(id_: int, number: int, wrong: Mapping[str, str]) -> str:
    asked, package = requests.request(connection(), lens(), id_), requests.package(connection(), lens(), id_)
    if number >= len(package.items):
        raise NotFound("There is no such item in this request")
    chosen = package.items[number]
    return _page("request_item.html", asked=asked, package=package, shown=(chosen,), number=number, wrong=wrong)


@blueprint.post("/requests/<int:id_>/finish")
def finish(id_: int) -> Answer:
    """The review is complete."""
    subject_access_review.finish(connection(), lens(), id_)
    return _back(id_, "The review is finished. Release it when you are ready.")


@blueprint.post("/requests/<int:id_>/release")
def release(id_: int) -> Answer:
    """Make what is released."""
    subject_access_review.release(connection(), lens(), id_)
    return _back(id_, "It is being made. Load this page again in a minute.")


@blueprint.get("/requests/<int:id_>/<any(printed, fhir):which>")
def file(id_: int, which: str) -> Response:
    """What was released, to be given to who asked."""
    data, kind = subject_access_release.released_file(connection(), lens(), id_, which)
    ending = {"application/pdf": "pdf", "text/html": "html"}.get(kind, "json")
    sent = Response(data, mimetype=kind)
    sent.headers["Content-Disposition"] = f"attachment; filename=request-{id_}.{ending}"
    return sent


def _back(id_: int, said: str) -> Answer:
    session["said"] = said
    return redirect(url_for("subject_access.one", id_=id_), 303)


def _page(name: str, **told: object) -> str:
    return render_template(
        f"dashboard/{name}",
        form=request.form,
        now=at(),
        authorities=requests.AUTHORITIES,
        ends=requests.ENDS,
        states=requests.STATES,
        review=subject_access_review,
        may_release_legal=subject_access_review.MAY_SEE_LEGAL in lens().may,
        **told,
    )
