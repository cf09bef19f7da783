"""What the schedules ask about people, read for many at once: births, deaths, last contacts, and what is held."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, and_, func, or_, select, tuple_, union_all

from carelink.cases.banner import deceased
from carelink.cases.retention_due import Person
from carelink.clock import LONDON
from carelink.consent.lens import Lens
from carelink.db.among import among
from carelink.db.tables import index_token, legal_hold, relationship, resource, resource_version, subject_request
from carelink.ids import Ods, PersonKey, ResourceKey
from carelink.place import Place, Schedule
from carelink.record.golden_store import MADE_HERE
from fhir_adapters import exact_json

_DATED_BY_MACHINES = ("List", "Provenance")  # with the day of the pull: nobody was in contact on it


@dataclass(frozen=True)
class Item:
    """One resource, by its labels alone."""

    key: ResourceKey
    person: PersonKey
    patient: UUID | None
    type: str
    category: str
    custodian: Ods


@dataclass(frozen=True)
class Known:
    """All that is asked about some people."""

    persons: Mapping[PersonKey, Person]
    last: Mapping[tuple[PersonKey, Ods], date]  # last contact with each custodian
    items: Mapping[PersonKey, Sequence[Item]]


def known(conn: Connection, place: Place, lens: Lens, keys: Sequence[PersonKey]) -> Known:
    """Of these people, what decides how long it is kept."""
    return Known(_persons(conn, place, lens, keys), _last(conn, lens, keys), _items(conn, lens, keys))


def held_back(conn: Connection, keys: Sequence[PersonKey]) -> set[PersonKey]:
    """Those of whom nothing is erased: a legal hold, or a request for their record that is not answered.

    To erase what somebody asked for, so that they don't get it, is an offence (DPA 2018 s173).
    """
    h, r = legal_hold.c, subject_request.c
    held = select(h.person).where(among(h.person, keys), h.ended_at.is_(None))
    asked = select(r.person).where(among(r.person, keys), r.released_at.is_(None), r.ended_at.is_(None))
    return {PersonKey(key) for key in conn.execute(union_all(held, asked)).scalars()}


def _persons(conn: Connection, place: Place, lens: Lens, keys: Sequence[PersonKey]) -> dict[PersonKey, Person]:
    t = resource.c
    goldens = select(t.key, lens.body(resource).label("body")).where(
        among(t.key, keys), t.type == "Patient", t.source == MADE_HERE, lens.where(resource)
    )
    codes = _codes(conn, lens, place.schedules, keys)
    bodies = {PersonKey(row.key): exact_json.loads(row.body) for row in conn.execute(goldens)}
    return {key: _person(body, codes.get(key, frozenset())) for key, body in bodies.items()}


def _person(golden: Mapping[str, Any], codes: frozenset[tuple[str, str]]) -> Person:
    return Person(_day(str(golden.get("birthDate", ""))), _day(deceased(golden)), codes)


def _day(text: str) -> date | None:
    """The date where all of it is known."""
    try:
        return date.fromisoformat(text[:10]) if len(text) >= 10 else None
    except ValueError:
        return None


def _codes(
    conn: Connection, lens: Lens, schedules: Iterable[Schedule], keys: Sequence[PersonKey]
) -> dict[PersonKey, frozenset[tuple[str, str]]]:
    """The codes of `whose` that their records hold or held."""
    wanted = sorted({code for schedule in schedules for code in schedule.whose})
    if not wanted:
        return {}
    t, r = index_token.c, resource.c
    asked = select(t.person, t.system, t.code).join(resource, r.key == t.key).distinct()
    found: dict[PersonKey, set[tuple[str, str]]] = {}
    fits = and_(among(t.person, keys), tuple_(t.system, t.code).in_(wanted), lens.where(resource))
    for row in conn.execute(asked.where(fits)):
        found.setdefault(PersonKey(row.person), set()).add((row.system, row.code))
    return {key: frozenset(codes) for key, codes in found.items()}


def _last(conn: Connection, lens: Lens, keys: Sequence[PersonKey]) -> dict[tuple[PersonKey, Ods], date]:
    """The last of: what happened, by any version, today where it is still to come; and involvement while it goes on.

    Of a custodian that dates nothing, the day on which CareLink had the last of it.
    """
    v = resource_version.c
    dated = and_(v.type.not_in(_DATED_BY_MACHINES), v.clinical.is_not(None))
    happened = func.max(func.least(v.clinical, lens.at)).filter(dated)
    asked = select(v.person, v.custodian, func.coalesce(happened, func.max(v.last_updated)).label("last"))
    fits = and_(among(v.person, keys), lens.where(resource_version))
    seen = conn.execute(asked.where(fits).group_by(v.person, v.custodian))
    found = {(PersonKey(row.person), Ods(row.custodian)): _local(row.last) for row in seen}
    for row in conn.execute(_involved(lens, keys)):
        pair = (PersonKey(row.person), Ods(row.organisation))
        found[pair] = max(found.get(pair, date.min), _local(row.last))
    return found


def _involved(lens: Lens, keys: Sequence[PersonKey]) -> Any:
    t = relationship.c
    until = func.max(func.least(func.coalesce(t.ends, lens.at), lens.at))
    begun = or_(t.starts <= lens.at, t.starts.is_(None))
    return (
        select(t.person, t.organisation, until.label("last"))
        .where(among(t.person, keys), begun)
        .group_by(t.person, t.organisation)
    )


def _local(moment: datetime) -> date:
    return moment.astimezone(LONDON).date()


def _items(conn: Connection, lens: Lens, keys: Sequence[PersonKey]) -> dict[PersonKey, list[Item]]:
    """All of theirs, ended ones too; without golden Patients and what was written of repairs, which go with the others."""
    t = resource.c
    made = and_(t.source == MADE_HERE, t.type.in_(("Patient", "Provenance")))
    asked = select(t.key, t.person, t.patient, t.type, t.category, t.custodian).where(
        among(t.person, keys), ~made, lens.where(resource)
    )
    found: dict[PersonKey, list[Item]] = {}
    for row in conn.execute(asked.order_by(t.key)):
        found.setdefault(PersonKey(row.person), []).append(Item(**row._mapping))
    return found
