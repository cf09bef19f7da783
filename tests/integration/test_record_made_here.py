"""What is recorded in CareLink is stored, announced and audited in one transaction, and changed by who answers for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from ingest_builders import body
from page_builders import nora
from sqlalchemy import Connection, select

from carelink.consent.lens import Lens
from carelink.db.tables import audit_event, directive, outbox
from carelink.errors import Conflict, Forbidden, Invalid
from carelink.identity import requesters
from carelink.ids import PersonKey, ResourceKey, UserId
from carelink.place import Place
from carelink.record import made_here, search
from carelink.record.store import history

LensOf = Callable[[str], Lens]
KEY = ResourceKey(UUID("00000000-0000-4000-8000-00000000000a"))


@pytest.fixture
def person(conn: Connection, place: Place, now: datetime) -> PersonKey:
    return nora(conn, place, now)


@pytest.fixture
def lens_of(conn: Connection, place: Place, now: datetime) -> LensOf:
    return lambda user: Lens.compile(place, requesters.requester(conn, place, UserId(user)), now)


def flag(person: PersonKey, text: str = "Hearing aid in a drawer") -> dict[str, Any]:
    code = {"coding": [{"system": "https://carelink.example/CodeSystem/alert", "code": "other"}], "text": text}
    return {
        "resourceType": "Flag",
        "status": "active",
        "code": code,
        "subject": {"reference": f"Patient/{person}"},
        "period": {"start": "2026-11-24"},
    }


def test_what_a_worker_records_belongs_to_their_organisation_and_is_announced_and_audited(
    conn: Connection, place: Place, lens_of: LensOf, person: PersonKey
) -> None:
    key = made_here.create(conn, place, lens_of("sam.okafor"), flag(person), person)
    row = search.get(conn, lens_of("sam.okafor"), "Flag", key)
    assert (row.source, row.custodian, row.category, row.version) == ("carelink", "901", "alerts", 1)
    announced = conn.execute(select(outbox.c.payload).where(outbox.c.kind == "record.changed").order_by(outbox.c.id))
    at = row.last_updated.isoformat()
    assert announced.scalars().all()[-1] == {"source": "carelink", "persons": [str(person)], "at": at}
    told = conn.execute(select(audit_event).where(audit_event.c.action == "create")).one()
    assert (told.user, told.person, told.query, told.detail) == ("sam.okafor", person, "Flag", {"resource": str(key)})


def test_a_form_that_is_sent_twice_is_stored_once(
    conn: Connection, place: Place, lens_of: LensOf, person: PersonKey
) -> None:
    for _ in range(2):
        made_here.create(conn, place, lens_of("sam.okafor"), flag(person), person, key=KEY)
    assert search.get(conn, lens_of("sam.okafor"), "Flag", KEY).version == 1


def test_what_is_not_fhir_is_refused_and_leaves_nothing(
    conn: Connection, place: Place, lens_of: LensOf, person: PersonKey
) -> None:
    with pytest.raises(Invalid) as wrong:
        made_here.create(conn, place, lens_of("sam.okafor"), flag(person) | {"status": "perhaps"}, person)
    assert wrong.value.place == "Flag.status"
    assert conn.execute(select(audit_event.c.id).where(audit_event.c.action == "create")).all() == []


def test_a_new_version_is_audited_and_the_one_before_can_still_be_read(
    conn: Connection, place: Place, lens_of: LensOf, person: PersonKey
) -> None:
    lens = lens_of("sam.okafor")
    key = made_here.create(conn, place, lens, flag(person), person)
    made_here.update(conn, place, lens, flag(person, "Hearing aid lost"), key, version=1)
    told = [body(row)["code"]["text"] for row in history(conn, lens, "Flag", key)]
    assert told == ["Hearing aid lost", "Hearing aid in a drawer"]
    assert conn.execute(select(audit_event.c.user).where(audit_event.c.action == "update")).scalars().all() == [
        "sam.okafor"
    ]


def test_nobody_overwrites_what_changed_while_they_read(
    conn: Connection, place: Place, lens_of: LensOf, person: PersonKey
) -> None:
    lens = lens_of("sam.okafor")
    key = made_here.create(conn, place, lens, flag(person), person)
    made_here.update(conn, place, lens, flag(person, "Hearing aid lost"), key)
    with pytest.raises(Conflict):
        made_here.update(conn, place, lens, flag(person, "Hearing aid mended"), key, version=1)


def test_another_organisation_may_read_and_not_change_it(
    conn: Connection, place: Place, lens_of: LensOf, person: PersonKey
) -> None:
    key = made_here.create(conn, place, lens_of("sam.okafor"), flag(person), person)
    nurse = lens_of("nadia.rahman")
    assert search.get(conn, nurse, "Flag", key).key == key
    with pytest.raises(Forbidden) as refused:
        made_here.update(conn, place, nurse, flag(person, "Gone"), key)
    assert refused.value.rule == made_here.NOT_OURS


def test_what_a_source_sent_is_not_changed_here(
    conn: Connection, place: Place, lens_of: LensOf, person: PersonKey
) -> None:
    lens = lens_of("sam.okafor")
    pulled = search.run(conn, lens, search.Query(types=("Flag",), person=person)).rows[0]
    with pytest.raises(Forbidden):
        made_here.update(conn, place, lens, flag(person, "Gone"), pulled.key)


def test_an_objection_that_is_recorded_holds_from_the_next_question(
    conn: Connection, place: Place, lens_of: LensOf, person: PersonKey
) -> None:
    says = {
        "resourceType": "Consent",
        "status": "active",
        "scope": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]
        },
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": f"Patient/{person}"},
        "dateTime": "2026-11-24",
        "policyRule": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTOUT"}]},
        "provision": {"type": "deny"},
    }
    key = made_here.create(conn, place, lens_of("sam.okafor"), says, person)
    assert conn.execute(select(directive.c.effect).where(directive.c.consent == key)).scalars().all() == ["deny"]
