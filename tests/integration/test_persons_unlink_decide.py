"""A wrong link is undone, a right one is decided: everything moves, nothing is forgotten, nothing is linked wrongly again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from consent_builders import broken
from sqlalchemy import Connection, func, select

from carelink.consent.facts import Grant
from carelink.consent.lens import Lens
from carelink.consent.requester import Requester
from carelink.db.tables import (
    access_grant,
    audit_event,
    index_token,
    legal_hold,
    link_decision,
    person,
    person_link,
    person_trait,
    relationship,
    resource,
    resource_version,
    subject_request,
)
from carelink.errors import Conflict, Forbidden, NotFound
from carelink.ids import Ods, PersonKey, ResourceKey, UserId, person_key, resource_key
from carelink.place import Place
from carelink.record.persons import SourcePatient, decide, link_patients, open_count, open_decisions, recompose, unlink
from carelink.record.writing import Writable, write
from fhir_adapters.exact_json import loads

BY = "W002"
TEAM = "https://northdale.example/worker"


def body(source: str, source_id: str = "1", **changed: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "resourceType": "Patient",
        "id": str(resource_key(source, "", "Patient", source_id)),
        "name": [{"family": "Smith", "given": ["Daniel"]}],
        "birthDate": "1950-03-04",
        "gender": "male",
        "address": [{"line": ["1 High Street"], "postalCode": "NE1 1AA"}],
    }
    return said | changed


def arrive(conn: Connection, place: Place, source: str, said: Mapping[str, Any], now: datetime) -> ResourceKey:
    """As ingest does it: link, store the Patient and a care team of it, then what follows."""
    key = (
        resource_key(source, "", "Patient", "1")
        if said["id"].endswith(str(resource_key(source, "", "Patient", "1")))
        else ResourceKey(said["id"])
    )
    linked = link_patients(conn, place, [SourcePatient(key, said, source)], now)[key]
    custodian = place.source(source).organisation
    team = resource_key(source, "", "CareTeam", str(key))
    care_team = {
        "resourceType": "CareTeam",
        "id": str(team),
        "status": "active",
        "subject": {"reference": f"Patient/{key}"},
        "period": {"start": "2026-01-01"},
        "participant": [{"member": {"identifier": {"system": TEAM, "value": "W001"}}}],
    }
    write(
        conn,
        [
            Writable(key, "Patient", said, source, "1", custodian, "demographics", person=linked.person, patient=key),
            Writable(
                team, "CareTeam", care_team, source, "1", custodian, "contacts", person=linked.person, patient=key
            ),
        ],
        now,
    )
    recompose(conn, place, [linked.person], now)
    return key


@pytest.fixture
def two(conn: Connection, place: Place, now: datetime) -> tuple[ResourceKey, ResourceKey]:
    """A council's and a hospital's Patient, linked by weights."""
    return (
        arrive(conn, place, "council-a", body("council-a"), now),
        arrive(conn, place, "hospital", body("hospital", deceasedBoolean=True), now),
    )


def person_of(conn: Connection, patient: ResourceKey) -> PersonKey:
    standing = select(person_link.c.person).where(person_link.c.patient == patient, person_link.c.undone_at.is_(None))
    return PersonKey(conn.execute(standing).scalar_one())


def golden(conn: Connection, key: PersonKey) -> dict[str, Any]:
    found: dict[str, Any] = loads(conn.execute(select(resource.c.body).where(resource.c.key == key)).scalar_one())
    return found


def members(conn: Connection, key: PersonKey) -> set[str]:
    return {link["other"]["reference"].removeprefix("Patient/") for link in golden(conn, key)["link"]}


def rows_of(conn: Connection, key: PersonKey) -> dict[str, int]:
    """How many rows of each table are about this person, less the golden record."""
    tables = (resource, resource_version, index_token)
    counts = {t.name: select(func.count()).where(t.c.person == key, t.c.key != key) for t in tables}
    counts |= {t.name: select(func.count()).where(t.c.person == key) for t in (person_trait, relationship)}
    return {name: conn.execute(asked).scalar_one() for name, asked in counts.items()}


def whole(conn: Connection) -> dict[str, Any]:
    """Who is together, whose every row is, and what the golden records say."""
    keyed = {t.name: conn.execute(select(t.c.key, t.c.person).order_by(t.c.key)).all() for t in (resource, index_token)}
    standing = select(person_link.c.patient, person_link.c.person).where(person_link.c.undone_at.is_(None))
    merged = conn.execute(select(person.c.key).where(person.c.merged_into.is_(None))).scalars().all()
    return {
        "links": sorted(conn.execute(standing).all()),
        "persons": sorted(merged),
        **{
            name: sorted(row for row in rows if row.key in merged or row.key != row.person)
            for name, rows in keyed.items()
        },
        "golden": {key: {k: v for k, v in golden(conn, key).items() if k != "meta"} for key in merged},
    }


def test_an_undone_link_gives_the_patient_a_person_of_its_own_with_everything_of_its_record(
    two: tuple[ResourceKey, ResourceKey], conn: Connection, place: Place, now: datetime
) -> None:
    council, hospital = two
    was = person_of(conn, council)
    assert members(conn, was) == {str(council), str(hospital)}
    before = rows_of(conn, was)
    own = unlink(conn, place, hospital, BY, "not the same man", now)
    assert (own, person_of(conn, hospital), person_of(conn, council)) == (person_key(hospital), own, was)
    assert (members(conn, was), members(conn, own)) == ({str(council)}, {str(hospital)})
    mine, theirs = rows_of(conn, was), rows_of(conn, own)
    assert {name: mine[name] + theirs[name] for name in before if name != "relationship"} == {
        name: count for name, count in before.items() if name != "relationship"
    }
    assert (theirs["resource"], theirs["resource_version"], theirs["person_trait"]) == (2, 2, 1)


def test_flags_follow_the_patient_who_carries_them(
    two: tuple[ResourceKey, ResourceKey], conn: Connection, place: Place, now: datetime
) -> None:
    council, hospital = two
    was = person_of(conn, council)
    deceased = select(person.c.key).where(person.c.deceased)
    assert conn.execute(deceased).scalars().all() == [was]
    own = unlink(conn, place, hospital, BY, "not the same man", now)
    assert conn.execute(deceased).scalars().all() == [own]
    assert "deceasedBoolean" not in golden(conn, was)


def test_who_is_involved_is_involved_with_the_right_person(
    two: tuple[ResourceKey, ResourceKey], conn: Connection, place: Place, now: datetime
) -> None:
    council, hospital = two
    own = unlink(conn, place, hospital, BY, "not the same man", now)
    origins = dict(conn.execute(select(relationship.c.origin, relationship.c.person)).all())
    assert origins[resource_key("hospital", "", "CareTeam", str(hospital))] == own
    assert origins[resource_key("council-a", "", "CareTeam", str(council))] == person_of(conn, council)


def test_pulling_the_same_again_after_an_undone_link_changes_no_version_and_links_nothing(
    two: tuple[ResourceKey, ResourceKey], conn: Connection, place: Place, now: datetime
) -> None:
    _, hospital = two
    own = unlink(conn, place, hospital, BY, "not the same man", now)
    versions = conn.execute(select(resource_version.c.key, resource_version.c.version)).all()
    arrive(conn, place, "hospital", body("hospital", deceasedBoolean=True), now)
    assert conn.execute(select(resource_version.c.key, resource_version.c.version)).all() == versions
    assert person_of(conn, hospital) == own


def test_a_changed_record_is_not_linked_to_the_person_it_was_taken_out_of(
    two: tuple[ResourceKey, ResourceKey], conn: Connection, place: Place, now: datetime
) -> None:
    council, hospital = two
    own = unlink(conn, place, hospital, BY, "not the same man", now)
    arrive(conn, place, "hospital", body("hospital", telecom=[{"system": "phone", "value": "01632 960001"}]), now)
    arrive(conn, place, "council-a", body("council-a", telecom=[{"system": "phone", "value": "01632 960001"}]), now)
    assert person_of(conn, hospital) == own != person_of(conn, council)
    assert open_count(conn, Lens.system("test", now)) == 0


def test_an_undone_link_stays_in_the_books_with_who_when_and_why(
    two: tuple[ResourceKey, ResourceKey], conn: Connection, place: Place, now: datetime
) -> None:
    council, hospital = two
    was = person_of(conn, council)
    unlink(conn, place, hospital, BY, "not the same man", now)
    undone = conn.execute(select(person_link).where(person_link.c.undone_at.is_not(None))).one()
    assert (undone.patient, undone.person, undone.method) == (hospital, was, "weights")
    assert (undone.undone_by, undone.undone_at, undone.undone_why) == (BY, now, "not the same man")
    remembered = conn.execute(select(link_decision)).one()
    assert (remembered.patient, remembered.candidate, remembered.answer) == (hospital, was, "different")
    events = conn.execute(
        select(audit_event.c.person, audit_event.c.user).where(audit_event.c.action == "unlink")
    ).all()
    assert set(events) == {(was, BY), (person_of(conn, hospital), BY)}


def test_unlinked_and_decided_to_be_the_same_again_everything_is_as_before(
    two: tuple[ResourceKey, ResourceKey], conn: Connection, place: Place, now: datetime
) -> None:
    before = whole(conn)
    unlink(conn, place, two[1], BY, "not the same man", now)
    assert whole(conn) != before
    decision = conn.execute(select(link_decision.c.id)).scalar_one()
    decide(conn, place, decision, "same", BY, now)
    assert whole(conn) == before


def test_the_founder_of_a_person_can_be_taken_out_of_it(
    two: tuple[ResourceKey, ResourceKey], conn: Connection, place: Place, now: datetime
) -> None:
    council, hospital = two
    was = person_of(conn, council)
    own = unlink(conn, place, council, BY, "not the same man", now)
    assert own not in (was, person_key(council))
    assert (person_of(conn, council), person_of(conn, hospital)) == (own, was)
    decide(conn, place, conn.execute(select(link_decision.c.id)).scalar_one(), "same", BY, now)
    assert {person_of(conn, council), person_of(conn, hospital)} == {was}


def test_the_only_patient_of_a_person_can_not_be_taken_out(conn: Connection, place: Place, now: datetime) -> None:
    only = arrive(conn, place, "council-a", body("council-a"), now)
    with pytest.raises(Conflict):
        unlink(conn, place, only, BY, "a mistake", now)
    with pytest.raises(NotFound):
        unlink(conn, place, resource_key("pds", "", "Patient", "nobody"), BY, "a mistake", now)


@pytest.fixture
def asked(conn: Connection, place: Place, now: datetime) -> tuple[ResourceKey, ResourceKey, int]:
    """A brother, and a record that may be his sister's or a slip: a human is asked."""
    brother = arrive(conn, place, "council-a", body("council-a"), now)
    sister = arrive(
        conn,
        place,
        "hospital",
        body("hospital", gender="female", name=[{"family": "Smith", "given": ["Danielle"]}]),
        now,
    )
    return brother, sister, conn.execute(select(link_decision.c.id)).scalar_one()


