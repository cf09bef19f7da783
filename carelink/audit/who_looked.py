""" "Who looked at my record": for the person in plain words, for the role that reads the audit with all that was kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection, select

from carelink.audit import reading
from carelink.audit.acts import because
from carelink.audit.looks import Day, Known, Line, Look, Who, days_of, looks_of
from carelink.audit.reading import Asked, Kept
from carelink.audit.told import tells_glass, untold
from carelink.clock import LONDON
from carelink.consent.lens import Lens
from carelink.db.among import one_of
from carelink.db.tables import user
from carelink.errors import Forbidden
from carelink.ids import PersonKey, UserId
from carelink.place import Place

MOST_ROWS = 5000  # of the audit that are put together for one page; opening a record once writes about a dozen
A_TIMES = 3  # that are told one by one


@dataclass(frozen=True)
class Wanted:
    """Of which days, of whom; the days count as London has them. `after` is the `next` of the page before."""

    since: date | None = None
    until: date | None = None
    user: str = ""
    organisation: str = ""
    purpose: str = ""
    after: str = ""


@dataclass(frozen=True)
class Sentence:
    """One line of the person's page. `grave` where the glass was broken."""

    who: str
    did: str
    when: str
    why: str
    grave: bool


@dataclass(frozen=True)
class Told:
    """What the person reads: days, the newest first; how often CareLink's own jobs were at it; from where to go on."""

    days: tuple[tuple[date, tuple[Sentence, ...]], ...]
    jobs: int
    next: str = ""


@dataclass(frozen=True)
class Listed:
    looks: tuple[Look, ...]
    next: str = ""


def who_looked(conn: Connection, place: Place, lens: Lens, person: PersonKey, wanted: Wanted = Wanted()) -> Told:
    """Who looked at this person, in plain words, whole days at a time. Audited.

    Raises `Forbidden` for everybody but the person themselves and the role that reads the audit.
    """
    _must_see(lens, person)
    asked = _asked(wanted, person=person, without=untold(place, lens), count=MOST_ROWS)
    found = reading.find(conn, lens, asked, "who looked at a person")
    rows = _whole_days(found.rows) if found.next else found.rows
    looks = looks_of(rows, _known(conn, place, rows), person)
    days = tuple((day.on, _sentences(day, place)) for day in days_of(looks))
    jobs = sum(look.who.kind == "carelink" for look in looks)
    return Told(days, jobs, reading.place_of(rows[-1]) if found.next else "")


def looks_at(conn: Connection, place: Place, lens: Lens, person: PersonKey, wanted: Wanted = Wanted()) -> Listed:
    """Every look at this person with purposes, rules and queries, newest first, for the role that reads the audit.

    Raises `Forbidden` for every other. Audited.
    """
    reading.must_read(lens)
    return _listed(conn, place, lens, _asked(wanted, person=person), "looks at a person", person)


def looks_by(conn: Connection, place: Place, lens: Lens, worker: UserId, wanted: Wanted = Wanted()) -> Listed:
    """Everything that this user did, newest first, for the role that reads the audit. Raises and audited as `looks_at`."""
    reading.must_read(lens)
    return _listed(conn, place, lens, _asked(replace(wanted, user=worker)), "looks of a user")


def _listed(
    conn: Connection, place: Place, lens: Lens, asked: Asked, query: str, about: PersonKey | None = None
) -> Listed:
    found = reading.find(conn, lens, replace(asked, count=MOST_LISTED), query)
    rows = _whole_requests(found.rows) if found.next else found.rows
    return Listed(looks_of(rows, _known(conn, place, rows), about), reading.place_of(rows[-1]) if found.next else "")


MOST_LISTED = 500  # rows of the audit on a page of the lead's


def _must_see(lens: Lens, person: PersonKey) -> None:
    own = lens.requester is not None and lens.requester.person == person
    if not own and not reading.may_read(lens):
        raise Forbidden("Only the person and who reads the audit see who looked", rule=reading.MAY_READ)


def _asked(
    wanted: Wanted, person: PersonKey | None = None, without: frozenset[str] = frozenset(), count: int = MOST_ROWS
) -> Asked:
    return Asked(
        person=person,
        user=wanted.user,
        organisation=wanted.organisation,
        purpose=wanted.purpose,
        without=without,
        since=_midnight(wanted.since) if wanted.since else None,
        until=_midnight(wanted.until + timedelta(days=1)) if wanted.until else None,
        count=count,
        after=wanted.after,
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=LONDON)


def _whole_days(rows: Sequence[Kept]) -> Sequence[Kept]:
    """Without the last day, of which there may be more; all of them where they are one day."""
    last = rows[-1].at.astimezone(LONDON).date()
    return [row for row in rows if row.at.astimezone(LONDON).date() != last] or rows


def _whole_requests(rows: Sequence[Kept]) -> Sequence[Kept]:
    last = rows[-1].request
    return [row for row in rows if row.request != last or last is None] or rows


def _known(conn: Connection, place: Place, rows: Iterable[Kept]) -> Known:
    users = sorted({row.user for row in rows if row.user} | {row.viewed_as for row in rows if row.viewed_as})
    asked = select(user.c.id, user.c.name).where(one_of(user.c.id, users))
    return Known(place, {row.id: row.name for row in conn.execute(asked)} if users else {})


# In words ------------------------------------------------------------------------------------------


def _sentences(day: Day, place: Place) -> tuple[Sentence, ...]:
    return tuple(_sentence(line, place) for line in day.lines)


def _sentence(line: Line, place: Place) -> Sentence:
    own = line.who.kind == "person"
    why = "" if own else because(line.relationships, line.rules, line.in_need, tells_glass(place))
    return Sentence(
        who=called(line.who, place.watch.name_staff),
        did=line.act.to_person,
        when=at_times([one.astimezone(LONDON) for one in line.times]),
        why=why,
        grave=line.act.id == "glass",
    )


def called(who: Who, by_name: bool = True) -> str:
    """Who looked, as a sentence begins: "Dr Tom Ellis, general practitioner at Riverside Surgery"."""
    at = f" at {who.organisation}" if who.organisation else ""
    role = who.role[:1].lower() + who.role[1:]
    words = {
        "carelink": "CareLink itself",
        "operator": "Somebody who runs this service",
        "person": "You",
        "system": f"A system{at.replace(' at ', ' of ', 1)}",
    }
    if who.kind in words:
        return words[who.kind]
    if by_name and who.name:
        return f"{who.name}, {role or 'worker'}{at}" if role or at else who.name
    return f"{_a(role or 'worker')}{at}"


def _a(noun: str) -> str:
    return f"{'An' if noun[:1] in 'aeiou' else 'A'} {noun}"


def at_times(times: Sequence[datetime]) -> str:
    """When, on one day: "at 14:05", "at 14:05 and 16:10", "8 times, from 09:01 to 16:10"."""
    told = list(dict.fromkeys(f"{one:%H:%M}" for one in times))
    if len(told) > A_TIMES:
        return f"{len(times)} times, from {told[0]} to {told[-1]}"
    return "at " + " and ".join(filter(None, [", ".join(told[:-1]), told[-1]]))
