"""Requests of people for what is held about them (UK GDPR Art 12(3) and 15): opened, timed, extended, ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from carelink import outbox
from carelink.audit.trail import Event, append
from carelink.cases.subject_access_clock import Clock, Nearness
from carelink.cases.subject_access_package import Package, from_json
from carelink.cases.whose import MAY_HANDLE, must_handle
from carelink.clock import LONDON
from carelink.consent.lens import Lens
from carelink.db.tables import subject_request
from carelink.errors import Conflict, Forbidden, Invalid, NotFound
from carelink.ids import PersonKey
from carelink.record.timeline_dates import whole

GATHER = "subject-access.gather"  # kinds of work of the outbox
RELEASE = "subject-access.release"
ACTION = "subject-access"  # in the audit

# Who may ask, and what must be seen before it is known that they may.
AUTHORITIES: Mapping[str, str] = {
    "self": "The person themselves",
    "parent": "Who has parental responsibility, for a child who can't decide this (Children Act 1989 s3)",
    "attorney": "An attorney for health and welfare (Mental Capacity Act 2005 s9)",
    "deputy": "A deputy of the Court of Protection (Mental Capacity Act 2005 s16)",
    "agent": "Somebody whom the person has told in writing to ask, such as a solicitor",
}
ENDS: Mapping[str, str] = {
    "refused": "Refuse it: it is manifestly unfounded or excessive (Art 12(5)), or they may not ask",
    "withdrawn": "It was withdrawn",
}
STATES: Mapping[str, str] = {
    "received": "received",
    "gathered": "to be reviewed",
    "reviewed": "reviewed, to be released",
    "releasing": "being made",
    "released": "answered",
    "refused": "refused",
    "withdrawn": "withdrawn",
}
OPEN = ("received", "gathered", "reviewed", "releasing")


@dataclass(frozen=True)
class Asked:
    """A request as somebody wrote it down. Moments are aware."""

    requested_by: str
    authority: str
    asked_at: datetime
    identity_at: datetime | None = None


@dataclass(frozen=True)
class Request:
    """One request, without what was gathered for it."""

    id: int
    person: PersonKey
    status: str
    requested_by: str
    authority: str
    clock: Clock
    extension_why: str
    gathered_at: datetime | None
    reviewed_at: datetime | None
    released_at: datetime | None
    printed_as: str | None
    ended_at: datetime | None
    ended_why: str | None

    @property
    def open(self) -> bool:
        """Whether it must still be answered."""
        return self.status in OPEN


def open_request(conn: Connection, lens: Lens, person: PersonKey, asked: Asked) -> int:
    """Keep that it was asked, and gather if it is known who asks; gives its number.

    Raises `Forbidden` for other roles, `Invalid` with the field of the form as its place.
    """
    must_handle(lens)
    _check(asked, lens.at)
    return _insert(conn, lens, person, asked)


def ask_for_oneself(conn: Connection, lens: Lens) -> int:
    """The person asks on their own page, where they are signed in and known: the clock starts at once.

    Raises `Conflict` where they asked already and wait, `Forbidden` where nobody looks at their own record.
    """
    asks = lens.requester
    if asks is None or asks.person is None:
        raise Forbidden("This page is for people who look at their own record", rule="own-record")
    if any(one.open for one in own(conn, lens)):
        raise Conflict("You have asked already, and will be answered")
    return _insert(conn, lens, asks.person, Asked(asks.name, "self", lens.at, lens.at))


def _check(asked: Asked, now: datetime) -> None:
    if not asked.requested_by.strip():
        raise Invalid("requested_by", "Say who asks")
    if asked.authority not in AUTHORITIES:
        raise Invalid("authority", "Choose by what right they ask")
    if _day(asked.asked_at) > _day(now):
        raise Invalid("asked", "The day of the request can't be in the future")
    if asked.identity_at is not None and _day(asked.identity_at) > _day(now):
        raise Invalid("identity", "The day on which it was known who asks can't be in the future")


def _day(moment: datetime) -> str:
    return moment.astimezone(LONDON).date().isoformat()


def _insert(conn: Connection, lens: Lens, person: PersonKey, asked: Asked) -> int:
    row = {
        "person": person,
        "status": "received",
        "requested_by": asked.requested_by.strip(),
        "authority": asked.authority,
        "asked_at": asked.asked_at,
        "identity_at": asked.identity_at,
        "handled_by": lens.user,
    }
    id_: int = conn.execute(insert(subject_request).values(row).returning(subject_request.c.id)).scalar_one()
    tell(conn, lens, person, id_, "opened")
    if asked.identity_at is not None:
        ask_gathering(conn, id_, lens.at)
    return id_


def ask_gathering(conn: Connection, id_: int, now: datetime) -> None:
    """A worker gathers soon; asked twice, it is done once."""
    outbox.add(conn, GATHER, {"request": id_}, now, once=f"{GATHER}:{id_}")


def tell(conn: Connection, lens: Lens, person: PersonKey, id_: int, what: str, **more: Any) -> None:
    """Add what was done to the audit: the number of the request, never what it says."""
    event = Event(
        ACTION, lens.requester, person, query=what, user=lens.user, reason=lens.reason, detail={"request": id_, **more}
    )
    append(conn, event, lens.at)


# Reading -------------------------------------------------------------------------------------------

_COLUMNS = [column for column in subject_request.c if column.name not in ("package", "printed", "fhir")]


def requests(conn: Connection, lens: Lens) -> tuple[Request, ...]:
    """All of them, what is due first, what was answered or ended last. Raises `Forbidden`."""
    must_handle(lens)
    found = [_request(row) for row in conn.execute(select(*_COLUMNS).order_by(subject_request.c.id.desc()))]
    append(conn, Event(ACTION, lens.requester, query="list", count=len(found), user=lens.user), lens.at)
    return tuple(sorted(found, key=lambda one: (not one.open, one.clock.due is None, str(one.clock.due or ""))))


def late(conn: Connection, lens: Lens) -> int:
    """How many should have been answered by now; 0 for a role that does not handle requests."""
    if MAY_HANDLE not in lens.may:
        return 0
    asked = select(*_COLUMNS).where(subject_request.c.released_at.is_(None), subject_request.c.ended_at.is_(None))
    return sum(_request(row).clock.nearness(lens.at) is Nearness.LATE for row in conn.execute(asked))


def own(conn: Connection, lens: Lens) -> tuple[Request, ...]:
    """Those about whoever looks at their own record, made by themselves; the newest first. Raises `Forbidden`."""
    if lens.requester is None or lens.requester.person is None:
        raise Forbidden("This page is for people who look at their own record", rule="own-record")
    t = subject_request.c
    asked = select(*_COLUMNS).where(t.person == lens.requester.person, t.authority == "self").order_by(t.id.desc())
    return tuple(_request(row) for row in conn.execute(asked))


def request(conn: Connection, lens: Lens, id_: int, lock: bool = False) -> Request:
    """One of them. Raises `Forbidden`, `NotFound`."""
    must_handle(lens)
    asked = select(*_COLUMNS).where(subject_request.c.id == id_)
    row = conn.execute(asked.with_for_update() if lock else asked).one_or_none()
    if row is None:
        raise NotFound("There is no such request")
    return _request(row)


def package(conn: Connection, lens: Lens, id_: int) -> Package:
    """What was gathered; empty where nothing was yet. Audited as a look at the person's record. Raises as `request`."""
    one = request(conn, lens, id_)
    tell(conn, lens, one.person, id_, "review")
    return from_json(conn.execute(select(subject_request.c.package).where(subject_request.c.id == id_)).scalar())


