"""What was pulled is seen as it is labelled: from a source's own words to what somebody reads of it, and finds by it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from consent_builders import SURGERY, related, themselves
from ingest_builders import NHS, SNOMED, condition, item, key, patient, person_of, take
from sqlalchemy import Connection, select

from carelink.cases import finding
from carelink.consent.known import facts_of
from carelink.consent.lens import Lens
from carelink.consent.requester import Requester
from carelink.consent.sensitivity import CODINGS
from carelink.db.tables import relationship, source_state
from carelink.errors import NotFound
from carelink.ids import ODS, PersonKey, UserId
from carelink.place import Place
from carelink.record import quarantine, search
from carelink.record.query import Criterion, Query
from fhir_adapters.source import Item

STATUS = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
VERIFIED = {"url": STATUS, "valueCodeableConcept": {"coding": [{"code": "01"}]}}
SAME = {"identifier": [{"system": NHS, "value": "9990000018", "extension": [VERIFIED]}], "birthDate": "1944-05-06"}


def nora(id_: str, family: str = "Hart", **more: Any) -> Item:
    return patient(id_, **SAME, name=[{"family": family, "given": ["Nora"]}], **more)


def involve(conn: Connection, person: PersonKey) -> None:
    one = related("caseload", user="sam.okafor")
    row = {"kind": one.kind, "organisation": "901", "user": one.user, "starts": one.starts}
    conn.execute(relationship.insert().values(person=person, **row))


def sam(place: Place, now: datetime) -> Lens:
    worker = place.staff[UserId("sam.okafor")]
    asks = Requester(worker.id, worker.name, worker.organisation, "council", worker.role, "CAREMGT", worker.team)
    return Lens.compile(place, asks, now)


def test_a_former_name_that_the_law_hides_finds_nobody_and_is_on_no_page(
    conn: Connection, place: Place, now: datetime
) -> None:
    former = nora("p1", "Former", gender="male", meta={"security": [CODINGS["LEGAL"]]})
    take(conn, place, [former], now, "hospital")
    take(conn, place, [nora("p1", "Hart", gender="female")], now, "pds")
    person = person_of(conn, former)
    assert person_of(conn, nora("p1"), "pds") == person
    involve(conn, person)
    lens = sam(place, now)
    assert finding.find(conn, place, lens, finding.Asked(family="Former", born="1944-05-06")).people == ()
    (found,) = finding.find(conn, place, lens, finding.Asked(family="Hart", born="1944-05-06")).people
    assert found.person == person
    rows = search.run(conn, lens, Query(person=person)).rows
    assert rows
    assert not any("Former" in row.body or str(key(former)) in row.body for row in rows)


CONFIDENTIAL = {"security": [{"system": "http://hl7.org/fhir/v3/ActCode", "code": "NOPAT"}]}
SEXUAL_HEALTH = {"coding": [{"system": SNOMED, "code": "76272004"}]}  # syphilis, in the labels of the example place


def test_a_former_name_that_the_law_hides_stands_beside_no_reference_to_them(
    conn: Connection, place: Place, now: datetime
) -> None:
    former = nora("p1", "Former", meta={"security": [CODINGS["LEGAL"]]})
    called = {"reference": "Patient/p1", "display": "FORMER, Peter (Mr)"}
    take(conn, place, [former, replace(condition(), body={**condition().body, "subject": called})], now, "hospital")
    take(conn, place, [nora("p1", "Hart")], now, "pds")
    person = person_of(conn, former)
    involve(conn, person)
    rows = search.run(conn, sam(place, now), Query(person=person)).rows
    assert "Condition" in {row.type for row in rows}
    assert "FORMER" not in "".join(row.body for row in rows)


def test_what_a_gp_keeps_from_the_person_is_seen_by_their_social_worker_and_not_by_them(
    conn: Connection, place: Place, now: datetime
) -> None:
    kept, plain = condition("kept", meta=CONFIDENTIAL), condition("plain")
    take(conn, place, [nora("p1"), kept, plain], now)
    person = person_of(conn, nora("p1"))
    involve(conn, person)
    own = Lens.compile(place, themselves(person), now)
    query = Query(("Condition",), person=person)
    assert {row.key for row in search.run(conn, sam(place, now), query).rows} == {key(kept), key(plain)}
    assert {row.key for row in search.run(conn, own, query).rows} == {key(plain)}


@pytest.mark.parametrize("where", ["code", "valueCodeableConcept"])
def test_a_sensitive_finding_is_found_by_nobody_who_may_not_see_it(
    conn: Connection, place: Place, now: datetime, where: str
) -> None:
    said = {"status": "final", "subject": {"reference": "Patient/p1"}, "code": {"text": "Result"}} | {
        where: SEXUAL_HEALTH
    }
    result = item("Observation", "o1", **said)
    take(conn, place, [nora("p1"), result], now)
    involve(conn, person_of(conn, nora("p1")))
    lens = sam(place, now)
    with pytest.raises(NotFound):
        search.get(conn, lens, "Observation", key(result))
    coded = Query(("Observation",), criteria=(Criterion("code", ("76272004",)),))
    assert search.count(conn, lens, coded) == 0


def practice(ods: str) -> list[dict[str, Any]]:
    return [{"identifier": {"system": ODS, "value": ods}}]


def test_a_practice_that_the_person_left_is_involved_no_longer_though_the_hospital_was_not_told(
    conn: Connection, place: Place, now: datetime
) -> None:
    def practices() -> set[str]:
        facts = facts_of(conn, person_of(conn, nora("p1")))
        return {one.organisation for one in facts.related if one.kind == "registered-practice"}

    take(conn, place, [nora("p1", generalPractitioner=practice(SURGERY))], now)
    assert practices() == {SURGERY}
    take(conn, place, [nora("p1", generalPractitioner=practice("A82038"))], now, "pds")
    assert practices() == {"A82038"}, "PDS knows where they are registered"
    take(conn, place, [nora("p1", generalPractitioner=practice(SURGERY), gender="male")], now + timedelta(days=1))
    assert practices() == {"A82038"}
    take(conn, place, [nora("p1", gender="other")], now + timedelta(days=2), "pds")
    assert practices() == {SURGERY}, "of a restricted person PDS names none: then the next who does is believed"


ENDLESS = [
    {"start": "2020-01-01", "end": "9999-12-31"},
    {"start": "2020-01-01", "end": "9999"},
    {"start": "2020-01-01T00:00:00Z", "end": "9999-12-31T23:59:59Z"},
    {"start": "2016-12-31T23:59:60Z"},
]


@pytest.mark.parametrize("period", ENDLESS, ids=["a day", "a year", "a second", "a leap second"])
def test_an_end_that_means_no_end_stops_no_pull(
    conn: Connection, place: Place, now: datetime, period: dict[str, str]
) -> None:
    worker = {"member": {"identifier": {"system": "https://northdale.example/worker", "value": "W001"}}}
    team = item(
        "CareTeam", "t1", status="active", subject={"reference": "Patient/p1"}, period=period, participant=[worker]
    )
    registered = practice(SURGERY)
    registered[0]["identifier"]["period"] = period
    take(conn, place, [nora("p1", generalPractitioner=registered), team], now)
    facts = facts_of(conn, person_of(conn, nora("p1")))
    assert {(one.kind, one.ends) for one in facts.related} == {("caseload", None), ("registered-practice", None)}
    assert conn.execute(select(source_state.c.cursor).where(source_state.c.source == "hospital")).scalar() is not None


def test_who_left_a_team_is_a_stranger_once_the_grace_is_over(conn: Connection, place: Place, now: datetime) -> None:
    member = {"identifier": {"system": "https://northdale.example/worker", "value": "W001"}}
    left = {"member": member, "period": {"end": (now - timedelta(days=20)).date().isoformat()}}
    team = item("CareTeam", "t1", status="active", subject={"reference": "Patient/p1"}, participant=[left])
    take(conn, place, [nora("p1"), team], now)
    person = person_of(conn, nora("p1"))
    seen = {
        days: sam(place, now + timedelta(days=days)).person_visible(conn, person)
        for days in (0, 8, 9, 400)  # twenty days ago and 28 of grace: nine days more, to the end of that day
    }
    assert seen == {0: True, 8: True, 9: False, 400: False}


def consent(**changed: Any) -> Item:
    said: dict[str, Any] = {
        "status": "active",
        "scope": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]
        },
        "category": [{"text": "sharing"}],
        "policyRule": {"text": "opt-out"},
        "patient": {"reference": "Patient/p1"},
        "provision": {"type": "permit"},
    }
    return item("Consent", "objection", **(said | changed))


def test_a_consent_that_can_not_be_stored_hides_the_record_until_it_can_be_read(
    conn: Connection, place: Place, now: datetime
) -> None:
    one = nora("p1")
    take(conn, place, [one, condition()], now)
    person = person_of(conn, one)
    involve(conn, person)
    lens, asked = sam(place, now), Query(("Condition",), person=person)
    assert len(search.run(conn, lens, asked).rows) == 1
    broken = consent(dateTime="last Tuesday, by telephone", status=["active"])
    assert take(conn, place, [broken], now).quarantined == 1
    assert search.run(conn, lens, asked).rows == ()
    (objection,) = facts_of(conn, person).directed
    assert objection.rule == "L7-objection-unclear"
    take(conn, place, [consent()], now)
    assert len(search.run(conn, lens, asked).rows) == 1
    assert [one.effect for one in facts_of(conn, person).directed] == ["permit"]


def test_a_consent_that_somebody_set_aside_hides_nothing_any_more(
    conn: Connection, place: Place, now: datetime
) -> None:
    one = nora("p1")
    take(conn, place, [one, condition(), consent(status=["active"])], now)
    person = person_of(conn, one)
    system = Lens.system("test", now)
    (row,) = quarantine.listed(conn, system)
    assert facts_of(conn, person).directed
    quarantine.resolve(conn, place, system, row["id"], "the source says that it was a test")
    assert facts_of(conn, person).directed == ()
