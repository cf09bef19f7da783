"""What the audit trail keeps of links: who, when, which persons, how sure; never a name or a number of theirs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from carelink.audit.trail import Event, append
from carelink.ids import PersonKey, ResourceKey
from carelink.record.persons_rows import CARELINK, Link, Question


def linked(conn: Connection, made: Sequence[Link], questions: Sequence[Question], now: datetime) -> None:
    """A batch's new links and questions; each link itself is a row of person_link with its weights."""
    if not made and not questions:
        return
    methods = [str(link.method) for link in made]
    detail = {method: methods.count(method) for method in sorted(set(methods))} | {"asked": len(questions)}
    append(conn, Event(action="link", user=CARELINK, count=len(made), detail=detail), now)


def merged(conn: Connection, kept: PersonKey, gone: PersonKey, method: str, by: str, now: datetime) -> None:
    """Two persons became one."""
    detail = {"merged": str(gone), "method": str(method)}
    append(conn, Event(action="merge", user=by, person=kept, detail=detail), now)


def unlinked(
    conn: Connection, patient: ResourceKey, was: PersonKey, own: PersonKey, by: str, why: str, now: datetime
) -> None:
    """A Patient was taken out of a person; told of both persons."""
    for person, other in ((was, own), (own, was)):
        detail = {"patient": str(patient), "other": str(other)}
        append(conn, Event(action="unlink", user=by, person=person, reason=why, detail=detail), now)


def decided(conn: Connection, patient: ResourceKey, candidate: PersonKey, answer: str, by: str, now: datetime) -> None:
    """A human answered whether a Patient is this person."""
    detail = {"patient": str(patient), "answer": answer}
    append(conn, Event(action="decide-link", user=by, person=candidate, detail=detail), now)
