"""Links undone and decided by a human, and remembered, so that CareLink does not make the same mistake again."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects.postgresql import insert

from carelink.db.tables import link_decision, person, person_link
from carelink.db.turns import take_turns
from carelink.errors import Conflict, NotFound
from carelink.ids import PersonKey, ResourceKey, person_key
from carelink.place import Place
from carelink.record import persons_rows as rows
from carelink.record.golden_store import recompose
from carelink.record.links_merge import Merge, merge
from carelink.record.links_moves import move_patients, refresh
from carelink.record.matching import Method
from carelink.record.persons_audit import decided, unlinked
from carelink.record.persons_rows import Link

Answer = Literal["same", "different"]


def unlink(conn: Connection, place: Place, patient: ResourceKey, by: str, why: str, now: datetime) -> PersonKey:
    """Take this source Patient out of its person; gives the person that it now is.

    Everything of its record moves with it, both golden records are composed anew, and CareLink will not link
    the two again by itself. Raises `NotFound` where there is no such link, `Conflict` where it is the person's only Patient.
    """
    rows.lock(conn)
    was = _standing(conn, patient)
    if len(rows.patients_of(conn, was)) == 1:
        raise Conflict("This is the person's only record: there is nothing to take it apart from")
    own = _own_person(conn, patient)
    rows.found_persons(conn, [own], now)
    rows.undo_links(conn, [patient], by, why, now)
    rows.make_links(conn, [Link(patient, own, Method.HUMAN, made_by=by)], now)
    move_patients(conn, [patient], own)
    _remember_different(conn, patient, was, by, now)
    _settle_both(conn, place, (was, own), now)
    unlinked(conn, patient, was, own, by, why, now)
    return own


def decide(conn: Connection, place: Place, decision_id: int, answer: Answer, by: str, now: datetime) -> PersonKey:
    """A human's answer to an open decision, or another answer to an old one; gives the Patient's person after it.

    `same` merges the Patient's person and the candidate; `different` keeps them apart for ever, and takes the Patient
    out where it is in. Raises `NotFound`, or `Conflict` where another decision says that the two are different.
    """
    rows.lock(conn)
    asked = _decision(conn, decision_id)
    mine, candidate = _standing(conn, asked.patient), _followed(conn, asked.candidate)
    _answer(conn, decision_id, answer, by, now)
    decided(conn, asked.patient, candidate, answer, by, now)
    if answer == "same":
        return _join(conn, place, Merge(mine, candidate, asked.patient), by, now)
    if mine == candidate and len(rows.patients_of(conn, mine)) > 1:
        return unlink(conn, place, asked.patient, by, "decided to be different", now)
    return mine


def _join(conn: Connection, place: Place, wanted: Merge, by: str, now: datetime) -> PersonKey:
    if wanted.one == wanted.other:
        return wanted.one
    _refuse_if_apart(conn, wanted)
    kept, gone = merge(conn, wanted, Method.HUMAN, by, now)
    _settle_both(conn, place, (kept, gone), now)
    return kept


def _refuse_if_apart(conn: Connection, wanted: Merge) -> None:
    """Another Patient of the two was decided to be different: that must be answered first."""
    pairs = ((wanted.one, wanted.other), (wanted.other, wanted.one))
    for mine, theirs in pairs:
        patients = rows.patients_of(conn, mine)
        apart = rows.kept_apart(conn, patients, [])
        if any(theirs in apart.get(patient, ()) for patient in patients):
            raise Conflict("Another record of this person was decided to be somebody else: change that decision first")


def _settle_both(conn: Connection, place: Place, persons: tuple[PersonKey, PersonKey], now: datetime) -> None:
    """What follows from the resources that each now has: who is involved, what they object to, the golden record."""
    take_turns(conn, persons)
    recompose(conn, place, persons, now)
    refresh(conn, place, persons, now)  # by how old the golden Patient is
    recompose(conn, place, persons, now)  # without what they keep back


def _standing(conn: Connection, patient: ResourceKey) -> PersonKey:
    link = rows.current_links(conn, [patient]).get(patient)
    if link is None:
        raise NotFound("This record is not linked to anybody")
    return link.person


def _own_person(conn: Connection, patient: ResourceKey) -> PersonKey:
    """The person that it founded once, where nobody else is in it now; else the next that is free."""
    own = person_key(patient)
    while rows.patients_of(conn, own):
        own = person_key(ResourceKey(own))
    return own


def _decision(conn: Connection, decision_id: int) -> Row[Any]:
    found = conn.execute(select(link_decision).where(link_decision.c.id == decision_id)).one_or_none()
    if found is None:
        raise NotFound("There is no such decision")
    return found


def is_person(conn: Connection, key: PersonKey) -> bool:
    """Whether somebody has that key; it tells nothing of them."""
    return conn.execute(select(person.c.key).where(person.c.key == key)).first() is not None


def _followed(conn: Connection, key: PersonKey) -> PersonKey:
    """The person, or who they were merged into."""
    into = conn.execute(select(person.c.merged_into).where(person.c.key == key)).scalar()
    return PersonKey(into) if into is not None else key


def _answer(conn: Connection, decision_id: int, answer: Answer, by: str, now: datetime) -> None:
    said = {"answer": answer, "decided_by": by, "decided_at": now}
    conn.execute(update(link_decision).where(link_decision.c.id == decision_id).values(said))


def _remember_different(conn: Connection, patient: ResourceKey, was: PersonKey, by: str, now: datetime) -> None:
    """An undone link is an answered decision: different."""
    weighed = conn.execute(
        select(person_link.c.weight, person_link.c.fields)
        .where(person_link.c.patient == patient, person_link.c.person == was)
        .order_by(person_link.c.id.desc())
        .limit(1)
    ).one()
    said = {"answer": "different", "decided_by": by, "decided_at": now}
    row = {"patient": patient, "candidate": was, "weight": weighed.weight or 0.0, "fields": weighed.fields}
    put = insert(link_decision).values(row | said | {"raised_at": now})
    conn.execute(put.on_conflict_do_update(index_elements=["patient", "candidate"], set_=said))
