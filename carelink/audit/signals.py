"""Signals: looks that fit a pattern worth a look, raised once each, open until somebody has looked and said what it was."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, time
from typing import Any

from sqlalchemy import Connection, func, select, text, update

from carelink.audit import patterns
from carelink.audit.acts import READS
from carelink.audit.patterns import Pattern
from carelink.audit.reading import MAY_READ, must_read
from carelink.audit.trail import CARELINK, Event, append
from carelink.clock import LONDON
from carelink.consent.lens import Lens
from carelink.consent.rules import SYSTEM
from carelink.db.tables import audit_signal
from carelink.errors import Conflict, Invalid, NotFound
from carelink.ids import Ods, PersonKey, UserId
from carelink.place import Watch

ACTION = "signal"  # of the row that says who answered one
MOST = 200  # on a page
LONGEST = 1000  # characters of what somebody found
# What it was, as who looked says it.
ANSWERS: Mapping[str, str] = {
    "in-order": "It was in order",
    "passed-on": "I have asked the worker's organisation to look into it",
    "breach": "It was wrong, and I am dealing with it as a breach",
}


@dataclass(frozen=True)
class Worker:
    """One of the staff, as far as the patterns compare them; names folded as the linker folds them."""

    user: str
    organisation: str
    team: str
    family: str
    given: str
    nhs_number: str
    by_day: bool  # the role works by day
    on_duty: bool  # the team stands in for others outside hours


@dataclass(frozen=True)
class Signal:
    id: int
    pattern: Pattern
    user: UserId
    organisation: Ods
    person: PersonKey | None
    day: datetime
    count: int
    minutes: int  # of a pattern about many people; else 0


_LOOKS = """with raw as materialized (
  select a."user", a.organisation, a.person, a.at, coalesce(a.request, a.id::text) as request,
      date_trunc('day', a.at, 'Europe/London') as day, a.at at time zone 'Europe/London' as local
    from audit_event a
    where a.at >= :since and a.at < :until and a.person is not null and a.action = any(:reads)
      and a.outcome = 'success' and coalesce(a.count, 1) > 0 and a."user" is not null and a.organisation is not null
      and a.role is distinct from 'person' and a."user" not like 'client:%' and a.query is distinct from 'my caseload'
), looked as materialized (
  select "user", organisation, person, day, min(at) as first, max(at) as last, count(distinct request)::int as looks,
      count(distinct request) filter (where extract(isodow from local) > 5
        or local::time < cast(:day_starts as time) or local::time >= cast(:day_ends as time))::int as at_night
    from raw group by "user", organisation, person, day
), worker as materialized (
  select * from jsonb_to_recordset(cast(:workers as jsonb)) as w("user" text, organisation text, team text, family text,
    given text, nhs_number text, by_day boolean, on_duty boolean)
), mine as materialized (
  select w."user", t.person, t.postcode, t.address from worker w join person_trait t on t.nhs_number = w.nhs_number
    where w.nhs_number <> ''
)"""
_FOUND = " union all ".join(
    f"select '{one.id}' as pattern, * from ({one.sql}) as {one.id.replace('-', '_')}" for one in patterns.ALL
)
_RAISE = text(
    f"""{_LOOKS}
