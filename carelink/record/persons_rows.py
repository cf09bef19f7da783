"""The rows of persons, their traits, links and open decisions: read and written in bulk."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, bindparam, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from carelink.db.among import among
from carelink.db.tables import link_decision, person, person_link, person_trait
from carelink.ids import PersonKey, ResourceKey
from carelink.record.copying import Rows, copy_rows
from carelink.record.matching import Compared
from carelink.record.traits import Traits

CARELINK = "carelink"  # who made a link that no human made
_ONE_AT_A_TIME = 7_223_100_001  # pg_advisory_xact_lock: whoever founds, links or parts persons

_TRAITS = tuple(column.name for column in fields(Traits))


@dataclass(frozen=True)
class Link:
    """A current link of a source Patient, or one to be made."""

    patient: ResourceKey
    person: PersonKey
    method: str
    weight: float | None = None
    fields: Mapping[str, Any] | None = None
    made_by: str = CARELINK


@dataclass(frozen=True)
class Question:
    """Is this Patient this person? For a human."""

    patient: ResourceKey
    compared: Compared


def lock(conn: Connection) -> None:
    """Wait until no other transaction founds, links or parts persons; held to the end of this one."""
    conn.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _ONE_AT_A_TIME})


def current_links(conn: Connection, patients: Iterable[ResourceKey]) -> dict[ResourceKey, Link]:
    """The links that stand, by Patient."""
    rows = conn.execute(
        select(person_link.c.patient, person_link.c.person, person_link.c.method).where(
            among(person_link.c.patient, patients), person_link.c.undone_at.is_(None)
        )
    )
    return {row.patient: Link(row.patient, row.person, row.method) for row in rows}


def patients_of(conn: Connection, of: PersonKey) -> list[ResourceKey]:
    """The source Patients that are linked to this person now, in a fixed order."""
    rows = conn.execute(
        select(person_link.c.patient).where(person_link.c.person == of, person_link.c.undone_at.is_(None))
    )
    return sorted((row.patient for row in rows), key=str)


def kept_apart(
    conn: Connection, patients: Sequence[ResourceKey], persons: Sequence[PersonKey]
) -> dict[ResourceKey, set[PersonKey]]:
    """Patient -> persons that a human said it is not, for these patients or these persons."""
    apart: dict[ResourceKey, set[PersonKey]] = {}
    where = or_(among(link_decision.c.patient, patients), among(link_decision.c.candidate, persons))
    for row in conn.execute(
        select(link_decision.c.patient, link_decision.c.candidate).where(link_decision.c.answer == "different", where)
    ):
        apart.setdefault(row.patient, set()).add(row.candidate)
    return apart


def found_persons(conn: Connection, persons: Iterable[PersonKey], now: datetime) -> None:
    """New persons; one that was there, empty or merged, is there again."""
    rows = [{"key": key, "created": now} for key in persons]
    if rows:
        again = {"merged_into": None}
        conn.execute(insert(person).on_conflict_do_update(index_elements=["key"], set_=again), rows)


def put_traits(conn: Connection, rows: Mapping[ResourceKey, tuple[PersonKey, Traits]]) -> None:
    """The traits of these Patients as they now are."""
    if not rows:
        return
    put = insert(person_trait)
    changing = {column.name: put.excluded[column.name] for column in person_trait.c if column.name != "patient"}
    conn.execute(
        put.on_conflict_do_update(index_elements=["patient"], set_=changing),
        [
            {name: getattr(traits, name) for name in _TRAITS}
            | {"patient": patient, "person": of, "nhs_former": list(traits.nhs_former)}
            for patient, (of, traits) in rows.items()
        ],
    )


def make_links(conn: Connection, links: Sequence[Link], now: datetime) -> None:
    """New current links; what these Patients were linked to before must be undone already."""
    copy_rows(conn, [Rows(person_link, _LINK, [_row(link, now) for link in links])])


_LINK = ("patient", "person", "method", "weight", "fields", "made_by", "made_at")


def _row(link: Link, now: datetime) -> tuple[Any, ...]:
    fields = json.dumps(dict(link.fields or {}))
    return (link.patient, link.person, str(link.method), link.weight, fields, link.made_by, now)


def undo_links(conn: Connection, patients: Sequence[ResourceKey], by: str, why: str, now: datetime) -> None:
    """End the current links of these Patients, keeping that they were."""
    conn.execute(
        update(person_link)
        .where(among(person_link.c.patient, patients), person_link.c.undone_at.is_(None))
        .values(undone_by=by, undone_at=now, undone_why=why)
    )


def ask(conn: Connection, questions: Sequence[Question], now: datetime) -> None:
    """Open decisions for a human; one that was asked before, answered or not, is not asked again."""
    rows = [
        {
            "patient": question.patient,
            "candidate": question.compared.person,
            "weight": question.compared.weight,
            "fields": _asked(question.compared),
            "raised_at": now,
        }
        for question in questions
    ]
    if rows:
        conn.execute(insert(link_decision).on_conflict_do_nothing(index_elements=["patient", "candidate"]), rows)


def _asked(compared: Compared) -> dict[str, Any]:
    """The fields; and as one more of them the safety rule that kept this from being linked."""
    safety = {"safety": {"level": compared.rule, "weight": 0.0}} if compared.rule else {}
    return {**compared.fields, **safety}


def settle(conn: Connection, pairs: Sequence[tuple[ResourceKey, PersonKey]], by: str, now: datetime) -> None:
    """Open decisions between these that need no answer any more: they are one person now."""
    same = and_(link_decision.c.patient == bindparam("p"), link_decision.c.candidate == bindparam("c"))
    statement = update(link_decision).where(same, link_decision.c.answer.is_(None))
    if pairs:
        conn.execute(
            statement.values(answer="same", decided_by=by, decided_at=now), [{"p": p, "c": c} for p, c in pairs]
        )
