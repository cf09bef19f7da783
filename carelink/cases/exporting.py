"""Bulk exports as their clients see them: asked for, looked at, fetched, cancelled (HL7 Bulk Data Access 2.0).

An export belongs to the client that asked for it, in the organisation and role and for the purpose in which it asked. To
everybody else there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, delete, func, insert, select, text, update

from carelink import outbox
from carelink.audit.trail import Event, append
from carelink.cases.exporting_files import OUTPUT, File
from carelink.consent.requester import Requester
from carelink.db.tables import client, export_job
from carelink.errors import CareLinkError, Forbidden, NotFound
from carelink.identity import scopes as smart
from carelink.identity.reach import Reach, reach_of
from carelink.ids import Ods, UserId
from carelink.place import Place

RUN, EXPIRE = "export.run", "export.expire"  # kinds of work of the outbox
AT_ONCE = 2  # exports of one client that are waiting or being made
KEPT = 20  # and that lie there
LATER = timedelta(minutes=2)  # when to ask again where there are too many
WAITING, DONE, FAILED, CANCELLED = "waiting", "done", "failed", "cancelled"
_PREFIX = "client:"
_T = export_job.c


class TooMany(CareLinkError):
    """This client has as many as it may have; `after` says when to try again."""

    def __init__(self, why: str, after: timedelta = LATER) -> None:
        super().__init__(why)
        self.after = after


@dataclass(frozen=True)
class Asked:
    """An export as it was asked for, understood and found in order."""

    level: str  # system, patient
    scopes: str  # of the token
    types: tuple[str, ...]
    address: str  # as far as it was understood
    since: datetime | None = None
    patients: tuple[UUID, ...] | None = None
    ignored: tuple[Mapping[str, str], ...] = ()  # place and why of what was left out under handling=lenient


@dataclass(frozen=True)
class Export:
    """One that was asked for."""

    id: UUID
    client: str
    organisation: Ods
    role: str
    purpose: str
    asked: Asked
    status: str
    why: str
    asked_at: datetime
    transaction_at: datetime | None
    expires_at: datetime
    attempt: UUID | None
    files: tuple[File, ...]


def ask(conn: Connection, requester: Requester, asked: Asked, now: datetime, hours: int) -> UUID:
    """Note an export and the work of it; gives its id. Raises `TooMany`. Audited."""
    _one_at_a_time(conn, requester.user)
    _check_number(conn, requester.user)
    id_, ends = uuid4(), now + timedelta(hours=hours)
    conn.execute(insert(export_job).values(id=id_, asked_at=now, expires_at=ends, **_row(requester, asked)))
    outbox.add(conn, RUN, {"export": str(id_)}, now)
    outbox.add(conn, EXPIRE, {"export": str(id_)}, now, due=ends)
    append(conn, Event("export", requester, query="$export, asked for", detail=_detail(id_, asked)), now)
    return id_


def _row(requester: Requester, asked: Asked) -> dict[str, Any]:
    return {
        "client": requester.user,
        "organisation": requester.organisation,
        "role": requester.role,
        "purpose": requester.purpose,
        "scopes": asked.scopes,
        "level": asked.level,
        "types": list(asked.types),
        "since": asked.since,
        "patients": None if asked.patients is None else list(asked.patients),
        "asked": asked.address,
        "ignored": [dict(one) for one in asked.ignored],
        "status": WAITING,
    }


def _one_at_a_time(conn: Connection, user: UserId) -> None:
    """Two that a client asks for at once are counted one after the other."""
    conn.execute(text("select pg_advisory_xact_lock(hashtext(:name))"), {"name": f"exports of {user}"})


def _check_number(conn: Connection, user: UserId) -> None:
    waiting = func.count().filter(_T.status == WAITING)
    asked = select(waiting, func.count()).where(_T.client == user, _T.status != CANCELLED)
    open_, all_ = conn.execute(asked).one()
    if open_ >= AT_ONCE:
        raise TooMany(f"You have {open_} exports that are not done yet; wait for one, or cancel it")
    if all_ >= KEPT:
        raise TooMany(f"You have {all_} exports that are kept; delete those that you have fetched")


def _detail(id_: UUID, asked: Asked) -> dict[str, Any]:
    return {"export": str(id_), "types": list(asked.types), "level": asked.level}


def find(conn: Connection, requester: Requester, id_: UUID, now: datetime) -> Export:
    """An export of theirs. Raises `NotFound` where there is none, and `Forbidden` with the reason where it failed."""
    found = stored(conn, id_)
    whose = (requester.user, requester.organisation, requester.role, requester.purpose)
    if (
        found is None
        or found.status == CANCELLED
        or found.expires_at <= now
        or (found.client, found.organisation, found.role, found.purpose) != whose
    ):
        raise NotFound("There is no such export: it is over, was deleted, or is not yours")
    if found.status == FAILED:
        raise Forbidden(found.why, rule="export")
    return found


def fetched(conn: Connection, requester: Requester, id_: UUID, file: UUID, now: datetime) -> tuple[Export, File]:
    """A file of an export of theirs, of a type that they may still read. Raises `NotFound`. Audited."""
    export = find(conn, requester, id_, now)
    found = next((one for one in export.files if one.id == file), None)
    if found is None or not _may_read(requester, export, found) or not is_registered(conn, export.client):
        raise NotFound("There is no such file: it is over, was deleted, or is not yours")
    told = {"export": str(id_), "file": str(file)}
    append(
        conn, Event("export", requester, query=f"$export, {found.type} fetched", count=found.count, detail=told), now
    )
    return export, found


def _may_read(requester: Requester, export: Export, file: File) -> bool:
    """Whether this token of theirs lets them see what that one did by which it was asked for."""
    if requester.narrowed not in ("", reach_of_system(export.asked.scopes.split()).narrowed):
        return False
    return requester.types is None or file.kind != OUTPUT or file.type in requester.types


def cancel(conn: Connection, requester: Requester, id_: UUID, now: datetime) -> None:
    """No longer wanted: what is at it stops, and its files are deleted. Raises `NotFound`. Audited."""
    with suppress(Forbidden):  # one that failed is put away too
        find(conn, requester, id_, now)
    conn.execute(update(export_job).where(_T.id == id_).values(status=CANCELLED, files=[]))
    outbox.add(conn, EXPIRE, {"export": str(id_)}, now)
    append(conn, Event("export", requester, query="$export, deleted", detail={"export": str(id_)}), now)


def stored(conn: Connection, id_: UUID) -> Export | None:
    """The export of that id, whoever's it is."""
    row = conn.execute(select(export_job).where(_T.id == id_)).one_or_none()
    if row is None:
        return None
    patients = None if row.patients is None else tuple(row.patients)
    asked = Asked(row.level, row.scopes, tuple(row.types), row.asked, row.since, patients, tuple(row.ignored))
    return Export(
        id=row.id,
        client=row.client,
        organisation=Ods(row.organisation),
        role=row.role,
        purpose=row.purpose,
        asked=asked,
        status=row.status,
        why=row.why or "",
        asked_at=row.asked_at,
        transaction_at=row.transaction_at,
        expires_at=row.expires_at,
        attempt=row.attempt,
        files=tuple(File(UUID(one["id"]), one["kind"], one["type"], one["count"]) for one in row.files),
    )


