"""What the record knows of who decides for people, read through a lens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, and_, not_, or_, select

from carelink.audit.trail import looked
from carelink.consent.capacity_reading import mind_from
from carelink.consent.lens import Lens
from carelink.consent.mind import Mind
from carelink.db.among import among
from carelink.db.tables import resource
from carelink.ids import PersonKey, ResourceKey
from fhir_adapters import exact_json

_T = resource.c
_HERE = "carelink"  # resource.source of what is recorded here
QUERY = "who decides"
WHY = "who may decide for a person: on all that is known"


def mind_of(conn: Connection, lens: Lens, person: PersonKey) -> Mind:
    """What this lens shows of who decides for the person; audited. Give it `on_all_that_is_known` to decide by."""
    looked(conn, lens, "read", QUERY, (), person)
    return minds_of(conn, lens, [person])[person]


def on_all_that_is_known(at: datetime, user: str = "") -> Lens:
    """The lens to decide by whether somebody may consent.

    An answer that rests on half of what is known may let somebody agree to what they can't, or in whose stead an
    attorney decides: so it rests on what every organisation recorded, whatever the asker may see of it.
    """
    return Lens.system(WHY, at, user)


def minds_of(conn: Connection, lens: Lens, persons: Iterable[PersonKey]) -> Mapping[PersonKey, Mind]:
    """The same for several people, in one statement, not audited: for storing. An empty one where nothing is known."""
    wanted = sorted(set(persons), key=str)
    statement = (
        select(_T.key, _T.person, _T.type, lens.body(resource).label("sent"))
        .where(among(_T.person, wanted), not_(_T.deleted), _says(), lens.where(resource))
        .order_by(_T.key)
    )
    patients: dict[PersonKey, Any] = {}
    kept: dict[PersonKey, list[tuple[ResourceKey, Any]]] = {}
    for row in conn.execute(statement) if wanted else ():
        person, body = PersonKey(row.person), exact_json.loads(row.sent)
        if row.type == "Patient":
            patients[person] = body
        else:
            kept.setdefault(person, []).append((ResourceKey(row.key), body))
    return {person: mind_from(patients.get(person, {}), kept.get(person, ())) for person in wanted}


class Told(Protocol):
    """A resource, as far as it must be known whether it says who decides."""

    @property
    def type(self) -> str: ...
    @property
    def key(self) -> ResourceKey: ...
    @property
    def person(self) -> PersonKey: ...
    @property
    def source(self) -> str: ...
    @property
    def category(self) -> str: ...


def says(one: Told) -> bool:
    """The same of one resource as a value."""
    if one.type == "Observation":
        return one.source == _HERE or one.category == "legal"
    return one.type == "RelatedPerson" or (one.type == "Patient" and one.key == one.person)


def _says() -> ColumnElement[bool]:
    """The golden Patient, everybody around the person, and what was recorded of capacity: here, or as legal elsewhere."""
    assessed = and_(_T.type == "Observation", or_(_T.source == _HERE, _T.category == "legal"))
    golden = and_(_T.type == "Patient", _T.key == _T.person)
    return or_(_T.type == "RelatedPerson", golden, assessed)
