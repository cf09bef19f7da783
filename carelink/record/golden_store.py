"""Golden Patients, written: composed of what the sources' Patients say now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, text

from carelink.consent.lens import Lens
from carelink.consent.sensitivity import sensitivities
from carelink.db.among import among
from carelink.db.tables import person, resource
from carelink.ids import PersonKey, ResourceKey
from carelink.place import Organisation, Place
from carelink.record.denials import denials
from carelink.record.golden import compose, is_deceased, is_restricted, replaced
from carelink.record.golden_ukcore import as_uk_core
from carelink.record.survivorship import SourceRecord
from carelink.record.writing import Writable, write
from fhir_adapters.exact_json import loads

MADE_HERE = "carelink"  # resource.source of what no source sent
CATEGORY = "demographics"
HOME = "icb"  # type of the one organisation that answers for what is made here; the pack's check finds it missing

Golden = dict[str, Any]


def recompose(conn: Connection, place: Place, persons: Iterable[PersonKey], now: datetime) -> None:
    """Write the golden Patients of these persons and their flags; a version only where the content differs.

    A person who was merged points at the one that they are now. One without any source Patient has none.
    """
    wanted = sorted(set(persons), key=str)
    if not wanted:
        return
    records = _records(conn, wanted, now)
    goldens = {key: _golden(place, key, into, records.get(key, ())) for key, into in _merged(conn, wanted).items()}
    written = {key: golden for key, golden in goldens.items() if golden is not None}
    _flag(conn, written)
    made = [_writable(place, key, golden) for key, golden in written.items()]
    write(conn, made, now, sensitivities(place))


def home(place: Place) -> Organisation:
    """The organisation that answers for what is made here."""
    return next(one for one in place.organisations.values() if one.type == HOME)


def _merged(conn: Connection, persons: Sequence[PersonKey]) -> dict[PersonKey, PersonKey | None]:
    asked = select(person.c.key, person.c.merged_into).where(among(person.c.key, persons)).order_by(person.c.key)
    return {row.key: row.merged_into for row in conn.execute(asked)}


def _records(conn: Connection, persons: Sequence[PersonKey], now: datetime) -> dict[PersonKey, list[SourceRecord]]:
    """What the sources say of each person."""
    lens = Lens.system("compose golden Patients", now)
    t = resource.c
    found: dict[PersonKey, list[SourceRecord]] = {}
    denied = denials(conn, persons)
    asked = select(t.person, t.key, t.source, t.custodian, t.last_updated, lens.body(resource).label("body")).where(
        among(t.person, persons), t.type == "Patient", t.source != MADE_HERE, t.deleted.is_(False), lens.where(resource)
    )
    for row in conn.execute(asked):
        kept_back = any(one.of(row) for one in denied.get(row.person, ()))
        record = SourceRecord(ResourceKey(row.key), row.source, loads(row.body), row.last_updated, kept_back)
        found.setdefault(PersonKey(row.person), []).append(record)
    return found


def _golden(place: Place, key: PersonKey, into: PersonKey | None, records: Sequence[SourceRecord]) -> Golden | None:
    if into is not None:
        return replaced(key, into)
    if not records:
        return None
    return as_uk_core(compose(key, records, place.survivorship, home(place), sensitivities(place)))


def _writable(place: Place, key: PersonKey, golden: Golden) -> Writable:
    return Writable(
        key=ResourceKey(key),
        type="Patient",
        body=golden,
        source=MADE_HERE,
        source_id=str(key),
        custodian=home(place).ods,
        category=CATEGORY,
        sensitivities=sensitivities(place).told(golden),
        person=key,
    )


def _flag(conn: Connection, goldens: Mapping[PersonKey, Golden]) -> None:
    """person.restricted and person.deceased, as the golden records now say."""
    said = [(str(key), is_restricted(golden), is_deceased(golden)) for key, golden in goldens.items()]
    if said:
        keys, restricted, deceased = (list(column) for column in zip(*said, strict=True))
        conn.execute(_FLAG, {"keys": keys, "restricted": restricted, "deceased": deceased})


_FLAG = text(
    """
    update person set restricted = said.restricted, deceased = said.deceased
    from unnest(cast(:keys as uuid[]), cast(:restricted as boolean[]), cast(:deceased as boolean[]))
         as said(key, restricted, deceased)
    where person.key = said.key
      and (person.restricted, person.deceased) is distinct from (said.restricted, said.deceased)
    """
)
