"""What was opened in need waits here until somebody has looked at it and said what they found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from carelink import outbox
from carelink.audit.trail import Event, append, looked
from carelink.cases.breakglass import LONGEST, one_line
from carelink.cases.breakglass_opening import ENDED
from carelink.clock import LONDON
from carelink.consent.lens import Lens
from carelink.db.tables import access_grant, user
from carelink.errors import Conflict, Forbidden, Invalid, NotFound
from carelink.ids import Ods, PersonKey, UserId
from carelink.place import Place

MAY = "review-break-glass"
ANSWERED = "break-glass-review"  # in the audit
REVIEWED = "break-glass.reviewed"  # kind of work in the outbox
LATELY = timedelta(days=90)
MOST = 200
SHORTEST = 10  # characters of what the reviewer says

FINDINGS: Mapping[str, str] = {
    "justified": "Justified",
    "not-justified": "Not justified",
    "unclear": "Unclear: more must be asked",
}


@dataclass(frozen=True)
class Case:
    """One record that was opened in need, as the reviewer reads of it; `finding` is empty until it is answered."""

    id: int
    person: PersonKey
    user: UserId
    name: str
    role: str
    role_label: str
    organisation: Ods
    organisation_name: str
    team: str
    reason: str
    words: str
    starts: datetime
    ends: datetime
    due: datetime
    finding: str
    finding_words: str
    reviewed_by: str
    reviewed_at: datetime | None
    at: datetime  # when this was read

    @property
    def open(self) -> bool:
        """Whether the record is still open to who opened it."""
        return self.ends > self.at

    @property
    def overdue(self) -> bool:
        return not self.finding and self.due <= self.at

    @property
    def due_words(self) -> str:
        """`due today`, `due in 2 days`, `1 day late`: days of Europe/London."""
        days = (self.due.astimezone(LONDON).date() - self.at.astimezone(LONDON).date()).days
        if self.overdue:
            return _days(-days) + " late" if days else "late since today"
        return f"due in {_days(days)}" if days else "due today"


def _days(number: int) -> str:
    return f"{number} day{'' if number == 1 else 's'}"


@dataclass(frozen=True)
class Queue:
    waiting: tuple[Case, ...]  # the longest overdue first
    answered: tuple[Case, ...]  # lately, the newest first
    more: bool

    @property
    def overdue(self) -> int:
        return sum(one.overdue for one in self.waiting)


def must_review(lens: Lens) -> None:
    """Raises `Forbidden` for a role that reviews nothing."""
    if MAY not in lens.may or lens.requester is None:
        raise Forbidden("Your role does not review what was opened in need", rule=MAY)


def overdue(conn: Connection, lens: Lens) -> int:
    """How many should have been answered by now; 0 for a role that does not review."""
    if MAY not in lens.may:
        return 0
    t = access_grant.c
    late = select(func.count()).where(t.reviewed_at.is_(None), t.review_due <= lens.at)
    return int(conn.execute(late).scalar_one())


def queue(conn: Connection, place: Place, lens: Lens) -> Queue:
    """What waits and what was answered lately. Audited as a search. Raises `Forbidden` for a role that does not review."""
    must_review(lens)
    t = access_grant.c
    waiting = conn.execute(_cases().where(t.reviewed_at.is_(None)).order_by(t.review_due, t.id).limit(MOST + 1)).all()
    lately = t.reviewed_at > lens.at - LATELY
    answered = conn.execute(_cases().where(lately).order_by(t.reviewed_at.desc(), t.id.desc()).limit(MOST)).all()
    looked(conn, lens, "search", "break-glass reviews", (), count=len(waiting[:MOST]) + len(answered))
    made = [tuple(_case(row, place, lens.at) for row in rows) for rows in (waiting[:MOST], answered)]
    return Queue(made[0], made[1], len(waiting) > MOST)


def case(conn: Connection, place: Place, lens: Lens, grant: int) -> Case:
    """One of them. Raises `NotFound` where there is none, `Forbidden` as `queue`."""
    must_review(lens)
    row = conn.execute(_cases().where(access_grant.c.id == grant)).one_or_none()
    if row is None:
        raise NotFound("No record was opened in need under that number")
    return _case(row, place, lens.at)


def answer(conn: Connection, place: Place, lens: Lens, grant: int, finding: str, words: str) -> Case:
    """Keep what the reviewer found, and close the case. Audited as `break-glass-review`; gives the case as it is then.

    Raises `Forbidden` for who opened it themselves and as `queue`, `Conflict` while the record is still open and where
    somebody answered meanwhile, `Invalid` for a finding that is none or words that say nothing.
    """
    asked = case(conn, place, lens, grant)
    if is_theirs(lens, asked):
        raise Forbidden("Somebody else must review what you opened", rule=MAY)
    said = one_line(words)
    _check(finding, said)
    if asked.open:
        raise Conflict("The record is still open: close it, or wait until it closes by itself")
    t = access_grant.c
    answered = (
        update(access_grant)
        .where(t.id == grant, t.reviewed_at.is_(None))
        .values(reviewed_by=lens.user, reviewed_at=lens.at, finding=finding, finding_words=said)
    )
    if conn.execute(answered).rowcount == 0:
        raise Conflict("This was answered already")
    detail = {"grant": grant, "finding": finding, "opened_by": asked.user}
    append(conn, Event(ANSWERED, lens.requester, asked.person, detail=detail), lens.at)
    outbox.add(conn, REVIEWED, {"grant": grant}, lens.at)
    return case(conn, place, lens, grant)


def is_theirs(lens: Lens, asked: Case) -> bool:
    """Whether who asks opened it themselves, in whatever role; who views as somebody else answers nothing either."""
    behind = lens.requester.behind if lens.requester else None
    return behind is not None or lens.user == asked.user


def wrongs(finding: str, words: str) -> dict[str, str]:
    """What is wrong with an answer, by field."""
    wrong = {} if finding in FINDINGS else {"finding": "Choose what you found"}
    length = len(one_line(words))
    if length < SHORTEST:
        wrong["words"] = f"Say how you came to this, in at least {SHORTEST} characters"
    elif length > LONGEST:
        wrong["words"] = f"Say it in at most {LONGEST} characters"
    return wrong


def _check(finding: str, words: str) -> None:
    for field, what in wrongs(finding, words).items():
        raise Invalid(field, what)


def stop(conn: Connection, place: Place, lens: Lens, grant: int) -> Case:
    """Close a record that is still open to who opened it: the reviewer need not wait. Audited as `break-glass-end`."""
    asked = case(conn, place, lens, grant)
    t = access_grant.c
    ended = update(access_grant).where(t.id == grant, t.ends > lens.at).values(ends=lens.at)
    if conn.execute(ended).rowcount:
        detail = {"grant": grant, "opened_by": asked.user}
        append(conn, Event(ENDED, lens.requester, asked.person, detail=detail), lens.at)
    return case(conn, place, lens, grant)


def _cases() -> Any:
    return select(access_grant, user.c.name.label("user_name")).outerjoin(user, user.c.id == access_grant.c.user)


def _case(row: Row[Any], place: Place, at: datetime) -> Case:
    role, organisation = place.roles.get(row.role), place.organisations.get(Ods(row.organisation))
    reasons = place.glass.reasons if place.glass else {}
    return Case(
        id=row.id,
        person=PersonKey(row.person),
        user=UserId(row.user),
        name=row.user_name or row.user,
        role=row.role,
        role_label=role.label if role else row.role,
        organisation=Ods(row.organisation),
        organisation_name=organisation.name if organisation else row.organisation,
        team=row.team,
        reason=reasons.get(row.reason, row.reason),
        words=row.words,
        starts=row.starts,
        ends=row.ends,
        due=row.review_due,
        finding=row.finding or "",
        finding_words=row.finding_words or "",
        reviewed_by=row.reviewed_by or "",
        reviewed_at=row.reviewed_at,
        at=at,
    )
