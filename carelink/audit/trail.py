"""The audit trail: who did what, when, why; written in the same transaction, so a read that can't be audited fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from json import dumps
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import dialect

from carelink.audit.involvement import DETAIL, asking
from carelink.consent.lens import Lens, Seen
from carelink.consent.requester import Requester
from carelink.db.as_text import as_text
from carelink.db.tables import audit_event
from carelink.ids import PersonKey

CARELINK = "carelink"  # who does what nobody asked for
SEVERE = frozenset({"break-glass"})  # what somebody must look into: its rows say so, and it is raised first


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


# Every read adds a row: the statements are put into text once, so that nothing is worked out anew for each of them.
_SAYS = tuple(column.name for column in audit_event.columns if column.name not in ("id", "detail"))
_append = as_text(audit_event.insert(), (*_SAYS, "detail"))
_append_involved = as_text(audit_event.insert().values(detail=DETAIL), _SAYS)

_COLUMNS = [column for column in audit_event.columns if column.name != "id"]
_NAMES = ", ".join(f'"{column.name}"' for column in _COLUMNS)
_DIALECT = dialect()  # type: ignore[no-untyped-call]
_TYPED = ", ".join(f'"{column.name}" {column.type.compile(dialect=_DIALECT)}' for column in _COLUMNS)
_APPEND_ALL = text(
    f"insert into audit_event ({_NAMES}) select {_NAMES} from jsonb_to_recordset(cast(:rows as jsonb)) as said({_TYPED})"
)


def append(conn: Connection, event: Event, now: datetime) -> None:
    """Add the row. Nothing personal but keys may be in it."""
    _append.execute(conn, _row(event, now))


def append_all(conn: Connection, events: Sequence[Event], now: datetime) -> None:
    """Add the rows of one act on many, in their order, by one statement."""
    rows = [_row(event, now) | {"detail": _detail(event)} for event in events]
    if rows:
        conn.execute(_APPEND_ALL, {"rows": dumps(rows, default=str)})


def looked(
    conn: Connection,
    lens: Lens,
    action: str,
    query: str,
    rows: Sequence[Seen],
    person: PersonKey | None = None,
    count: int | None = None,
    resource: UUID | None = None,
) -> None:
    """Add the row of one look through a lens: who asked what, whom it was about, how much was shown by which rules.

    `person` is whom the question was about. Where it names nobody, those whose rows were shown are kept by their
    keys, so that "who looked at my record" finds everybody who came upon it. Jobs are kept with their reason alone.
    `resource` is the one that was asked for, where it was one.
    """
    shown = sorted(map(str, {row.person for row in rows} - {None, person}))
    several = person is not None or len(shown) > 1
    event = Event(
        action,
        lens.requester,
        person if several or not shown else PersonKey(UUID(shown[0])),
        query=query,
        count=len(rows) if count is None else count,
        rules=lens.grounds(rows),
        reason=lens.reason,
        user=lens.user,
        detail=({"persons": shown} if several and shown and lens.requester is not None else {})
        | ({"resource": str(resource)} if resource else {}),
    )
    _keep(conn, event, lens)


def _keep(conn: Connection, event: Event, lens: Lens) -> None:
    """Add the row; of a worker's look at one person also by what relationship, worked out in the same statement."""
    involved = asking(lens, event.person)
    if involved is None:
        append(conn, event, lens.at)
        return
    row = _row(event, lens.at)
    _append_involved.execute(conn, {**row, **involved, "said": row.pop("detail")})


def _row(event: Event, now: datetime) -> dict[str, Any]:
    asked = event.requester
    return {
        "at": now,
        "action": event.action,
        "outcome": event.outcome,
        **_who(event),
        "reason": event.reason or None,
        "person": event.person,
        "query": event.query or None,
        "count": event.count,
        "rules": list(event.rules),
        "request": event.request or (asked.request if asked else "") or None,
        "detail": dumps(said) if (said := _detail(event)) is not None else None,
    }


def _who(event: Event) -> dict[str, Any]:
    """Whoever really looked. Of somebody who views as another, that other's role is in `detail`: it was not theirs."""
    asked = event.requester
    own = asked if asked is not None and asked.behind is None else None
    user = (asked.behind or asked.user) if asked is not None else event.user
    return {
        "user": user or None,
        "organisation": own.organisation if own else None,
        "role": own.role if own else None,
        "purpose": own.purpose if own else None,
    }


def _detail(event: Event) -> dict[str, Any] | None:
    said = dict(event.detail or {})
    asked = event.requester
    if asked is not None and asked.behind is not None:
        viewed = {"organisation": asked.organisation, "role": asked.role, "purpose": asked.purpose}
        said |= {"view_of": asked.user, **viewed}
    if asked is not None and asked.client:
        said["client"] = asked.client
    if event.action in SEVERE:
        said["severity"] = "high"
    return said or None
