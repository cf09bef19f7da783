"""What if: a place pack is tried on the live record before it is switched on, and what came out is kept."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from carelink.audit.trail import Event, append
from carelink.cases.rehearsal_report import Report, Row, report_of
from carelink.consent import policies
from carelink.consent.lens import Lens
from carelink.consent.seats import Post, seats, themselves
from carelink.consent.what_if import Trial
from carelink.consent.what_if_deciding import ANYBODY
from carelink.db.tables import client, rehearsal
from carelink.errors import Forbidden, NotFound
from carelink.ids import Ods, UserId
from carelink.place import Place
from carelink.record.rehearsing import records

__all__ = ["Kept", "Report", "Row", "kept", "listed", "what_if"]

MAY = "explain"
MOST = 50  # rehearsals on the page


@dataclass(frozen=True)
class Kept:
    """A rehearsal that was made."""

    id: int
    made_at: datetime
    report: Report


def what_if(conn: Connection, now: Place, tried: Place, at: datetime, by: str) -> Report:
    """Who would see more and who less if this pack were switched on. Kept, and audited as `what-if`.

    Everybody is taken at the purposes of their role, and a team that stands in at some hours as if it were on duty.
    Broken glass counts for nothing, nor does what the scopes of a system leave out.
    """
    began = time.perf_counter()
    trial = Trial(seats(now, tried, _systems(conn), at), themselves(now, tried, ANYBODY, at), at)
    for record in records(conn, Lens.system("what if another place pack were switched on", at, by), now, tried):
        trial.add(record)
    files = [policies.files_of(place.folder) for place in (now, tried)]
    report = report_of(
        trial,
        pack=tried.name,
        hashes=(policies.fingerprint(files[0]), policies.fingerprint(files[1])),
        files=policies.changed_files(files[0], files[1]),
        seconds=time.perf_counter() - began,
    )
    conn.execute(rehearsal.insert().values(made_at=at, made_by=by, report=report.kept))
    detail = {"hash": report.hashes[0], "tried": report.hashes[1], "files": list(report.files)}
    append(conn, Event("what-if", user=by, count=report.people, detail=detail), at)
    return report


def _systems(conn: Connection) -> dict[UserId, Post]:
    asked = select(client.c.id, client.c.organisation, client.c.role).where(client.c.active).order_by(client.c.id)
    return {UserId(f"system {row.id}"): Post(Ods(row.organisation), row.role) for row in conn.execute(asked)}


def listed(conn: Connection, looks: Lens) -> Sequence[Kept]:
    """The rehearsals that were made, the newest first. Raises `Forbidden` for a role that may not explain."""
    _must_may(looks)
    newest = select(rehearsal).order_by(rehearsal.c.made_at.desc(), rehearsal.c.id.desc()).limit(MOST)
    return [_kept(row) for row in conn.execute(newest)]


def kept(conn: Connection, looks: Lens, id_: int) -> Kept:
    """One of them. Audited as `explain`. Raises `Forbidden`, `NotFound`."""
    _must_may(looks)
    row = conn.execute(select(rehearsal).where(rehearsal.c.id == id_)).one_or_none()
    if row is None:
        raise NotFound("There is no such rehearsal")
    append(conn, Event("explain", looks.requester, query="rehearsal", detail={"rehearsal": id_}), looks.at)
    return _kept(row)


def _kept(row: Any) -> Kept:
    return Kept(row.id, row.made_at, Report.read(row.report))


def _must_may(looks: Lens) -> None:
    if MAY not in looks.may:
        raise Forbidden("Your role may not try place packs", rule=MAY)
