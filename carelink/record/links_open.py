"""What waits for a human: is this source Patient that person?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, func, select

from carelink.audit.trail import looked
from carelink.consent.lens import Lens
from carelink.db.tables import link_decision, person_link, resource
from carelink.errors import Forbidden
from carelink.ids import PersonKey, ResourceKey

MAY_DECIDE = "decide-links"  # what a role of the place pack must have


@dataclass(frozen=True)
class OpenDecision:
    """One question: the Patient, the person that it is linked to now, and the candidate that it may be instead.

    `patient_body` and `candidate_body` are the Patient and the candidate's golden Patient as this lens
    shows them; None where it does not.
    """

    id: int
    patient: ResourceKey
    person: PersonKey
    candidate: PersonKey
    weight: float
    fields: Mapping[str, Any]  # field -> {level, weight}; `safety` names the rule that kept them from being linked
    raised_at: datetime
    patient_body: str | None
    candidate_body: str | None


def open_decisions(conn: Connection, lens: Lens, count: int = 100) -> tuple[OpenDecision, ...]:
    """The open questions, the surest first. Raises `Forbidden` where the requester may not decide links."""
    _must_may(lens)
    mine, theirs = resource.alias("mine"), resource.alias("theirs")
    linked = and_(person_link.c.patient == link_decision.c.patient, person_link.c.undone_at.is_(None))
    rows = conn.execute(
        select(
            link_decision,
            person_link.c.person,
            lens.body(mine).label("patient_body"),
            lens.body(theirs).label("candidate_body"),
        )
        .join(person_link, linked)
        .outerjoin(mine, and_(mine.c.key == link_decision.c.patient, lens.where(mine)))
        .outerjoin(theirs, and_(theirs.c.key == link_decision.c.candidate, lens.where(theirs)))
        .where(link_decision.c.answer.is_(None))
        .order_by(link_decision.c.weight.desc(), link_decision.c.id)
        .limit(count)
    ).all()
    found = tuple(
        OpenDecision(
            row.id,
            row.patient,
            row.person,
            row.candidate,
            row.weight,
            row.fields,
            row.raised_at,
            row.patient_body,
            row.candidate_body,
        )
        for row in rows
    )
    looked(conn, lens, "search", "open link decisions", (), count=len(found))
    return found


def open_count(conn: Connection, lens: Lens) -> int:
    """How many questions are open. Raises `Forbidden` where the requester may not decide links."""
    _must_may(lens)
    return conn.execute(
        select(func.count()).select_from(link_decision).where(link_decision.c.answer.is_(None))
    ).scalar_one()


def _must_may(lens: Lens) -> None:
    if lens.requester is not None and MAY_DECIDE not in lens.may:
        raise Forbidden("Your role does not decide whether two records are one person", rule="decide-links")
