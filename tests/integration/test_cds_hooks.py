"""CDS Hooks 2.0: a patient record that opens a chart is told what it may know of social care, and nothing of anybody else."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from fhir_builders import ANN_NUMBER, BOB_NUMBER, LONG_AGO, api, people, statements, trail
from flask import Flask
from flask.testing import FlaskClient
from ingest_builders import NHS, item, patient, take
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from carelink.cases import patient_view
from carelink.db.tables import directive, used_jti
from carelink.ids import ODS, Ods, PersonKey
from carelink.place import Place
from fhir_adapters.simulators.ehr import ISSUER, KEY, SERVICE, chart_opened, token

SERVICE_URL = f"http://localhost{SERVICE}"
WORKER = "https://northdale.example/worker"
CONCERN = {"coding": [{"system": "https://carelink.example/CodeSystem/alert", "code": "safeguarding"}]}


@pytest.fixture(autouse=True)
def frozen(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARELINK_NOW", now.isoformat())


@pytest.fixture
def known(engine: Engine, place: Place, now: datetime) -> dict[str, PersonKey]:
    """Ann is on a ward, and the council cares for her. It cares for Bob, too, to whom the hospital is a stranger."""
    found = people(engine, place)
    with engine.begin() as conn:
        for name, number in (("ann", ANN_NUMBER), ("bob", BOB_NUMBER)):
            take(conn, place, _of_council(name, number), now, "council-a")
    return found


def _of_council(name: str, number: str) -> list[Any]:
    whose = {"subject": {"reference": f"Patient/{name}"}}
    number_to_ring = [{"system": "phone", "value": "01632 960 101"}]
    member = {"role": [{"text": "Social worker"}], "member": {"reference": f"Practitioner/w-{name}"}}
    council = {"identifier": {"system": ODS, "value": "901"}}
    care = {"type": [{"text": "Home care [daily]"}], "patient": whose["subject"], "managingOrganization": council}
    return [
        item("Practitioner", f"w-{name}", name=[{"text": "Sam Okafor"}], telecom=number_to_ring),
        patient(name, identifier=[{"system": NHS, "value": number}]),
        item("CareTeam", f"t-{name}", status="active", name="Adults North team", participant=[member], **whose),
        item("EpisodeOfCare", f"e-{name}", status="active", **care),
        item("Flag", f"f-{name}", status="active", code={"text": "Key safe <b>by the door</b>"}, **whose),
    ]


@pytest.fixture
def app(engine: Engine, place: Place, known: dict[str, PersonKey]) -> Flask:
    return api(engine, place)


@pytest.fixture
def ask(app: Flask, now: datetime) -> Callable[..., TestResponse]:
    browser: FlaskClient = app.test_client()

    def asked(sent: Any, path: str = SERVICE, **claims: Any) -> TestResponse:
        signed = token(SERVICE_URL, now.timestamp(), **claims)
        return browser.post(path, json=sent, headers={"Authorization": f"Bearer {signed}"})

    return asked


def concern(conn: Any, place: Place, now: datetime) -> None:
    flag = item("Flag", "s1", status="active", code=CONCERN, subject={"reference": "Patient/ann"})
    take(conn, place, [flag], now, "council-a")


# What is said ---------------------------------------------------------------------------------------


def test_the_service_is_discovered_without_a_token(app: Flask) -> None:
    answer = app.test_client().get("/cds-services")
    [service] = answer.get_json()["services"]
    assert (answer.status_code, service["hook"], service["id"]) == (200, "patient-view", "carelink-patient-view")
    assert service["prefetch"] == {"patient": "Patient/{{context.patientId}}"}


def test_a_card_says_by_whom_a_patient_is_known_who_is_allocated_and_leads_into_the_record(
    ask: Callable[..., TestResponse], known: dict[str, PersonKey]
) -> None:
    answer = ask(chart_opened(ANN_NUMBER))
    assert answer.status_code == 200, answer.text
    [card] = answer.get_json()["cards"]
    assert (card["summary"], card["indicator"]) == ("Known to adult social care: Northdale Council", "warning")
    assert "Allocated worker: Sam Okafor, Social worker, Adults North team, 01632 960 101" in card["detail"]
    assert r"Alert: Key safe \<b\>by the door\</b\>" in card["detail"]
    assert r"Care now: Home care \[daily\]" in card["detail"]
    assert "There may be more" in card["detail"], "sources that were not asked yet are told"
    assert [(one["type"], one["url"]) for one in card["links"]] == [
        ("smart", "http://localhost/launch"),
        ("absolute", f"http://localhost/people/{known['ann']}"),
    ]
    assert card["source"]["label"] == "CareLink"


def test_safeguarding_is_said_to_nobody_with_whom_it_is_not_shared(
    ask: Callable[..., TestResponse], engine: Engine, place: Place, now: datetime
) -> None:
    before = ask(chart_opened(ANN_NUMBER)).data
    with engine.begin() as conn:
        concern(conn, place, now)
    assert ask(chart_opened(ANN_NUMBER)).data == before


def test_where_it_is_shared_an_open_concern_is_said_first(
    engine: Engine, place: Place, now: datetime, known: dict[str, PersonKey]
) -> None:
    [shares] = [one for one in place.agreements if one.id == "A4-social-care-to-health"]
    wide = {"categories": shares.categories | {"safeguarding"}, "sensitivities": frozenset({"SAFEGUARDING"})}
    open_ = replace(place, agreements=(*place.agreements, replace(shares, id="A99", **wide)))
    with engine.begin() as conn:
        concern(conn, open_, now)
    headers = {"Authorization": f"Bearer {token(SERVICE_URL, now.timestamp())}"}
    answer = api(engine, open_).test_client().post(SERVICE, json=chart_opened(ANN_NUMBER), headers=headers)
    [card] = answer.get_json()["cards"]
    assert card["detail"].startswith("- **Safeguarding: a concern or enquiry is open**")


def test_a_person_who_is_not_here_and_one_who_may_not_be_known_are_answered_and_asked_alike(
    ask: Callable[..., TestResponse], engine: Engine
) -> None:
    answers, asked = [], []
    for number in (BOB_NUMBER, "9990000042"):
        with statements(engine) as said:
            answers.append(ask(chart_opened(number)))
        asked.append(list(said))
    assert [(one.status_code, one.data) for one in answers] == [(200, b'{"cards":[]}')] * 2
    assert asked[0] == asked[1]


def test_a_patient_of_whom_social_care_knows_nothing_has_no_card(
    ask: Callable[..., TestResponse], engine: Engine, place: Place, now: datetime
) -> None:
    with engine.begin() as conn:
        take(conn, place, [patient("cy", identifier=[{"system": NHS, "value": "9990000034"}])], now)
    for number in ("9990000034", "9990000019", ""):  # the second is no NHS number at all
        assert ask(chart_opened(number)).get_json() == {"cards": []}


def test_who_objects_has_no_card(ask: Callable[..., TestResponse], engine: Engine, known: dict[str, PersonKey]) -> None:
    row = {"person": known["ann"], "consent": uuid4(), "rule": "L6-consent-deny", "effect": "deny"}
    with engine.begin() as conn:
        conn.execute(directive.insert().values(**row, made=LONG_AGO, starts=LONG_AGO))
    assert ask(chart_opened(ANN_NUMBER)).get_json() == {"cards": []}


def test_a_call_is_a_look_of_that_system_at_that_person(
    ask: Callable[..., TestResponse], engine: Engine, known: dict[str, PersonKey]
) -> None:
    ask(chart_opened(ANN_NUMBER))
    looks = [one for one in trail(engine) if one.query == "patient-view"]
    assert [(one.user, one.organisation, one.role, one.person) for one in looks] == [
        (f"client:{ISSUER}", "RDV", "nurse", known["ann"])
    ]
    assert ANN_NUMBER not in str(trail(engine))


def test_a_user_whom_the_pack_knows_asks_as_themselves(
    engine: Engine, place: Place, now: datetime, known: dict[str, PersonKey]
) -> None:
    [client] = place.cds_clients
    of_council = replace(client, organisation=Ods("901"), worker_system=WORKER, role="social-worker")
    mapped = api(engine, replace(place, cds_clients=(of_council,)))
    headers = {"Authorization": f"Bearer {token(SERVICE_URL, now.timestamp())}"}
    sent = chart_opened(ANN_NUMBER, context={"userId": "Practitioner/W001", "patientId": "p-1"})
    assert mapped.test_client().post(SERVICE, json=sent, headers=headers).status_code == 200
    assert {one.user for one in trail(engine) if one.action in ("read", "search")} == {"sam.okafor"}


def test_of_a_restricted_person_a_card_does_not_tell_which_council(
    ask: Callable[..., TestResponse], engine: Engine, place: Place, now: datetime
) -> None:
    restricted = {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}
    with engine.begin() as conn:
        take(conn, place, [patient("ann", identifier=[{"system": NHS, "value": ANN_NUMBER}], meta=restricted)], now)
    text = json.dumps(ask(chart_opened(ANN_NUMBER)).get_json())
    assert "A council" in text
    assert "Northdale" not in text


def test_a_card_takes_few_statements(ask: Callable[..., TestResponse], engine: Engine) -> None:
    ask(chart_opened(ANN_NUMBER))
    with statements(engine) as said:
        ask(chart_opened(ANN_NUMBER))
    assert (said.count("select") + said.count("with"), said.count("insert"), said.count("delete")) == (5, 3, 1)


def test_words_of_sources_are_no_markup() -> None:
    assert patient_view.plain("[x](javascript:alert(1)) *b*\n# h") == r"\[x\]\(javascript:alert\(1\)\) \*b\* \# h"


# Who may call ---------------------------------------------------------------------------------------


def signed_by(key: Any, algorithm: str, now: datetime, kid: str = str(KEY["kid"]), **header: Any) -> str:
    at = int(now.timestamp())
    claims = {"iss": ISSUER, "aud": SERVICE_URL, "iat": at, "exp": at + 60, "jti": str(uuid4())}
    return jwt.encode({"alg": algorithm, "kid": kid, **header}, claims, key, algorithms=[algorithm])


def by_secret(secret: bytes, now: datetime) -> str:
    """Signed with a public key as if that were a secret: joserfc itself makes no such token."""
    first, second, _ = signed_by(ECKey.import_key(KEY), "ES384", now).split(".")
    header = {"alg": "HS256", "kid": KEY["kid"]}
    first = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    made = hmac.digest(secret, f"{first}.{second}".encode(), "sha256")
    return f"{first}.{second}.{base64.urlsafe_b64encode(made).decode().rstrip('=')}"


CLAIMS: list[dict[str, Any]] = [
    {"iss": "https://elsewhere.example"},
    {"iss": None},
    {"iss": 7},
    {"aud": "http://localhost/cds-services/another"},
    {"aud": None},
    {"exp": 0},
    {"exp": None},
    {"exp": True},
    {"exp": "tomorrow"},
    {"exp": 9_999_999_999},
    {"iat": None},
    {"iat": 9_999_999_999},
    {"jti": None},
    {"jti": ""},
    {"jti": "x" * 300},
]


@pytest.mark.parametrize("claims", CLAIMS, ids=lambda claims: str(claims)[:60])
def test_a_token_with_another_claim_is_not_trusted(ask: Callable[..., TestResponse], claims: dict[str, Any]) -> None:
    answer = ask(chart_opened(ANN_NUMBER), **claims)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="CareLink"')
    assert "cards" not in answer.get_json()


def test_a_token_is_good_once(ask: Callable[..., TestResponse], engine: Engine) -> None:
    assert ask(chart_opened(ANN_NUMBER), jti="one").status_code == 200
    assert ask(chart_opened(ANN_NUMBER), jti="one").status_code == 401
    with engine.connect() as conn:
        assert len(conn.execute(used_jti.select()).all()) == 1


def test_only_its_own_key_and_algorithm_will_do(app: Flask, now: datetime) -> None:
    own, other = ECKey.import_key(KEY), ECKey.generate_key("P-384")
    wrong = {
        "another key": signed_by(other, "ES384", now),
        "a key that the token says where to find": signed_by(other, "ES384", now, jku="https://elsewhere.example/keys"),
        "a key of another kind": signed_by(RSAKey.generate_key(2048), "RS384", now),
        "the public key as a secret": by_secret(own.as_pem(private=False), now),
        "another name of the key": signed_by(own, "ES384", now, kid="another"),
        "no signature": "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2Vwci5kYWxldmFsbGV5LmV4YW1wbGUifQ.",
        "no token": "a.b.c",
        "no parts": "a.b",
        "nothing": "",
        "not ASCII": "\xe9.\xe9.\xe9",
    }
    for what, one in wrong.items():
        headers = {"Authorization": f"Bearer {one}"}
        answer = app.test_client().post(SERVICE, json=chart_opened(ANN_NUMBER), headers=headers)
        assert answer.status_code == 401, what
    assert app.test_client().post(SERVICE, json=chart_opened(ANN_NUMBER)).status_code == 401


# What is sent wrongly -------------------------------------------------------------------------------


def prefetched(**patient_: Any) -> dict[str, Any]:
    return {"prefetch": {"patient": {"resourceType": "Patient", "id": "p-1", **patient_}}}


BAD: list[tuple[dict[str, Any], int, str]] = [
    ({"hook": "order-sign"}, 400, "hook"),
    ({"hook": None}, 400, "hook"),
    ({"hookInstance": 7}, 400, "hookInstance"),
    ({"context": []}, 400, "context"),
    ({"context": {"patientId": "p"}}, 400, "context.userId"),
    ({"context": {"userId": "Practitioner/1"}}, 400, "context.patientId"),
    ({"prefetch": None}, 412, "prefetch.patient"),
    ({"prefetch": {}}, 412, "prefetch.patient"),
    ({"prefetch": {"patient": None}}, 412, "prefetch.patient"),
    ({"prefetch": {"patient": {"resourceType": "OperationOutcome"}}}, 412, "prefetch.patient"),
    (prefetched(identifier={"value": "x"}), 400, "prefetch.patient.identifier"),
    (prefetched(identifier=["x"]), 400, "prefetch.patient.identifier"),
    (prefetched(id="p-2"), 400, "prefetch.patient.id"),
    (prefetched(id=None), 400, "prefetch.patient.id"),
]


@pytest.mark.parametrize(("changed", "status", "words"), BAD, ids=[f"{one[2]} {n}" for n, one in enumerate(BAD)])
def test_what_is_sent_wrongly_is_said_so(
    ask: Callable[..., TestResponse], changed: dict[str, Any], status: int, words: str
) -> None:
    answer = ask(chart_opened(ANN_NUMBER, **changed))
    assert (answer.status_code, answer.get_json()["error"].split(":")[0]) == (status, words)


NO_JSON = [b"", b"{", b"[]", b'{"a":1,"a":2}', b"\xff", b"[" * 20_000, b'{"hook":1e400}']


@pytest.mark.parametrize("body", NO_JSON, ids=lambda body: repr(body[:20]))
def test_what_is_no_json_is_said_so(app: Flask, now: datetime, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {token(SERVICE_URL, now.timestamp())}", "Content-Type": "application/json"}
    assert app.test_client().post(SERVICE, data=body, headers=headers).status_code == 400


def test_other_ways_and_other_addresses_are_refused_as_json(app: Flask) -> None:
    browser = app.test_client()
    assert (browser.get(SERVICE).status_code, browser.get(SERVICE).get_json()) == (405, {"error": "Method Not Allowed"})
    assert browser.post("/cds-services/another").status_code == 404


# Feedback, and pages that call ----------------------------------------------------------------------


def test_feedback_is_counted_in_the_audit_and_nothing_else_of_it_is_kept(
    ask: Callable[..., TestResponse], engine: Engine
) -> None:
    told = {"card": "y", "outcome": "overridden", "overrideReason": {"userComment": "Ann told me"}}
    answer = ask({"feedback": [{"card": "x", "outcome": "accepted"}, told]}, f"{SERVICE}/feedback")
    assert (answer.status_code, answer.get_json()) == (200, {})
    [row] = [one for one in trail(engine) if one.action == "cds-feedback"]
    assert (row.count, row.detail) == (2, {"accepted": 1, "overridden": 1})
    assert ask({"feedback": [{"outcome": "liked"}]}, f"{SERVICE}/feedback").status_code == 400
    assert ask({"feedback": "all"}, f"{SERVICE}/feedback").status_code == 400


def test_pages_of_the_list_of_the_place_may_call_from_a_browser_and_no_others(app: Flask) -> None:
    browser, allows = app.test_client(), "Access-Control-Allow-Origin"
    for path, method in (("/cds-services", "GET"), (SERVICE, "OPTIONS"), (SERVICE, "POST")):
        ours = browser.open(path, method=method, headers={"Origin": ISSUER})
        other = browser.open(path, method=method, headers={"Origin": "https://elsewhere.example"})
        assert (ours.headers.get(allows), other.headers.get(allows)) == (ISSUER, None)
        assert "Access-Control-Allow-Credentials" not in ours.headers
