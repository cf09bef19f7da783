"""An enquiry as a council sends it: who takes part in it is involved, and whom it is about in that way sees nothing of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from ingest_builders import item, key, patient, person_of, take
from page_builders import NORA, allocation, lens
from sqlalchemy import Connection

from carelink.db import sync
from carelink.ids import PersonKey
from carelink.place import Place
from carelink.record import search
from carelink.record.query import Query
from fhir_adapters.source import Item

OURS = "https://carelink.example/CodeSystem/"
WORKER = {"sam.okafor": ("northdale", "W001"), "priya.nair": ("northdale", "W002"), "gwen.price": ("southmere", "S001")}
SOURCE = "council-a"


def takes_part(worker: str, role: str = "") -> dict[str, Any]:
    council, number = WORKER[worker]
    member = {
        "type": "Practitioner",
        "identifier": {"system": f"https://{council}.example/worker", "value": number},
    }
    coded = {"coding": [{"system": f"{OURS}enquiry-role", "code": role}]} if role else {"text": "Enquiry officer"}
    return {"role": [coded], "member": member}


def team(category: str, *participants: dict[str, Any], status: str = "active") -> Item:
    return item(
        "CareTeam",
        category,
        status=status,
        category=[{"coding": [{"system": f"{OURS}care-team", "code": category}]}],
        name="Section 42",
        subject={"reference": "Patient/p1"},
        period={"start": "2026-11-01"},
        participant=list(participants),
    )


def told(conn: Connection, place: Place, now: datetime, user: str, person: PersonKey) -> set[Any]:
    """The keys of all that this worker sees of the person."""
    return {row.key for row in search.run(conn, lens(conn, place, now, user), Query(person=person, count=500)).rows}


@pytest.fixture
def nora(conn: Connection, place: Place, now: datetime) -> PersonKey:
    """On the caseload of Sam Okafor; nobody of Southmere is involved with her."""
    sync.sync(conn, place)
    take(conn, place, [patient("p1", **NORA), allocation()], now, SOURCE)
    return person_of(conn, patient("p1"), SOURCE)


def test_who_takes_part_in_an_enquiry_is_involved_by_it(
    conn: Connection, place: Place, now: datetime, nora: PersonKey
) -> None:
    assert told(conn, place, now, "gwen.price", nora) == set()
    enquiry = team("safeguarding-enquiry", takes_part("gwen.price"))
    take(conn, place, [enquiry], now, SOURCE)
    assert key(enquiry, SOURCE) in told(conn, place, now, "gwen.price", nora)


@pytest.mark.parametrize("role", ["source-of-harm", "acts-for-source-of-harm"])
@pytest.mark.parametrize("status", ["active", "inactive"])
def test_the_alleged_source_of_harm_and_who_acts_for_them_see_nothing_of_it_also_when_it_is_over(
    conn: Connection, place: Place, now: datetime, nora: PersonKey, role: str, status: str
) -> None:
    before = told(conn, place, now, "sam.okafor", nora)
    enquiry = team("safeguarding-enquiry", takes_part("sam.okafor", role), takes_part("priya.nair"), status=status)
    take(conn, place, [enquiry], now, SOURCE)
    assert told(conn, place, now, "sam.okafor", nora) == before, "nothing new, and nothing less: it warns nobody"
    assert not lens(conn, place, now, "sam.okafor").withheld(conn, nora)
    assert key(enquiry, SOURCE) in told(conn, place, now, "priya.nair", nora)


def test_whom_a_court_keeps_away_sees_neither_the_order_nor_where_the_person_is(
    conn: Connection, place: Place, now: datetime, nora: PersonKey
) -> None:
    def bodies() -> str:
        asks = lens(conn, place, now, "sam.okafor")
        return "".join(row.body for row in search.run(conn, asks, Query(person=nora, count=500)).rows)

    assert "Mill Lane" in bodies()
    order = team("court-order", takes_part("sam.okafor", "kept-away"))
    take(conn, place, [order], now, SOURCE)
    assert str(key(order, SOURCE)) not in bodies()
    assert "Mill Lane" not in bodies()
    assert key(order, SOURCE) in told(conn, place, now, "priya.nair", nora)


def test_somebody_who_is_not_named_any_more_sees_it_again(
    conn: Connection, place: Place, now: datetime, nora: PersonKey
) -> None:
    for part, sees in ((takes_part("sam.okafor", "source-of-harm"), False), (takes_part("sam.okafor"), True)):
        enquiry = team("safeguarding-enquiry", part)
        take(conn, place, [enquiry], now, SOURCE)
        assert (key(enquiry, SOURCE) in told(conn, place, now, "sam.okafor", nora)) is sees