def test_decided_to_be_the_same_they_become_one_person(
    asked: tuple[ResourceKey, ResourceKey, int], conn: Connection, place: Place, now: datetime
) -> None:
    brother, sister, decision = asked
    kept = decide(conn, place, decision, "same", BY, now)
    assert {person_of(conn, brother), person_of(conn, sister)} == {kept}
    (gone,) = {person_key(brother), person_key(sister)} - {kept}
    assert conn.execute(select(person.c.merged_into).where(person.c.key == gone)).scalar() == kept
    assert golden(conn, gone)["link"][0] == {"other": {"reference": f"Patient/{kept}"}, "type": "replaced-by"}
    assert members(conn, kept) == {str(brother), str(sister)}
    assert rows_of(conn, gone) == dict.fromkeys(rows_of(conn, gone), 0)
    link = conn.execute(
        select(person_link).where(person_link.c.undone_at.is_(None), person_link.c.method == "human")
    ).one()
    assert (link.made_by, link.made_at) == (BY, now)
    assert open_count(conn, Lens.system("test", now)) == 0


def test_glass_that_was_broken_of_one_is_broken_of_the_person_they_turn_out_to_be(
    asked: tuple[ResourceKey, ResourceKey, int], conn: Connection, place: Place, now: datetime
) -> None:
    both = conn.execute(select(person.c.key).order_by(person.c.key)).scalars().all()
    for number, key in enumerate(both):
        grant = Grant(UserId(f"worker-{number}"), Ods("901"), now, now + timedelta(hours=1))
        conn.execute(access_grant.insert().values(person=key, **broken(grant)))
    left = decide(conn, place, asked[2], "same", BY, now)
    grants = conn.execute(select(access_grant.c.user, access_grant.c.person).order_by(access_grant.c.user))
    assert [tuple(row) for row in grants] == [("worker-0", left), ("worker-1", left)]