def is_waiting(conn: Connection, id_: UUID) -> bool:
    """Whether it is still to be made."""
    return conn.execute(select(_T.status).where(_T.id == id_)).scalar_one_or_none() == WAITING


def is_registered(conn: Connection, user: str) -> bool:
    """Whether that client may still ask for anything."""
    asked = select(client.c.id).where(client.c.id == user.removeprefix(_PREFIX), client.c.active)
    return conn.execute(asked).scalar_one_or_none() is not None


def requester_of(conn: Connection, place: Place, export: Export) -> Requester:
    """As whom it is made: as who asked, by what the place and the client's registration say today.

    Raises `Forbidden` where that client may not ask (so) any more.
    """
    at = place.organisations.get(export.organisation)
    row = conn.execute(
        select(client.c.organisation, client.c.role, client.c.scopes).where(
            client.c.id == export.client.removeprefix(_PREFIX), client.c.active
        )
    ).one_or_none()
    if row is None or at is None or export.role not in place.roles or row.organisation != export.organisation:
        raise Forbidden("The export was not made: this client may not ask here any more", rule="export")
    reach = reach_of_system(smart.granted(export.asked.scopes.split(), row.scopes.split()))
    types = frozenset(export.asked.types if reach.types is None else reach.types.intersection(export.asked.types))
    return Requester(
        user=UserId(export.client),
        name=export.client.removeprefix(_PREFIX),
        organisation=at.ods,
        organisation_type=at.type,
        role=export.role,
        purpose=export.purpose,
        types=types,
        narrowed=reach.narrowed,
    )


def reach_of_system(scopes: Iterable[str]) -> Reach:
    """What a token lets a system see; the scopes of somebody who is signed in let nobody export."""
    return reach_of(frozenset(one for one in scopes if one.startswith("system/")))


def done(conn: Connection, export: Export, attempt: UUID, files: Sequence[File], of: datetime, now: datetime) -> bool:
    """Its files are there for its client; gives whether it was still wanted. `of`: up to when changes are in it."""
    told = [{"id": str(one.id), "kind": one.kind, "type": one.type, "count": one.count} for one in files]
    values = {"status": DONE, "attempt": attempt, "files": told, "transaction_at": of, "done_at": now}
    statement = update(export_job).where(_T.id == export.id, _T.status == WAITING).values(values)
    return conn.execute(statement).rowcount == 1


def failed(conn: Connection, id_: UUID, why: str, now: datetime) -> None:
    """It will not be made; `why` is for its client."""
    statement = update(export_job).where(_T.id == id_, _T.status == WAITING)
    conn.execute(statement.values(status=FAILED, why=why, done_at=now))


def forget(conn: Connection, id_: UUID) -> None:
    """That it was asked for is in the audit."""
    conn.execute(delete(export_job).where(_T.id == id_))
