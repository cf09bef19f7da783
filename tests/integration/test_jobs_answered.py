"""Whom a GP practice gave the record of, and whom not: silence about the second is never shown as an answer."""

from __future__ import annotations

from datetime import datetime

import pytest
from gp_connect_builders import NHS, A, B, C, number_of, refusal
from ingest_builders import patient, person_of, take
from scripted_server import Asked, Reply, reply, scripted
from sqlalchemy import Engine, select

from carelink.cases.standing import Standing, standings
from carelink.db import sync
from carelink.db.tables import quarantine
from carelink.jobs.pull import PullReport, pull
from carelink.place import Place
from carelink.settings import Settings

PEOPLE = {number: patient(number, identifier=[{"system": NHS, "value": number}]) for number in (A, B, C)}


@pytest.fixture
def known(engine: Engine, place: Place, now: datetime) -> Engine:
    """Three people whom the hospital knows."""
    with engine.begin() as conn:
        sync.sync(conn, place)
        take(conn, place, PEOPLE.values(), now)
    return engine


def answers(asked: Asked) -> Reply:
    """One record, one dissent; about the third a gateway answers."""
    whole = reply({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": PEOPLE[A].body}]})
    return {A: whole, B: refusal("NO_PATIENT_CONSENT", 403), C: reply({}, 404)}[number_of(asked)]


def pulled(engine: Engine, place: Place, now: datetime, monkeypatch: pytest.MonkeyPatch) -> PullReport:
    with scripted(answers) as practices:
        monkeypatch.setenv("CARELINK_SOURCE_GP_URL", practices.url)
        return pull(engine, place, Settings(), "gp", lambda: now)


def gp(engine: Engine, place: Place, now: datetime, number: str) -> Standing:
    with engine.connect() as conn:
        found = standings(conn, place, person_of(conn, PEOPLE[number]), now)
    return next(one for one in found if one.source == "gp")


def test_only_whose_record_came_counts_as_heard_from(
    known: Engine, place: Place, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = pulled(known, place, now, monkeypatch)
    assert report.why == "1 of 3 people could not be asked about: answered 404 (1)"
    assert gp(known, place, now, A).as_of == now
    assert [gp(known, place, now, number).as_of for number in (B, C)] == [None, None]
    assert not gp(known, place, now, B).sure


def test_a_refusal_waits_for_the_data_quality_worklist_once_and_says_whose_record_it_is(
    known: Engine, place: Place, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        pulled(known, place, now, monkeypatch)
    q = quarantine.c
    with known.connect() as conn:
        rows = conn.execute(select(q.type, q.source_id, q.namespace, q.mapped).where(q.source == "gp")).all()
    assert [tuple(row) for row in rows] == [("OperationOutcome", "NO_PATIENT_CONSENT", f"P81001/{B}", False)]
