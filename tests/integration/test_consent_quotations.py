"""What a person's consent keeps back is not told by what quotes it, and what a source wrote oddly stops no question."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from consent_builders import related
from ingest_builders import NHS, SNOMED, condition, item, key, observation, patient, person_of, take
from page_builders import VERIFIED
from sqlalchemy import Connection, select

from carelink.consent.known import facts_of, items_of
from carelink.consent.lens import Lens
from carelink.consent.requester import Requester
from carelink.consent.rules import Effect
from carelink.db.tables import directive, person_link, relationship
from carelink.ids import ODS, PersonKey, UserId
from carelink.place import Place
from carelink.record import search
from carelink.record.persons import unlink
from carelink.record.query import Query
from fhir_adapters.source import Item

PRIVACY = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]}
DIABETES = {"coding": [{"system": SNOMED, "code": "73211009"}]}
TYPES = "http://hl7.org/fhir/resource-types"
RECIPIENT = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}]}


def denial(**provision: Any) -> Item:
    about = {"patient": {"reference": "Patient/p1"}, "dateTime": "2026-05-04"}
    said = {"status": "active", "scope": PRIVACY, "category": [PRIVACY], **about}
    return item("Consent", "objects", **said, provision={"type": "deny", **provision})


def sam_of(conn: Connection, place: Place, now: datetime, person: PersonKey) -> Lens:
    """A social worker who is involved with them."""
    one = related("caseload", user="sam.okafor")
    row = {"kind": one.kind, "organisation": "901", "user": one.user, "starts": one.starts}
    conn.execute(relationship.insert().values(person=person, **row))
    worker = place.staff[UserId("sam.okafor")]
    asks = Requester(worker.id, worker.name, worker.organisation, "council", worker.role, "CAREMGT", worker.team)
    return Lens.compile(place, asks, now)


DENIALS = {
    "by its code": {"code": [DIABETES]},
    "by its type": {"class": [{"system": TYPES, "code": "Condition"}]},
    "by when it was": {"dataPeriod": {"start": "2010"}},
    "by itself": {"data": [{"meaning": "instance", "reference": {"reference": "Condition/c1"}}]},
}


@pytest.mark.parametrize("narrowed", DENIALS.values(), ids=DENIALS)
def test_what_was_repaired_in_an_item_that_the_person_denied_is_not_told(
    conn: Connection, place: Place, now: datetime, narrowed: dict[str, Any]
) -> None:
    broken = condition("c1", recordedDate="1961-04-93")
    take(conn, place, [patient(), broken], now)
    lens = sam_of(conn, place, now, person_of(conn, patient()))
    asked = Query(person=person_of(conn, patient()))
    assert {"Condition", "Provenance"} <= {row.type for row in search.run(conn, lens, asked).rows}
    take(conn, place, [denial(**narrowed)], now)
    rows = search.run(conn, lens, asked).rows
    assert "1961-04-93" not in "".join(row.body for row in rows)
    assert not {"Condition", "Provenance"} & {row.type for row in rows}


@pytest.mark.parametrize(("born", "permits"), [("2018-05-06", []), ("1950-05-06", ["permit"])], ids=["child", "adult"])
def test_who_is_taken_apart_from_somebody_permits_what_they_may_at_their_age(
    conn: Connection, place: Place, now: datetime, born: str, permits: list[str]
) -> None:
    child = {"name": [{"family": "Hart", "given": ["Nell"]}], "birthDate": born}
    number = [{"system": NHS, "value": "9990000018", "extension": [VERIFIED]}]
    here, there = (patient(id_, identifier=number, **child) for id_ in ("p1", "p2"))
    take(conn, place, [here], now)
    take(conn, place, [there], now, "council-a")
    consent = denial()
    to = {"role": RECIPIENT, "reference": {"identifier": {"system": ODS, "value": "901"}}}
    body = {**consent.body, "provision": {"type": "permit", "actor": [to]}}
    take(conn, place, [replace(consent, body=body)], now)
    effects = select(directive.c.effect).where(directive.c.person.in_(select(person_link.c.person)))
    assert conn.execute(effects).scalars().all() == permits
    unlink(conn, place, key(here), "W002", "somebody else", now)
    assert conn.execute(effects).scalars().all() == permits


ODD = {
    "a NUL": condition("c2", note=[{"text": "before\0after"}]),
    "a NUL behind a backslash": condition("c2", note=[{"text": "before\\\0after"}]),
    "a letter of two halves": condition("c2", note=[{"text": "\U0001f600"}]),
    "a number of many digits": observation("c2", value="1" + "0" * 90),
    "a number that nobody can hold": observation("c2", value="1E200000"),
    "a number of nearly nothing": observation("c2", value="1E-200000"),
}


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_what_a_source_wrote_oddly_does_not_keep_the_rest_from_anybody(
    conn: Connection, place: Place, now: datetime, odd: Item
) -> None:
    take(conn, place, [patient(), condition("c1"), odd], now)
    person = person_of(conn, patient())
    take(conn, place, [denial(code=[{"coding": [{"system": SNOMED, "code": "86406008"}]}])], now)
    lens = sam_of(conn, place, now, person)
    known = facts_of(conn, person)
    shown = {row.key for row in search.run(conn, lens, Query(person=person)).rows}
    assert len(shown) >= 2
    decided = {one.key for one in items_of(conn, person, known) if lens.decide(one, known).effect is not Effect.DENY}
    assert decided == shown


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_nor_does_it_of_somebody_whose_whereabouts_are_taken_out(
    conn: Connection, place: Place, now: datetime, odd: Item
) -> None:
    nul = "before\0after"
    whose = {"identifier": [{"system": f"https://x.example/{nul}", "value": nul, "assigner": {"display": nul}}]}
    secret = {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}
    told = condition(
        "c3", extension=[{"url": f"https://x.example/{nul}", "valueString": nul}], asserter={"display": nul}
    )
    take(conn, place, [patient(meta=secret, **whose), condition("c1"), told, odd], now)
    person = person_of(conn, patient())
    lens = sam_of(conn, place, now, person)
    rows = search.run(conn, lens, Query(person=person)).rows
    assert {"Condition", "Patient"} <= {row.type for row in rows}
    assert "Mill Lane" not in "".join(row.body for row in rows)
