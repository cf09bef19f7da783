"""What waits for a human: is this source Patient that person?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select

from carelink.audit.trail import Event, append
from carelink.consent.lens import MAY_DECIDE_LINKS, Lens
from carelink.consent.rules import IDENTITY
from carelink.db.tables import link_decision, person_link, resource
from carelink.errors import Forbidden, NotFound
from carelink.ids import PersonKey, ResourceKey


@dataclass(frozen=True)
class OpenDecision:
    """One question: the Patient, the person that it is linked to now, and the candidate that it may be instead.

    `patient_body` and `candidate_body` are the Patient and the candidate's golden Patient, without what locates a
    restricted person where this requester may not know it; None where the law restricts them.
    """

    id: int
    patient: ResourceKey
    person: PersonKey
    candidate: PersonKey
    weight: float
    fields: Mapping[str, Any]  # field -> {level, weight}; `safety` names the rule that kept them from being linked
    raised_at: datetime
    source: str  # of the Patient
    patient_body: str | None
    candidate_body: str | None


def open_decisions(conn: Connection, lens: Lens, count: int = 100) -> tuple[OpenDecision, ...]:
    """The open questions, the surest first. Raises `Forbidden` where the requester may not decide links."""
    found = _found(conn, lens, count)
    _audit(conn, lens, "open link decisions", found)
    return found


def open_decision(conn: Connection, lens: Lens, decision: int) -> OpenDecision:
    """One open question. Raises `NotFound` where it is answered or there is none, `Forbidden` as `open_decisions`."""
    found = _found(conn, lens, 1, link_decision.c.id == decision)
    if not found:
        raise NotFound("This question has been answered, or there is none")
    _audit(conn, lens, "an open link decision", found)
    return found[0]


def _found(conn: Connection, lens: Lens, count: int, *which: ColumnElement[bool]) -> tuple[OpenDecision, ...]:
    _must_may(lens)
    mine, theirs = resource.alias("mine"), resource.alias("theirs")
    linked = and_(person_link.c.patient == link_decision.c.patient, person_link.c.undone_at.is_(None))
    rows = conn.execute(
        select(
            link_decision,
            person_link.c.person,
            mine.c.source,
            mine.c.custodian,
            lens.hidden(mine).label("hidden"),
            lens.body(mine).label("patient_body"),
            lens.body(theirs).label("candidate_body"),
        )
        .join(person_link, linked)
        .outerjoin(mine, and_(mine.c.key == link_decision.c.patient, lens.identifies(mine)))
        .outerjoin(theirs, and_(theirs.c.key == link_decision.c.candidate, lens.identifies(theirs)))
        .where(link_decision.c.answer.is_(None), *which)
        .order_by(link_decision.c.weight.desc(), link_decision.c.id)
        .limit(count)
    ).all()
    return tuple(
        OpenDecision(
            row.id,
            row.patient,
            row.person,
            row.candidate,
            row.weight,
            row.fields,
            row.raised_at,
            lens.holder(row.source, row.custodian, hidden=row.hidden)[0] if row.source else "",
            row.patient_body,
            row.candidate_body,
        )
        for row in rows
    )


def _audit(conn: Connection, lens: Lens, asked: str, shown: Sequence[OpenDecision]) -> None:
    """Everybody whose record was shown is kept by their keys: "who looked at my record" finds this look too."""
    persons = sorted({str(key) for one in shown for key in (one.person, one.candidate)})
    rules = (IDENTITY.id,) if lens.requester else lens.grounds(())
    detail = {"persons": persons} if persons and lens.requester else None
    asked_by, reason = lens.requester, lens.reason
    event = Event(
        "search", asked_by, query=asked, count=len(shown), rules=rules, reason=reason, user=lens.user, detail=detail
    )
    append(conn, event, lens.at)


def open_count(conn: Connection, lens: Lens) -> int:
    """How many questions are open. Raises `Forbidden` where the requester may not decide links."""
    _must_may(lens)
    return conn.execute(
        select(func.count()).select_from(link_decision).where(link_decision.c.answer.is_(None))
    ).scalar_one()


def _must_may(lens: Lens) -> None:
    if lens.requester is not None and MAY_DECIDE_LINKS not in lens.may:
        raise Forbidden("Your role does not decide whether two records are one person", rule="decide-links")
