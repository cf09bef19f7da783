"""The web application over a database of invented people, and whoever is signed in to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from ingest_builders import NHS, condition, item, observation, patient, take
from sqlalchemy import Connection, Engine, insert

from carelink.app import create_app
from carelink.db.tables import source_person
from carelink.ids import PersonKey
from carelink.place import Place
from carelink.record import source_state
from carelink.settings import Settings
from fhir_adapters.source import Item

STATUS = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
VERIFIED = {"url": STATUS, "valueCodeableConcept": {"coding": [{"code": "01"}]}}
NORTHDALE = {"identifier": {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "901"}}
ME = {"subject": {"reference": "Patient/p1"}}


def identified(number: str, family: str, given: str, born: str, **more: Any) -> dict[str, Any]:
    """What makes the Patients of several sources one person."""
    identifier = {"system": NHS, "value": number, "extension": [VERIFIED]}
    name = {"use": "official", "family": family, "given": [given]}
    return {"identifier": [identifier], "name": [name], "birthDate": born, **more}


def allocation(worker: str = "W001", id_: str = "al", subject: str = "p1", **changed: Any) -> Item:
    """Allocates a worker of Northdale Council (W001 is Sam Okafor), and so their team."""
    member = {"type": "Practitioner", "identifier": {"system": "https://northdale.example/worker", "value": worker}}
    said: dict[str, Any] = {
        "status": "active",
        "name": "adults-north",
        "subject": {"reference": f"Patient/{subject}"},
        "participant": [{"role": [{"text": "Key worker"}], "member": member}],
        "period": {"start": "2025-01-01"},
        "managingOrganization": [NORTHDALE],
    }
    return item("CareTeam", id_, **(said | changed))


def stay(id_: str = "stay", status: str = "in-progress", subject: str = "p1", **changed: Any) -> Item:
    """A stay at Dale Valley Hospitals, whose nurses are involved by it."""
    said: dict[str, Any] = {
        "status": status,
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": {"reference": f"Patient/{subject}"},
        "period": {"start": "2026-11-20T14:20:00Z"},
        "location": [{"location": {"display": "Ward 7"}}],
        "serviceProvider": {
            "identifier": {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "RDV"},
            "display": "Dale Valley Hospitals NHS Trust",
        },
    }
    return item("Encounter", id_, **(said | changed))


def stand(conn: Connection, place: Place, now: datetime, persons: tuple[PersonKey, ...] = ()) -> None:
    """Every source was pulled four minutes ago and answered about these people."""
    then = now - timedelta(minutes=4)
    for entry in place.sources:
        source_state.started(conn, entry.name, then)
        source_state.good(conn, entry.name, then)
        for key in persons:
            conn.execute(insert(source_person).values(source=entry.name, person=key, good_at=then))


def many(conn: Connection, place: Place, who: Mapping[str, Any], number: int, now: datetime) -> None:
    """About so many items of one person, at the hospital, the council and the practice, as real records mix them."""
    take(conn, place, [patient("p1", **who), allocation(), *_council(number // 10)], now, "council-a")
    take(conn, place, [patient("p1", **who), stay(), *_hospital(number // 2)], now)
    record = "P81001/9990000018"
    mine = [item("Patient", "p1", record, **who), *_practice(number - number // 2 - number // 10, record)]
    take(conn, place, mine, now, "gp")


def _day(number: int) -> str:
    return f"{2026 - number % 15}-{number % 10 + 1:02}-{number % 28 + 1:02}"


def _hospital(number: int) -> Iterator[Item]:
    for place in range(number):
        if place % 5 == 0:
            when = {"period": {"start": f"{_day(place)}T10:00:00Z", "end": f"{_day(place)}T11:00:00Z"}}
            yield stay(f"e{place}", "finished", reasonCode=[{"text": "Review"}], **when)
        else:
            yield observation(f"o{place}", value=f"{place}.10", effectiveDateTime=f"{_day(place)}T09:30:00Z")


def _council(number: int) -> Iterator[Item]:
    for place in range(number):
        if place % 2:
            period = {"start": _day(place), "end": _day(place)}
            assessed = {"code": {"text": "Care Act assessment"}, "for": ME["subject"], "executionPeriod": period}
            yield item("Task", f"t{place}", status="completed", intent="order", **assessed)
        else:
            given = {"patient": ME["subject"], "type": [{"text": "Home Support"}], "period": {"start": _day(place)}}
            yield item("EpisodeOfCare", f"s{place}", status="active", **given)


def _practice(number: int, record: str) -> Iterator[Item]:
    yield item("Practitioner", "dr", record, name=[{"prefix": ["Dr"], "family": "Desai"}])
    by = {"reference": "Practitioner/dr"}
    for place in range(number):
        if place % 3 == 0:
            one = condition(f"c{place}", onsetDateTime=_day(place), recorder=by)
            yield item("Condition", one.source_id, record, **{k: v for k, v in one.body.items() if k[0].islower()})
        else:
            taken = {"medicationCodeableConcept": {"text": f"Medicine {place}mg tablets"}, **ME}
            dose = {"dosage": [{"text": "One to be taken each day"}], "dateAsserted": _day(place)}
            yield item("MedicationStatement", f"m{place}", record, status="active", **taken, **dose)


def site(engine: Engine, place: Place) -> Flask:
    """The application as it runs, but over this engine."""
    settings = Settings(
        secret_key="only for tests", base_url="http://localhost", oidc_issuer="http://127.0.0.1:9", session_minutes=30
    )
    return create_app(settings, place, engine)


def signed_in(app: Flask, user: str, now: datetime, assignment: str = "") -> FlaskClient:
    """A browser in which this user signed in a minute ago."""
    browser = app.test_client()
    with browser.session_transaction() as session:
        began = now.timestamp() - 60
        session.update(user=user, assignment=assignment, began=began, seen=began)
    return browser
