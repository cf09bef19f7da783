"""The FHIR R4 API for systems of the NHS and of councils: a token, a question, the stored bytes."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import NotAcceptable

from carelink.cases.standing import standings, told
from carelink.consent.lens import Lens
from carelink.errors import Invalid
from carelink.fhir import bearer, bundle, notices, operation_body, outcome, terminology
from carelink.fhir import everything as everything_asked
from carelink.fhir.asking import Given
from carelink.fhir.endpoint import ROOT, endpoint
from carelink.ids import PersonKey, ResourceKey
from carelink.record import everything as record_everything
from carelink.record import store, versions
from carelink.record.everything import Narrowed
from carelink.record.query import Page
from carelink.web.parts import parts
from carelink.web.session import at
from carelink.web.transaction import connection

blueprint = Blueprint("fhir", __name__, url_prefix=ROOT)


@blueprint.before_request
def _only_json() -> None:
    bearer.check_format()


@blueprint.get("/metadata")
def metadata() -> Response:
    """What this server does; asked without a token, as FHIR wants it."""
    mode = request.args.get("mode", "full")
    if mode not in ("full", "normative", "terminology"):
        raise Invalid("mode", "must be full, normative or terminology")
    return bearer.answer(terminology.capabilities() if mode == "terminology" else endpoint().statement)


@blueprint.get("/Patient/<uuid:key>")
def read(key: UUID) -> Response:
    """One Patient: the golden one, or as one source knows them. 304 for a version that the client has."""
    lens = bearer.lens("Patient")
    return bearer.one(versions.current(connection(), lens, "Patient", ResourceKey(key)))


@blueprint.get("/Patient/<uuid:person>/$everything")
def everything(person: UUID) -> Response:
    """All of a person that this client may see, of the types that its scopes name, with what must be said of it."""
    lens = bearer.lens("Patient")
    given = list(request.args.items(multi=True))
    return _everything(lens, PersonKey(person), given, f"?{urlencode(given)}" if given else "")


@blueprint.post("/Patient/<uuid:person>/$everything")
def everything_by_body(person: UUID) -> Response:
    """The same, asked with Parameters."""
    lens = bearer.lens("Patient")
    sent = operation_body.as_given(operation_body.in_body())
    given = [*request.args.items(multi=True), *sent]
    this = f"?{endpoint().links.sealed(given, lens.requester)}" if given else ""
    return _everything(lens, PersonKey(person), given, this)


def _everything(lens: Lens, person: PersonKey, given: Given, this: str) -> Response:
    asked, after = endpoint().links.followed(given, lens.requester)
    narrowed = everything_asked.asked(asked, after)
    if narrowed == Narrowed():
        page = Page(store.everything(connection(), lens, person))
        hidden = any(row.hidden for row in page.rows)
    else:
        page = record_everything.narrowed(connection(), lens, person, narrowed)
        hidden = lens.hides_holders(connection(), person)  # whatever is on this page
    rows, here = page.rows, f"{endpoint().base}/Patient/{person}/$everything"
    more = f"{here}?{endpoint().links.sealed(asked, lens.requester, page.next)}" if page.next else ""
    total = None if after or page.next else bundle.matches(rows)
    return bearer.answer(
        bundle.searchset(endpoint().base, rows, here + this, more, total, _notice(lens, person, hidden))
    )


def _notice(lens: Lens, person: PersonKey, hidden: bool) -> bytes:
    """What must be said beside the rows, on every page; `hidden`: not which organisations hold them."""
    withheld = lens.withheld(connection(), person)
    stand = standings(connection(), parts().place, person, at())
    stand = told(stand, parts().place, lens, hidden=hidden)
    return notices.notice(withheld, stand, parts().place.words)


def failed(error: Exception) -> Response:
    """Any failure under /fhir as an OperationOutcome."""
    told = outcome.of(error, g.get("reference", ""))
    with suppress(Invalid, NotAcceptable):  # where nothing is at the address, nobody looked at the form yet
        bearer.form()
    answer = bearer.answer(told.body, told.status)
    answer.headers.update(told.headers)
    return answer
