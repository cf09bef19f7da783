"""What is stored names the UK Core profiles that it meets and no others; what fails is told, kept, and counted by source."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from ingest_builders import NHS, body, condition, item, key, patient, person_of, read, take, versions
from page_builders import page, signed_in, site
from sqlalchemy import Connection, Engine, select

from carelink import clock
from carelink.consent.lens import Lens
from carelink.db import sync
from carelink.db.tables import finding, resource
from carelink.ids import ResourceKey
from carelink.place import Place
from carelink.record import findings, provenance, search, store
from fhir_adapters import exact_json
from fhir_adapters.source import Item

UK_CORE = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-"
OTHER = "https://x.example/StructureDefinition/p"
VERIFIED = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
FORMER = "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus"


@pytest.fixture
def known(conn: Connection, place: Place) -> Connection:
    sync.sync(conn, place)
    return conn


def number(value: str = "9990000018", system: str = f"{FORMER}England") -> dict[str, Any]:
    status = {"url": VERIFIED, "valueCodeableConcept": {"coding": [{"system": system, "code": "01"}]}}
    return {"system": NHS, "value": value, "extension": [status]}


def request(**more: Any) -> Item:
    return item(
        "MedicationRequest",
        "m1",
        status="active",
        intent="order",
        medicationCodeableConcept={"text": "Aspirin"},
        subject={"reference": "Patient/p1"},
        **more,
    )


def profiles(conn: Connection, one: Item, now: datetime) -> list[str]:
    named: list[str] = body(read(conn, one, now))["meta"].get("profile", [])
    return named


def told(conn: Connection, one: Item, now: datetime) -> list[tuple[str, str, str]]:
    """Rule, place and what was sent, of each repair on its Provenance."""
    about = provenance.about(one.type, key(one))[0]
    row = conn.execute(select(resource.c.body).where(resource.c.key == about, ~resource.c.deleted)).scalar()
    said = exact_json.loads(row)["extension"] if row else []
    parts = [{part["url"]: part["valueString"] for part in each["extension"]} for each in said]
    return [(one["rule"], one["path"], one["was"]) for one in parts]


def rows(conn: Connection) -> list[tuple[str, str]]:
    t = finding.c
    return [(row.rule, row.place) for row in conn.execute(select(t.rule, t.place).order_by(t.rule, t.place))]


def test_who_meets_uk_core_is_named_so_without_having_claimed_it(
    known: Connection, place: Place, now: datetime
) -> None:
    one = condition(meta={"profile": [OTHER]})
    take(known, place, [patient(), one], now)
    assert profiles(known, one, now) == [OTHER, f"{UK_CORE}Condition"]
    assert told(known, one, now) == []


def test_a_claim_that_is_not_met_is_lost_and_told(known: Connection, place: Place, now: datetime) -> None:
    one = request(meta={"profile": [f"{UK_CORE}MedicationRequest", OTHER]})
    report = take(known, place, [patient(), one], now)
    assert profiles(known, one, now) == [OTHER]
    claim = ("UK-not-met", "MedicationRequest.meta.profile[0]", f"{UK_CORE}MedicationRequest")
    assert told(known, one, now) == [claim]
    assert (report.repaired, report.quarantined) == (1, 0)
    assert report.findings["uk-required"] == 1
    assert ("uk-required", "MedicationRequest.substitution") in rows(known)


def test_who_claims_nothing_is_not_told_what_only_a_profile_asks_for(
    known: Connection, place: Place, now: datetime
) -> None:
    one = request()
    take(known, place, [patient(), one], now)
    assert (profiles(known, one, now), told(known, one, now)) == ([], [])
    assert [rule for rule, _ in rows(known)] == ["uk-official-name"], "that of the Patient"


def test_a_claim_that_is_not_checked_here_is_lost_too(known: Connection, place: Place, now: datetime) -> None:
    one = condition(meta={"profile": [f"{UK_CORE}Condition-Imagined"]})
    take(known, place, [patient(), one], now)
    assert profiles(known, one, now) == [f"{UK_CORE}Condition"]
    assert [row[0] for row in told(known, one, now)] == ["UK-not-checked"]


def test_what_breaks_r4_and_is_kept_meets_no_profile(known: Connection, place: Place, now: datetime) -> None:
    one = item("AllergyIntolerance", "a1", patient={"reference": "Patient/p1"}, code={"text": "Nuts"})
    take(known, place, [patient(), one], now)
    assert profiles(known, one, now) == []
    assert [row[0] for row in told(known, one, now)] == ["ait-1"]


def test_a_draft_is_kept_where_it_is_claimed_and_never_written_by_us(
    known: Connection, place: Place, now: datetime
) -> None:
    said = {"status": "active", "code": {"text": "Key safe"}, "subject": {"reference": "Patient/p1"}}
    plain, claiming = item("Flag", "f1", **said), item("Flag", "f2", meta={"profile": [f"{UK_CORE}Flag"]}, **said)
    take(known, place, [patient(), plain, claiming], now)
    assert profiles(known, plain, now) == []
    assert profiles(known, claiming, now) == [f"{UK_CORE}Flag"]


def test_the_same_again_changes_nothing_and_what_is_put_right_is_told_no_more(
    known: Connection, place: Place, now: datetime
) -> None:
    wrong = [patient(identifier=[number("1234567890")]), request(meta={"profile": [f"{UK_CORE}MedicationRequest"]})]
    first = take(known, place, wrong, now)
    before, found = versions(known), rows(known)
    again = take(known, place, wrong, now + timedelta(hours=1))
    assert (again.stored, again.findings) == (0, first.findings)
    assert (versions(known), rows(known)) == (before, found)
    assert ("uk-identifier-form", "Patient.identifier[0].value") in found
    right = [
        patient(identifier=[number()], name=[{"use": "official", "family": "Hill"}]),
        request(meta={"profile": [f"{UK_CORE}MedicationRequest"]}, substitution={"allowedBoolean": False}),
    ]
    take(known, place, right, now + timedelta(hours=2))
    assert [profiles(known, one, now) for one in right] == [[f"{UK_CORE}Patient"], [f"{UK_CORE}MedicationRequest"]]
    assert rows(known) == []
    assert told(known, right[1], now) == []


def test_a_golden_patient_names_uk_core_with_the_codes_of_today(known: Connection, place: Place, now: datetime) -> None:
    one = patient(identifier=[number(system=FORMER)])
    take(known, place, [one], now)
    assert profiles(known, one, now) == [], "the source's own Patient has the former code system"
    person = person_of(known, one)
    golden = exact_json.loads(search.get(known, Lens.system("test", now), "Patient", ResourceKey(person)).body)
    assert golden["meta"]["profile"] == [f"{UK_CORE}Patient"]
    [stated] = [each for each in golden["identifier"][0]["extension"] if each["url"] == VERIFIED]
    assert stated["valueCodeableConcept"]["coding"] == [{"system": f"{FORMER}England", "code": "01"}]


def test_a_golden_patient_that_is_none_of_uk_core_does_not_say_so(
    known: Connection, place: Place, now: datetime
) -> None:
    one = patient(identifier=[number("1234567890")])
    take(known, place, [one], now)
    golden = search.get(known, Lens.system("test", now), "Patient", ResourceKey(person_of(known, one)))
    assert "profile" not in exact_json.loads(golden.body)["meta"]


def test_what_is_made_here_claims_only_what_it_meets(known: Connection, place: Place, now: datetime) -> None:
    take(known, place, [patient()], now)
    made = ResourceKey(key(item("Observation", "made")))
    said = {"resourceType": "Observation", "id": str(made), "status": "final", "code": {"text": "Pulse"}, "meta": {"profile": [f"{UK_CORE}Observation-Lab"]}}  # fmt: skip
    store.put(known, place, said, person_of(known, patient()), None, now)
    stored = exact_json.loads(search.get(known, Lens.system("test", now), "Observation", made).body)
    assert stored["meta"]["profile"] == [f"{UK_CORE}Observation"]


def test_findings_are_counted_by_source_and_place(known: Connection, place: Place, now: datetime) -> None:
    two = [patient(one, address=[{"postalCode": "LS1288T"}], name=[{"use": "usual", "family": one}]) for one in "ab"]
    take(known, place, two, now)
    [counted] = findings.counts(known)
    assert (counted.source, counted.type, counted.place, counted.rule, counted.number) == (
        "hospital",
        "Patient",
        "Patient.address.postalCode",
        "uk-postcode",
        2,
    )


@pytest.fixture
def app(engine: Engine, place: Place, now: datetime, monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setattr(clock, "now", lambda: now)
    with engine.begin() as conn:
        sync.sync(conn, place)
        take(conn, place, [patient(address=[{"postalCode": "LS1288T"}])], now)
    return site(engine, place)


def test_who_looks_after_data_sees_what_is_to_be_put_right_without_what_it_says(app: Flask, now: datetime) -> None:
    told_ = page(signed_in(app, "iris.lang", now), "/quarantine").one("main")
    texts = [one.text for one in told_.all("tr")]
    assert any("Patient.address.postalCode" in one and "LS17 7DF" in one and one.endswith("1") for one in texts)
    assert "LS1288T" not in told_.text