insert into audit_signal (pattern, "user", organisation, person, day, count, detail, raised_at)
  select found.*, :now from ({_FOUND}) as found
  on conflict (pattern, "user", organisation, person, day) do update set count = excluded.count
    where audit_signal.answered_at is null and audit_signal.count < excluded.count"""
)


def raise_signals(
    conn: Connection, lens: Lens, watch: Watch, workers: Sequence[Worker], since: datetime, code_parameter: int
) -> int:
    """Raise what fits a pattern since the start of that day in London; gives how many signals are new or grew.

    For a job: of a system lens alone. A signal that is there is not raised again, nor one that was answered.
    `code_parameter` is the number of FHIR's `code` in the index. Audited with how many.
    """
    assert lens.requester is None, "patterns are looked for by a job"
    local = since.astimezone(LONDON)
    values = {
        "since": datetime.combine(local.date(), time(), tzinfo=LONDON),
        "until": lens.at,
        "now": lens.at,
        "reads": sorted(READS),
        "day_starts": watch.day_starts,
        "day_ends": watch.day_ends,
        "many_people": watch.many_people,
        "many_minutes": watch.many_minutes,
        "vip": json.dumps([{"system": system, "code": code} for system, code in sorted(watch.vip)]),
        "workers": json.dumps([asdict(one) for one in workers]),
        "code_parameter": code_parameter,
    }
    raised = conn.execute(_RAISE, values).rowcount
    event = Event(
        "audit", user=CARELINK, query="patterns worth a look", count=raised, rules=(SYSTEM.id,), reason=lens.reason
    )
    append(conn, event, lens.at)
    return raised


def waiting(conn: Connection, lens: Lens) -> tuple[Signal, ...]:
    """What nobody has answered, the newest day first. Audited. Raises `Forbidden` for who does not read the audit."""
    must_read(lens)
    t = audit_signal.c
    asked = select(audit_signal).where(t.answered_at.is_(None)).order_by(t.day.desc(), t.id.desc()).limit(MOST)
    found = tuple(_signal(row) for row in conn.execute(asked))
    _tell(conn, lens, "audit", "signals", count=len(found))
    return found


def open_count(conn: Connection, lens: Lens) -> int:
    """How many nobody has answered; none to who does not read the audit."""
    if lens.requester is None or MAY_READ not in lens.may:
        return 0
    asked = select(func.count()).select_from(audit_signal).where(audit_signal.c.answered_at.is_(None))
    return conn.execute(asked).scalar_one()


def one(conn: Connection, lens: Lens, id_: int) -> Signal:
    """One that waits. Raises `NotFound` where it was answered meanwhile, `Forbidden` as `waiting`. Audited."""
    must_read(lens)
    t = audit_signal.c
    row = conn.execute(select(audit_signal).where(t.id == id_, t.answered_at.is_(None))).one_or_none()
    if row is None:
        raise NotFound("Somebody has answered this already, or it is not there")
    found = _signal(row)
    _tell(conn, lens, "audit", "a signal", person=found.person)
    return found


def answer(conn: Connection, lens: Lens, id_: int, said: str, words: str) -> None:
    """Close it with what it was and what was found. Audited as `signal`, without the words.

    Raises `Invalid` for an answer that is none or without words, `Conflict` where somebody was faster, `Forbidden`.
    """
    must_read(lens)
    if said not in ANSWERS:
        raise Invalid("answer", "Choose what it was")
    if not words.strip():
        raise Invalid("words", "Say in a few words what you found")
    if len(words) > LONGEST:
        raise Invalid("words", f"Say it in at most {LONGEST} characters")
    t = audit_signal.c
    closed = {"answer": said, "words": words.strip(), "answered_by": lens.user, "answered_at": lens.at}
    statement = update(audit_signal).where(t.id == id_, t.answered_at.is_(None)).values(closed)
    pattern = conn.execute(statement.returning(t.pattern)).scalar()
    if pattern is None:
        raise Conflict("Somebody has answered this already, or it is not there")
    append(conn, Event(ACTION, lens.requester, query=pattern, detail={"signal": id_, "answer": said}), lens.at)


def _tell(
    conn: Connection, lens: Lens, action: str, query: str, person: PersonKey | None = None, count: int | None = None
) -> None:
    event = Event(action, lens.requester, person, query=query, count=count, rules=(MAY_READ,), user=lens.user)
    append(conn, event, lens.at)


def _signal(row: Any) -> Signal:
    return Signal(
        id=row.id,
        pattern=patterns.BY_ID[row.pattern],
        user=UserId(row.user),
        organisation=Ods(row.organisation),
        person=PersonKey(row.person) if row.person else None,
        day=row.day,
        count=row.count,
        minutes=(row.detail or {}).get("minutes", 0),
    )
