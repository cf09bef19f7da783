"""What the person keeps back of one organisation does not come back by their golden Patient."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from consent_builders import related
from ingest_builders import NHS, item, patient, person_of, take
from page_builders import VERIFIED
from sqlalchemy import Connection

from carelink.consent.lens import Lens
from carelink.consent.requester import Requester
from carelink.db.tables import relationship
from carelink.ids import ODS, PersonKey, UserId
from carelink.place import Place
from carelink.record import search
from carelink.record.query import Query
from fhir_adapters.source import Item

PRIVACY = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]}
FROM = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "CST"}]}
WHO = {"identifier": [{"system": NHS, "value": "9990000018", "extension": [VERIFIED]}], "birthDate": "1950-05-06"}
WHO |= {"name": [{"family": "Hart", "given": ["Nora"]}]}


def refusal(**changed: Any) -> Item:
    """Nothing that the hospital knows is to be shared."""
    actor = {"role": FROM, "reference": {"identifier": {"system": ODS, "value": "RDV"}}}
    about = {"patient": {"reference": "Patient/p1"}, "dateTime": "2026-05-04"}
    said = {"status": "active", "scope": PRIVACY, "category": [PRIVACY], **about}
    return item("Consent", "refuses", **said | changed, provision={"type": "deny", "actor": [actor]})


def told(conn: Connection, place: Place, now: datetime, person: PersonKey) -> str:
    """All that a social worker who is involved reads of who they are."""
    worker = place.staff[UserId("sam.okafor")]
    asks = Requester(worker.id, worker.name, worker.organisation, "council", worker.role, "CAREMGT", worker.team)
    rows = search.run(conn, Lens.compile(place, asks, now), Query(("Patient",), person=person)).rows
    return "".join(row.body for row in rows)


def test_what_only_that_organisation_knows_of_who_they_are_is_told_to_nobody(
    conn: Connection, place: Place, now: datetime
) -> None:
    hospital = patient("p1", **WHO, telecom=[{"system": "phone", "value": "01632 960777"}])
    take(conn, place, [hospital], now)
    take(conn, place, [patient("p2", **WHO)], now, "council-b")
    person = person_of(conn, hospital)
    one = related("caseload", user="sam.okafor")
    row = {"kind": one.kind, "organisation": "901", "user": one.user, "starts": one.starts}
    conn.execute(relationship.insert().values(person=person, **row))
    assert "960777" in told(conn, place, now, person)
    take(conn, place, [refusal()], now)
    conn.execute(relationship.insert().values(person=person, **row))
    assert "Hart" in told(conn, place, now, person)
    assert "960777" not in told(conn, place, now, person)
    take(conn, place, [refusal(status="inactive")], now)
    assert "960777" in told(conn, place, now, person)
