"""Items whose words make it likely that they need a label: what waits for a human at the organisation that holds them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from carelink.audit.trail import Event, append, looked
from carelink.cases.labelling import MAY, may_correct, names_of
from carelink.consent.lens import Lens
from carelink.consent.sensitivity import sensitivities
from carelink.db.tables import label_hint, resource
from carelink.errors import Forbidden, NotFound
from carelink.ids import PersonKey, ResourceKey, UserId
from carelink.place import LabelRule, Place
from carelink.record import hints, search
from carelink.record.timeline import Entry, entry
from carelink.record.timeline_names import names_in, opened

MOST = 100
_H = label_hint.c


@dataclass(frozen=True)
class Hint:
    """One item, the words that are looked for in it, and the sensitivities that they may mean."""

    id: int
    entry: Entry
    person: PersonKey | None
    person_name: str
    words: tuple[str, ...]
    because: str
    sensitivities: tuple[str, ...]
    raised_at: datetime


@dataclass(frozen=True)
class Queue:
    """The oldest of those that this requester may see, and how many more wait at their organisation."""

    hints: tuple[Hint, ...]
    others: int  # about people with whom the requester is not involved


def queue(conn: Connection, place: Place, lens: Lens) -> Queue:
    """What waits at the requester's organisation. Audited. Raises `Forbidden` for a role that corrects no labels."""
    mine = _organisation(lens)
    asked = (
        select(_H.id, _H.resource, _H.rule, _H.raised_at)
        .join(resource, resource.c.key == _H.resource)
        .where(*_open(place, mine), *_answerable(lens))
        .order_by(_H.raised_at, _H.id)
        .limit(MOST)
    )
    rows = conn.execute(asked).all()
    seen = search.by_keys(conn, lens, {ResourceKey(row.resource) for row in rows})
    named, people = names_in(conn, lens, seen), names_of(conn, lens, seen)
    items = {row.key: (entry(row, body, named), row.person) for row, body in opened(seen)}
    rules = {rule.id: rule for rule in place.labels}
    told = tuple(_hint(place, row, rules[row.rule], items, people) for row in rows if row.resource in items)
    looked(conn, lens, "search", "labels to check", seen)
    return Queue(told, _waiting(conn, place, mine) - len(told))


def not_needed(conn: Connection, lens: Lens, hint: int) -> None:
    """Close it: the item needs no such label. Audited as `label`.

    Raises `NotFound` where it is answered meanwhile or about what this requester may not see, `Forbidden` as `queue`.
    """
    mine = _organisation(lens)
    asked = select(_H.resource, _H.rule, _H.person).join(resource, resource.c.key == _H.resource)
    found = conn.execute(
        asked.where(_H.id == hint, _H.answer.is_(None), resource.c.custodian == mine, *_answerable(lens))
    ).one_or_none()
    if found is None:
        raise NotFound("Somebody answered this meanwhile, or you may not see the item")
    hints.answer(conn, found.resource, [found.rule], "not-needed", UserId(lens.user), lens.at)
    detail = {"resource": str(found.resource), "rule": found.rule, "answer": "not-needed"}
    append(conn, Event("label", lens.requester, found.person, query="hint", count=1, detail=detail), lens.at)


def _organisation(lens: Lens) -> str:
    asks = lens.requester
    if asks is None or not may_correct(lens, asks.organisation):
        raise Forbidden("Your role does not correct labels", rule=MAY)
    return asks.organisation


def _answerable(lens: Lens) -> tuple[ColumnElement[bool], ...]:
    """What this requester may see, of those with whom they are involved: who only looks in need answers nothing."""
    return lens.where(resource), or_(resource.c.person.is_(None), lens.recordable(resource.c.person))


def _open(place: Place, custodian: str) -> tuple[Any, ...]:
    """Of rules that the place still has, on what is still told."""
    rules = [rule.id for rule in place.labels if rule.text]
    told = and_(resource.c.custodian == custodian, resource.c.deleted.is_(False))
    return (_H.answer.is_(None), _H.rule.in_(rules), told)


def _waiting(conn: Connection, place: Place, custodian: str) -> int:
    """How many wait there: a number, about nobody."""
    counted = select(func.count()).select_from(label_hint).join(resource, resource.c.key == _H.resource)
    return conn.execute(counted.where(*_open(place, custodian))).scalar_one()


def _hint(
    place: Place,
    row: Any,
    rule: LabelRule,
    items: dict[ResourceKey, tuple[Entry, PersonKey | None]],
    people: Any,
) -> Hint:
    said, person = items[row.resource]
    labels = sensitivities(place).labels
    return Hint(
        id=row.id,
        entry=said,
        person=person,
        person_name=people.get(person, ""),
        words=rule.text,
        because=rule.because,
        sensitivities=tuple(labels[name] for name in rule.sensitivities),
        raised_at=row.raised_at,
    )
