"""Who one person is, for whoever may know it."""

from __future__ import annotations

from sqlalchemy import Connection

from carelink.cases.banner import Banner, banner
from carelink.consent.lens import Lens
from carelink.ids import PersonKey
from carelink.place import Place
from carelink.record import search
from carelink.record.query import Query


def whom(conn: Connection, place: Place, lens: Lens, person: PersonKey) -> Banner | None:
    """The banner of that person; None where this requester may not know them."""
    return banner(person, search.run(conn, lens, Query(("Patient",), person=person, count=20)).rows, place)
