"""Caseload, finding and oversight: whom each requester comes upon, through the lens, with a real database."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from ingest_builders import item, patient, take
from page_builders import ME, NORA, allocation, lens, nora, stay
from sqlalchemy import Connection

from carelink.cases.caseload import caseload
from carelink.cases.finding import Asked, find
from carelink.cases.oversight import quarantined
from carelink.errors import Forbidden
from carelink.ids import PersonKey
from carelink.place import Place

SAM, GWEN, NADIA, IRIS = "sam.okafor", "gwen.price", "nadia.rahman", "iris.lang"


@pytest.fixture
def known(conn: Connection, place: Place, now: datetime) -> PersonKey:
    return nora(conn, place, now)


# The caseload -------------------------------------------------------------------------------------------


def test_a_caseload_tells_of_each_person_what_a_morning_needs(
    conn: Connection, place: Place, known: PersonKey, now: datetime
) -> None:
    [case] = caseload(conn, place, lens(conn, place, now, SAM)).cases
    assert (case.banner.name, case.mine) == ("Nora Hart", True)
    assert set(case.alerts) == {"Key safe by the back door", "Lasting power of attorney: daughter, Susan"}
    assert case.due is not None
    assert (case.due.title, case.due.on, case.due.late) == ("Care Act assessment", "2026-11-20", True)
    assert case.in_hospital == "Ward 7, Dale Valley Hospitals NHS Trust"


def test_what_is_over_is_not_on_the_caseload(conn: Connection, place: Place, known: PersonKey, now: datetime) -> None:
    done = {"intent": "order", "code": {"text": "Care Act assessment"}, "for": ME["subject"]}
    flagged = {"status": "inactive", "code": {"text": "Key safe by the back door"}, **ME}
    take(conn, place, [item("Task", "t1", status="completed", **done), item("Flag", "f1", **flagged)], now, "council-a")
    take(conn, place, [stay(status="finished", period={"start": "2026-11-20", "end": "2026-11-23"})], now)
    [case] = caseload(conn, place, lens(conn, place, now, SAM)).cases
    assert case.due is None
    assert case.in_hospital == ""
    assert case.alerts == ("Lasting power of attorney: daughter, Susan",)


def test_a_stay_that_names_no_place_is_at_the_organisation_that_answers_for_it(
    conn: Connection, place: Place, known: PersonKey, now: datetime
) -> None:
    take(conn, place, [stay(location=None, serviceProvider=None)], now)
    [case] = caseload(conn, place, lens(conn, place, now, SAM)).cases
    assert case.in_hospital == "Dale Valley Hospitals NHS Trust"


def test_a_team_sees_whom_a_colleague_is_allocated_to_as_the_teams(
    conn: Connection, place: Place, known: PersonKey, now: datetime
) -> None:
    found = caseload(conn, place, lens(conn, place, now, "priya.nair"))
    assert [(one.banner.name, one.mine) for one in found.cases] == [("Nora Hart", False)]
    assert found.mine == 0


@pytest.mark.parametrize("user", [GWEN, NADIA, IRIS])
def test_nobody_is_on_the_caseload_of_whom_nobody_is_allocated_to(
    conn: Connection, place: Place, known: PersonKey, now: datetime, user: str
) -> None:
    assert caseload(conn, place, lens(conn, place, now, user)).cases == ()


def test_an_allocation_that_ended_leaves_the_caseload_after_its_grace(
    conn: Connection, place: Place, known: PersonKey, now: datetime
) -> None:
    ended = allocation(status="inactive", period={"start": "2025-01-01", "end": "2026-11-01"})
    take(conn, place, [ended], now, "council-a")
    assert len(caseload(conn, place, lens(conn, place, now, SAM)).cases) == 1
    assert caseload(conn, place, lens(conn, place, now + timedelta(days=10), SAM)).cases == ()


# Finding ------------------------------------------------------------------------------------------------


def test_a_worker_finds_whom_they_are_involved_with_and_a_stranger_nobody(
    conn: Connection, place: Place, known: PersonKey, now: datetime
) -> None:
    ways = [
        Asked(nhs_number="9990000018"),
        Asked(family="hart", born="1944-05-06"),
        Asked(family="Hart", given="N", postcode="DM14QT"),
    ]
    for asked in ways:
        [found] = find(conn, place, lens(conn, place, now, SAM), asked).people
        assert (found.person, found.name) == (known, "Nora Hart")
        assert find(conn, place, lens(conn, place, now, GWEN), asked).people == ()


def test_whoever_is_found_by_a_former_name_is_shown_by_the_one_of_today(
    conn: Connection, place: Place, known: PersonKey, now: datetime
) -> None:
    before = NORA | {"name": [{"use": "official", "family": "Winters", "given": ["Nora"]}]}
    take(conn, place, [patient("p1", **before)], now, "council-a")
    take(conn, place, [patient("p1", **NORA, deceasedDateTime="2026-11-03")], now, "pds")
    [found] = find(conn, place, lens(conn, place, now, SAM), Asked(family="Winters", born="1944-05-06")).people
    assert (found.name, found.deceased) == ("Nora Hart", "2026-11-03")


# Oversight ----------------------------------------------------------------------------------------------


def test_the_information_governance_lead_sees_what_was_refused_and_why_but_not_what_it_said(
    conn: Connection, place: Place, known: PersonKey, now: datetime
) -> None:
    take(conn, place, [item("Condition", "bad", code={"text": "Alcohol dependence"})], now)  # about nobody
    found = quarantined(conn, place, lens(conn, place, now, IRIS))
    [refused] = found.refused
    assert (refused.source, refused.type, found.total) == ("Hospital", "Condition", 1)
    assert found.counts == {"Hospital": 1}
    assert all(where and why for where, why in refused.reasons)
    assert "Alcohol" not in repr(found)


def test_a_worker_without_that_duty_does_not_see_the_quarantine(
    conn: Connection, place: Place, known: PersonKey, now: datetime
) -> None:
    with pytest.raises(Forbidden):
        quarantined(conn, place, lens(conn, place, now, SAM))
