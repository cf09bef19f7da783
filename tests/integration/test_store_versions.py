"""What is made here is stored like what was pulled: checked, labelled, versioned, seen only through a lens."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from ingest_builders import body, condition, item, key, observation, patient, person_of, take
from sqlalchemy import Connection, Engine, select, text

from carelink.consent.lens import Lens
from carelink.consent.requester import Requester
from carelink.db import sync
from carelink.db.tables import audit_event, directive, index_token, relationship
from carelink.errors import Invalid, NotFound
from carelink.ids import Ods, PersonKey, ResourceKey, UserId
from carelink.place import Place
from carelink.record import search, store
from carelink.record.persons import unlink
from carelink.record.query import Query

LATER = timedelta(hours=1)
TASK = ResourceKey(UUID("00000000-0000-4000-8000-000000000001"))


def task(person: PersonKey, **changed: Any) -> dict[str, Any]:
    return {
        "resourceType": "Task",
        "id": str(TASK),
        "status": "requested",
        "intent": "order",
        "code": {"text": "Care Act assessment"},
        "for": {"reference": f"Patient/{person}"},
        "authoredOn": "2026-11-24T12:00:00Z",
    } | changed


@pytest.fixture
def person(conn: Connection, place: Place, now: datetime) -> PersonKey:
    take(conn, place, [patient()], now)
    return person_of(conn, patient())


@pytest.fixture
def lens(now: datetime) -> Lens:
    return Lens.system("test", now)


def test_what_is_made_here_is_read_back_with_the_home_organisation_as_its_custodian(
    conn: Connection, place: Place, person: PersonKey, lens: Lens, now: datetime
) -> None:
    assert store.put(conn, place, task(person), person, None, now) == TASK
    row = store.get(conn, lens, "Task", TASK)
    assert (row.version, row.source, row.custodian, row.category) == (1, "carelink", "QDM", "assessments")
    assert row.person == person
    assert row.clinical == now
    assert body(row)["status"] == "requested"


def test_a_resource_that_is_not_fhir_is_refused_with_its_place(
    conn: Connection, place: Place, person: PersonKey, now: datetime
) -> None:
    with pytest.raises(Invalid) as wrong:
        store.put(conn, place, task(person, status="perhaps"), person, None, now)
    assert wrong.value.place == "Task.status"


def test_every_version_can_be_read_as_it_was_newest_first(
    conn: Connection, place: Place, person: PersonKey, lens: Lens, now: datetime
) -> None:
    for hour, status in enumerate(["requested", "requested", "accepted", "completed"]):
        store.put(conn, place, task(person, status=status), person, None, now + hour * LATER)
    told = [(row.version, body(row)["status"], row.last_updated) for row in store.history(conn, lens, "Task", TASK)]
    assert told == [
        (3, "completed", now + 3 * LATER),
        (2, "accepted", now + 2 * LATER),
        (1, "requested", now),
    ]
    assert body(store.vread(conn, lens, "Task", TASK, 2))["status"] == "accepted"
    with pytest.raises(NotFound):
        store.vread(conn, lens, "Task", TASK, 4)


def test_a_deleted_resource_is_gone_from_reads_searches_and_indexes_but_not_from_its_history(
    conn: Connection, place: Place, person: PersonKey, lens: Lens, now: datetime
) -> None:
    store.put(conn, place, task(person), person, None, now)
    store.delete(conn, place, Lens.system("test", now + LATER), "Task", TASK)
    with pytest.raises(NotFound):
        store.get(conn, lens, "Task", TASK)
    assert search.run(conn, lens, Query(("Task",), person=person)).rows == ()
    assert conn.execute(select(index_token).where(index_token.c.key == TASK)).all() == []
    assert [row.version for row in store.history(conn, lens, "Task", TASK)] == [1]
    with pytest.raises(NotFound):
        store.delete(conn, place, lens, "Task", TASK)
    store.put(conn, place, task(person), person, None, now + 2 * LATER)
    assert store.get(conn, lens, "Task", TASK).version == 3


def test_an_objection_takes_effect_when_it_is_stored_and_ends_when_it_is_deleted(
    conn: Connection, place: Place, person: PersonKey, lens: Lens, now: datetime
) -> None:
    privacy = {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
    objection = {
        "resourceType": "Consent",
        "id": str(TASK),
        "status": "active",
        "scope": {"coding": [privacy]},
        "category": [{"text": "Objection to sharing"}],
        "policyRule": {"text": "Place policy"},
        "patient": {"reference": f"Patient/{person}"},
        "provision": {"type": "deny"},
    }
    store.put(conn, place, objection, person, None, now)
    assert conn.execute(select(directive.c.effect).where(directive.c.person == person)).scalars().all() == ["deny"]
    store.delete(conn, place, lens, "Consent", TASK)
    assert conn.execute(select(directive).where(directive.c.person == person)).all() == []


def test_every_read_leaves_its_trace_also_of_what_is_not_there(
    conn: Connection, place: Place, person: PersonKey, lens: Lens, now: datetime
) -> None:
    store.put(conn, place, task(person), person, None, now)
    store.get(conn, lens, "Task", TASK)
    store.history(conn, lens, "Task", TASK)
    store.vread(conn, lens, "Task", TASK, 1)
    with pytest.raises(NotFound):
        store.get(conn, lens, "Flag", TASK)
    t = audit_event.c
    told = conn.execute(select(t.action, t.query, t.count, t.person).where(t.reason == "test").order_by(t.id)).all()
    assert told == [
        ("read", "Task", 1, person),
        ("history", "Task", 1, person),
        ("vread", "Task", 1, person),
        ("read", "Flag", 0, None),
    ]


def test_a_stranger_reads_no_version_of_anything(
    conn: Connection, place: Place, person: PersonKey, now: datetime
) -> None:
    store.put(conn, place, task(person), person, None, now)
    nurse = Requester(UserId("n"), "N", Ods("RDV"), "nhs-trust", "nurse", "TREAT")
    stranger = Lens.compile(place, nurse, now)
    for read in (
        lambda: store.get(conn, stranger, "Task", TASK),
        lambda: store.history(conn, stranger, "Task", TASK),
        lambda: store.vread(conn, stranger, "Task", TASK, 1),
        lambda: store.everything(conn, stranger, person),
        lambda: store.delete(conn, place, stranger, "Task", TASK),
    ):
        with pytest.raises(NotFound):
            read()


def test_everything_is_the_golden_patient_then_all_items_then_what_they_name(
    conn: Connection, place: Place, person: PersonKey, lens: Lens, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    doctor = item("Practitioner", "dr", name=[{"family": "Desai"}])
    other = item("Practitioner", "x", name=[{"family": "Nobody"}])
    items = [condition(f"c{n}") for n in range(7)] + [observation(performer=[{"reference": "Practitioner/dr"}])]
    take(conn, place, [doctor, other, *items], now)
    monkeypatch.setattr(store, "_PART", 3)  # however many parts it is read in
    rows = store.everything(conn, lens, person)
    assert rows[0].key == person
    assert {row.key for row in rows[1:-1]} == {key(patient()), *map(key, items)}
    assert rows[-1].key == key(doctor)
    assert len(rows) == len({row.key for row in rows})


def test_everything_of_an_undone_link_is_of_the_other_person(
    conn: Connection, place: Place, person: PersonKey, lens: Lens, now: datetime
) -> None:
    same = {"identifier": [], "name": patient().body["name"], "birthDate": patient().body["birthDate"]}
    twin = patient("p1", **(same | {"address": patient().body["address"]}))
    take(conn, place, [twin, condition("theirs")], now, "pds")
    assert person_of(conn, twin, "pds") == person
    own = unlink(conn, place, key(twin, "pds"), "W002", "another person", now + LATER)
    theirs = key(condition("theirs"), "pds")
    assert theirs in {row.key for row in store.everything(conn, lens, own)}
    assert theirs not in {row.key for row in store.everything(conn, lens, person)}
    assert store.get(conn, lens, "Condition", theirs).version == 1


def test_involvement_follows_a_task_that_is_stored_and_deleted(
    conn: Connection, place: Place, person: PersonKey, lens: Lens, now: datetime
) -> None:
    owner = {"identifier": {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "RDV"}}
    fulfilment = task(person, status="accepted", owner=owner, focus={"display": "a referral"})
    store.put(conn, place, fulfilment, person, None, now)
    t = relationship.c
    involved = select(t.kind).where(t.person == person, t.organisation == "RDV")
    assert conn.execute(involved).scalars().all() == ["referral"]
    store.delete(conn, place, lens, "Task", TASK)
    assert conn.execute(involved).scalars().all() == []


def test_two_who_change_one_resource_at_once_take_turns_and_both_versions_are_kept(
    engine: Engine, place: Place, now: datetime
) -> None:
    with engine.begin() as conn:
        sync.sync(conn, place)
        take(conn, place, [patient()], now)
        person = person_of(conn, patient())
        store.put(conn, place, task(person), person, None, now)

    def other() -> None:
        with engine.begin() as conn:
            store.put(conn, place, task(person, status="rejected"), person, None, now + LATER)

    with engine.begin() as conn:
        store.put(conn, place, task(person, status="accepted"), person, None, now + LATER)
        second = Thread(target=other)
        second.start()
        wait_for_a_lock(engine)
    second.join(timeout=10)
    with engine.begin() as conn:
        told = [body(row)["status"] for row in store.history(conn, Lens.system("test", now), "Task", TASK)]
    assert told == ["rejected", "accepted", "requested"]


def wait_for_a_lock(engine: Engine) -> None:
    deadline = time.monotonic() + 10
    with engine.connect() as conn:
        while not conn.execute(text("select exists (select from pg_locks where not granted)")).scalar():
            conn.rollback()
            assert time.monotonic() < deadline, "nobody waits"
