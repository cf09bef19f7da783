"""Who records something of a person: whoever is involved with them. Broken glass, and a permission, let somebody look."""

from __future__ import annotations

from sqlalchemy import Connection

from carelink.consent.lens import Lens
from carelink.errors import Forbidden, NotFound
from carelink.ids import PersonKey

ONLY_LOOKS = "only-looks"  # the rule of the refusal
IN_NEED = (
    "You opened this record in need, so you can look and record nothing. Ask somebody who is involved to record it"
)
PERMITTED = "The person lets you look at their record. Only who is involved with them can record something in it"


def why_only_looks(conn: Connection, lens: Lens, person: PersonKey) -> str:
    """Why this requester may look at the person's record and record nothing; empty for who may, and who may not look."""
    if lens.may_record(conn, person) or not lens.person_visible(conn, person):
        return ""
    return _why(conn, lens, person)


def must_be_involved(conn: Connection, lens: Lens, person: PersonKey) -> None:
    """Raises `Forbidden` for who may look at the person's record and no more, `NotFound` for who may not even look."""
    if lens.may_record(conn, person):
        return
    if not lens.person_visible(conn, person):
        raise NotFound("There is no such person, or you are not involved with them")
    raise Forbidden(_why(conn, lens, person), rule=ONLY_LOOKS)


def _why(conn: Connection, lens: Lens, person: PersonKey) -> str:
    return IN_NEED if lens.glass(conn, person) else PERMITTED
