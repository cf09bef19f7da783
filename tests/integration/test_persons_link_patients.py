"""Source Patients come in batches and become persons: kept, linked, founded, asked about, merged."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, func, select

from carelink.db.tables import audit_event, link_decision, person, person_link, person_trait
from carelink.ids import ResourceKey, person_key, resource_key
from carelink.place import Place
from carelink.record.persons import Linked, SourcePatient, link_patients

N, M, OLD = "9990000018", "9990000026", "9990000034"
NHS = "https://fhir.nhs.uk/Id/nhs-number"
STATUS = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"


def numbered(value: str, code: str = "01", **more: Any) -> dict[str, Any]:
    status = {"url": STATUS, "valueCodeableConcept": {"coding": [{"code": code}]}}
    return {"system": NHS, "value": value, "extension": [status], **more}


def patient(
    source: str, source_id: str = "1", *, nhs: list[dict[str, Any]] | None = None, **changed: Any
) -> SourcePatient:
    """Daniel Smith of 1 High Street, but for what is said."""
    is_ = {
        "family": "Smith",
        "given": "Daniel",
        "born": "1950-03-04",
        "gender": "male",
        "home": "1 High Street|NE1 1AA",
    }
    is_ |= {"phone": "01632 960001"} | changed
    line, _, postcode = is_["home"].partition("|")
    body = {
        "resourceType": "Patient",
        "identifier": nhs or [],
        "name": [{"family": is_["family"], "given": [is_["given"]]}],
        "birthDate": is_["born"],
        "gender": is_["gender"],
        "address": [{"line": [line], "postalCode": postcode}] if line else [],
        "telecom": [{"system": "phone", "value": is_["phone"]}] if is_["phone"] else [],
    }
    return SourcePatient(resource_key(source, "", "Patient", source_id), body, source)


def decisions(conn: Connection) -> list[tuple[Any, Any, Any]]:
    rows = conn.execute(select(link_decision).order_by(link_decision.c.id))
    return [(row.patient, row.candidate, row.answer) for row in rows]


def method_of(linked: dict[ResourceKey, Linked], one: SourcePatient) -> str:
    return linked[one.key].method


def test_the_first_patient_founds_a_person_with_traits_and_a_link(
    conn: Connection, place: Place, now: datetime
) -> None:
    first = patient("council-a")
    linked = link_patients(conn, place, [first], now)
    assert linked == {first.key: Linked(person_key(first.key), "founder")}
    trait = conn.execute(select(person_trait)).one()
    assert (trait.patient, trait.person, trait.family, trait.postcode) == (
        first.key,
        person_key(first.key),
        "smith",
        "NE11AA",
    )
    link = conn.execute(select(person_link)).one()
    assert (link.method, link.weight, link.made_by, link.made_at, link.undone_at) == (
        "founder",
        None,
        "carelink",
        now,
        None,
    )


def test_a_link_by_weights_keeps_its_weight_fields_who_and_when(conn: Connection, place: Place, now: datetime) -> None:
    first, second = patient("council-a"), patient("hospital", given="Danny", nhs=[numbered(N)])
    link_patients(conn, place, [first], now)
    linked = link_patients(conn, place, [second], now)
    assert linked[second.key] == Linked(person_key(first.key), "weights")
    link = conn.execute(select(person_link).where(person_link.c.patient == second.key)).one()
    assert link.fields["given"] == {"level": "nickname", "weight": place.linking.weights["given"]["nickname"]}
    assert link.weight == pytest.approx(sum(field["weight"] for field in link.fields.values()))


def test_a_verified_nhs_number_with_the_birth_date_links_though_name_and_house_changed(
    conn: Connection, place: Place, now: datetime
) -> None:
    first = patient("hospital", nhs=[numbered(N)])
    second = patient("gp", nhs=[numbered(N, "02")], family="Jones", home="9 Other Road|LS1 6AE", phone="")
    link_patients(conn, place, [first], now)
    assert link_patients(conn, place, [second], now)[second.key] == Linked(person_key(first.key), "nhs-number")


def test_patients_of_one_batch_are_linked_with_each_other(conn: Connection, place: Place, now: datetime) -> None:
    batch = [patient("council-a"), patient("council-a", "2", given="Thomas"), patient("hospital", family="Smyth")]
    linked = link_patients(conn, place, batch, now)
    assert [method_of(linked, one) for one in batch] == ["founder", "founder", "weights"]
    assert linked[batch[0].key].person == linked[batch[2].key].person != linked[batch[1].key].person


def test_linking_again_changes_nothing(conn: Connection, place: Place, now: datetime) -> None:
    batch = [
        patient("council-a"),
        patient("hospital", nhs=[numbered(N)]),
        patient("council-a", "2", given="Danielle", gender="female"),
    ]
    first = link_patients(conn, place, batch, now)
    before = [conn.execute(select(table)).all() for table in (person, person_link, person_trait, link_decision)]
    assert link_patients(conn, place, batch, now) == first
    assert [conn.execute(select(table)).all() for table in (person, person_link, person_trait, link_decision)] == before


def test_between_the_thresholds_a_human_is_asked_once(conn: Connection, place: Place, now: datetime) -> None:
    brother, sister = patient("council-a"), patient("hospital", given="Danielle", gender="female")
    link_patients(conn, place, [brother], now)
    linked = link_patients(conn, place, [sister], now)
    assert linked[sister.key] == Linked(person_key(sister.key), "founder")
    assert decisions(conn) == [(sister.key, person_key(brother.key), None)]
    assert conn.execute(select(link_decision.c.fields)).scalar()["safety"]["level"] == "brother-and-sister"


def test_two_verified_numbers_are_never_linked(conn: Connection, place: Place, now: datetime) -> None:
    one, other = patient("hospital", nhs=[numbered(N)]), patient("gp", nhs=[numbered(M)])
    linked = link_patients(conn, place, [one, other], now)
    assert linked[one.key].person != linked[other.key].person
    assert decisions(conn) == [(other.key, linked[one.key].person, None)]


def test_a_superseded_number_ties_the_old_record_to_the_new_one(conn: Connection, place: Place, now: datetime) -> None:
    away = {"home": "9 Other Road|LS1 6AE", "phone": "", "family": "Jones"}
    old = patient("hospital", nhs=[numbered(OLD)], **away)
    pds = patient("pds", N, nhs=[numbered(OLD, use="old"), numbered(N)])
    link_patients(conn, place, [old], now)
    assert link_patients(conn, place, [pds], now)[pds.key] == Linked(person_key(old.key), "nhs-number")


def test_the_old_record_finds_the_new_one_too(conn: Connection, place: Place, now: datetime) -> None:
    old = patient("hospital", nhs=[numbered(OLD)], home="", phone="", family="Jones")
    pds = patient("pds", N, nhs=[numbered(OLD, use="old"), numbered(N)])
    link_patients(conn, place, [pds], now)
    assert link_patients(conn, place, [old], now)[old.key] == Linked(person_key(pds.key), "nhs-number")


def test_a_standing_link_is_kept_when_somebody_moves_house(conn: Connection, place: Place, now: datetime) -> None:
    first, second = patient("council-a"), patient("hospital")
    before = link_patients(conn, place, [first, second], now)
    moved = patient("hospital", home="9 Other Road|LS1 6AE", phone="07700 900123")
    assert link_patients(conn, place, [moved], now)[second.key] == before[second.key]
    assert (
        conn.execute(select(person_trait.c.postcode).where(person_trait.c.patient == second.key)).scalar() == "LS16AE"
    )


def test_a_link_that_became_unsafe_is_asked_about_and_not_silently_changed(
    conn: Connection, place: Place, now: datetime
) -> None:
    first, second = patient("gp", nhs=[numbered(N)]), patient("hospital")
    before = link_patients(conn, place, [first, second], now)
    unsafe = patient("hospital", nhs=[numbered(M)])
    assert link_patients(conn, place, [unsafe], now)[second.key] == before[second.key]
    assert decisions(conn) == [(second.key, before[first.key].person, None)]


def test_a_verified_number_that_comes_later_merges_two_persons(conn: Connection, place: Place, now: datetime) -> None:
    """The council's record alone was too unlike; PDS has its number, verified, and the hospital's."""
    council = patient(
        "council-a", nhs=[numbered(N)], family="Jones", home="9 Other Road|LS1 6AE", phone="", born="1950-11-27"
    )
    hospital = patient("hospital", nhs=[])
    before = link_patients(conn, place, [council, hospital], now)
    assert before[council.key].person != before[hospital.key].person
    known = patient("hospital", nhs=[numbered(N)], family="Jones")
    after = link_patients(conn, place, [known], now)
    kept = conn.execute(select(person.c.key).where(person.c.merged_into.is_(None))).scalars().all()
    assert kept == [after[hospital.key].person]
    assert set(conn.execute(select(person_trait.c.person)).scalars()) == {after[hospital.key].person}
    assert set(conn.execute(select(person_link.c.person).where(person_link.c.undone_at.is_(None))).scalars()) == set(
        kept
    )
    assert conn.execute(select(func.count()).select_from(person_link)).scalar() == 3  # the undone one is kept
    assert "merge" in conn.execute(select(audit_event.c.action)).scalars().all()


def test_a_batch_is_audited_without_anything_that_tells_who(conn: Connection, place: Place, now: datetime) -> None:
    link_patients(conn, place, [patient("council-a"), patient("hospital")], now)
    event = conn.execute(select(audit_event).where(audit_event.c.action == "link")).one()
    assert (event.user, event.count, event.detail) == ("carelink", 2, {"founder": 1, "weights": 1, "asked": 0})


@pytest.mark.parametrize("turned", [False, True])
def test_the_order_of_a_clear_batch_does_not_change_who_is_together(
    turned: bool, conn: Connection, place: Place, now: datetime
) -> None:
    batch = [
        patient("council-a"),
        patient("hospital", nhs=[numbered(N)], family="Smyth"),
        patient("gp", nhs=[numbered(N)]),
        patient("council-a", "2", given="Thomas"),
        patient("hospital", "2", given="Tom", nhs=[numbered(M)]),
        patient(
            "council-b",
            family="Khan",
            given="Ayesha",
            gender="female",
            born="1982-07-01",
            home="2 Low Road|NE2 2BB",
            phone="",
        ),
    ]
    linked = link_patients(conn, place, batch[::-1] if turned else batch, now)
    together: dict[Any, set[int]] = {}
    for number, one in enumerate(batch):
        together.setdefault(linked[one.key].person, set()).add(number)
    assert sorted(map(sorted, together.values())) == [[0, 1, 2], [3, 4], [5]]


def test_two_workers_never_found_one_person_twice(engine: Engine, place: Place, now: datetime) -> None:
    """Both have begun before either is done: the second waits, and then sees what the first founded."""
    linked: list[dict[ResourceKey, Linked]] = []
    begun = threading.Barrier(2)

    def work(one: SourcePatient) -> None:
        with engine.begin() as conn:
            conn.execute(select(1))
            begun.wait(timeout=20)
            linked.append(link_patients(conn, place, [one], now))

    workers = [threading.Thread(target=work, args=(one,)) for one in (patient("council-a"), patient("hospital"))]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=30)
    assert len({link.person for found in linked for link in found.values()}) == 1
    assert len(linked) == 2


def test_nothing_to_link_asks_nothing(conn: Connection, place: Place, now: datetime) -> None:
    assert link_patients(conn, place, [], now) == {}
