"""The web application over a database of invented people, and whoever is signed in to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from html_reading import Element, read
from ingest_builders import NHS, SNOMED, condition, item, observation, patient, person_of, take
from sqlalchemy import Connection, Engine, insert

from carelink.app import create_app
from carelink.consent.lens import Lens
from carelink.db.tables import source_person
from carelink.identity import requesters
from carelink.ids import PersonKey, UserId
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


NORA = identified(
    "9990000018",
    "Hart",
    "Nora",
    "1944-05-06",
    address=[{"use": "home", "line": ["1 Mill Lane"], "city": "Dalemere", "postalCode": "DM1 4QT"}],
)
RECORD = "P81001/9990000018"
CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
PROBLEM = "http://terminology.hl7.org/CodeSystem/condition-clinical"
ALERT = "https://carelink.example/CodeSystem/alert"


def nora(conn: Connection, place: Place, now: datetime) -> PersonKey:
    """On the caseload of Sam Okafor (W001), in Dale Valley Hospitals now, registered with Riverside Surgery."""
    take(conn, place, [patient("p1", **NORA), *_councils()], now, "council-a")
    take(conn, place, [patient("p1", **NORA), *_hospitals()], now)
    practice = {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "P81001"}
    registered = NORA | {"generalPractitioner": [{"identifier": practice, "display": "RIVERSIDE"}]}
    take(conn, place, [item("Patient", "p1", RECORD, **registered), *_practices()], now, "gp")
    key = person_of(conn, patient("p1"))
    stand(conn, place, now, (key,))
    return key


def _councils() -> Iterator[Item]:
    yield allocation()
    flagged = {"coding": [{"system": ALERT, "code": "key-safe"}], "text": "Key safe by the back door"}
    yield item("Flag", "f1", status="active", code=flagged, period={"start": "2026-02"}, **ME)
    lasting = {"coding": [{"system": ALERT, "code": "legal"}], "text": "Lasting power of attorney: daughter, Susan"}
    yield item("Flag", "f2", status="active", code=lasting, **ME)
    given = {"patient": ME["subject"], "type": [{"text": "Home Support"}], "period": {"start": "2026-01-05"}}
    yield item("EpisodeOfCare", "e1", status="active", **given)
    ended = {"patient": ME["subject"], "type": [{"text": "Meals"}], "period": {"start": "2019", "end": "2020-03"}}
    yield item("EpisodeOfCare", "e2", status="finished", **ended)
    asked = {"intent": "order", "code": {"text": "Care Act assessment"}, "for": ME["subject"]}
    yield item("Task", "t1", status="in-progress", restriction={"period": {"end": "2026-11-20"}}, **asked)


def _hospitals() -> Iterator[Item]:
    yield stay()
    yield condition("c1", onsetDateTime="2019-05")
    drinks = condition("c2", code="66590003", onsetDateTime="2020")  # sensitive: no agreement with councils names it
    drinks.body["code"]["coding"][0]["display"] = "Alcohol dependence"
    yield drinks
    yield allergy("none", "716186003", "No known allergy")


def _practices() -> Iterator[Item]:
    yield allergy("mild", "1003755004", "Allergy to latex", RECORD, recordedDate="2020")
    yield allergy("severe", "91936005", "Allergy to penicillin", RECORD, recordedDate="2001", criticality="high")
    taken = {"medicationCodeableConcept": {"text": "Ramipril 5mg capsules"}, "dosage": [{"text": "One each day"}]}
    yield item("MedicationStatement", "ms", RECORD, status="active", dateAsserted="2026-02-01", **taken, **ME)


def allergy(id_: str, code: str, display: str, namespace: str = "", **more: Any) -> Item:
    said: dict[str, Any] = {
        "patient": ME["subject"],
        "clinicalStatus": {"coding": [{"system": CLINICAL, "code": "active"}]},
        "code": {"coding": [{"system": SNOMED, "code": code, "display": display}]},
    }
    return item("AllergyIntolerance", id_, namespace, **(said | more))


def objection(id_: str = "no", **provision: Any) -> Item:
    """A person's "no" to sharing, as the hospital wrote it down: all of it to everybody, unless a provision narrows it."""
    scope = {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
    return item(
        "Consent",
        id_,
        status="active",
        scope={"coding": [scope]},
        category=[{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        patient=ME["subject"],
        dateTime="2026-11-01",
        policyRule={"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTOUT"}]},
        provision={"type": "deny", **provision},
    )


def stand(conn: Connection, place: Place, now: datetime, persons: tuple[PersonKey, ...] = ()) -> None:
    """Every source was pulled four minutes ago and answered about these people."""
    then = now - timedelta(minutes=4)
    for entry in place.sources:
        source_state.started(conn, entry.name, then)
        source_state.good(conn, entry.name, then)
        for key in persons:
            conn.execute(insert(source_person).values(source=entry.name, person=key, good_at=then))


def many(
    conn: Connection, place: Place, who: Mapping[str, Any], number: int, now: datetime, subject: str = "p1"
) -> None:
    """About so many items of one person, at the hospital, the council and the practice, as real records mix them."""
    me = {"reference": f"Patient/{subject}"}
    record = f"P81001/{subject}"
    councils = [patient(subject, **who), allocation(id_=f"al-{subject}", subject=subject), *_cared(number // 10, me)]
    take(conn, place, councils, now, "council-a")
    take(conn, place, [patient(subject, **who), stay(f"in-{subject}", subject=subject), *_seen(number // 2, me)], now)
    rest = number - number // 2 - number // 10
    take(conn, place, [item("Patient", subject, record, **who), *_treated(rest, me, record)], now, "gp")


def _day(number: int) -> str:
    return f"{2026 - number % 15}-{number % 10 + 1:02}-{number % 28 + 1:02}"


def _seen(number: int, me: Mapping[str, str]) -> Iterator[Item]:
    for place in range(number):
        if place % 5 == 0:
            when = {"period": {"start": f"{_day(place)}T10:00:00Z", "end": f"{_day(place)}T11:00:00Z"}}
            yield stay(
                f"many-{place}",
                "finished",
                reasonCode=[{"text": "Review"}],
                **when,
                subject=me["reference"].removeprefix("Patient/"),
            )
        else:
            yield observation(
                f"many-{place}",
                value=f"{place}.10",
                effectiveDateTime=f"{_day(place)}T09:30:00Z",
                subject=me["reference"].removeprefix("Patient/"),
            )


def _cared(number: int, me: Mapping[str, str]) -> Iterator[Item]:
    for place in range(number):
        if place % 2:
            period = {"start": _day(place), "end": _day(place)}
            assessed = {"code": {"text": "Care Act assessment"}, "for": me, "executionPeriod": period}
            yield item("Task", f"many-{place}", status="completed", intent="order", **assessed)
        else:
            given = {"patient": me, "type": [{"text": "Home Support"}], "period": {"start": _day(place)}}
            yield item("EpisodeOfCare", f"many-{place}", status="active", **given)


def _treated(number: int, me: Mapping[str, str], record: str) -> Iterator[Item]:
    yield item("Practitioner", "dr", record, name=[{"prefix": ["Dr"], "family": "Desai"}])
    for place in range(number):
        if place % 3 == 0:
            active = {"coding": [{"system": PROBLEM, "code": "active"}]}
            said = {"clinicalStatus": active, "code": {"text": f"Problem {place}"}, "onsetDateTime": _day(place)}
            by = {"recorder": {"reference": "Practitioner/dr"}}
            yield item("Condition", f"many-{place}", record, subject=me, **said, **by)
        else:
            taken = {"medicationCodeableConcept": {"text": f"Medicine {place}mg tablets"}, "subject": me}
            dose = {"dosage": [{"text": "One to be taken each day"}], "dateAsserted": _day(place)}
            yield item("MedicationStatement", f"many-{place}", record, status="active", **taken, **dose)


def lens(conn: Connection, place: Place, now: datetime, user: str) -> Lens:
    """What this user of the place's staff, or this person, may see."""
    return Lens.compile(place, requesters.requester(conn, place, UserId(user)), now)


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


def page(browser: FlaskClient, path: str, status: int = 200) -> Element:
    """The page at this path."""
    answer = browser.get(path)
    assert answer.status_code == status
    return read(answer.text)


def section(told: Element, id_: str) -> Element:
    """The part of a page whose heading has this id."""
    return told.one("section", aria_labelledby=id_)


def form(browser: FlaskClient) -> dict[str, str]:
    """What the form hides: the token against forgery."""
    token = page(browser, "/people/find").one("main").one("input", name="csrf_token")
    return {"csrf_token": token.attributes["value"]}
