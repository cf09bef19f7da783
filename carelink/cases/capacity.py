"""Who decides for a person: what is recorded, what follows from it for sharing, and who may record more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from carelink.cases.banner import banner
from carelink.cases.capacity_shown import Alert, Held, Shown, alerts, held, shown
from carelink.cases.recording import must_be_involved, why_only_looks
from carelink.consent import capacity_codes as codes
from carelink.consent.authority import relation_of
from carelink.consent.capacity import Answer, Authority, Decision, Giver, Mind, Relation, may_consent
from carelink.consent.capacity_case import Able, Life, able, life_of
from carelink.consent.capacity_facts import mind_of, minds_of, on_all_that_is_known
from carelink.consent.capacity_reading import mind_from
from carelink.consent.lens import Lens
from carelink.errors import Forbidden, NotFound
from carelink.ids import PersonKey, ResourceKey
from carelink.place import Place
from carelink.record import made_here, search
from carelink.record.query import Criterion, Query, Row
from fhir_adapters import exact_json

MAY = "record-consent"  # what a role of the place pack may have
MOST = 200  # people around somebody, assessments of them
_THEMSELVES, _PROFESSIONALS = Giver(Relation.THE_PERSON), Giver(Relation.PROFESSIONAL_BEST_INTERESTS)
_RECORDS = Criterion("code", tuple(sorted(f"{codes.RECORD}|{code}" for code in codes.RECORDS)))


@dataclass(frozen=True)
class Decider:
    """Somebody who may decide about sharing. `name` is empty where this worker may not see the record of it."""

    name: str
    answer: Answer


@dataclass(frozen=True)
class WhoDecides:
    """The page. `answer` is the person's own; `deciders` are those who may, of all that is known."""

    person: PersonKey
    name: str
    child: bool
    dead: bool
    answer: Answer
    deciders: tuple[Decider, ...]
    held: tuple[Held, ...]
    shown: tuple[Shown, ...]
    alerts: tuple[Alert, ...]
    may_record: bool
    only_looks: str  # why somebody whose role records this may not: they are not involved with the person
    unassessed: bool  # found unable of nothing: only an assessment opens the way to best interests


def may_record(lens: Lens) -> bool:
    """Whether this requester records who decides: a role for it that cares for people, and never a view as another."""
    asks, standing = lens.requester, lens.standing
    if asks is None or standing is None or asks.person is not None or asks.behind is not None:
        return False
    return MAY in lens.may and standing.cares


def must_may(conn: Connection, lens: Lens, person: PersonKey) -> None:
    """Raises `Forbidden` for who records nothing of this or may only look, `NotFound` for who may not even look."""
    if not may_record(lens):
        raise Forbidden("Your role doesn't record who decides", rule=MAY)
    must_be_involved(conn, lens, person)


def who_decides(conn: Connection, place: Place, lens: Lens, person: PersonKey) -> WhoDecides:
    """What this worker sees of it, and who decides by all that is known.

    Raises `NotFound` for a person whom the requester may not know.
    """
    patients = search.run(conn, lens, Query(types=("Patient",), person=person)).rows
    top = banner(person, patients, place)
    if top is None or not lens.person_visible(conn, person):
        raise NotFound("There is no such person, or you are not involved with them")
    rows = opened(_rows(conn, lens, person))
    seen = mind_from({}, [(row.key, body) for row, body in rows])
    mind, at = all_known(conn, lens, person), lens.at
    life = life_of(mind, at)
    only_looks = why_only_looks(conn, lens, person) if may_record(lens) else ""
    may = may_record(lens) and not only_looks
    return WhoDecides(
        person=person,
        name=top.name,
        child=life is Life.CHILD,
        dead=life is Life.DEAD,
        answer=may_consent(_THEMSELVES, mind, Decision.SHARING, at),
        deciders=tuple(_deciders(mind, seen, at)),
        held=tuple(held(rows, seen, mind, lens, at, may=may)),
        shown=tuple(shown(rows, mind, lens, at, may=may)),
        alerts=tuple(alerts(rows)),
        may_record=may,
        only_looks=only_looks,
        unassessed=able(mind, Decision.SHARING, at, life) is not Able.LACKS,
    )


def all_known(conn: Connection, lens: Lens, person: PersonKey) -> Mind:
    """What anybody recorded of who decides: the answer rests on all of it, whatever this worker may see."""
    return mind_of(conn, on_all_that_is_known(lens.at, lens.user), person)


def unable(conn: Connection, lens: Lens, person: PersonKey) -> tuple[Decision, ...]:
    """What the person is found unable to decide now, as far as this worker may see it.

    For the top of their page, whose look is audited already.
    """
    mind = minds_of(conn, lens, [person])[person]
    life = life_of(mind, lens.at)
    return tuple(one for one in Decision if able(mind, one, lens.at, life) is Able.LACKS)


def _deciders(mind: Mind, seen: Mind, at: datetime) -> Iterator[Decider]:
    visible = {one.key for one in seen.authorities}
    for one in mind.authorities:
        answer = may_consent(_holder(one), mind, Decision.SHARING, at)
        if answer.allowed:
            yield Decider(one.name if one.key in visible else "", answer)
    answer = may_consent(_PROFESSIONALS, mind, Decision.SHARING, at)
    if answer.allowed:
        yield Decider("Those who care for them, in their best interests", answer)


def _holder(one: Authority) -> Giver:
    return Giver(relation_of(one.kind), one.key, one.name, with_the_others=True)


def _rows(conn: Connection, lens: Lens, person: PersonKey) -> list[Row]:
    """Who is around them, what was assessed, and what sources say of it in words."""
    asked = (
        Query(types=("RelatedPerson",), person=person, count=MOST),
        Query(types=("Observation",), person=person, criteria=(_RECORDS,), count=MOST),
        Query(types=("Flag",), categories=("legal",), person=person, count=MOST),
    )
    return [row for query in asked for row in search.run(conn, lens, query).rows]


def opened(rows: Sequence[Row]) -> list[tuple[Row, Any]]:
    """Each with its body."""
    return [(row, exact_json.loads(row.body)) for row in rows]


def one_of(conn: Connection, lens: Lens, person: PersonKey, type_: str, key: ResourceKey) -> tuple[Row, Any]:
    """What is to be changed. Raises `NotFound`, and `Forbidden` where another organisation answers for it."""
    must_may(conn, lens, person)
    row = search.get(conn, lens, type_, key)
    if row.person != person:
        raise NotFound("There is no such record of this person")
    if not made_here.may_change(lens, row):
        raise Forbidden("Only the organisation that recorded this can change it", rule=made_here.NOT_OURS)
    return row, made_here.as_stored(conn, lens, type_, key)
