"""AuditEvents over the FHIR API: who reads the audit finds every look; to everybody else there is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir_builders import ANN_NUMBER, BASE, api, bearer, entries, link, people, read, registered, token, trail, wrong
from flask import Flask
from flask.testing import FlaskClient
from ingest_builders import NHS
from sqlalchemy import Engine

from carelink import clock
from carelink.audit.trail import Event, append
from carelink.ids import PersonKey
from carelink.place import Place

NOBODY = "44ef3f33-a6c1-4ad5-aa35-5da3f9501898"  # fixed: a test's name must be the same in every process
AUDIT = "/fhir/R4/AuditEvent"
Opens = Callable[..., FlaskClient]


@pytest.fixture
def who(engine: Engine, place: Place) -> dict[str, PersonKey]:
    return people(engine, place)


@pytest.fixture
def app(engine: Engine, place: Place, who: dict[str, PersonKey]) -> Flask:
    return api(engine, place)


@pytest.fixture
def opens(app: Flask, engine: Engine, place: Place) -> Opens:
    """A system of that role, with its token."""

    def client(id_: str, organisation: str, role: str, scopes: str = "system/*.rs") -> FlaskClient:
        browser = app.test_client()
        secret = registered(engine, place, id_, organisation, role, scopes)
        given = token(browser, id_, secret, scope=scopes)
        browser.environ_base["HTTP_AUTHORIZATION"] = bearer(given)["Authorization"]
        return browser

    return client


@pytest.fixture
def ward(opens: Opens) -> FlaskClient:
    """A system of the hospital, which is involved with Ann."""
    return opens("ward", "RDV", "nurse")


@pytest.fixture
def lead(opens: Opens) -> FlaskClient:
    """A system of the information governance lead."""
    return opens("audit-tool", "QDM", "ig-lead", "system/AuditEvent.rs")


def found(client: FlaskClient, query: str) -> list[dict[str, Any]]:
    answer = client.get(f"{AUDIT}?{query}")
    assert answer.status_code == 200, answer.text
    Bundle.model_validate_json(answer.data)
    return entries(read(answer))


def test_every_look_at_a_person_is_found_with_who_looked_and_why(
    ward: FlaskClient, lead: FlaskClient, who: dict[str, PersonKey]
) -> None:
    ward.get(f"/fhir/R4/Patient/{who['ann']}")
    ward.get(f"/fhir/R4/Patient?identifier={ANN_NUMBER}")
    events = found(lead, f"patient=Patient/{who['ann']}&agent=client:ward")
    assert {one["subtype"][0]["code"] for one in events} == {"read", "search"}
    assert {one["agent"][0]["purposeOfUse"][0]["coding"][0]["code"] for one in events} == {"TREAT"}
    rules = {detail["valueString"] for one in events for detail in one["entity"][0]["detail"]}
    assert "encounter" in rules, "by which relationship"
    read_ = next(one for one in events if one["action"] == "R")
    things = [one["what"]["reference"] for one in read_["entity"] if one.get("role", {}).get("code") == "4"]
    assert things == [f"Patient/{who['ann']}"]


def test_whoever_was_one_of_several_in_a_list_is_found_too(
    ward: FlaskClient, lead: FlaskClient, engine: Engine, who: dict[str, PersonKey]
) -> None:
    listed = Event(
        "search", user="sam.okafor", query="my caseload", detail={"persons": [str(one) for one in who.values()]}
    )
    with engine.begin() as conn:
        append(conn, listed, clock.now())
    for key in who.values():
        assert [
            one["agent"][0]["who"]["identifier"]["value"] for one in found(lead, f"patient={key}&agent=sam.okafor")
        ] == ["sam.okafor"]


def test_a_search_narrows_by_date_action_type_outcome_and_resource(
    ward: FlaskClient, lead: FlaskClient, who: dict[str, PersonKey]
) -> None:
    ward.get(f"/fhir/R4/Patient/{who['ann']}")
    ward.get(f"/fhir/R4/Patient/{who['bob']}")  # refused: the hospital is not involved with him
    mine = f"agent={quote('https://carelink.example/user|client:ward')}"
    assert [one["subtype"][-1]["code"] for one in found(lead, f"{mine}&action=R")] == ["read"]
    assert [one["outcome"] for one in found(lead, f"{mine}&outcome=4")] == ["4"]
    assert [one["subtype"][-1]["code"] for one in found(lead, f"{mine}&type=110114")] == ["sign-in"]
    assert [one["subtype"][-1]["code"] for one in found(lead, f"{mine}&subtype=refusal")] == ["refusal"]
    assert len(found(lead, f"patient={who['ann']}&entity=Patient/{who['ann']}&{mine}")) == 1
    assert found(lead, f"patient={who['ann']}&entity=Condition/{uuid4()}") == []
    today = clock.now().date().isoformat()
    assert found(lead, f"{mine}&date=lt{today}") == []
    assert len(found(lead, f"{mine}&date=ge{today}")) == 3


def test_pages_follow_one_another_without_loss_or_repetition(
    ward: FlaskClient, lead: FlaskClient, who: dict[str, PersonKey]
) -> None:
    for _ in range(5):
        ward.get(f"/fhir/R4/Patient/{who['ann']}")
    asked, seen = f"{AUDIT}?patient={who['ann']}&agent=client:ward&_count=2", []
    while asked:
        bundle = read(lead.get(asked))
        seen += [one["id"] for one in entries(bundle)]
        asked = link(bundle, "next")
    assert len(seen) == len(set(seen)) == 5
    assert seen == sorted(seen, key=int, reverse=True)


def test_one_event_is_read_by_its_id(ward: FlaskClient, lead: FlaskClient, who: dict[str, PersonKey]) -> None:
    ward.get(f"/fhir/R4/Patient/{who['ann']}")
    event = found(lead, f"patient={who['ann']}&agent=client:ward")[0]
    answer = lead.get(f"{AUDIT}/{event['id']}")
    assert read(answer) == event
    assert event["agent"][-1]["network"]["address"] == BASE


def test_reading_the_audit_is_in_the_audit(lead: FlaskClient, engine: Engine, who: dict[str, PersonKey]) -> None:
    found(lead, f"patient={who['ann']}&date=ge2026-01-01")
    row = trail(engine)[-1]
    assert (row.action, row.user, row.person) == ("audit", "client:audit-tool", who["ann"])
    assert (row.query, row.rules) == ("AuditEvent?patient&date", ["read-audit"])
    again = found(lead, f"patient={who['ann']}&agent=client:audit-tool")
    assert again[0]["type"]["code"] == "110101"


def test_to_a_role_that_does_not_read_the_audit_there_is_none(
    ward: FlaskClient, lead: FlaskClient, who: dict[str, PersonKey]
) -> None:
    ward.get(f"/fhir/R4/Patient/{who['ann']}")
    event = found(lead, f"patient={who['ann']}&agent=client:ward")[0]
    bundle = read(ward.get(f"{AUDIT}?patient={who['ann']}"))
    assert (bundle["total"], "entry" in bundle) == (0, False)
    of_nobody = read(ward.get(f"{AUDIT}?patient={uuid4()}"))
    assert of_nobody.keys() == bundle.keys()
    wrong(ward.get(f"{AUDIT}/{event['id']}"), 404, "not-found")
    assert ward.get(f"{AUDIT}/{event['id']}").data == ward.get(f"{AUDIT}/999999999").data


def test_a_token_without_the_scope_is_refused(opens: Opens) -> None:
    client = opens("ward-lists", "QDM", "ig-lead", "system/Patient.rs")
    wrong(client.get(f"{AUDIT}?date=ge2026-01-01"), 403, "forbidden")
    wrong(client.application.test_client().get(f"{AUDIT}?date=ge2026-01-01"), 401, "login")


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("", "AuditEvent"),
        ("patient=none", "patient"),
        ("date=yesterday", "date"),
        ("source=x", "source"),
        ("agent=a,b", "agent"),
        (f"entity=Condition/{NOBODY}", "entity"),
        (f"entity=Patient/{NOBODY}&patient=84a74a89-b851-43a8-b196-9bc230734dbd", "patient"),
        ("entity=Condition", "entity"),
        ("date=ge2026-01-01&_count=0", "_count"),
    ],
)
def test_what_can_not_be_asked_is_said(lead: FlaskClient, query: str, where: str) -> None:
    assert wrong(lead.get(f"{AUDIT}?{query}"), 400, "invalid")["expression"] == [where]


def test_a_search_in_the_body_puts_nothing_into_an_address(lead: FlaskClient, who: dict[str, PersonKey]) -> None:
    form = {"patient": str(who["ann"]), "agent": "sam.okafor"}
    bundle = read(lead.post(f"{AUDIT}/_search", data=form))
    assert bundle["total"] == 0
    assert "sam.okafor" not in link(bundle, "self")
    assert ANN_NUMBER not in repr(bundle)
    assert NHS not in repr(bundle)