def test_who_is_held_or_waits_for_an_answer_is_so_as_the_person_they_turn_out_to_be(
    asked: tuple[ResourceKey, ResourceKey, int], conn: Connection, place: Place, now: datetime
) -> None:
    both = conn.execute(select(person.c.key).order_by(person.c.key)).scalars().all()
    for key in both:
        conn.execute(legal_hold.insert().values(person=key, why="An inquest", made_by=BY, made_at=now))
        waits = {"status": "received", "requested_by": "them", "authority": "self", "handled_by": BY}
        conn.execute(subject_request.insert().values(person=key, asked_at=now, **waits))
    left = decide(conn, place, asked[2], "same", BY, now)
    for table in (legal_hold, subject_request):
        assert conn.execute(select(table.c.person)).scalars().all() == [left, left]


def test_a_wrong_merge_can_be_undone(
    asked: tuple[ResourceKey, ResourceKey, int], conn: Connection, place: Place, now: datetime
) -> None:
    brother, sister, decision = asked
    before = whole(conn)
    kept = decide(conn, place, decision, "same", BY, now)
    moved = brother if person_key(brother) != kept else sister
    unlink(conn, place, moved, BY, "they are two", now)
    assert whole(conn) == before


def test_decided_to_be_different_they_are_never_linked_by_carelink(
    asked: tuple[ResourceKey, ResourceKey, int], conn: Connection, place: Place, now: datetime
) -> None:
    brother, sister, decision = asked
    decide(conn, place, decision, "different", BY, now)
    arrive(conn, place, "hospital", body("hospital"), now)  # now the same in everything
    assert person_of(conn, brother) != person_of(conn, sister)
    assert open_count(conn, Lens.system("test", now)) == 0


