"""Which practice or hospital holds the record of a restricted person: named by no answer to whoever may not know where
they are, nor to whom a court keeps away from them; the kind of organisation alone is told.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from conftest import NOW
from fhir_builders import bearer, involve, registered, token
from flask import Flask
from flask.testing import FlaskClient
from html_reading import read
from ingest_builders import NHS, condition, item, key, observation, patient, person_of, take
from page_builders import ME, NORA, RECORD, form, identified, nora, objection, signed_in, site, stand
from sqlalchemy import Engine, select

from carelink import commands, settings
from carelink.consent import policies
from carelink.db import sync
from carelink.db.tables import resource
from carelink.ids import PersonKey
from carelink.jobs.shop import Shop
from carelink.place import Place

SAM, TOM, IRIS = "sam.okafor", "tom.ellis", "iris.lang"
RESTRICTED = {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
# Whatever names the hospital, the practice, or a source of either: names, codes, addresses of their systems.
TELLING = ("Quarryhill", "Willowbank", "RDV", "P81001", "source:hospital", "source:gp", "quarryhill", "emisweb")


@pytest.fixture(autouse=True)
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARELINK_NOW", NOW.isoformat())


@pytest.fixture
def renamed(place: Place) -> Place:
    """The example, where the hospital and the practice have names that nothing else has."""
    names = {"RDV": "Quarryhill Hospital", "P81001": "Willowbank Surgery"}
    organisations = {ods: replace(one, name=names.get(ods, one.name)) for ods, one in place.organisations.items()}
    labels = {"hospital": "Quarryhill", "gp": "Willowbank"}
    sources = tuple(replace(one, label=labels.get(one.name, one.label)) for one in place.sources)
    return replace(place, organisations=organisations, sources=sources)


def held() -> Iterator[tuple[str, list[Any]]]:
    """What says in every way that it is of Quarryhill, or of Willowbank."""
    hospital = {"identifier": {"system": ODS, "value": "RDV"}, "display": "Quarryhill Hospital"}
    yield "hospital", [
        patient("p1", **NORA),
        item("Organization", "org", name="Quarryhill Hospital", identifier=[{"system": ODS, "value": "RDV"}]),
        item("Practitioner", "dr", name=[{"family": "Quarryhill"}]),
        condition("c9", recorder={"reference": "Practitioner/dr", "display": "Dr Quarryhill"}),
        condition("c8", asserter={"display": "Quarryhill"}, identifier=[{"system": "https://quarryhill.example", "value": "1"}]),
        observation("o8", performer=[hospital, {"reference": "Organization/org"}]),
        observation("o9", code={"coding": [{"system": "https://quarryhill.example/codes", "code": "x", "display": "Grip"}]}),
        item("Flag", "f8", status="active", code={"text": "Falls"}, author=hospital, **ME),
        item("ServiceRequest", "s8", status="active", intent="order", code={"text": "Therapy", "coding": [{"system": "https://quarryhill.example/codes", "code": "y"}]}, requester=hospital, performer=[hospital], **ME),
        item("Task", "t8", status="in-progress", intent="order", code={"text": "Discharge"}, owner=hospital, requester=hospital, focus={"reference": "ServiceRequest/s8"}, **{"for": ME["subject"]}),
        item("CareTeam", "ct8", status="active", name="Discharge team", participant=[{"member": hospital}], **ME),
        objection("no8", actor=[{"role": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}]}, "reference": {"identifier": {"system": ODS, "value": "902"}}}]),
    ]  # fmt: skip
    yield "gp", [
        item("Patient", "p1", RECORD, **(NORA | {"identifier": [*NORA["identifier"], {"system": "https://emisweb/P81001", "value": "7"}]})),
        item("AllergyIntolerance", "none", RECORD, patient=ME["subject"], code={"coding": [{"system": "http://snomed.info/sct", "code": "716186003"}]}),
    ]  # fmt: skip


@pytest.fixture
def person(engine: Engine, renamed: Place) -> PersonKey:
    with engine.begin() as conn:
        sync.sync(conn, renamed)
        found = nora(conn, renamed, NOW)
        for source, items in held():
            take(conn, renamed, items, NOW, source)
        # Somebody who may be her: whether it is one person is a question for the lead.
        like = identified("9990000018", "Hart", "Nora", "1951-01-01")
        take(conn, renamed, [item("Patient", "p9", "P81001/p9", **like)], NOW, "gp")
    return found


@pytest.fixture
def app(engine: Engine, renamed: Place, person: PersonKey) -> Flask:
    return site(engine, renamed)


@pytest.fixture
def restricted(engine: Engine, renamed: Place, person: PersonKey) -> PersonKey:
    with engine.begin() as conn:
        take(conn, renamed, [patient("p1", **NORA, meta=RESTRICTED)], NOW, "pds")
        stand(conn, renamed, NOW, ())
    return person


@pytest.fixture
def kept_away(engine: Engine, renamed: Place, person: PersonKey) -> PersonKey:
    """A court keeps Sam Okafor away from her."""
    own = "https://carelink.example/CodeSystem/"
    who = {"identifier": {"system": "https://northdale.example/worker", "value": "W001"}}
    role = [{"coding": [{"system": f"{own}enquiry-role", "code": "kept-away"}]}]
    order = [{"coding": [{"system": f"{own}care-team", "code": "court-order"}]}]
    with engine.begin() as conn:
        team = item(
            "CareTeam", "ct", status="active", category=order, participant=[{"role": role, "member": who}], **ME
        )
        take(conn, renamed, [team], NOW, "council-a")
    return person


def pages(browser: FlaskClient, person: PersonKey) -> dict[str, str]:
    """Every page on which somebody like Sam Okafor reads of her."""
    posted = form(browser) | {"family": "Hart", "born-day": "6", "born-month": "5", "born-year": "1944"}
    asked = ("", "/consents", "/who-decides", "?category=problems", "?source=gp", "?source=hospital")
    found = {path: browser.get(f"/people/{person}{path}") for path in asked}
    found |= {"caseload": browser.get("/caseload"), "find": browser.post("/people/find", data=posted)}
    found["timeline"] = browser.get(f"/people/{person}", headers={"HX-Request": "true"})
    assert {path: answer.status_code for path, answer in found.items()} == dict.fromkeys(found, 200)
    return {path: answer.text for path, answer in found.items()}


def telling(answer: str) -> list[str]:
    return [word for word in TELLING if word in answer]


def test_whoever_may_know_where_she_is_reads_the_names(engine: Engine, renamed: Place, restricted: PersonKey) -> None:
    """Or else the tests below would look for what is never there."""
    may = replace(renamed.roles["social-worker"], may=frozenset({"see-restricted"}))
    app = site(engine, replace(renamed, roles={**renamed.roles, "social-worker": may}))
    told = "".join(pages(signed_in(app, SAM, NOW), restricted).values())
    assert {"Quarryhill", "Willowbank"} <= set(telling(told))


def test_no_page_names_the_practice_or_the_hospital_of_a_restricted_person(app: Flask, restricted: PersonKey) -> None:
    told = pages(signed_in(app, SAM, NOW), restricted)
    assert {path: telling(answer) for path, answer in told.items()} == {key_0: [] for key_0 in told}


def test_nor_to_whom_a_court_keeps_away_from_her(app: Flask, kept_away: PersonKey) -> None:
    told = pages(signed_in(app, SAM, NOW), kept_away)
    assert {path: telling(answer) for path, answer in told.items()} == {key_0: [] for key_0 in told}


def test_to_whom_no_court_keeps_away_they_are_named(app: Flask, person: PersonKey) -> None:
    told = "".join(pages(signed_in(app, SAM, NOW), person).values())
    assert {"Quarryhill", "Willowbank"} <= set(telling(told))


def test_the_kind_of_organisation_is_told_in_their_place(app: Flask, restricted: PersonKey) -> None:
    told = read(signed_in(app, SAM, NOW).get(f"/people/{restricted}").text)
    [medicine] = [row for row in told.all("tr") if "Ramipril" in row.text]
    assert "A GP practice" in medicine.text
    sources = told.one("section", aria_labelledby="sources-heading")
    assert "A GP practice" in sources.text
    assert "An NHS trust" in sources.text
    assert "Northdale Council" in sources.text
    assert "No known allergies" not in told.text or "A GP practice" in told.text
    assert not told.all("select", id="source"), "by one source after the other it could be found out"


def test_whose_items_they_are_is_not_found_out_by_asking_for_one_source_after_the_other(
    app: Flask, restricted: PersonKey
) -> None:
    browser = signed_in(app, SAM, NOW)
    asked = {name: browser.get(f"/people/{restricted}?source={name}", headers={"HX-Request": "true"}) for name in ("gp", "hospital", "council-b")}  # fmt: skip
    assert len({answer.text for answer in asked.values()}) == 1


def client(engine: Engine, place: Place, app: Flask, organisation: str, role: str, name: str = "asks") -> FlaskClient:
    browser = app.test_client()
    with engine.begin() as conn:
        involve(conn, person_of(conn, patient("p1")), organisation)
    secret = registered(engine, place, name, organisation, role, "system/*.rs")
    browser.environ_base["HTTP_AUTHORIZATION"] = bearer(token(browser, name, secret))["Authorization"]
    return browser


def test_no_resource_that_is_sent_names_them(app: Flask, engine: Engine, renamed: Place, restricted: PersonKey) -> None:
    asks = client(engine, renamed, app, "901", "social-worker")
    whole = asks.get(f"/fhir/R4/Patient/{restricted}/$everything")
    assert whole.status_code == 200
    assert telling(whole.text) == []
    sent = json.loads(whole.text)["entry"]
    assert len(sent) > 10
    for one in (each["resource"] for each in sent if each["resource"]["resourceType"] == "Patient"):
        assert telling(asks.get(f"/fhir/R4/Patient/{one['id']}").text) == []
        assert {each["system"] for each in one.get("identifier", ())} <= {NHS}
    found = asks.get(f"/fhir/R4/Patient?identifier={NHS}|9990000018")
    assert json.loads(found.text)["total"] == 1
    assert telling(found.text) == []


def test_a_resource_that_is_sent_without_them_is_the_same_otherwise(
    app: Flask, engine: Engine, renamed: Place, restricted: PersonKey
) -> None:
    asks = client(engine, renamed, app, "901", "social-worker")
    sent = {one["resource"].get("id"): one["resource"] for one in json.loads(asks.get(f"/fhir/R4/Patient/{restricted}/$everything").text)["entry"]}  # fmt: skip
    kept = sent[str(key(condition("c9")))]
    with engine.connect() as conn:
        stored = json.loads(
            conn.execute(select(resource.c.body).where(resource.c.key == key(condition("c9")))).scalar_one()
        )
    masked = kept.pop("recorder")
    assert masked["extension"][0]["valueCode"] == "masked"
    assert "recorder" in stored
    assert stored.pop("recorder")
    assert stored["meta"].pop("source") == "urn:carelink:source:hospital"
    assert kept == stored


def test_nobody_finds_out_by_a_number_of_theirs(
    app: Flask, engine: Engine, renamed: Place, restricted: PersonKey
) -> None:
    asks = client(engine, renamed, app, "901", "social-worker")
    for value in ("https://emisweb/P81001|7", "https://emisweb/P81001|", "7"):
        assert json.loads(asks.get(f"/fhir/R4/Patient?identifier={value}").text)["total"] == 0


# What is taken out of what is sent, and what of the same resource stays; each is asked of the person, of whom both are true.
ASKED = [
    ("ServiceRequest", "code=https://quarryhill.example/codes|y", "code=y"),
    ("ServiceRequest", "code=https://quarryhill.example/codes|", "code:text=therapy"),
    ("ServiceRequest", f"performer:identifier={ODS}|RDV", "status=active"),
    ("ServiceRequest", "performer:missing=false", "status=active"),
    ("Condition", "identifier=1", "code:missing=false"),
    ("Condition", "identifier:missing=false", "code:missing=false"),
    ("Flag", f"author:identifier={ODS}|RDV", "patient:missing=false"),
    ("Task", f"owner:identifier={ODS}|RDV", "focus:missing=false"),
    ("CareTeam", f"participant:identifier={ODS}|RDV", "status=active"),
    ("ServiceRequest", "_source=urn:carelink:source:hospital", "_lastUpdated=gt2020"),
]


@pytest.mark.parametrize(("type_", "telling_", "other"), ASKED)
def test_nobody_finds_out_by_what_is_taken_out(
    app: Flask, engine: Engine, renamed: Place, restricted: PersonKey, type_: str, telling_: str, other: str
) -> None:
    asks = client(engine, renamed, app, "901", "social-worker")
    assert number(asks, type_, restricted, telling_) == 0
    assert number(asks, type_, restricted, other) > 0
    may_know = client(engine, renamed, app, "P81001", "gp", "surgery")
    assert number(may_know, type_, restricted, telling_) > 0


def number(asks: FlaskClient, type_: str, whose: PersonKey, question: str) -> int:
    answer = asks.get(f"/fhir/R4/{type_}?patient={whose}&{question}")
    assert answer.status_code == 200, answer.text
    return int(json.loads(answer.text)["total"])


def test_a_worker_of_the_hospital_reads_the_hospitals_own_name(app: Flask, restricted: PersonKey) -> None:
    told = signed_in(app, "nadia.rahman", NOW).get(f"/people/{restricted}").text
    assert set(telling(told)) <= {"Quarryhill", "RDV"}
    assert "Quarryhill" in told
    assert "A GP practice" in told


def test_the_lead_reads_them_in_no_explanation_and_no_question_of_identity(
    app: Flask, engine: Engine, renamed: Place, restricted: PersonKey
) -> None:
    iris = signed_in(app, IRIS, NOW)
    hidden = {
        "csrf_token": read(iris.get("/view-as").text).one("main").one("input", name="csrf_token").attributes["value"]
    }
    began = iris.post("/view-as", data=hidden | {"worker": SAM, "person": str(restricted)})
    assert began.status_code == 303
    for path in (f"/view-as/people/{restricted}", "/links"):
        answer = iris.get(path)
        assert answer.status_code == 200, path
        assert telling(answer.text) == [], path


def test_nor_in_what_was_explained_of_a_day_that_is_over(
    engine: Engine, renamed: Place, app: Flask, restricted: PersonKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine.begin() as conn:
        policies.note(conn, renamed, NOW - timedelta(days=9), "operator:ada")
    later = NOW + timedelta(days=2)
    monkeypatch.setenv("CARELINK_NOW", later.isoformat())
    iris = signed_in(app, IRIS, later)
    token = read(iris.get("/as-it-was").text).one("main").one("input", name="csrf_token").attributes["value"]
    asked = {
        "csrf_token": token,
        "worker": SAM,
        "person": str(restricted),
        "day": f"{NOW + timedelta(days=1):%Y-%m-%d}",
    }
    answer = iris.post("/as-it-was", data=asked)
    assert answer.status_code == 200
    assert "A GP practice" in answer.text
    assert telling(read(answer.text).one("main").text) == []


@pytest.mark.parametrize("user", [SAM, "nadia.rahman", TOM])
def test_a_terminal_names_them_in_no_explanation(
    engine: Engine, renamed: Place, restricted: PersonKey, user: str
) -> None:
    shop = Shop(engine, renamed, settings.Settings(place=renamed.folder))
    lines = commands.explain(shop, user, str(restricted), "")
    mine = renamed.staff[user].organisation
    assert [word for line in lines[1:] for word in telling(line) if word != mine] == []
    assert any("of A GP practice" in line for line in lines)
