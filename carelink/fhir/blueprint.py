"""The FHIR R4 API for systems of the NHS and of councils: a token, a question, the stored bytes."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from flask import Blueprint, Response, g, request
from werkzeug.exceptions import NotAcceptable

from carelink.cases.standing import standings, told
from carelink.errors import Invalid
from carelink.fhir import asking, bearer, bundle, notices, outcome
from carelink.fhir.endpoint import ROOT, endpoint
from carelink.ids import PersonKey, ResourceKey
from carelink.record import store, versions
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
    return bearer.answer(endpoint().statement)


@blueprint.get("/Patient/<uuid:key>")
def read(key: UUID) -> Response:
    """One Patient: the golden one, or as one source knows them. 304 for a version that the client has."""
    lens = bearer.lens("Patient")
    return bearer.one(versions.current(connection(), lens, "Patient", ResourceKey(key)))


@blueprint.get("/Patient/<uuid:person>/$everything")
def everything(person: UUID) -> Response:
    """All of a person that this client may see, of the types that its scopes name, with what must be said of it."""
    lens, key = bearer.lens("Patient"), PersonKey(person)
    asking.no_parameters(list(request.args.items(multi=True)))
    rows = store.everything(connection(), lens, key)
    withheld = lens.withheld(connection(), key)
    stand = standings(connection(), parts().place, key, at())
    stand = told(stand, parts().place, lens, hidden=any(row.hidden for row in rows))
    notice = notices.notice(withheld, stand, parts().place.words)
    here = f"{endpoint().base}/Patient/{person}/$everything"
    return bearer.answer(bundle.searchset(endpoint().base, rows, here, total=bundle.matches(rows), notice=notice))


def failed(error: Exception) -> Response:
    """Any failure under /fhir as an OperationOutcome."""
    told = outcome.of(error, g.get("reference", ""))
    with suppress(Invalid, NotAcceptable):  # where nothing is at the address, nobody looked at the form yet
        bearer.form()
    answer = bearer.answer(told.body, told.status)
    answer.headers.update(told.headers)
    return answer
