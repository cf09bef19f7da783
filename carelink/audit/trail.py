"""The audit trail: who did what, when, why; written in the same transaction, so a read that can't be audited fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from carelink.consent.lens import Lens, Seen
from carelink.consent.requester import Requester
from carelink.db.tables import audit_event
from carelink.ids import PersonKey


@dataclass(frozen=True)
class Event:
    """One thing that happened. `query` says what was asked, never with a value that tells who."""

    action: str  # read, search, sign-in, sign-out, refusal, explain, link, unlink, decide, pull, ...
    requester: Requester | None = None
    person: PersonKey | None = None
    query: str = ""
    count: int | None = None
    rules: tuple[str, ...] = ()
    outcome: str = "success"
    reason: str = ""  # of a system read, of a refusal
    user: str = ""  # where there is no requester: who, as far as it is known
    request: str = ""
    detail: Mapping[str, Any] | None = None


_append = audit_event.insert()


def append(conn: Connection, event: Event, now: datetime) -> None:
    """Add the row. Nothing personal but keys may be in it."""
    conn.execute(_append, _row(event, now))


def looked(
    conn: Connection,
    lens: Lens,
    action: str,
    query: str,
    rows: Sequence[Seen],
    person: PersonKey | None = None,
    count: int | None = None,
) -> None:
    """Add the row of one look through a lens: who asked what, whom it was about, how much was shown by which rules.

    `person` is whom the question was about. Where it names nobody, those whose rows were shown are kept by their
    keys, so that "who looked at my record" finds everybody who came upon it. Jobs are kept with their reason alone.
    """
    shown = sorted({str(row.person) for row in rows if row.person is not None} - {str(person)})
    several = person is not None or len(shown) > 1
    event = Event(
        action,
        lens.requester,
        person if several or not shown else next(row.person for row in rows if row.person is not None),
        query=query,
        count=len(rows) if count is None else count,
        rules=lens.grounds(rows),
        reason=lens.reason,
        user=lens.user,
        detail={"persons": shown} if several and shown and lens.requester is not None else None,
    )
    append(conn, event, lens.at)


def _row(event: Event, now: datetime) -> dict[str, Any]:
    asked = event.requester
    return {
        "at": now,
        "action": event.action,
        "outcome": event.outcome,
        "user": asked.user if asked else event.user or None,
        "organisation": asked.organisation if asked else None,
        "role": asked.role if asked else None,
        "purpose": asked.purpose if asked else None,
        "reason": event.reason or None,
        "person": event.person,
        "query": event.query or None,
        "count": event.count,
        "rules": list(event.rules),
        "request": event.request or (asked.request if asked else "") or None,
        "detail": dict(event.detail) if event.detail is not None else None,
    }
