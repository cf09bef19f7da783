"""Small resources as sources send them, and what became of them in the store."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, select

from carelink.consent.lens import Lens
from carelink.db.tables import person_link, quarantine, resource
from carelink.ids import PersonKey, ResourceKey, resource_key
from carelink.place import Place
from carelink.record import search
from carelink.record.ingest import IngestReport, ingest
from carelink.record.query import Row
from fhir_adapters import exact_json
from fhir_adapters.source import Batch, Item, Rejected

NHS = "https://fhir.nhs.uk/Id/nhs-number"
SNOMED = "http://snomed.info/sct"
UNITS = "http://unitsofmeasure.org"


def patient(id_: str = "p1", **changed: Any) -> Item:
    """Somebody whom nobody resembles, unless the caller says so."""
    seed = sha256(id_.encode()).hexdigest()
    said: dict[str, Any] = {
        "identifier": [{"system": "https://dalevalley.example/mrn", "value": f"M-{id_}"}],
        "name": [{"family": f"{_letters(seed)}-{id_}", "given": [_letters(seed[20:])]}],
        "birthDate": f"19{int(seed[:4], 16) % 90 + 10}-{int(seed[4:6], 16) % 12 + 1:02}-04",
        "gender": "female",
        "address": [{"line": [f"{seed[:3]} Mill Lane"], "postalCode": f"DM{int(seed[6:8], 16) % 90 + 1} 4QT"}],
    }
    return item("Patient", id_, **(said | changed))


def _letters(seed: str) -> str:
    return "".join(chr(ord("a") + int(digit, 16)) for digit in seed[:8]).capitalize()


def condition(id_: str = "c1", subject: str = "p1", code: str = "73211009", **changed: Any) -> Item:
    said: dict[str, Any] = {
        "subject": {"reference": f"Patient/{subject}"},
        "clinicalStatus": {"coding": [{"system": STATUS, "code": "active"}]},
        "code": {"coding": [{"system": SNOMED, "code": code, "display": "Diabetes mellitus"}]},
        "onsetDateTime": "2019-05",
    }
    return item("Condition", id_, **(said | changed))


def observation(id_: str = "o1", subject: str = "p1", value: str = "7.10", **changed: Any) -> Item:
    said: dict[str, Any] = {
        "status": "final",
        "subject": {"reference": f"Patient/{subject}"},
        "code": {"coding": [{"system": SNOMED, "code": "43396009", "display": "HbA1c"}]},
        "effectiveDateTime": "2026-06-01T09:30:00+01:00",
        "valueQuantity": {"value": exact_json.ExactDecimal(value), "unit": "%", "system": UNITS, "code": "%"},
    }
    return item("Observation", id_, **(said | changed))


def item(type_: str, id_: str, namespace: str = "", **body: Any) -> Item:
    kept = {name: value for name, value in body.items() if value is not None}
    return Item(type_, id_, {"resourceType": type_, "id": id_, **kept}, namespace)


STATUS = "http://terminology.hl7.org/CodeSystem/condition-clinical"


def take(
    conn: Connection,
    place: Place,
    items: Iterable[Item],
    now: datetime,
    source: str = "hospital",
    rejected: Iterable[Rejected] = (),
) -> IngestReport:
    """One batch of that source, stored."""
    batch = Batch(tuple(items), {"seen": "all"}, tuple(rejected))
    return ingest(conn, place, place.source(source), batch, now)


def key(one: Item, source: str = "hospital") -> ResourceKey:
    return resource_key(source, one.namespace, one.type, one.source_id)


def read(conn: Connection, one: Item, now: datetime, source: str = "hospital") -> Row:
    return search.get(conn, Lens.system("test", now), one.type, key(one, source))


def body(row: Row) -> Any:
    return exact_json.loads(row.body)


def person_of(conn: Connection, one: Item, source: str = "hospital") -> PersonKey:
    link = person_link.c
    asked = select(link.person).where(link.patient == key(one, source), link.undone_at.is_(None))
    return PersonKey(conn.execute(asked).scalar_one())


def refused(conn: Connection) -> list[tuple[str, str, list[str]]]:
    """The open rows of quarantine: type, id at the source, where it is wrong."""
    q = quarantine.c
    rows = conn.execute(select(q.type, q.source_id, q.reasons).where(q.resolved_at.is_(None)).order_by(q.id))
    return [(row.type, row.source_id, [reason["place"] for reason in row.reasons]) for row in rows]


def versions(conn: Connection) -> dict[ResourceKey, int]:
    return {row.key: row.version for row in conn.execute(select(resource.c.key, resource.c.version))}