def test_a_merge_against_another_decision_is_refused(
    asked: tuple[ResourceKey, ResourceKey, int], conn: Connection, place: Place, now: datetime
) -> None:
    brother, sister, decision = asked
    other = {"patient": brother, "candidate": person_key(sister), "weight": 20.0, "fields": {}, "raised_at": now}
    conn.execute(link_decision.insert().values(other | {"answer": "different"}))
    with pytest.raises(Conflict):
        decide(conn, place, decision, "same", BY, now)
    with pytest.raises(NotFound):
        decide(conn, place, decision + 1000, "same", BY, now)


def lens(place: Place, role: str, now: datetime) -> Lens:
    worker = next(one for one in place.staff.values() if one.role == role)
    purpose = place.roles[role].purposes[0]
    kind = place.organisations[worker.organisation].type
    return Lens.compile(
        place, Requester(UserId(worker.id), worker.name, Ods(worker.organisation), kind, role, purpose), now
    )


def test_open_decisions_are_for_those_who_may_decide_and_show_only_what_their_lens_shows(
    asked: tuple[ResourceKey, ResourceKey, int], conn: Connection, place: Place, now: datetime
) -> None:
    brother, sister, decision = asked
    (found,) = open_decisions(conn, Lens.system("test", now))
    assert (found.id, found.patient, found.person, found.candidate) == (
        decision,
        sister,
        person_key(sister),
        person_key(brother),
    )
    assert "Danielle" in (found.patient_body or "")
    assert "Daniel" in (found.candidate_body or "")
    may = [role for role in place.roles if "decide-links" in place.roles[role].may]
    may_not = [
        role for role in place.roles if role not in may and any(one.role == role for one in place.staff.values())
    ]
    with pytest.raises(Forbidden):
        open_decisions(conn, lens(place, may_not[0], now))
    assert [one.id for one in open_decisions(conn, lens(place, may[-1], now))] == [decision]
