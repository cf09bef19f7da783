"""The FHIR API over a real database: what a registered system reads, what it is told, what it never sees."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
from fhir_builders import (
    ANN,
    ANN_NUMBER,
    BASE,
    BOB_NUMBER,
    DOCTOR,
    HER_ITEMS,
    SECRET_KEY,
    api,
    bearer,
    entries,
    involve,
    link,
    people,
    read,
    registered,
    statements,
    system,
    token,
    trail,
    wrong,
)
from flask.testing import FlaskClient
from ingest_builders import NHS, key, patient, take
from sqlalchemy import Engine, text

from carelink import clock
from carelink.db.tables import directive, source_state
from carelink.fhir import searched
from carelink.identity.clients import Client
from carelink.identity.tokens import LIFETIME, Tokens
from carelink.ids import Ods, PersonKey
from carelink.place import Place

NUMBER = quote(f"{NHS}|")


@pytest.fixture
def who(engine: Engine, place: Place) -> dict[str, PersonKey]:
    return people(engine, place)


@pytest.fixture
def asks(engine: Engine, place: Place, who: dict[str, PersonKey]) -> Iterator[FlaskClient]:
    """A system of the hospital, which asks with its token."""
    with system(api(engine, place), place, "ward-system", "RDV", "nurse", "system/*.rs") as client:
        yield client


@pytest.fixture
def stranger(engine: Engine, place: Place, asks: FlaskClient) -> FlaskClient:
    """A system of a council that is involved with nobody."""
    return system(asks.application, place, "southmere", "902", "social-worker", "system/*.rs")


def without_token(client: FlaskClient) -> FlaskClient:
    return client.application.test_client()


# Metadata ------------------------------------------------------------------------------------------


def test_metadata_is_told_without_a_token_and_names_what_there_is(asks: FlaskClient) -> None:
    answer = without_token(asks).get("/fhir/R4/metadata")
    assert (answer.status_code, answer.content_type) == (200, "application/fhir+json")
    told = read(answer)
    assert (told["resourceType"], told["fhirVersion"]) == ("CapabilityStatement", "4.0.1")
    assert told["implementation"]["url"] == BASE
    named = {one["type"] for one in told["rest"][0]["resource"]}
    assert named >= {"Patient", "AuditEvent", "Binary", *searched.TYPES}


# Read ----------------------------------------------------------------------------------------------


def test_a_read_sends_the_stored_bytes_with_their_version(
    asks: FlaskClient, engine: Engine, who: dict[str, PersonKey]
) -> None:
    answer = asks.get(f"/fhir/R4/Patient/{who['ann']}")
    with engine.connect() as conn:
        stored = conn.execute(text("select body, last_updated from resource where key = :k"), {"k": who["ann"]}).one()
    assert answer.data == stored.body.encode()
    assert (answer.status_code, answer.content_type) == (200, "application/fhir+json")
    assert answer.headers["ETag"] == 'W/"1"'
    assert answer.last_modified == stored.last_updated.replace(microsecond=0)


def test_the_patient_of_one_source_is_read_as_that_source_knows_them(asks: FlaskClient) -> None:
    answer = asks.get(f"/fhir/R4/Patient/{key(ANN)}")
    assert read(answer)["meta"]["source"] == "urn:carelink:source:hospital"


def test_a_version_that_the_client_has_is_not_sent_again_but_audited(
    asks: FlaskClient, engine: Engine, who: dict[str, PersonKey]
) -> None:
    before = len(trail(engine))
    same = asks.get(f"/fhir/R4/Patient/{who['ann']}", headers={"If-None-Match": 'W/"1"'})
    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", 'W/"1"')
    assert [(one.action, one.person) for one in trail(engine)[before:]] == [("read", who["ann"])]
    other = asks.get(f"/fhir/R4/Patient/{who['ann']}", headers={"If-None-Match": 'W/"7"'})
    assert other.status_code == 200
    since = asks.get(f"/fhir/R4/Patient/{who['ann']}", headers={"If-Modified-Since": other.headers["Last-Modified"]})
    assert since.status_code == 304


@pytest.mark.parametrize("id_", [str(UUID(int=9)), "12", "..", "x'--", "%00"])
def test_what_is_not_there_is_not_found_whatever_its_id_looks_like(asks: FlaskClient, id_: str) -> None:
    wrong(asks.get(f"/fhir/R4/Patient/{id_}"), 404, "not-found")


# Search --------------------------------------------------------------------------------------------


def test_a_person_is_found_by_their_nhs_number(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    asked = f"/fhir/R4/Patient?identifier={NUMBER}{ANN_NUMBER}"
    found = read(asks.get(asked))
    assert (found["resourceType"], found["type"], found["total"]) == ("Bundle", "searchset", 1)
    assert [one["id"] for one in entries(found)] == [str(who["ann"])]
    assert found["entry"][0]["fullUrl"] == f"{BASE}/Patient/{who['ann']}"
    assert read(asks.get(link(found, "self"))) == found
    assert link(found, "next") == ""


def test_an_empty_searchset_says_that_nobody_is_found(asks: FlaskClient) -> None:
    found = read(asks.get(f"/fhir/R4/Patient?identifier={NUMBER}9990000034"))
    assert (found["total"], "entry" in found) == (0, False)


def test_a_number_sent_in_the_body_comes_back_in_no_address(
    asks: FlaskClient, engine: Engine, who: dict[str, PersonKey]
) -> None:
    with engine.begin() as conn:
        involve(conn, who["bob"], "RDV")
    form = {"identifier": f"{NHS}|{ANN_NUMBER},{NHS}|{BOB_NUMBER}", "_count": "1"}
    first = read(asks.post("/fhir/R4/Patient/_search", data=form))
    second = read(asks.get(link(first, "next")))
    assert {entries(page)[0]["id"] for page in (first, second)} == set(map(str, who.values()))
    assert link(second, "next") == ""
    assert read(asks.get(link(first, "self")))["entry"] == first["entry"]
    addresses = [one["url"] for page in (first, second) for one in page["link"]]
    assert len(addresses) == 3
    assert not [one for one in addresses if ANN_NUMBER in one or BOB_NUMBER in one]


def test_every_page_is_reached_by_next_and_nobody_is_twice(asks: FlaskClient, engine: Engine, place: Place) -> None:
    crowd = [patient(f"p{n}", identifier=[{"system": "urn:ward", "value": "8"}]) for n in range(5)]
    with engine.begin() as conn:
        take(conn, place, crowd, clock.now())
        conn.execute(
            text(
                "insert into relationship (person, kind, organisation, starts) select key, 'x', 'RDV', '2020-01-01' from person"
            )
        )
    asked, ids, pages = "/fhir/R4/Patient?identifier=urn:ward|8&_count=2", [], 0
    while asked:
        found = read(asks.get(asked))
        ids += [one["id"] for one in entries(found)]
        asked, pages = link(found, "next"), pages + 1
    assert (len(ids), len(set(ids)), pages) == (5, 5, 3)


# what is asked -> where it says the mistake is
MISTAKES = [
    ("", "Patient"),
    ("_count=5", "Patient"),
    ("colour=blue", "colour"),
    ("identifier:of-type=a|b", "identifier:of-type"),
    ("identifier=", "identifier"),
    ("identifier=|", "identifier"),
    ("identifier=7%00", "identifier"),
    ("identifier=" + ",".join(map(str, range(21))), "identifier"),
    ("identifier=" + "7" * 8001, "identifier"),
    ("identifier=7&_count=-1", "_count"),
    ("identifier=7&_count=many", "_count"),
    ("identifier=7&_count=%C2%B2", "_count"),
    ("identifier=7&_count=" + "9" * 5000, "_count"),
    ("_page=nonsense", "_page"),
    ("_page=a.b.c.d.e", "_page"),
    ("_page=a.b.c.d.e&identifier=7", "identifier"),
]


@pytest.mark.parametrize(("asked", "place_"), MISTAKES, ids=[one[0][:30] for one in MISTAKES])
def test_a_search_that_can_t_be_asked_is_refused_with_its_place(asks: FlaskClient, asked: str, place_: str) -> None:
    issue = wrong(asks.get(f"/fhir/R4/Patient?{asked}"), 400, "invalid")
    assert issue["expression"] == [place_]


def test_a_search_in_a_body_that_is_no_form_is_refused(asks: FlaskClient) -> None:
    wrong(asks.post("/fhir/R4/Patient/_search", json={"identifier": "7"}), 415, "not-supported")


# $everything ---------------------------------------------------------------------------------------


def test_everything_is_the_golden_patient_then_all_of_them_and_who_is_named(
    asks: FlaskClient, who: dict[str, PersonKey]
) -> None:
    found = read(asks.get(f"/fhir/R4/Patient/{who['ann']}/$everything"))
    ids = [one["id"] for one in entries(found)]
    assert ids[0] == str(who["ann"])
    assert set(ids[1:]) == {str(key(one)) for one in [ANN, *HER_ITEMS]}
    assert [one["id"] for one in entries(found, "include")] == [str(key(DOCTOR))]
    assert found["total"] == len(ids) == 5
    assert link(found, "self") == f"/fhir/R4/Patient/{who['ann']}/$everything"


def test_decimals_leave_as_they_came(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    assert b'"value":7.10' in asks.get(f"/fhir/R4/Patient/{who['ann']}/$everything").data


def test_everything_warns_of_what_is_withheld_and_of_sources_that_are_old(
    asks: FlaskClient, engine: Engine, place: Place, who: dict[str, PersonKey]
) -> None:
    now = clock.now()
    with engine.begin() as conn:
        conn.execute(source_state.delete())
        for entry in place.sources:
            conn.execute(source_state.insert().values(source=entry.name, status="good", good_at=now))
        conn.execute(
            source_state.update().where(source_state.c.source == "hospital").values(status="failing", failing_since=now)
        )
        take(conn, place, [patient("ann-gp", **{**ANN.body, "id": "ann-gp"})], now, "gp")
        conn.execute(
            directive.insert().values(
                person=who["ann"], consent=uuid4(), rule="objection", effect="deny", starts=now.replace(year=2020)
            )
        )
    (notice,) = entries(read(asks.get(f"/fhir/R4/Patient/{who['ann']}/$everything")), "outcome")
    said = {(one["severity"], one["code"], one["diagnostics"].partition(":")[0]) for one in notice["issue"]}
    assert ("warning", "suppressed", place.words.withheld_notice) in said
    assert ("warning", "incomplete", place.source("hospital").label) in said
    assert ("warning", "incomplete", place.source("council-a").label) not in said


# Who sees what -------------------------------------------------------------------------------------


def test_a_system_of_an_organisation_that_is_not_involved_learns_nothing(
    asks: FlaskClient, stranger: FlaskClient, who: dict[str, PersonKey]
) -> None:
    hidden, absent = (stranger.get(f"/fhir/R4/Patient/{one}") for one in (who["ann"], uuid4()))
    wrong(hidden, 404, "not-found")
    assert hidden.data == absent.data
    wrong(stranger.get(f"/fhir/R4/Patient/{who['ann']}/$everything"), 404, "not-found")
    found = read(stranger.get(f"/fhir/R4/Patient?identifier={NUMBER}{ANN_NUMBER}"))
    assert (found["total"], "entry" in found) == (0, False)


def test_nobody_else_comes_with_a_person_of_the_same_local_number(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    found = read(asks.get("/fhir/R4/Patient?identifier=urn:ward|7"))
    assert [one["id"] for one in entries(found)] == [str(who["ann"])]


def test_where_a_restricted_person_lives_is_not_sent(
    asks: FlaskClient, engine: Engine, who: dict[str, PersonKey]
) -> None:
    asked = f"/fhir/R4/Patient/{who['ann']}"
    assert "address" in read(asks.get(asked))
    with engine.begin() as conn:
        conn.execute(text("update person set restricted = true where key = :k"), {"k": who["ann"]})
    for path in (asked, f"{asked}/$everything", f"/fhir/R4/Patient?identifier={NUMBER}{ANN_NUMBER}"):
        answer = asks.get(path)
        assert answer.status_code == 200
        assert b"Mill Lane" not in answer.data


# Failures ------------------------------------------------------------------------------------------


def test_without_a_token_the_client_is_told_how_to_come_with_one(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    answer = without_token(asks).get(f"/fhir/R4/Patient/{who['ann']}")
    wrong(answer, 401, "login")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="CareLink"'


def test_an_old_token_is_refused_and_the_refusal_kept(
    asks: FlaskClient, engine: Engine, place: Place, who: dict[str, PersonKey]
) -> None:
    tokens = Tokens.of(SECRET_KEY, "http://localhost", place)
    old = tokens.make(Client("ward-system", Ods("RDV"), "nurse", "", ""), "system/*.rs", clock.now() - LIFETIME)
    answer = asks.get(f"/fhir/R4/Patient/{who['ann']}", headers=bearer(old))
    wrong(answer, 401, "login")
    assert (
        'error="invalid_token", error_description="The access token has expired"' in answer.headers["WWW-Authenticate"]
    )
    kept = trail(engine)[-1]
    assert (kept.action, kept.rules, kept.user) == ("refusal", ["token"], None)


def test_a_scope_for_other_types_is_not_enough_for_patients(
    asks: FlaskClient, engine: Engine, place: Place, who: dict[str, PersonKey]
) -> None:
    secret = registered(engine, place, "problems", "RDV", "nurse", "system/Condition.rs")
    with_less = bearer(token(asks, "problems", secret))
    for path in (f"Patient/{who['ann']}", f"Patient/{who['ann']}/$everything", f"Patient?identifier={ANN_NUMBER}"):
        answer = asks.get(f"/fhir/R4/{path}", headers=with_less)
        wrong(answer, 403, "forbidden")
        assert 'error="insufficient_scope", scope="system/Patient.rs"' in answer.headers["WWW-Authenticate"]


def test_wrong_addresses_and_methods_are_told_in_fhir_too(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    for path in ("/fhir", "/fhir/", "/fhir/R5/metadata", "/fhir//R4/metadata"):
        wrong(asks.get(path), 404, "not-found")
    for path in ("/fhir/R4", "/fhir/R4/"):  # Bundles are sent there
        wrong(asks.get(path), 405, "not-supported")
    wrong(asks.get("/fhir/R4/Basic?code=1"), 404, "not-found")
    refused = asks.delete("/fhir/R4/AuditEvent/1")
    wrong(refused, 405, "not-supported")
    assert "GET" in refused.headers["Allow"]
    wrong(asks.post("/fhir/R4/Nothing", data={"a": "b"}), 404, "not-found")


def test_a_body_that_is_too_large_is_told_in_fhir_too(asks: FlaskClient) -> None:
    wrong(asks.post("/fhir/R4/Patient/_search", data={"identifier": "7" * 6_000_000}), 413, "too-long")


def test_people_are_still_told_by_a_page(asks: FlaskClient) -> None:
    browser = without_token(asks)
    for answer, status, words in (
        (browser.get("/nothing"), 404, "There is no such page"),
        (browser.post("/people/find", data={"a": "b"}), 400, "This form is too old"),
    ):
        assert (answer.status_code, answer.mimetype) == (status, "text/html")
        assert words in answer.text


FORMATS = [
    ("", "application/fhir+xml", 200),
    ("", "text/html", 406),
    ("", "application/fhir+json; fhirVersion=3.0", 406),
    ("", "application/fhir+json; fhirVersion=4.0", 200),
    ("", "application/fhir+xml, application/json;q=0.5", 200),
    ("", "application/json;q=0", 200),  # accepts nothing that it names, and names nothing else
    ("", "text/html, */*;q=0.1", 200),
    ("xml", "application/fhir+json", 200),
    ("html", "application/fhir+json", 406),
    ("xml; fhirVersion=5.0", "", 406),
    ("json", "text/html", 200),
    ("application/fhir%2Bjson", "", 200),
    ("application/fhir+json", "", 200),
]


@pytest.mark.parametrize(("wanted", "accept", "status"), FORMATS)
def test_json_and_xml_alone_are_served(asks: FlaskClient, wanted: str, accept: str, status: int) -> None:
    answer = asks.get(f"/fhir/R4/metadata?_format={wanted}", headers={"Accept": accept})
    if status == 406:
        wrong(answer, 406, "not-supported")
    assert answer.status_code == status


def test_a_fault_of_ours_is_told_without_a_trace_and_logged_without_values(
    asks: FlaskClient, engine: Engine, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with engine.begin() as conn:
        conn.execute(text("alter table index_token rename to lost"))
    answer = asks.get(f"/fhir/R4/Patient?identifier={NUMBER}{ANN_NUMBER}")
    issue = wrong(answer, 500, "exception")
    assert issue["diagnostics"].endswith(answer.headers["X-Request-Id"])
    said = answer.text + "".join(capsys.readouterr()) + caplog.text
    assert "ProgrammingError" in said
    assert not [one for one in (ANN_NUMBER, "index_token", "Traceback") if one in said]


# Audit ---------------------------------------------------------------------------------------------


def test_every_answer_is_audited_when_it_leaves(asks: FlaskClient, engine: Engine, who: dict[str, PersonKey]) -> None:
    for path, told in (
        (f"/fhir/R4/Patient/{who['ann']}", [("read", "Patient", 1, who["ann"])]),
        (f"/fhir/R4/Patient?identifier={ANN_NUMBER}", [("search", "Patient?identifier", 1, who["ann"])]),
        (f"/fhir/R4/Patient/{who['ann']}/$everything", [("read", "$everything", 6, who["ann"])]),
    ):
        before = len(trail(engine))
        answer = asks.get(path)
        assert answer.status_code == 200
        rows = trail(engine)[before:]
        assert [(one.action, one.query, one.count, one.person) for one in rows] == told
        assert {(one.user, one.organisation, one.role, one.purpose) for one in rows} == {
            ("client:ward-system", "RDV", "nurse", "TREAT")
        }
        assert {one.request for one in rows} == {answer.headers["X-Request-Id"]}
        assert ANN_NUMBER not in str(rows)


def test_a_refusal_keeps_who_asked_for_whom(
    asks: FlaskClient, stranger: FlaskClient, engine: Engine, who: dict[str, PersonKey]
) -> None:
    stranger.get(f"/fhir/R4/Patient/{who['ann']}")
    one = trail(engine)[-1]
    assert (one.action, one.outcome, one.user) == ("refusal", "refused", "client:southmere")
    assert one.detail == {"resource": str(who["ann"])}
    stranger.get(f"/fhir/R4/Patient/{who['ann']}/$everything")
    assert trail(engine)[-1].person == who["ann"]


def test_what_can_t_be_audited_is_not_sent(asks: FlaskClient, engine: Engine, who: dict[str, PersonKey]) -> None:
    with engine.begin() as conn:
        conn.execute(text("alter table audit_event rename to lost"))
    answer = asks.get(f"/fhir/R4/Patient/{who['ann']}")
    wrong(answer, 500, "exception")
    assert b"Mill Lane" not in answer.data


def test_what_can_t_be_committed_is_not_sent(asks: FlaskClient, engine: Engine, who: dict[str, PersonKey]) -> None:
    with engine.begin() as conn:
        conn.execute(text("create function fail() returns trigger language plpgsql as $$ begin raise 'full'; end $$"))
        conn.execute(
            text(
                "create constraint trigger late after insert on audit_event deferrable initially deferred "
                "for each row execute function fail()"
            )
        )
    answer = asks.get(f"/fhir/R4/Patient/{who['ann']}")
    wrong(answer, 500, "exception")
    assert b"Mill Lane" not in answer.data


# Short paths ---------------------------------------------------------------------------------------


def test_few_statements_answer_a_request(asks: FlaskClient, engine: Engine, who: dict[str, PersonKey]) -> None:
    for path, most in (
        ("/fhir/R4/metadata", []),
        (f"/fhir/R4/Patient/{who['ann']}", ["select", "insert"]),
        (f"/fhir/R4/Patient?identifier={ANN_NUMBER}", ["select", "insert"]),
        # all of them, who is named, the look at both, whether something is withheld, how the sources stand
        (f"/fhir/R4/Patient/{who['ann']}/$everything", ["with", "select", "insert", "with", "select"]),
    ):
        with statements(engine) as said:
            assert asks.get(path).status_code == 200
        assert said == most, path


def test_no_resource_is_parsed_on_its_way_out(
    asks: FlaskClient, who: dict[str, PersonKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    def parsed(*_: object) -> None:
        raise AssertionError("a stored resource was parsed")

    monkeypatch.setattr("fhir_adapters.exact_json.loads", parsed)
    for path in ("", "/$everything"):
        assert asks.get(f"/fhir/R4/Patient/{who['ann']}{path}").status_code == 200


# Sessions ------------------------------------------------------------------------------------------


def test_a_browser_s_session_neither_opens_nor_is_prolonged_by_what_systems_ask(
    asks: FlaskClient, who: dict[str, PersonKey]
) -> None:
    browser = without_token(asks)
    with browser.session_transaction() as session:
        session.update(user="nadia.rahman", seen=clock.now().timestamp(), began=clock.now().timestamp())
    answer = browser.get(f"/fhir/R4/Patient/{who['ann']}")
    wrong(answer, 401, "login")
    for asked in (answer, browser.get("/fhir/R4/metadata"), browser.get("/fhir/R4/nothing")):
        assert "Set-Cookie" not in asked.headers
        assert "Cookie" not in asked.headers.get("Vary", "")


def test_a_person_is_named_by_no_uuid_of_another_form(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    wrong(asks.get(f"/fhir/R4/Patient/{UUID(str(who['ann'])).hex}"), 404, "not-found")
