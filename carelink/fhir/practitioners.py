"""Which Practitioner a worker is: the one with one of their identifiers, as their sources know them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from carelink.consent.lens import Lens
from carelink.consent.requester import Requester
from carelink.place import Place
from carelink.record import search
from carelink.record.query import Criterion, Query

TYPE = "Practitioner"


def address(conn: Connection, place: Place, asks: Requester, base: str, now: datetime) -> str:
    """Its address, for the claim `fhirUser`; empty where there is none, or more than one."""
    staff = place.staff.get(asks.user)
    known = staff.identifiers if staff is not None else ()
    if not known:
        return ""
    lens = Lens.compile(place, replace(asks, types=frozenset({TYPE}), narrowed="", confined=None), now)
    found = search.run(conn, lens, Query(types=(TYPE,), criteria=(Criterion("identifier", tuple(known)),), count=2))
    return f"{base}/{TYPE}/{found.rows[0].key}" if len(found.rows) == 1 else ""
