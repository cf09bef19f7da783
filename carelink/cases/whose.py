"""Whose record it is, for who handles requests and holds: they open none, but must know that they have the right person."""

from __future__ import annotations

import re

import nhs_number
from sqlalchemy import Connection

from carelink.cases.banner import Banner, banner
from carelink.consent.lens import Lens
from carelink.errors import Forbidden, Invalid, NotFound
from carelink.ids import NHS_NUMBER, PersonKey
from carelink.place import Place
from carelink.record import search
from carelink.record.query import Criterion, Query

MAY_HANDLE = "handle-requests"  # what a role of the place pack may have


def must_handle(lens: Lens) -> None:
    """Raises `Forbidden` for a role that does not handle requests. Who runs a command may (a system lens)."""
    if lens.requester is not None and MAY_HANDLE not in lens.may:
        raise Forbidden("Your role does not handle requests about records", rule=MAY_HANDLE)


def by_number(conn: Connection, place: Place, lens: Lens, typed: str, why: str) -> Banner:
    """The person of that NHS number. Audited with why it was asked. Raises `Forbidden`, `Invalid`, `NotFound`."""
    must_handle(lens)
    number = re.sub(r"[\s-]", "", typed)
    if not nhs_number.is_valid(number):
        raise Invalid("nhs_number", "This is not an NHS number: check the ten digits")
    query = Query(("Patient",), criteria=(Criterion("identifier", (f"{NHS_NUMBER}|{number}",)),), goldens=True)
    found = search.run(conn, _on_behalf(lens, why), query).rows
    if not found or found[0].person is None:
        raise NotFound("Nobody of that NHS number is in the record")
    return _known(banner(found[0].person, found[:1], place))


def by_key(conn: Connection, place: Place, lens: Lens, person: PersonKey, why: str) -> Banner:
    """The person of that key. Audited with why. Raises `Forbidden`, `NotFound`."""
    must_handle(lens)
    query = Query(("Patient",), person=person, goldens=True, count=1)
    return _known(banner(person, search.run(conn, _on_behalf(lens, why), query).rows, place))


def _on_behalf(lens: Lens, why: str) -> Lens:
    return Lens.system(why, lens.at, lens.user)


def _known(one: Banner | None) -> Banner:
    if one is None:
        raise NotFound("There is no such person in the record")
    return one
