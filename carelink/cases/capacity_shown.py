"""What is recorded of who decides, as a page shows it: authorities, assessments, alerts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from carelink.cases.capacity_words import ABOUT, HOLDS, STATES
from carelink.consent.authority import relation_of
from carelink.consent.capacity import Answer, Authority, Decision, Finding, Giver, Mind, may_consent
from carelink.consent.capacity_case import Life, fault, life_of, newest
from carelink.consent.capacity_reading import by_whom, decisions_of, record_of, seen
from carelink.consent.lens import Lens
from carelink.consent.mind import AuthorityKind
from carelink.consent.periods import ALWAYS, LONDON
from carelink.ids import ResourceKey
from carelink.record.made_here import may_change
from carelink.record.query import Row
from carelink.record.timeline_values import concept, notes, value_of

_Opened = Iterable[tuple[Row, Any]]


@dataclass(frozen=True)
class Held:
    """One authority. `state` says what is wrong with it; empty: it counts. `answer` is about sharing."""

    key: ResourceKey
    name: str
    what: str
    state: str
    answer: Answer
    starts: datetime | None
    ends: date | None  # the last day
    reaches: tuple[str, ...]  # empty: all that its kind can
    jointly: bool
    reference: str
    seen: str  # FHIR date; empty: nobody here has seen it
    seen_by: str
    source: str
    kind: AuthorityKind
    ours: bool  # this worker may end or correct it
    to_see: bool  # a source tells of it, and somebody should look at the paper


@dataclass(frozen=True)
class Shown:
    """One assessment or best-interests decision. `counts`: it is the one that holds now."""

    key: ResourceKey
    what: str  # code of the record
    about: str
    outcome: str
    at: datetime | None
    until: str  # FHIR date, its last day
    by: str
    answers: tuple[tuple[str, str], ...]
    reasons: tuple[str, ...]
    counts: bool
    source: str
    ours: bool


@dataclass(frozen=True)
class Alert:
    """What a source says of it in words, from which nothing follows."""

    words: str
    source: str


def held(rows: _Opened, visible: Mind, mind: Mind, lens: Lens, at: datetime, *, may: bool) -> Iterator[Held]:
    """Each authority that this worker may see; what it counts for is by all that is known."""
    by_key = {row.key: (row, body) for row, body in rows}
    for one in visible.authorities:
        row, body = by_key[one.key]
        yield _held(one, row, seen(body), mind, at, ours=may and may_change(lens, row), may=may)


def _held(one: Authority, row: Row, said: dict[str, Any], mind: Mind, at: datetime, *, ours: bool, may: bool) -> Held:
    wrong = fault(one, Decision.SHARING, at)
    giver = Giver(relation_of(one.kind), one.key, one.name, with_the_others=True)
    return Held(
        key=one.key,
        name=one.name or "Not named",
        what=HOLDS[one.kind],
        state=STATES[wrong] if wrong else "",
        answer=may_consent(giver, mind, Decision.SHARING, at),
        starts=one.period.starts if one.period and one.period.starts > ALWAYS else None,
        ends=_last_day(one.period.ends) if one.period else None,
        reaches=tuple(ABOUT[decision] for decision in Decision if one.decisions and decision in one.decisions),
        jointly=one.jointly,
        reference=str(said.get("reference", "")),
        seen=str(said.get("seen", "")),
        seen_by=str(said.get("seen-by", "")),
        source=row.source,
        kind=one.kind,
        ours=ours,
        to_see=may and not one.seen,
    )


def _last_day(ends: datetime | None) -> date | None:
    """The day of the last moment before the end."""
    return (ends - timedelta(microseconds=1)).astimezone(LONDON).date() if ends is not None else None


def shown(rows: _Opened, mind: Mind, lens: Lens, at: datetime, *, may: bool) -> Iterator[Shown]:
    """Each assessment and best-interests decision, the newest first."""
    current = _current(mind, at)
    for row, body in rows:
        if what := record_of(body):
            yield _shown(row, body, what, counts=row.key in current, ours=may and may_change(lens, row))


def _shown(row: Row, body: Any, what: str, *, counts: bool, ours: bool) -> Shown:
    period = body.get("effectivePeriod", {})
    parts = [(concept(one.get("code")), value_of(one)) for one in body.get("component", ())]
    return Shown(
        key=row.key,
        what=what,
        about=", ".join(ABOUT[one] for one in decisions_of(body)),
        outcome=concept(body.get("valueCodeableConcept")),
        at=row.clinical,
        until=str(period.get("end", "")),
        by=by_whom(body),
        answers=tuple((words, answer) for words, answer in parts if words != "About:"),
        reasons=tuple(notes(body)),
        counts=counts,
        source=row.source,
        ours=ours,
    )


def _current(mind: Mind, at: datetime) -> set[ResourceKey | None]:
    """The findings and decisions that hold now, of each thing to be decided."""
    child = life_of(mind, at) is Life.CHILD
    found: list[Finding] = [one for one in (mind.gillick if child else mind.findings) if one.holds(at)]
    holding: set[ResourceKey | None] = set()
    for decision in Decision:
        holding |= {one.key for one in newest(one for one in found if one.decision is decision)}
        made = [one for one in mind.best_interests if one.decision is decision and one.at <= at]
        holding |= {one.key for one in made if one.at == max(two.at for two in made)}
    return holding


def alerts(rows: _Opened) -> Iterator[Alert]:
    """What sources say in words alone, as long as it is active."""
    for row, body in rows:
        if row.type == "Flag" and body.get("status") == "active":
            yield Alert(concept(body.get("code")), row.source)
