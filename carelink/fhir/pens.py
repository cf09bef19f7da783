"""As whom a request writes: what its token grants, for which organisation, and how its conditions are looked up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import parse_qsl

from flask import g, request
from sqlalchemy import Connection

from carelink.cases.pushing_source import source_of
from carelink.cases.pushing_terms import Find, Pen
from carelink.consent.lens import Lens
from carelink.errors import Forbidden, Invalid
from carelink.fhir import asking, bearer
from carelink.fhir.endpoint import endpoint
from carelink.fhir.search_asking import search_of
from carelink.identity.tokens import Granted, ScopeTooSmall
from carelink.record import search
from carelink.record.query import Query, Row
from carelink.web.parts import parts
from carelink.web.session import at

MOST_MET = 20  # of a condition: more than one is one too many
# Parameters that shape an answer: a condition has none.
_NO_CONDITION = frozenset({"_count", "_sort", "_include", "_revinclude", "_summary", "_elements", "_total", "_format", "_pretty", "_page"})  # fmt: skip


def granted() -> Granted:
    """What the token grants. Raises `TokenRefused` without a good one; whoever it is stands in the audit of a refusal."""
    found = asking.granted(request.headers.get("Authorization", ""), endpoint().tokens, at())
    g.requester = replace(found.requester, request=g.reference)
    return found


def must_write(by: Granted, type_: str, letter: str) -> None:
    """Raises `ScopeTooSmall` where the token does not let its bearer do that (`c`, `u`, `d`) with that type."""
    if not by.may_write(type_, letter):
        raise ScopeTooSmall(f"The access token has no scope for writing {type_}", needed=f"system/{type_}.{letter}")


def pen_of(conn: Connection, by: Granted) -> Pen:
    """The pen of a system. Raises `Forbidden` for a bearer that speaks for no organisation."""
    asks = replace(by.requester, request=g.reference, types=None, narrowed="", confined=None)
    place = parts().place
    if asks.organisation not in place.organisations:
        raise Forbidden("Only a system of an organisation writes here", rule="no-organisation")
    return Pen(
        place=place,
        lens=Lens.compile(place, asks, at()),
        organisation=asks.organisation,
        entry=source_of(place, asks.organisation, asks.user),
        find=_finder(conn, goldens=False, of=asks.organisation),
        refer=_finder(conn, goldens=True),
        base=endpoint().base,
    )


def _finder(conn: Connection, *, goldens: bool, of: str = "") -> Find:
    """`of`: among Patients, those of that organisation. Each source has its own, and one number means several."""

    def find(type_: str, criteria: str) -> Sequence[Row]:
        lens = bearer.lens(type_)  # a condition looks, so it needs the scope to
        query = replace(_query(type_, criteria), count=MOST_MET)
        if type_ != "Patient":
            return search.run(conn, lens, query).rows
        rows = search.run(conn, lens, replace(query, goldens=goldens)).rows
        return [row for row in rows if not of or row.custodian == of]

    return find


def _query(type_: str, criteria: str) -> Query:
    given = parse_qsl(criteria, keep_blank_values=True)
    for name, _ in given:
        if name.partition(":")[0] in _NO_CONDITION:
            raise Invalid(name[:100], "shapes an answer; it is no condition")
    return search_of(type_, given, endpoint().base, at()).query
