"""Legal holds: nothing of a person is erased while one is open (an inquiry, a claim, an inquest)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from carelink.audit.trail import Event, append
from carelink.cases.whose import must_handle
from carelink.consent.lens import Lens
from carelink.db.tables import legal_hold
from carelink.errors import Conflict, Invalid, NotFound
from carelink.ids import PersonKey

ACTION = "legal-hold"  # in the audit


@dataclass(frozen=True)
class Hold:
    """One hold that is open."""

    id: int
    person: PersonKey
    why: str
    made_by: str
    made_at: datetime


def holds(conn: Connection, lens: Lens) -> tuple[Hold, ...]:
    """Those that are open, the oldest first. Raises `Forbidden` for other roles."""
    must_handle(lens)
    t = legal_hold.c
    asked = select(t.id, t.person, t.why, t.made_by, t.made_at).where(t.ended_at.is_(None)).order_by(t.id)
    found = tuple(Hold(row.id, PersonKey(row.person), row.why, row.made_by, row.made_at) for row in conn.execute(asked))
    append(conn, Event(ACTION, lens.requester, query="list", count=len(found), user=lens.user), lens.at)
    return found


def hold(conn: Connection, lens: Lens, person: PersonKey, why: str) -> int:
    """Put one on; gives its number. Raises `Forbidden`, `Invalid` without a reason, `Conflict` where one is open."""
    must_handle(lens)
    if not why.strip():
        raise Invalid("why", "Say why nothing may be erased, and by whose word")
    t = legal_hold.c
    if conn.execute(select(t.id).where(t.person == person, t.ended_at.is_(None))).first():
        raise Conflict("There is a hold on this record already")
    row = {"person": person, "why": why.strip(), "made_by": lens.user, "made_at": lens.at}
    id_: int = conn.execute(insert(legal_hold).values(row).returning(t.id)).scalar_one()
    append(conn, Event(ACTION, lens.requester, person, query="made", user=lens.user, detail={"hold": id_}), lens.at)
    return id_


def end(conn: Connection, lens: Lens, id_: int) -> None:
    """It holds no longer. Raises `Forbidden`, `NotFound`."""
    must_handle(lens)
    t = legal_hold.c
    ended = update(legal_hold).where(t.id == id_, t.ended_at.is_(None)).values(ended_at=lens.at, ended_by=lens.user)
    person = conn.execute(ended.returning(t.person)).scalar_one_or_none()
    if person is None:
        raise NotFound("There is no such open hold")
    event = Event(ACTION, lens.requester, person, query="ended", user=lens.user, detail={"hold": id_})
    append(conn, event, lens.at)
