"""/fhir/R4/Consent: stored as those of the form are, refused where who gave it may not, and in force at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from consent_builders import themselves
from fhir_builders import ANN, BASE, api, entries, involve, people, read, system, trail, wrong
from flask.testing import FlaskClient
from ingest_builders import condition, key, take
from sqlalchemy import Engine, select, update

from carelink import clock
from carelink.cases.consent_form import OBTAINED
from carelink.consent.lens import Lens
from carelink.consent.sensitivity import CODINGS
from carelink.db.tables import directive, resource
from carelink.ids import PersonKey
from carelink.place import Place
from carelink.record import search
from carelink.record.query import Query
from fhir_adapters import exact_json

SCOPES = "system/Consent.rs system/Consent.cu"
Json = dict[str, Any]


@pytest.fixture
def who(engine: Engine, place: Place) -> dict[str, PersonKey]:
    return people(engine, place)


@pytest.fixture
def client(engine: Engine, place: Place, who: dict[str, PersonKey]) -> Callable[..., FlaskClient]:
    app = api(engine, place)

    def asks(id_: str, organisation: str, role: str, scopes: str = SCOPES) -> FlaskClient:
        return system(app, place, id_, organisation, role, scopes)

    return asks


@pytest.fixture
def ward(client: Callable[..., FlaskClient]) -> FlaskClient:
    return client("ward-system", "RDV", "nurse")


def consent(person: PersonKey, **changed: Any) -> Json:
    me = {"reference": f"Patient/{person}"}
    said: Json = {
        "resourceType": "Consent",
        "status": "active",
        "scope": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]
        },
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": me,
        "dateTime": "2026-11-01T10:00:00Z",
        "performer": [me],
        "policyRule": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTOUT"}]},
        "provision": {"type": "deny"},
    }
    return {name: value for name, value in (said | changed).items() if value is not None}


def post(browser: FlaskClient, body: Json | bytes, **headers: str) -> Any:
    sent = body if isinstance(body, bytes) else exact_json.dumps(body)
    return browser.post("/fhir/R4/Consent", data=sent, headers={"Content-Type": "application/fhir+json"} | headers)


def put(browser: FlaskClient, id_: str, body: Json, version: str = 'W/"1"') -> Any:
    headers = {"Content-Type": "application/fhir+json"} | ({"If-Match": version} if version else {})
    return browser.put(f"/fhir/R4/Consent/{id_}", data=exact_json.dumps({"id": id_, **body}), headers=headers)


def created(browser: FlaskClient, body: Json) -> str:
    """Its id."""
    answer = post(browser, body)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"]).removeprefix(f"{BASE}/Consent/").partition("/")[0]


def stored(engine: Engine) -> list[Any]:
    with engine.connect() as conn:
        t = resource.c
        return list(conn.execute(select(t.key, t.version, t.custodian, t.body).where(t.type == "Consent")))


# Create --------------------------------------------------------------------------------------------


def test_a_consent_is_created_with_where_it_is_and_its_version(
    ward: FlaskClient, engine: Engine, who: dict[str, PersonKey]
) -> None:
    answer = post(ward, consent(who["ann"]))
    assert (answer.status_code, answer.data) == (201, b"")
    (one,) = stored(engine)
    assert answer.headers["Location"] == f"{BASE}/Consent/{one.key}/_history/1"
    assert answer.headers["ETag"] == 'W/"1"'
    assert "Last-Modified" in answer.headers
    assert one.custodian == "RDV"
    assert read(ward.get(f"/fhir/R4/Consent/{one.key}")) == exact_json.loads(one.body)


def test_it_says_which_system_sent_it(ward: FlaskClient, engine: Engine, who: dict[str, PersonKey]) -> None:
    claims = {"url": OBTAINED, "extension": [{"url": "how", "valueCode": "face-to-face"}]}
    created(ward, consent(who["ann"], extension=[claims, {"url": "https://x.example/note", "valueString": "x"}]))
    (one,) = stored(engine)
    said = {part["url"]: part for part in exact_json.loads(one.body)["extension"]}
    assert set(said) == {OBTAINED, "https://x.example/note"}
    parts = {part["url"]: part for part in said[OBTAINED]["extension"]}
    assert parts["how"]["valueCode"] == "system"
    assert parts["by"]["valueReference"]["identifier"]["value"] == "client:ward-system"


def test_a_system_can_not_hide_a_consent_from_who_must_keep_it_or_take_it_back(
    ward: FlaskClient, engine: Engine, place: Place, who: dict[str, PersonKey]
) -> None:
    hidden = {"security": [CODINGS["LEGAL"], CODINGS["NOPAT"], CODINGS["SAFEGUARDING"]], "tag": [{"code": "x"}]}
    id_ = created(ward, consent(who["ann"], meta=hidden))
    assert "security" not in read(ward.get(f"/fhir/R4/Consent/{id_}"))["meta"]
    assert put(ward, id_, consent(who["ann"], meta=hidden)).status_code == 200
    with engine.begin() as conn:
        herself = Lens.compile(place, themselves(who["ann"]), clock.now())
        assert search.count(conn, herself, Query(("Consent",), person=who["ann"])) == 1


def test_the_patient_of_a_source_stands_for_the_person(
    ward: FlaskClient, engine: Engine, who: dict[str, PersonKey]
) -> None:
    theirs = {"reference": f"Patient/{key(ANN)}"}
    created(ward, consent(who["ann"], patient=theirs, performer=[theirs]))
    body = exact_json.loads(stored(engine)[0].body)
    assert body["patient"] == body["performer"][0] == {"reference": f"Patient/{who['ann']}"}


def test_it_is_in_force_on_the_next_request(
    client: Callable[..., FlaskClient], ward: FlaskClient, engine: Engine, place: Place, who: dict[str, PersonKey]
) -> None:
    with engine.begin() as conn:
        take(conn, place, [condition("c9", "ann")], clock.now())
    council = client("council", "901", "social-worker", "system/*.rs")
    with engine.begin() as conn:
        involve(conn, who["ann"], "901")
    asked = f"/fhir/R4/Patient/{who['ann']}/$everything"
    before = {one["resourceType"] for one in entries(read(council.get(asked)))}
    assert "Condition" in before
    id_ = created(ward, consent(who["ann"], provision={"type": "deny", "class": [kind("problems")]}))
    assert {one["resourceType"] for one in entries(read(council.get(asked)))} == before - {"Condition"} | {"Consent"}
    assert put(ward, id_, consent(who["ann"], status="inactive")).status_code == 200
    assert "Condition" in {one["resourceType"] for one in entries(read(council.get(asked)))}


def kind(code: str) -> Json:
    return {"system": "https://carelink.example/category", "code": code}


def test_one_that_can_not_be_compiled_is_stored_and_read_strictly(
    ward: FlaskClient, engine: Engine, who: dict[str, PersonKey]
) -> None:
    created(ward, consent(who["ann"], provision={"type": "deny", "class": [kind("rumours")]}))
    with engine.connect() as conn:
        assert list(conn.execute(select(directive.c.rule, directive.c.categories))) == [("L7-objection-unclear", None)]


def test_what_is_created_is_audited_with_the_person(
    ward: FlaskClient, engine: Engine, who: dict[str, PersonKey]
) -> None:
    created(ward, consent(who["ann"]))
    (made,) = [one for one in trail(engine) if one.action == "create"]
    assert (made.user, made.person, made.query) == ("client:ward-system", who["ann"], "Consent")


# Refused -------------------------------------------------------------------------------------------


def test_a_consent_by_one_without_authority_is_refused_with_the_reason(
    ward: FlaskClient, engine: Engine, who: dict[str, PersonKey]
) -> None:
    carer = {"reference": "RelatedPerson/1", "display": "Bea Hart"}
    issue = wrong(post(ward, consent(who["ann"], performer=[carer])), 422, "business-rule")
    assert issue["diagnostics"]
    assert stored(engine) == []
    (kept,) = [one for one in trail(engine) if one.action == "refusal"]
    assert kept.rules[0].startswith("C-")
    assert kept.user == "client:ward-system"


REFUSED = [
    ("no JSON", b"{", 400, "invalid"),
    ("no object", b"[]", 400, "invalid"),
    ("another type", b'{"resourceType": "Flag"}', 400, "invalid"),
    ("no Consent", b'{"resourceType": "Consent", "status": 7}', 400, "invalid"),
]


@pytest.mark.parametrize(("what", "sent", "status", "code"), REFUSED, ids=[what for what, *_ in REFUSED])
def test_what_is_no_consent_is_refused(
    ward: FlaskClient, engine: Engine, what: str, sent: bytes, status: int, code: str
) -> None:
    wrong(post(ward, sent), status, code)
    assert stored(engine) == []


WITHOUT = [
    ("status", None),
    ("patient", None),
    ("patient", {"reference": "Patient/1"}),
    ("patient", {"display": "Ann"}),
    ("performer", "Ann"),
]


@pytest.mark.parametrize(("element", "value"), WITHOUT)
def test_a_consent_that_is_not_whole_is_refused_with_its_place(
    ward: FlaskClient, engine: Engine, who: dict[str, PersonKey], element: str, value: Any
) -> None:
    issue = wrong(post(ward, consent(who["ann"], **{element: value})), 400, "invalid")
    assert issue["expression"][0].startswith(f"Consent.{element}")
    assert stored(engine) == []


@pytest.mark.parametrize("performer", [{"a": None}, {}, [{}], None, {"reference": "Patient/x"}])
def test_what_is_mended_before_it_is_stored_is_asked_about_as_it_is_mended(
    ward: FlaskClient, who: dict[str, PersonKey], performer: Any
) -> None:
    answer = ward.post("/fhir/R4/Consent", json=consent(who["ann"], performer=performer))
    assert answer.status_code in (201, 400, 422), answer.text


def test_a_body_of_another_kind_is_refused(ward: FlaskClient, who: dict[str, PersonKey]) -> None:
    answer = post(ward, consent(who["ann"]), **{"Content-Type": "text/plain"})
    wrong(answer, 415, "not-supported")


def test_of_whom_the_system_is_not_involved_with_nothing_is_stored_or_told(
    ward: FlaskClient, engine: Engine, who: dict[str, PersonKey]
) -> None:
    unknown = wrong(post(ward, consent(PersonKey(uuid4()))), 404, "not-found")
    known = wrong(post(ward, consent(who["bob"])), 404, "not-found")
    assert known == unknown
    assert stored(engine) == []


@pytest.mark.parametrize("scopes", ["system/*.rs", "system/Consent.rs", "system/Consent.u"])
def test_without_the_scope_nothing_is_created(
    client: Callable[..., FlaskClient], engine: Engine, who: dict[str, PersonKey], scopes: str
) -> None:
    answer = post(client("reader", "RDV", "nurse", scopes), consent(who["ann"]))
    wrong(answer, 403, "forbidden")
    assert 'scope="system/Consent.c"' in answer.headers["WWW-Authenticate"]
    assert stored(engine) == []


def test_a_role_that_records_no_consents_creates_none(
    client: Callable[..., FlaskClient], engine: Engine, who: dict[str, PersonKey]
) -> None:
    answer = post(client("lead-system", "QDM", "ig-lead"), consent(who["ann"]))
    assert answer.status_code in (403, 404)
    assert stored(engine) == []


# Update --------------------------------------------------------------------------------------------


def test_an_update_is_a_new_version(ward: FlaskClient, engine: Engine, who: dict[str, PersonKey]) -> None:
    id_ = created(ward, consent(who["ann"]))
    answer = put(ward, id_, consent(who["ann"], provision={"type": "deny", "class": [kind("alerts")]}))
    assert (answer.status_code, answer.headers["ETag"]) == (200, 'W/"2"')
    assert answer.headers["Location"] == f"{BASE}/Consent/{id_}/_history/2"
    assert [(one.version, "alerts" in one.body) for one in stored(engine)] == [(2, True)]


def test_an_update_of_what_another_changed_meanwhile_is_refused(
    ward: FlaskClient, engine: Engine, who: dict[str, PersonKey]
) -> None:
    id_ = created(ward, consent(who["ann"]))
    assert put(ward, id_, consent(who["ann"], dateTime="2026-11-02")).status_code == 200
    wrong(put(ward, id_, consent(who["ann"], dateTime="2026-11-03")), 412, "conflict")
    assert [one.version for one in stored(engine)] == [2]


@pytest.mark.parametrize("seen", ["", "*", "1", 'W/"one"'])
def test_an_update_says_which_version_it_replaces(ward: FlaskClient, who: dict[str, PersonKey], seen: str) -> None:
    id_ = created(ward, consent(who["ann"]))
    assert wrong(put(ward, id_, consent(who["ann"]), seen), 400, "invalid")["expression"] == ["If-Match"]


def test_an_update_of_what_is_not_there_creates_nothing(
    ward: FlaskClient, engine: Engine, who: dict[str, PersonKey]
) -> None:
    wrong(put(ward, str(uuid4()), consent(who["ann"])), 404, "not-found")
    assert stored(engine) == []


def test_an_update_can_not_make_it_somebody_elses(ward: FlaskClient, engine: Engine, who: dict[str, PersonKey]) -> None:
    with engine.begin() as conn:
        involve(conn, who["bob"], "RDV")
    id_ = created(ward, consent(who["ann"]))
    issue = wrong(put(ward, id_, consent(who["bob"])), 400, "invalid")
    assert issue["expression"] == ["Consent.patient"]


def test_what_a_source_sent_is_not_updated_here(ward: FlaskClient, engine: Engine, who: dict[str, PersonKey]) -> None:
    id_ = created(ward, consent(who["ann"]))
    with engine.begin() as conn:
        conn.execute(update(resource).where(resource.c.type == "Consent").values(source="hospital"))
    wrong(put(ward, id_, consent(who["ann"])), 403, "forbidden")


def test_metadata_says_that_consents_are_created_and_updated_by_version(ward: FlaskClient) -> None:
    told = {one["type"]: one for one in read(ward.get("/fhir/R4/metadata"))["rest"][0]["resource"]}
    assert {"read", "search-type", "create", "update"} <= {one["code"] for one in told["Consent"]["interaction"]}
    assert told["Consent"]["versioning"] == "versioned-update"
