"""Breaking the glass: a worker opens a record in need, for a while, with a reason, and never unseen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, insert, select, update

from carelink import outbox
from carelink.audit.trail import Event, append
from carelink.cases.breakglass import MAY, Promise, Why, must_be_offered, offered, promise, read
from carelink.cases.breakglass_finding import Who, found_lately, who
from carelink.consent.facts import Grant
from carelink.consent.lens import Lens
from carelink.consent.rules import GLASS
from carelink.consent.terms import OBJECTION
from carelink.db.tables import access_grant
from carelink.db.turns import take_turns
from carelink.errors import Conflict, Forbidden, Invalid, NotFound
from carelink.ids import PersonKey, UserId
from carelink.place import BreakGlass, Place

OPENED = "break-glass.opened"  # kind of work in the outbox
ENDED = "break-glass-end"  # in the audit
OPENS_NOTHING = "Opening this record in need would show you nothing more"


def opened(conn: Connection, place: Place, lens: Lens, person: PersonKey) -> Grant | None:
    """What this requester has open of the person in need, if anything."""
    return lens.glass(conn, person) if offered(place, lens) else None


def _must_be_askable(conn: Connection, place: Place, lens: Lens, person: PersonKey) -> None:
    """Raises `NotFound` unless this requester is involved with the person, or named them by two facts just now.

    Whoever only holds a key, from an old page or a guess, learns nothing by it. Raises `Forbidden` for who may not
    break glass.
    """
    must_be_offered(place, lens)
    if not (lens.person_visible(conn, person) or found_lately(conn, lens, person)):
        raise NotFound("There is no such person, or you must find them by two facts first")


def helps(conn: Connection, place: Place, lens: Lens, person: PersonKey) -> bool:
    """Whether the page of somebody whom they are involved with offers it: it would show more, and that may be told.

    Where the place tells nobody that something is withheld, the offer must not tell it either: that an objection is
    what it opens.
    """
    if not offered(place, lens) or place.glass is None:
        return False
    silent = OBJECTION in place.glass.widens and not lens.tells_withheld
    return not silent and lens.breakable(conn, person)


@dataclass(frozen=True)
class Asking:
    """The page on which a worker says why. `involved`: the glass opens what is kept from them, not the person."""

    who: Who
    promise: Promise
    involved: bool


def asking(conn: Connection, place: Place, lens: Lens, person: PersonKey) -> Asking:
    """What is asked before the glass is broken. Raises as `break_glass`, which comes after it."""
    _must_be_askable(conn, place, lens, person)
    _must_be_closed(conn, lens, person)
    if not lens.breakable(conn, person):
        raise Forbidden(OPENS_NOTHING, rule=GLASS.id)
    involved = lens.person_visible(conn, person)
    return Asking(who(conn, lens, person, "who they are, before break-glass"), promise(place, lens), involved)


def break_glass(conn: Connection, place: Place, lens: Lens, person: PersonKey, why: Why) -> Grant:
    """Open the record for as long as the place says; who asked must have had the second look.

    The grant, a high-severity audit event and the word to the lead (and the person) are one transaction. Raises
    `Forbidden` for who may not and for a record that it opens nothing of, `NotFound` as `_must_be_askable`, `Invalid`
    for a reason that is none, `Conflict` where it is open already: nothing is made longer.
    """
    glass = must_be_offered(place, lens)
    _must_be_askable(conn, place, lens, person)
    _check(why, place)
    take_turns(conn, (person,))  # of two requests at once the second sees the first's grant
    _must_be_closed(conn, lens, person)
    if not lens.breakable(conn, person):
        raise Forbidden(OPENS_NOTHING, rule=GLASS.id)
    grant = _add(conn, glass, lens, person, why)
    detail = {"severity": "high", "reason": why.reason, "grant": grant.id, "until": grant.ends.isoformat()}
    append(conn, Event(MAY, lens.requester, person, rules=(GLASS.id,), detail=detail), lens.at)
    outbox.add(conn, OPENED, {"grant": grant.id}, lens.at)
    return grant


def _check(why: Why, place: Place) -> None:
    _, wrong = read({"reason": why.reason, "words": why.words}, place)
    for field, what in wrong.items():
        raise Invalid(field, what)


def _must_be_closed(conn: Connection, lens: Lens, person: PersonKey) -> None:
    if (until := _latest_end(conn, lens, person)) is not None:
        raise Conflict(f"You have this record open in need already: {_left(until, lens.at)}. Nothing was made longer")


def _left(ends: datetime, at: datetime) -> str:
    minutes = minutes_left(ends, at)
    return f"it closes in {minutes} minute{'' if minutes == 1 else 's'}"


def minutes_left(ends: datetime, at: datetime) -> int:
    """Whole minutes until then, a begun one as one."""
    return max(0, -int((at - ends) // timedelta(minutes=1)))


def _add(conn: Connection, glass: BreakGlass, lens: Lens, person: PersonKey, why: Why) -> Grant:
    asked = lens.requester
    assert asked is not None, "a system lens breaks no glass"
    ends = lens.at + timedelta(minutes=glass.minutes)
    row: dict[str, Any] = {
        "person": person,
        "user": asked.user,
        "organisation": asked.organisation,
        "role": asked.role,
        "team": asked.team,
        "reason": why.reason,
        "words": why.words,
        "starts": lens.at,
        "ends": ends,
        "reviewer_role": glass.reviewer,
        "review_due": lens.at + timedelta(days=glass.review_days),
    }
    id_ = conn.execute(insert(access_grant).values(row).returning(access_grant.c.id)).scalar_one()
    return Grant(UserId(asked.user), asked.organisation, lens.at, ends, id_)


def end(conn: Connection, lens: Lens, person: PersonKey) -> int:
    """Close what this requester has open of the person now; gives how much that was. Audited as `break-glass-end`.

    Raises `Forbidden` for who views as somebody else.
    """
    if lens.requester is None or lens.requester.behind is not None:
        raise Forbidden("Only who opened a record in need can say that they are done", rule=MAY)
    ended = update(access_grant).where(_mine(lens, person)).values(ends=lens.at)
    ids = list(conn.execute(ended.returning(access_grant.c.id)).scalars())
    for id_ in ids:
        append(conn, Event(ENDED, lens.requester, person, detail={"grant": id_}), lens.at)
    return len(ids)


def _latest_end(conn: Connection, lens: Lens, person: PersonKey) -> datetime | None:
    t = access_grant.c
    ends: datetime | None = conn.execute(
        select(t.ends).where(_mine(lens, person)).order_by(t.ends.desc()).limit(1)
    ).scalar()
    return ends


def _mine(lens: Lens, person: PersonKey) -> ColumnElement[bool]:
    """What is not over; also what another request opened a moment after this one began."""
    t, asked = access_grant.c, lens.requester
    assert asked is not None, "a system lens breaks no glass"
    return and_(t.person == person, t.user == asked.user, t.organisation == asked.organisation, t.ends > lens.at)
