"""Published GP Connect records, odd corners included: every entry is in the store or in quarantine with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from ingest_builders import take
from sqlalchemy import Connection, func, select

from carelink.consent.lens import Lens
from carelink.db.tables import quarantine, resource
from carelink.ids import PersonKey
from carelink.place import Place
from carelink.record.ingest import replay
from carelink.record.summary import summary
from carelink.record.timeline import timeline
from fhir_adapters import exact_json
from fhir_adapters.gp_connect.record import Mapped, map_record

PRACTICE = "A82038"


@pytest.fixture(scope="module")
def records(shared_examples: Path) -> list[Mapped]:
    found = sorted((shared_examples / "gp-connect-records").glob("*.json"))
    assert len(found) >= 11
    return [_mapped(exact_json.loads(path.read_bytes())) for path in found]


def _mapped(bundle: Any) -> Mapped:
    patients = (e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == "Patient")
    return map_record(bundle, PRACTICE, next(_nhs_numbers(patients), ""))


def _nhs_numbers(patients: Iterator[Any]) -> Iterator[str]:
    for patient in patients:
        for one in patient.get("identifier", ()):
            if one.get("system", "").endswith("nhs-number"):
                yield one["value"]


def count(conn: Connection, table: Any, *where: Any) -> int:
    return conn.execute(select(func.count()).select_from(table).where(*where)).scalar_one()


def test_every_entry_is_stored_or_refused_and_trying_again_changes_neither(
    conn: Connection, place: Place, now: datetime, records: list[Mapped]
) -> None:
    items = rejected = stored = quarantined = 0
    for record in records:
        report = take(conn, place, record.items, now, "gp", record.rejected)
        items, rejected = items + len(record.items), rejected + len(record.rejected)
        stored, quarantined = stored + report.stored + report.unchanged, quarantined + report.quarantined
    assert items > 1700
    assert stored + quarantined == items + rejected
    assert count(conn, resource, resource.c.source == "gp") == stored
    assert count(conn, quarantine) == quarantined
    assert not conn.execute(select(quarantine.c.id).where(func.jsonb_array_length(quarantine.c.reasons) == 0)).all()
    again = replay(conn, place, place.source("gp"), now)
    assert again.stored == 0
    assert count(conn, resource, resource.c.source == "gp") == stored


def test_pulling_all_records_again_writes_no_version(
    conn: Connection, place: Place, now: datetime, records: list[Mapped]
) -> None:
    for record in records:
        take(conn, place, record.items, now, "gp", record.rejected)
    before = conn.execute(select(resource.c.key, resource.c.version, resource.c.body).order_by(resource.c.key)).all()
    for record in records:
        assert take(conn, place, record.items, now, "gp", record.rejected).stored == 0
    after = conn.execute(select(resource.c.key, resource.c.version, resource.c.body).order_by(resource.c.key)).all()
    assert after == before


def test_every_persons_story_and_summary_can_be_told(
    conn: Connection, place: Place, now: datetime, records: list[Mapped]
) -> None:
    for record in records:
        take(conn, place, record.items, now, "gp", record.rejected)
    lens = Lens.system("test", now)
    people = conn.execute(select(resource.c.person).where(resource.c.person.is_not(None)).distinct()).scalars().all()
    assert people
    for person in people:
        told = timeline(conn, lens, PersonKey(person)).entries
        assert told
        assert all(one.title and "None" not in one.title for one in told)
        summary(conn, lens, PersonKey(person))
