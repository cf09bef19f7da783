"""/fhir/R4/[type]: read and search of all types that are read and searched alike."""

from __future__ import annotations

from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, request

from carelink.consent.lens import Lens
from carelink.fhir import asking, bearer, bundle, searched
from carelink.fhir.asking import Given
from carelink.fhir.endpoint import ROOT, endpoint
from carelink.ids import ResourceKey
from carelink.record import search
from carelink.record.links import is_person
from carelink.record.query import Page
from carelink.web.transaction import connection

_TYPE = f"<any({', '.join(searched.TYPES)}):type_>"

blueprint = Blueprint("fhir_resources", __name__, url_prefix=ROOT)
blueprint.before_request(bearer.check_format)


@blueprint.get(f"/{_TYPE}/<uuid:key>")
def read(type_: str, key: UUID) -> Response:
    """One resource. 304 for a version that the client has."""
    return bearer.one(search.get(connection(), bearer.lens(type_), type_, ResourceKey(key)))


@blueprint.get(f"/{_TYPE}")
def find(type_: str) -> Response:
    """Resources of that type, newest first unless `_sort` says otherwise."""
    lens, given = bearer.lens(type_), list(request.args.items(multi=True))
    return _found(type_, lens, given, urlencode(given))


@blueprint.post(f"/{_TYPE}/_search")
def find_by_form(type_: str) -> Response:
    """The same, asked in the body, so that nothing of the question stands in an address."""
    lens = bearer.lens(type_)
    given = bearer.in_body()
    return _found(type_, lens, given, endpoint().links.sealed(given, lens.requester))


def _found(type_: str, lens: Lens, given: Given, this: str) -> Response:
    base, links = f"{endpoint().base}/{type_}", endpoint().links
    asked, after = links.followed(given, lens.requester)
    page = _page(lens, type_, asked, after)
    more = f"{base}?{links.sealed(asked, lens.requester, page.next)}" if page.next else ""
    total = None if after or page.next else len(page.rows)  # known for nothing only where all of it is here
    entries = [bundle.entry(endpoint().base, row.type, row.key, row.body) for row in page.rows]
    return bearer.answer(bundle.joined(entries, f"{base}?{this}", more, total))


def _page(lens: Lens, type_: str, asked: Given, after: str) -> Page:
    """A golden Patient means the whole person, which is the quicker question; another may be a source's own."""
    query = asking.search_of(type_, asked, after)
    whole = asking.of_one_person(query)
    if whole is None or whole.person is None:
        return search.run(connection(), lens, query)
    page = search.run(connection(), lens, whole)
    return page if page.rows or is_person(connection(), whole.person) else search.run(connection(), lens, query)
