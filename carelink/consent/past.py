"""What the record held of a person at a time, as far as it is known: versions, links, refused Consents, broken glass."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from carelink.consent.facts import Grant
from carelink.db.among import among
from carelink.db.tables import access_grant, erasure, person, person_link, quarantine, resource, resource_version
from carelink.ids import Ods, PersonKey, ResourceKey, UserId, resource_key


@dataclass(frozen=True)
class Version:
    """One resource as it was; `body` is empty where retention has taken out what it said."""

    key: ResourceKey
    type: str
    person: PersonKey  # whose it was then
    version: int
    last_updated: datetime
    source: str
    custodian: Ods
    category: str
    sensitivities: int
    locating: bool
    clinical: datetime | None
    body: str
    redacted: str | None
    for_person: str | None


def patients_at(conn: Connection, key: PersonKey, at: datetime) -> tuple[ResourceKey, ...]:
    """The source Patients that were linked to this person then, in a fixed order."""
    t = person_link.c
    asked = select(t.patient).where(t.person == key, _then(t.made_at, t.undone_at, at)).order_by(t.patient)
    return tuple(dict.fromkeys(ResourceKey(one) for one in conn.execute(asked).scalars()))


def _then(starts: ColumnElement[Any], ends: ColumnElement[Any], at: datetime) -> ColumnElement[bool]:
    return and_(starts <= at, or_(ends.is_(None), ends > at))


def versions_at(conn: Connection, key: PersonKey, at: datetime) -> tuple[Version, ...]:
    """Of each resource the newest version of then, where it was this person's and not deleted, in a fixed order.

    Whose it was is told by the Patient that it hangs on, and by what that one was linked to then; what hangs on none
    (the golden Patient, what was made here) is whose it is today.
    """
    mine = patients_at(conn, key, at)
    t = resource_version.c
    hers = or_(among(t.patient, mine), and_(t.patient.is_(None), t.person == key))
    keys = select(t.key).where(hers, t.last_updated <= at).distinct().subquery()
    newest = (
        select(resource_version)
        .join(keys, keys.c.key == t.key)
        .where(t.last_updated <= at)
        .ext(distinct_on(t.key))
        .order_by(t.key, t.version.desc())
        .subquery()
    )
    n = newest.c
    still = or_(among(n.patient, mine), and_(n.patient.is_(None), n.person == key))
    asked = select(newest, resource.c.source).outerjoin(resource, resource.c.key == n.key)
    rows = conn.execute(asked.where(still, n.deleted.is_(False)).order_by(n.key))
    return tuple(_version(row, key) for row in rows)


def _version(row: Any, key: PersonKey) -> Version:
    return Version(
        key=ResourceKey(row.key),
        type=row.type,
        person=key,
        version=row.version,
        last_updated=row.last_updated,
        source=row.source or "",
        custodian=Ods(row.custodian),
        category=row.category,
        sensitivities=row.sensitivities,
        locating=row.redacted is not None,
        clinical=row.clinical,
        body=row.body,
        redacted=row.redacted,
        for_person=row.for_person,
    )


def refused_at(conn: Connection, key: PersonKey, at: datetime) -> tuple[UUID, ...]:
    """The keys under which Consents would stand that waited in quarantine then: each hides the whole record."""
    q = quarantine.c
    asked = select(q.source, q.namespace, q.source_id).where(
        q.type == "Consent", q.person == key, _then(q.seen_at, q.resolved_at, at)
    )
    return tuple(
        resource_key(row.source, row.namespace, "Consent", row.source_id) for row in conn.execute(asked.order_by(q.id))
    )


def grants_at(conn: Connection, key: PersonKey, at: datetime) -> tuple[Grant, ...]:
    """Glass that was broken and open then."""
    g = access_grant.c
    asked = select(g.id, g.user, g.organisation, g.starts, g.ends).where(g.person == key, _then(g.starts, g.ends, at))
    return tuple(
        Grant(UserId(row.user), Ods(row.organisation), row.starts, row.ends, row.id)
        for row in conn.execute(asked.order_by(g.id))
    )


def restricted_today(conn: Connection, key: PersonKey) -> bool:
    """Whether the person is restricted now: what counts where no Patient of then is kept."""
    return bool(conn.execute(select(person.c.restricted).where(person.c.key == key)).scalar())


@dataclass(frozen=True)
class Unknown:
    """What the store can't tell any more of this person at that time: counts."""

    erased: int  # resources of which retention took out what they said
    merged_since: int  # persons who were found to be this one since then


def unknown_of(conn: Connection, key: PersonKey, at: datetime) -> Unknown:
    """How much of it is unknown."""
    erased = select(func.count()).select_from(erasure).where(erasure.c.person == key)
    t = person_link.c
    others = select(func.count(t.person.distinct())).where(
        t.undone_why == "merged", t.undone_at > at, t.person != key, t.patient.in_(_patients_now(key))
    )
    return Unknown(conn.execute(erased).scalar_one(), conn.execute(others).scalar_one())


def _patients_now(key: PersonKey) -> Any:
    return select(person_link.c.patient).where(person_link.c.person == key, person_link.c.undone_at.is_(None))