def _request(row: Any) -> Request:
    return Request(
        id=row.id,
        person=PersonKey(row.person),
        status=row.status,
        requested_by=row.requested_by,
        authority=row.authority,
        clock=Clock(row.asked_at, row.identity_at, row.complex),
        extension_why=row.extension_why,
        gathered_at=row.gathered_at,
        reviewed_at=row.reviewed_at,
        released_at=row.released_at,
        printed_as=row.printed_as,
        ended_at=row.ended_at,
        ended_why=row.ended_why,
    )


# Changing ------------------------------------------------------------------------------------------


def note_identity(conn: Connection, lens: Lens, id_: int, seen_at: datetime) -> None:
    """It is known who asks, and that they may, since then: the clock starts, and a worker gathers. Raises `Invalid`."""
    one = _open(conn, lens, id_)
    if one.clock.identity_at is not None:
        raise Conflict("It is known already who asks")
    if _day(seen_at) > _day(lens.at):
        raise Invalid("identity", "The day on which it was known who asks can't be in the future")
    change(conn, id_, identity_at=seen_at)
    ask_gathering(conn, id_, lens.at)
    tell(conn, lens, one.person, id_, "identity")


def extend(conn: Connection, lens: Lens, id_: int, why: str) -> None:
    """Two months more, because it is complex or one of many, as it was told to who asked.

    Raises `Conflict` after the first month, or where it is extended already (Art 12(3)); `Invalid` without a reason.
    """
    one = _open(conn, lens, id_)
    if not why.strip():
        raise Invalid("why", "Say why it takes longer, as you told it to who asked")
    if one.clock.extended or one.clock.extend_by is None:
        raise Conflict("It can't be extended: its month has not begun, or it was extended already")
    if lens.at.astimezone(LONDON).date() > one.clock.extend_by:
        raise Conflict(f"It can't be extended any more: that had to be said by {whole(one.clock.extend_by)}")
    change(conn, id_, complex=True, extension_why=why.strip(), extended_at=lens.at)
    tell(conn, lens, one.person, id_, "extended")


def end(conn: Connection, lens: Lens, id_: int, how: str, why: str) -> None:
    """It is refused or was withdrawn; what was gathered for it is forgotten. Raises `Invalid` without a reason."""
    one = _open(conn, lens, id_)
    if how not in ENDS:
        raise Invalid("how", "Choose how it ends")
    if not why.strip():
        raise Invalid("ended_why", "Say why, as you told it to who asked")
    change(conn, id_, status=how, ended_at=lens.at, ended_why=why.strip(), package=None, gathered_at=None)
    tell(conn, lens, one.person, id_, how)


def gather_again(conn: Connection, lens: Lens, id_: int) -> None:
    """What came since is gathered too; decisions hold for what still says the same. Raises `Conflict`."""
    one = _open(conn, lens, id_)
    if one.clock.identity_at is None or one.status == "releasing":
        raise Conflict("Nothing is gathered before it is known who asks, or while the answer is being made")
    ask_gathering(conn, id_, lens.at)
    tell(conn, lens, one.person, id_, "gather again")


def _open(conn: Connection, lens: Lens, id_: int) -> Request:
    one = request(conn, lens, id_, lock=True)
    if not one.open:
        raise Conflict("This request is closed")
    return one


def change(conn: Connection, id_: int, **values: Any) -> None:
    """Write these columns of it."""
    conn.execute(update(subject_request).where(subject_request.c.id == id_).values(**values))
