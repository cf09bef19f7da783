"""GET /fhir/R4/[type] and POST [type]/_search: one page of what is found, and what comes with it (FHIR R4 3.1.1)."""

from __future__ import annotations

from contextlib import nullcontext
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from carelink.consent.lens import Lens
from carelink.fhir import bearer, bundle, searched
from carelink.fhir.endpoint import ROOT, endpoint
from carelink.fhir.outcome import issue, outcome
from carelink.fhir.search_asking import Given, Search, of_one_person, search_of
from carelink.record import search
from carelink.record.includes import included
from carelink.record.limits import at_most
from carelink.record.links import is_person
from carelink.record.query import Page, Query, Row
from carelink.web.session import at
from carelink.web.transaction import connection

_TYPE = f"<any({', '.join(sorted({'Patient', *searched.TYPES}))}):type_>"

NARROW = ("_id", "identifier", "patient", "subject")
LONGEST = 5.0  # seconds, for a search that may go through the records of many people

blueprint = Blueprint("fhir_search", __name__, url_prefix=ROOT)
blueprint.before_request(bearer.check_format)


@blueprint.get(f"/{_TYPE}")
def find(type_: str) -> Response:
    """Resources of that type, newest first unless `_sort` says otherwise; of Patients the golden ones."""
    lens, given = bearer.lens(type_), list(request.args.items(multi=True))
    return bearer.answer(found(type_, lens, given, urlencode(given)))


@blueprint.post(f"/{_TYPE}/_search")
def find_by_form(type_: str) -> Response:
    """The same, asked in the body, so that nothing of the question stands in an address: not in those of the answer."""
    lens = bearer.lens(type_)
    given = bearer.in_body()
    return bearer.answer(found(type_, lens, given, endpoint().links.sealed(given, lens.requester)))


def found(type_: str, lens: Lens, given: Given, this: str) -> bytes:
    """The `searchset` Bundle of what is asked; `this` is the query string by which it says itself what that was."""
    asked, after = endpoint().links.followed(given, lens.requester)
    wanted = search_of(type_, asked, endpoint().base, at(), after, lenient=prefers_lenient())
    with at_most(connection(), LONGEST) if _of_many(wanted.query) else nullcontext():
        return _answered(lens, wanted, this, asked)


def _of_many(query: Query) -> bool:
    """Whether it may go through the records of many people: then it may not take for ever."""
    return not any(one.parameter in NARROW and one.chained is None for one in query.criteria)


def _answered(lens: Lens, wanted: Search, this: str, asked: Given) -> bytes:
    base, links = f"{endpoint().base}/{wanted.query.types[0]}", endpoint().links
    if wanted.only_total:
        return bundle.joined(_told(wanted), f"{base}?{this}", total=_number(lens, wanted.query))
    page, came = _page(lens, wanted)
    more = f"{base}?{links.sealed(asked, lens.requester, page.next)}" if page.next else ""
    entries = [bundle.entry(endpoint().base, row.type, row.key, row.body) for row in page.rows]
    entries += [bundle.entry(endpoint().base, row.type, row.key, row.body, bundle.INCLUDE) for row in came]
    return bundle.joined(entries + _told(wanted), f"{base}?{this}", more, _total(lens, wanted, page))


def prefers_lenient() -> bool:
    """Whether the client asked that what is not known is left out and told (R4 3.1.1.3); else it is refused."""
    wanted = [one.strip().replace(" ", "") for one in request.headers.get("Prefer", "").replace(";", ",").split(",")]
    return "handling=lenient" in wanted


def _told(wanted: Search) -> list[str]:
    """What was left out of the question, as the last entry."""
    if not wanted.left_out:
        return []
    said = outcome(*[issue("warning", "not-supported", str(one), one.place) for one in wanted.left_out])
    return ['{"resource":' + said.decode() + ',"search":{"mode":"outcome"}}']


def _total(lens: Lens, wanted: Search, page: Page) -> int | None:
    """Known for nothing only where all of it is here."""
    if not wanted.query.after and not page.next:
        return len(page.rows)
    return _number(lens, wanted.query) if wanted.total else None


def _number(lens: Lens, query: Query) -> int:
    """How many there are in all, found as `_page` finds them."""
    whole = of_one_person(query)
    if whole is None or whole.person is None:
        return search.count(connection(), lens, query)
    number = search.count(connection(), lens, whole)
    return number or (0 if is_person(connection(), whole.person) else search.count(connection(), lens, query))


def _page(lens: Lens, wanted: Search) -> tuple[Page, tuple[Row, ...]]:
    """A golden Patient means the whole person, which is the quicker question; another may be a source's own."""
    whole = of_one_person(wanted.query)
    query = whole or wanted.query
    page = search.unkept(connection(), lens, query)
    if whole is not None and whole.person is not None and not page.rows and not is_person(connection(), whole.person):
        search.keep(connection(), lens, query, ())
        query = wanted.query
        page = search.unkept(connection(), lens, query)
    came = included(connection(), lens, page.rows, wanted.includes) if wanted.includes else ()
    search.keep(connection(), lens, query, (*page.rows, *came))
    return page, came
