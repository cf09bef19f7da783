"""Create, update and delete by a system: what its organisation answers for goes in through ingest, and nothing else."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from docs_reading import page, part
from fhir_builders import ANN_NUMBER, BASE, BOB, HER_ITEMS, HIS_ITEMS, read, trail, wrong
from flask.testing import FlaskClient
from ingest_builders import NHS, SNOMED, key, refused
from push_builders import HER_NAMES, Pushing, body, id_of, named, observation, patient, permit, pushing_in
from sqlalchemy import Engine

from carelink.place import Place

Json = dict[str, Any]


@pytest.fixture
def pushing(engine: Engine, place: Place) -> Pushing:
    return pushing_in(engine, place)


def test_something_new_is_created_with_where_it_is_and_its_version(pushing: Pushing) -> None:
    answer = pushing.ward.post("/fhir/R4/Observation", **body(observation(pushing.ann)))
    assert answer.status_code == 201, answer.text
    (one,) = pushing.stored("Observation", pushed=True)
    assert answer.headers["Location"] == f"{BASE}/Observation/{one.key}/_history/1"
    assert answer.headers["ETag"] == 'W/"1"'
    assert "Last-Modified" in answer.headers
    assert "X-Request-Id" in answer.headers
    assert (one.custodian, one.person) == ("RDV", pushing.people["ann"])
    assert read(pushing.ward.get(f"/fhir/R4/Observation/{one.key}"))["valueQuantity"]["value"].text == "7.10"


# Create --------------------------------------------------------------------------------------------


def post(browser: FlaskClient, sent: Json | bytes, type_: str = "Observation", **headers: str) -> Any:
    return browser.post(f"/fhir/R4/{type_}", **body(sent, **headers))


def put(browser: FlaskClient, id_: str, sent: Json, **headers: str) -> Any:
    return browser.put(f"/fhir/R4/{sent['resourceType']}/{id_}", **body({"id": id_, **sent}, **headers))


def created(browser: FlaskClient, sent: Json) -> str:
    """Its id."""
    answer = post(browser, sent, sent["resourceType"])
    assert answer.status_code == 201, answer.text
    return id_of(answer.headers["Location"])


def test_the_golden_patient_stands_for_the_person(pushing: Pushing) -> None:
    id_ = created(pushing.ward, observation(f"Patient/{pushing.people['ann']}"))
    (one,) = pushing.stored("Observation", pushed=True)
    assert (str(one.key), one.person, one.patient) == (id_, pushing.people["ann"], None)
    found = read(pushing.ward.get(f"/fhir/R4/Observation?patient={pushing.people['ann']}"))
    assert id_ in {entry["resource"]["id"] for entry in found["entry"]}


def test_the_server_gives_the_id_whatever_the_client_says(pushing: Pushing) -> None:
    wanted = str(uuid4())
    assert created(pushing.ward, observation(pushing.ann, id=wanted)) != wanted


def test_it_goes_through_ingest_labelled_repaired_and_announced(pushing: Pushing) -> None:
    sent = observation(pushing.ann, effectiveDateTime="2026-06-01T09:30:00", id="x")
    answer = post(pushing.ward, sent, Prefer="return=OperationOutcome")
    assert [one["severity"] for one in read(answer)["issue"]] == ["warning", "information"]
    (one,) = pushing.stored("Observation", pushed=True)
    assert one.category == "results"
    assert "+01:00" in one.body
    assert [row.source_id for row in pushing.stored("Provenance")] == ["client:ward-system:Observation"]
    news = pushing.news()[-1]
    assert (news["source"], news["persons"]) == ("client:ward-system", [str(pushing.people["ann"])])


def test_a_patient_is_linked_as_one_from_a_source_is(pushing: Pushing) -> None:
    number = [{"system": NHS, "value": ANN_NUMBER}]
    answer = post(pushing.ward, patient("9", identifier=[*number, *named("9")], **HER_NAMES), "Patient")
    assert answer.status_code == 201
    (one,) = pushing.stored("Patient", pushed=True)
    assert one.person == pushing.people["ann"]


def test_what_is_created_is_audited_with_the_person_and_its_key(pushing: Pushing) -> None:
    id_ = created(pushing.ward, observation(pushing.ann))
    (made,) = [one for one in trail(pushing.engine) if one.action == "create"]
    assert (made.user, made.person, made.query) == ("client:ward-system", pushing.people["ann"], "Observation")
    assert made.detail["resource"] == id_


def test_what_is_asked_for_is_sent_back(pushing: Pushing) -> None:
    for asked in ({}, {"Prefer": "return=representation"}, {"Prefer": "handling=strict"}):
        whole = post(pushing.ward, observation(pushing.ann), **asked)
        assert read(whole)["id"] == id_of(whole.headers["Location"])
    assert post(pushing.ward, observation(pushing.ann), Prefer="return=minimal").data == b""


def test_nothing_is_sent_back_to_who_may_not_read_it(pushing: Pushing) -> None:
    writer = pushing.system("writer", "RDV", "nurse", "system/Observation.cu")
    answer = post(writer, observation(pushing.ann), Prefer="return=representation")
    assert (answer.status_code, answer.data) == (201, b"")


def test_under_the_source_of_its_organisation_where_the_pack_says_that_clients_push_into_it(
    engine: Engine, place: Place
) -> None:
    entries = tuple(replace(one, clients_push=one.name == "hospital") for one in place.sources)
    pushing = pushing_in(engine, replace(place, sources=entries))
    created(pushing.ward, observation(pushing.ann))
    assert [one.source for one in pushing.stored("Observation", pushed=True)] == ["hospital"]


# Refused -------------------------------------------------------------------------------------------

WITHOUT_SCOPE = [
    ("POST", "system/Observation.rs"),
    ("POST", "system/Observation.ud"),
    ("PUT", "system/*.rs system/Condition.u"),
    ("DELETE", "system/*.cu"),
]


@pytest.mark.parametrize(("method", "scopes"), WITHOUT_SCOPE)
def test_without_the_scope_nothing_is_written(pushing: Pushing, method: str, scopes: str) -> None:
    browser = pushing.system("reader", "RDV", "nurse", scopes)
    path = "/fhir/R4/Observation" + ("" if method == "POST" else f"/{uuid4()}")
    answer = browser.open(path, method=method, **body(observation(pushing.ann)))
    wrong(answer, 403, "forbidden")
    assert f'scope="system/Observation.{method_letter(method)}"' in answer.headers["WWW-Authenticate"]


def method_letter(method: str) -> str:
    return {"POST": "c", "PUT": "u", "DELETE": "d"}[method]


@pytest.mark.parametrize("scopes", ["system/*.write", "system/Observation.cud", "system/*.cu", "system/Observation.*"])
def test_scopes_of_both_versions_let_a_system_write(pushing: Pushing, scopes: str) -> None:
    assert created(pushing.system("writer", "RDV", "nurse", scopes), observation(pushing.ann))


@pytest.mark.parametrize("type_", ["AuditEvent", "Provenance"])
def test_what_carelink_alone_writes_no_client_writes(pushing: Pushing, type_: str) -> None:
    answer = post(pushing.ward, {"resourceType": type_}, type_)
    assert answer.status_code in (404, 405)


def test_what_is_not_valid_is_refused_with_every_place_and_nothing_waits_in_quarantine(pushing: Pushing) -> None:
    answer = post(pushing.ward, observation(pushing.ann, status="gone", code=None, nonsense=1))
    assert answer.status_code == 400
    places = {one["expression"][0] for one in read(answer)["issue"]}
    assert {"Observation.code", "Observation.nonsense"} <= places
    assert pushing.stored("Observation", pushed=True) == []
    with pushing.engine.connect() as conn:
        assert refused(conn) == []


@pytest.mark.parametrize("subject", [None, {"display": "Ann"}, {"identifier": {"system": NHS, "value": ANN_NUMBER}}])
def test_it_must_say_whom_it_is_about(pushing: Pushing, subject: Json | None) -> None:
    issue = wrong(post(pushing.ward, observation(pushing.ann, subject=subject)), 422, "business-rule")
    assert "whom it is about" in issue["diagnostics"]


def test_of_whom_the_organisation_is_not_involved_with_is_as_unknown_as_nobody(pushing: Pushing) -> None:
    nobody = wrong(post(pushing.ward, observation(f"Patient/{uuid4()}")), 422, "business-rule")
    bob = wrong(post(pushing.ward, observation(f"Patient/{pushing.people['bob']}")), 422, "business-rule")
    his = wrong(post(pushing.ward, observation(f"Patient/{key(BOB)}")), 422, "business-rule")
    assert nobody == bob == his
    assert nobody["expression"] == ["Observation.subject.reference"]


UNKNOWN = [
    "Encounter/1",
    "Observation/{ann}",
    "Encounter/{bob}",
    "urn:uuid:c0ffee00-0000-4000-8000-000000000001",
    "Encounter?identifier=x",
    "x",
]


@pytest.mark.parametrize("reference", UNKNOWN)
def test_a_reference_to_what_is_not_there_is_refused(pushing: Pushing, reference: str) -> None:
    named_ = reference.format(ann=pushing.people["ann"], bob=pushing.people["bob"])
    issue = wrong(post(pushing.ward, observation(pushing.ann, encounter={"reference": named_})), 422, "business-rule")
    assert issue["expression"] == ["Observation.encounter.reference"]


ELSEWHERE = ["https://elsewhere.example/fhir/Encounter/1", "#e", BASE + "/Patient/{ann}"]


@pytest.mark.parametrize("reference", ELSEWHERE)
def test_a_reference_to_elsewhere_or_to_this_server_by_its_address_is_taken(pushing: Pushing, reference: str) -> None:
    contained = [{"resourceType": "Patient", "id": "e"}] if reference == "#e" else None
    named_ = reference.format(ann=pushing.people["ann"])
    id_ = created(pushing.ward, observation(pushing.ann, focus=[{"reference": named_}], contained=contained))
    said = read(pushing.ward.get(f"/fhir/R4/Observation/{id_}"))["focus"][0]["reference"]
    assert said == named_.removeprefix(f"{BASE}/")


def test_what_others_are_called_beside_a_reference_is_left_out(pushing: Pushing) -> None:
    id_ = created(pushing.ward, observation(pushing.ann, subject={"reference": pushing.ann, "display": "Ann Moss"}))
    assert "display" not in read(pushing.ward.get(f"/fhir/R4/Observation/{id_}"))["subject"]


# Update --------------------------------------------------------------------------------------------


def test_an_update_is_a_new_version(pushing: Pushing) -> None:
    id_ = created(pushing.ward, observation(pushing.ann))
    answer = put(pushing.ward, id_, observation(pushing.ann, "7.20"))
    assert (answer.status_code, answer.headers["ETag"]) == (200, 'W/"2"')
    assert read(answer)["meta"]["versionId"] == "2"
    assert answer.headers["Location"] == f"{BASE}/Observation/{id_}/_history/2"
    (one,) = pushing.stored("Observation", pushed=True)
    assert (one.version, "7.20" in one.body) == (2, True)


def test_the_same_again_is_no_new_version(pushing: Pushing) -> None:
    id_ = created(pushing.ward, observation(pushing.ann))
    shown = read(pushing.ward.get(f"/fhir/R4/Observation/{id_}"))
    for sent in (observation(pushing.ann), {name: one for name, one in shown.items() if name != "id"}):
        answer = put(pushing.ward, id_, sent)
        assert (answer.status_code, answer.headers["ETag"]) == (200, 'W/"1"')


def test_the_labels_of_carelink_are_not_taken_for_the_clients_own(pushing: Pushing) -> None:
    hiv = {"coding": [{"system": SNOMED, "code": "86406008"}]}
    sent = {"resourceType": "Condition", "subject": {"reference": pushing.ann}, "code": hiv}
    id_ = created(pushing.ward, sent)
    shown = read(pushing.ward.get(f"/fhir/R4/Condition/{id_}"))
    (one,) = pushing.stored("Condition", pushed=True)
    assert one.sensitivities
    assert shown["meta"]["security"]
    put(pushing.ward, id_, {**shown, "code": {"coding": [{"system": SNOMED, "code": "73211009"}]}})
    (one,) = pushing.stored("Condition", pushed=True)
    assert (one.version, one.sensitivities) == (2, 0)


def test_what_another_changed_meanwhile_is_not_updated(pushing: Pushing) -> None:
    id_ = created(pushing.ward, observation(pushing.ann))
    assert put(pushing.ward, id_, observation(pushing.ann, "7.20"), If_Match='W/"1"').status_code == 200
    wrong(put(pushing.ward, id_, observation(pushing.ann, "7.30"), If_Match='W/"1"'), 412, "conflict")
    assert [one.version for one in pushing.stored("Observation", pushed=True)] == [2]


@pytest.mark.parametrize("said", ["*", "1", 'W/"one"'])
def test_a_version_that_is_none_is_refused(pushing: Pushing, said: str) -> None:
    id_ = created(pushing.ward, observation(pushing.ann))
    issue = wrong(put(pushing.ward, id_, observation(pushing.ann), If_Match=said), 400, "invalid")
    assert issue["expression"] == ["If-Match"]


def test_the_id_in_the_body_must_be_that_of_the_address(pushing: Pushing) -> None:
    id_ = created(pushing.ward, observation(pushing.ann))
    for other in (str(uuid4()), None):
        sent = {"id": other, **observation(pushing.ann)} if other else observation(pushing.ann)
        issue = wrong(pushing.ward.put(f"/fhir/R4/Observation/{id_}", **body(sent)), 400, "invalid")
        assert issue["expression"] == ["Observation.id"]


def test_it_can_not_become_somebody_elses(pushing: Pushing) -> None:
    pushing.involve("RDV", "bob")
    id_ = created(pushing.ward, observation(pushing.ann))
    wrong(put(pushing.ward, id_, observation(f"Patient/{key(BOB)}")), 422, "business-rule")


def test_what_was_pulled_from_its_organisation_is_updated_where_it_came_from(pushing: Pushing) -> None:
    id_ = str(key(HER_ITEMS[2]))
    shown = read(pushing.ward.get(f"/fhir/R4/Observation/{id_}"))
    assert put(pushing.ward, id_, {**shown, "status": "amended"}).status_code == 200
    (one,) = [one for one in pushing.stored("Observation") if str(one.key) == id_]
    assert (one.source, one.version, one.person) == ("hospital", 2, pushing.people["ann"])


def test_what_another_organisation_answers_for_is_refused_where_it_is_seen_and_unknown_where_not(
    pushing: Pushing,
) -> None:
    council = pushing.system("council", "901", "social-worker")
    id_ = str(key(HER_ITEMS[1]))
    sent = {"resourceType": "Condition", "subject": {"reference": pushing.ann}}
    unknown = [put(council, one, sent) for one in (id_, str(uuid4()))]
    assert [one.status_code for one in unknown] == [405, 405]
    assert unknown[0].data == unknown[1].data
    assert council.delete(f"/fhir/R4/Condition/{id_}").status_code == 404
    pushing.involve("901")
    issue = wrong(put(council, id_, sent), 403, "forbidden")
    assert "answers for" in issue["diagnostics"]
    wrong(council.delete(f"/fhir/R4/Condition/{id_}"), 403, "forbidden")
    assert [one.rules for one in trail(pushing.engine) if one.action == "refusal"][-1] == ["not-custodian"]


def test_the_golden_patient_is_written_by_nobody(pushing: Pushing) -> None:
    lead = pushing.system("lead", "QDM", "gp")
    pushing.involve("QDM")
    answer = put(lead, str(pushing.people["ann"]), patient("7"))
    wrong(answer, 403, "forbidden")


def test_what_is_shown_less_can_not_be_replaced_from_what_is_shown(pushing: Pushing) -> None:
    pushing.restrict("ann")
    shown = read(pushing.ward.get(f"/fhir/R4/{pushing.ann}"))
    assert "address" not in shown
    wrong(put(pushing.ward, shown["id"], shown), 403, "forbidden")


# Update as create ----------------------------------------------------------------------------------


def test_an_update_of_what_is_not_there_creates_nothing_unless_the_place_lets_it(pushing: Pushing) -> None:
    answer = put(pushing.ward, str(uuid4()), observation(pushing.ann))
    assert "POST" in wrong(answer, 405, "not-supported")["diagnostics"]
    assert answer.headers["Allow"]
    wrong(put(pushing.ward, "not-a-uuid", observation(pushing.ann)), 405, "not-supported")
    wrong(put(pushing.ward, str(uuid4()), observation(pushing.ann), If_Match='W/"1"'), 404, "not-found")


def test_where_the_place_lets_it_an_update_creates_under_a_random_id(engine: Engine, place: Place) -> None:
    pushing = pushing_in(engine, replace(place, update_creates=True))
    id_ = str(uuid4())
    answer = put(pushing.ward, id_, observation(pushing.ann))
    assert (answer.status_code, answer.headers["Location"]) == (201, f"{BASE}/Observation/{id_}/_history/1")
    assert put(pushing.ward, id_, observation(pushing.ann, "7.2")).headers["ETag"] == 'W/"2"'
    wrong(put(pushing.ward, "not-a-uuid", observation(pushing.ann)), 400, "invalid")
    wrong(put(pushing.ward, str(key(HIS_ITEMS[0])), {**observation(pushing.ann)}), 405, "not-supported")


def test_what_was_deleted_comes_back_under_its_id(engine: Engine, place: Place) -> None:
    pushing = pushing_in(engine, replace(place, update_creates=True))
    id_ = str(uuid4())
    put(pushing.ward, id_, observation(pushing.ann))
    assert pushing.ward.delete(f"/fhir/R4/Observation/{id_}").status_code == 204
    answer = put(pushing.ward, id_, observation(pushing.ann))
    assert (answer.status_code, answer.headers["ETag"]) == (201, 'W/"3"')


# Delete --------------------------------------------------------------------------------------------


def test_a_delete_is_a_last_version_and_its_history_stays(pushing: Pushing) -> None:
    id_ = created(pushing.ward, observation(pushing.ann, effectiveDateTime="2026-06-01T09:30:00"))
    answer = pushing.ward.delete(f"/fhir/R4/Observation/{id_}")
    assert (answer.status_code, answer.data) == (204, b"")
    assert pushing.ward.get(f"/fhir/R4/Observation/{id_}").status_code in (404, 410)
    (one,) = pushing.stored("Observation", pushed=True, deleted=True)
    assert one.version == 2
    assert [row.deleted for row in pushing.stored("Provenance", deleted=True)] == [True]
    (kept,) = [one for one in trail(pushing.engine) if one.action == "delete"]
    assert (kept.person, kept.detail["resource"]) == (pushing.people["ann"], id_)
    assert pushing.ward.delete(f"/fhir/R4/Observation/{id_}").status_code == 404


def test_a_delete_of_an_older_version_is_refused(pushing: Pushing) -> None:
    id_ = created(pushing.ward, observation(pushing.ann))
    put(pushing.ward, id_, observation(pushing.ann, "8.0"))
    wrong(pushing.ward.delete(f"/fhir/R4/Observation/{id_}", headers={"If-Match": 'W/"1"'}), 412, "conflict")


def test_who_may_only_look_writes_nothing(pushing: Pushing) -> None:
    """The person permitted the practice to look; it is not involved with her."""
    practice = pushing.system("practice", "P81001", "gp")
    permit(pushing, "P81001")
    assert practice.get(f"/fhir/R4/Patient/{pushing.people['ann']}").status_code == 200
    answer = post(practice, observation(f"Patient/{pushing.people['ann']}"))
    wrong(answer, 403, "forbidden")
    assert [one.rules for one in trail(pushing.engine) if one.action == "refusal"] == [["only-looks"]]


# The docs ------------------------------------------------------------------------------------------


def test_the_requests_of_the_docs_do_what_is_said_of_them(pushing: Pushing) -> None:
    said = part(page("fhir.md"), "## Writing").replace("'$PATIENT'", str(pushing.people["ann"]))
    commands = re.findall(r"curl .*?http://127.0.0.1:8400\S+", said, re.DOTALL)
    answers = []
    for command in [*commands, commands[0]]:
        headers = dict(one.split(": ", 1) for one in re.findall(r'-H "(.*?)"', command) if "Bearer" not in one)
        sent = re.search(r"-d '(.*?)' http", command, re.DOTALL)
        assert sent is not None
        answers.append(pushing.ward.post(command.rpartition(":8400")[2], data=sent[1], headers=headers))
    assert [one.status_code for one in answers] == [201, 200, 200]
    assert answers[2].headers["Location"] == answers[0].headers["Location"]
    assert [one["response"]["status"] for one in read(answers[1])["entry"]] == ["201 Created", "201 Created"]
