"""The audit trail: who did what, when, why; written in the same transaction, so a read that can't be audited fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

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
