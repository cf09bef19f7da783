"""/fhir/R4/AuditEvent: the audit, for the role that reads it and for the person of themselves; to all others it is empty."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from carelink.audit import reading
from carelink.audit.fhir_event import event
from carelink.audit.reading import Kept
from carelink.audit.told import untold
from carelink.consent.lens import Lens
from carelink.errors import Invalid
from carelink.fhir import bearer, bundle
from carelink.fhir.asking import Given
from carelink.fhir.audit_asking import TYPE, question_of
from carelink.fhir.endpoint import ROOT, endpoint
from carelink.fhir.forms import COUNT
from carelink.web.parts import parts
from carelink.web.transaction import connection
from fhir_adapters import exact_json

blueprint = Blueprint("fhir_audit", __name__, url_prefix=ROOT)
blueprint.before_request(bearer.check_format)


@blueprint.get(f"/{TYPE}/<int:number>")
def read(number: int) -> Response:
    """One AuditEvent. A row of the audit never changes: it has no versions."""
    lens = bearer.lens(TYPE)
    kept = reading.get(connection(), lens, number, TYPE, untold(parts().place, lens))
    return bearer.answer(_body(lens, kept))


@blueprint.get(f"/{TYPE}")
def find() -> Response:
    """AuditEvents, newest first."""
    lens, given = bearer.lens(TYPE), list(request.args.items(multi=True))
    return _found(lens, given, urlencode(given))


@blueprint.post(f"/{TYPE}/_search")
def find_by_form() -> Response:
    """The same, asked in the body."""
    lens = bearer.lens(TYPE)
    given = bearer.in_body()
    return _found(lens, given, endpoint().links.sealed(given, lens.requester))


def _found(lens: Lens, given: Given, this: str) -> Response:
    base, links = f"{endpoint().base}/{TYPE}", endpoint().links
    wanted, after = links.followed(given, lens.requester)
    question = question_of(wanted, after)
    asked = replace(question.asked, without=untold(parts().place, lens))
    page = reading.find(connection(), lens, asked, question.query)
    more = f"{base}?{links.sealed(wanted, lens.requester, page.next)}" if page.next else ""
    total = None if after or page.next else len(page.rows)
    if total is None and bearer.form().summary == COUNT:
        raise Invalid("_summary", "is not counted where there is more than a page of events: narrow the question")
    entries = [bundle.entry(endpoint().base, TYPE, kept.id, _body(lens, kept)) for kept in page.rows]
    return bearer.answer(bundle.joined(entries, f"{base}?{this}", more, total))


def _body(lens: Lens, kept: Kept) -> str:
    own = lens.requester.person if lens.requester else None
    return exact_json.dumps(event(kept, parts().place, endpoint().base, own)).decode()
