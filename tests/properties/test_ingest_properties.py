"""However batches arrive, how often and in what order: the same record, byte for byte (design decision 6)."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

from conftest import NOW
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_builders import condition, item, observation, patient, take
from sqlalchemy import Connection, Engine, select

from carelink.db.tables import metadata
from carelink.place import Place
from carelink.record.ingest import replay
from fhir_adapters.source import Item, Reason, Rejected

EXAMPLES = 300 if os.environ.get("CARELINK_SOAK") else 12
RECORD = (
    "resource",
    "resource_version",
    "index_token",
    "index_string",
    "index_date",
    "index_reference",
    "index_number",
    "person",
    "person_trait",
    "person_link",
    "relationship",
    "directive",
)
WORKER = {"identifier": {"system": "https://northdale.example/worker", "value": "W001"}}
PRIVACY = {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}

# No two say different things of one resource, so their order can't matter.
BATCHES: tuple[tuple[Item, ...], ...] = (
    (patient("p1"), condition("c1", "p1")),
    (patient("p2", birthDate="1961-04-93"), observation("o2", "p2", "1.0")),
    (condition("c2", "p2", onsetDateTime="19"), condition("c3", "p1", "66590003"), condition("c3", "p1", "66590003")),
    (observation("o1", "p1", "7.10"), observation("of nobody", "p9"), item("Observation", "bad", status="final")),
    (
        item("CareTeam", "t1", status="active", subject={"reference": "Patient/p2"}, participant=[{"member": WORKER}]),
        item(
            "Consent",
            "d1",
            status="active",
            scope={"coding": [PRIVACY]},
            category=[{"text": "Objection"}],
            policyRule={"text": "Place policy"},
            patient={"reference": "Patient/p1"},
            provision={"type": "deny"},
        ),
        item("Organization", "org", name="Dale Valley Hospitals"),
    ),
)
HALF = Rejected("Condition", "half", '{"resourceType":', (Reason("Condition", "is cut off"),))


def record(conn: Connection) -> dict[str, list[tuple[str, ...]]]:
    """Every row, less the numbers that only count them."""
    found = {}
    for name in RECORD:
        table = metadata.tables[name]
        columns = [column for column in table.c if column.name != "id"]
        found[name] = sorted(tuple(map(str, row)) for row in conn.execute(select(*columns)))
    q = metadata.tables["quarantine"].c
    open_ = select(q.type, q.source_id, q.raw, q.reasons, q.repairs, q.person).where(q.resolved_at.is_(None))
    found["quarantine"] = sorted(tuple(map(str, row)) for row in conn.execute(open_))
    return found


def pulled(engine: Engine, place: Place, order: list[int]) -> dict[str, list[tuple[str, ...]]]:
    """What a record holds once these batches came, and what waited was tried again; nothing of it stays."""
    with engine.connect() as conn, conn.begin() as transaction:
        for number in order:
            take(conn, place, BATCHES[number], NOW, rejected=[HALF])
        for _ in range(2):
            replay(conn, place, place.source("hospital"), NOW)
        found = record(conn)
        transaction.rollback()
    return found


arrivals = st.permutations(range(len(BATCHES))).flatmap(
    lambda order: st.lists(st.sampled_from(order), max_size=4).map(lambda again: [*order, *again])
)


@settings(max_examples=EXAMPLES, deadline=timedelta(seconds=10))
@given(order=arrivals, early=st.lists(st.integers(0, len(BATCHES) - 1), max_size=3))
def test_any_order_and_repetition_of_batches_gives_the_same_record(
    shared_engine: Engine, place: Place, order: list[int], early: list[int]
) -> None:
    told: Any = pulled(shared_engine, place, [*early, *order])
    straight = pulled(shared_engine, place, list(range(len(BATCHES))))
    assert told == straight
    assert [row[:2] for row in told["quarantine"]] == [
        ("Condition", "half"),
        ("Observation", "bad"),
        ("Observation", "of nobody"),
    ]
    assert {row[1] for row in told["resource_version"]} == {"1"}
