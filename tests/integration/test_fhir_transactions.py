"""Batches and transactions: each entry by itself, or all of them or none, in the order that R4 gives."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from fhir_builders import read, statements, trail, wrong
from ingest_builders import SNOMED
from push_builders import (
    Pushing,
    body,
    bundle,
    consent,
    encounter,
    entry,
    id_of,
    named,
    observation,
    patient,
    pushing_in,
)
from sqlalchemy import Engine

from carelink.fhir.bundle_requests import MOST
from carelink.ids import ODS
from carelink.place import Place

Json = dict[str, Any]
CONDITION = "identifier=urn:ward:results|r1"


@pytest.fixture
def pushing(engine: Engine, place: Place) -> Pushing:
    return pushing_in(engine, place)


def send(pushing: Pushing, kind: str, *entries: Json, **headers: str) -> Any:
    return pushing.ward.post("/fhir/R4", **body(bundle(kind, *entries), **headers))


def done(answer: Any) -> list[Json]:
    """The responses of a Bundle that was done."""
    assert answer.status_code == 200, answer.text
    return [one["response"] for one in read(answer)["entry"]]


def statuses(answer: Any) -> list[int]:
    return [int(one["status"][:3]) for one in done(answer)]


# Transactions --------------------------------------------------------------------------------------


def test_a_transaction_is_answered_in_the_order_of_the_request(pushing: Pushing) -> None:
    there = created(pushing, observation(pushing.ann, "1.0"))
    gone = created(pushing, observation(pushing.ann, "2.0"))
    answer = send(
        pushing,
        "transaction",
        entry("GET", f"Observation/{there}"),
        entry("PUT", f"Observation/{there}", {"id": there, **observation(pushing.ann, "1.1")}),
        entry("POST", "Observation", observation(pushing.ann, "3.0")),
        entry("DELETE", f"Observation/{gone}"),
    )
    told = read(answer)
    assert (told["resourceType"], told["type"]) == ("Bundle", "transaction-response")
    assert [one["status"] for one in done(answer)] == ["200 OK", "200 OK", "201 Created", "204 No Content"]
    assert told["entry"][0]["resource"]["valueQuantity"]["value"].text == "1.1"  # read after it was written
    assert told["entry"][1]["response"]["location"] == f"Observation/{there}/_history/2"
    assert (told["entry"][1]["response"]["etag"], "lastModified" in told["entry"][1]["response"]) == ('W/"2"', True)
    assert "resource" not in told["entry"][2]


def created(pushing: Pushing, sent: Json) -> str:
    answer = pushing.ward.post(f"/fhir/R4/{sent['resourceType']}", **body(sent))
    assert answer.status_code == 201, answer.text
    return id_of(answer.headers["Location"])


def test_the_entries_call_each_other_by_their_urns(pushing: Pushing) -> None:
    answer = send(
        pushing,
        "transaction",
        entry("POST", "Observation", observation("urn:uuid:p", encounter={"reference": "urn:uuid:e"}), "urn:uuid:o"),
        entry("POST", "Encounter", encounter("urn:uuid:p"), "urn:uuid:e"),
        entry("POST", "Patient", patient("1"), "urn:uuid:p"),
        Prefer="return=representation",
    )
    assert statuses(answer) == [201, 201, 201]
    made, stay, who = (one["resource"] for one in read(answer)["entry"])
    assert made["subject"]["reference"] == f"Patient/{who['id']}"
    assert made["encounter"]["reference"] == f"Encounter/{stay['id']}"
    (new,) = pushing.stored("Patient", pushed=True)
    assert {row.person for row in pushing.stored("Observation", pushed=True)} == {new.person}
    assert new.person not in pushing.people.values()


def test_addresses_of_another_server_are_names_too(pushing: Pushing) -> None:
    """R4 2.36.4: a relative reference is resolved against the root of the entry that it stands in."""
    root = "https://ward.example/fhir"
    answer = send(
        pushing,
        "transaction",
        entry("POST", "Patient", patient("1"), f"{root}/Patient/7"),
        entry("POST", "Encounter", encounter("Patient/7"), f"{root}/Encounter/1"),
        entry("POST", "Observation", observation(f"{root}/Patient/7")),
    )
    assert statuses(answer) == [201, 201, 201]


def test_a_conditional_reference_is_what_it_finds_also_in_the_same_transaction(pushing: Pushing) -> None:
    answer = send(
        pushing,
        "transaction",
        entry("POST", "Observation", observation("Patient?identifier=urn:ward|1")),
        entry("POST", "Encounter", encounter("Patient?identifier=1")),
        entry("POST", "Patient", patient("1")),
        entry("POST", "Observation", observation("Patient?identifier=https://dalevalley.example/mrn|M-none")),
    )
    assert wrong(answer, 422, "business-rule")["expression"] == ["Bundle.entry[3].resource.subject.reference"]
    registered = patient("1", generalPractitioner=[{"identifier": {"system": ODS, "value": "RDV"}}])
    again = send(
        pushing,
        "transaction",
        entry("POST", "Observation", observation("Patient?identifier=urn:ward|1")),
        entry("POST", "Patient", registered),
        entry("POST", "Observation", observation("Patient?identifier=https://fhir.nhs.uk/Id/nhs-number|9990000018")),
    )
    assert statuses(again) == [201, 201, 201]
    assert {row.person for row in pushing.stored("Observation", pushed=True)} == {
        pushing.people["ann"],
        pushing.stored("Patient", pushed=True)[0].person,
    }


def test_one_that_finds_several_is_refused(pushing: Pushing) -> None:
    sent = [entry("POST", "Patient", patient("1")) for _ in range(2)]
    answer = send(pushing, "transaction", *sent, entry("POST", "Encounter", encounter("Patient?identifier=1")))
    wrong(answer, 422, "business-rule")


def test_what_one_creates_another_does_not_create_again(pushing: Pushing) -> None:
    sent = observation(pushing.ann, identifier=named("r1"))
    twice = [entry("POST", "Observation", sent, ifNoneExist=CONDITION) for _ in range(2)]
    assert statuses(send(pushing, "transaction", *twice)) == [201, 200]
    assert statuses(send(pushing, "transaction", *twice)) == [200, 200]
    assert len(pushing.stored("Observation", pushed=True)) == 1


@pytest.mark.parametrize("other", ["identifier=r1", "code=43396009&patient={ann}&date=2026-07-09"])
def test_conditions_of_one_transaction_that_come_to_mean_several_undo_it(pushing: Pushing, other: str) -> None:
    sent = observation(pushing.ann, identifier=named("r1"), effectiveDateTime="2026-07-09")
    asked = other.format(ann=pushing.people["ann"])
    answer = send(
        pushing,
        "transaction",
        entry("POST", "Observation", sent, ifNoneExist=CONDITION),
        entry("POST", "Observation", sent, ifNoneExist=asked),
    )
    wrong(answer, 412, "multiple-matches")
    assert pushing.stored("Observation", pushed=True) == []


def test_no_resource_stands_in_it_twice(pushing: Pushing) -> None:
    there = created(pushing, observation(pushing.ann, identifier=named("r1")))
    put = entry("PUT", f"Observation/{there}", {"id": there, **observation(pushing.ann, "1.1")})
    others = [put, entry("DELETE", f"Observation/{there}"), entry("DELETE", f"Observation?{CONDITION}")]
    for other in others:
        issue = wrong(send(pushing, "transaction", put, other), 400, "invalid")
        assert issue["expression"][0].startswith("Bundle.entry[")
    two = [entry("POST", "Patient", patient("1"), "urn:uuid:1"), entry("POST", "Patient", patient("2"), "urn:uuid:1")]
    assert wrong(send(pushing, "transaction", *two), 400, "invalid")["expression"] == ["Bundle.entry[1].fullUrl"]


def test_every_wrong_place_is_told_at_once(pushing: Pushing) -> None:
    answer = send(
        pushing,
        "transaction",
        entry("POST", "Observation", observation(pushing.ann, code=None)),
        entry("POST", "Observation", observation(pushing.ann)),
        entry("POST", "Observation", observation("urn:uuid:nobody")),
    )
    assert answer.status_code == 400
    assert {one["expression"][0] for one in read(answer)["issue"]} == {
        "Bundle.entry[0].resource.code",
        "Bundle.entry[2].resource.subject.reference",
    }
    assert pushing.stored("Observation", pushed=True) == []


FAILING = [
    (entry("GET", f"Observation/{uuid4()}"), 404, "not-found"),
    (entry("DELETE", f"Observation/{uuid4()}"), 404, "not-found"),
    (entry("PUT", f"Observation/{uuid4()}", {"resourceType": "Observation"}), 400, "invalid"),
    (entry("POST", "Nonsense", {"resourceType": "Nonsense"}), 400, "invalid"),
    (entry("GET", "Observation?colour=red"), 400, "invalid"),
    (entry("POST", "AuditEvent", {"resourceType": "AuditEvent"}), 400, "invalid"),
]


@pytest.mark.parametrize(("failing", "status", "code"), FAILING)
def test_one_that_fails_undoes_all_and_says_which(pushing: Pushing, failing: Json, status: int, code: str) -> None:
    answer = send(pushing, "transaction", entry("POST", "Observation", observation(pushing.ann)), failing)
    issue = wrong(answer, status, code)
    if "colour" not in issue["diagnostics"]:
        assert issue["expression"][0].startswith("Bundle.entry[1]")
    assert pushing.stored("Observation", pushed=True) == []


def test_a_consent_goes_by_its_own_rules(pushing: Pushing) -> None:
    ward = pushing.system("both", "RDV", "nurse", "system/*.cruds system/Consent.cu")
    me = f"Patient/{pushing.people['ann']}"
    both = bundle(
        "transaction", entry("POST", "Consent", consent(me)), entry("POST", "Observation", observation(pushing.ann))
    )
    answer = ward.post("/fhir/R4", **body(both))
    assert statuses(answer) == [201, 201]
    (one,) = pushing.stored("Consent")
    assert (one.source, done(answer)[0]["location"]) == ("carelink", f"Consent/{one.key}/_history/1")
    carer = {"reference": "RelatedPerson/1", "display": "Bea Hart"}
    refused = bundle("transaction", entry("POST", "Observation", observation(pushing.ann)), entry("POST", "Consent", consent(me, performer=[carer])))  # fmt: skip
    assert wrong(ward.post("/fhir/R4", **body(refused)), 422, "business-rule")["expression"]
    assert (len(pushing.stored("Observation", pushed=True)), len(pushing.stored("Consent"))) == (1, 1)
    wrong(send(pushing, "transaction", entry("POST", "Consent", consent(me))), 403, "forbidden")


def test_without_the_scope_for_one_of_them_nothing_is_done(pushing: Pushing) -> None:
    writer = pushing.system("writer", "RDV", "nurse", "system/Observation.cuds")
    both = [entry("POST", "Observation", observation(pushing.ann)), entry("POST", "Encounter", encounter(pushing.ann))]
    issue = wrong(writer.post("/fhir/R4", **body(bundle("transaction", *both))), 403, "forbidden")
    assert issue["expression"] == ["Bundle.entry[1]"]
    assert pushing.stored("Observation", pushed=True) == []


def test_each_that_was_written_is_audited_by_its_key(pushing: Pushing) -> None:
    before = len(trail(pushing.engine))
    sent = [entry("POST", "Observation", observation(pushing.ann, f"{number}.0")) for number in range(3)]
    made = [one["location"].split("/")[1] for one in done(send(pushing, "transaction", *sent))]
    kept = trail(pushing.engine)[before:]
    assert sorted(one.detail["resource"] for one in kept) == sorted(made)
    assert {(one.action, one.person, one.user) for one in kept} == {
        ("create", pushing.people["ann"], "client:ward-system")
    }


def test_a_transaction_of_fifty_costs_hardly_more_statements_than_one_of_two(pushing: Pushing) -> None:
    counted = []
    for size in (2, 2, 50):
        sent = [entry("POST", "Observation", observation(pushing.ann, f"{number}.0")) for number in range(size)]
        with statements(pushing.engine) as said:
            assert statuses(send(pushing, "transaction", *sent)) == [201] * size
        counted.append(len(said))
    assert counted[2] == counted[1]


def test_one_about_several_people_is_linked_and_announced_together(pushing: Pushing) -> None:
    pushing.involve("RDV", "bob")
    sent = [entry("POST", "Observation", observation(f"Patient/{pushing.people[who]}")) for who in ("ann", "bob")]
    send(pushing, "transaction", *sent)
    assert pushing.news()[-1]["persons"] == sorted(map(str, pushing.people.values()))


@pytest.mark.parametrize("path", ["/fhir/R4", "/fhir/R4/"])
def test_an_empty_one_is_answered_by_an_empty_one(pushing: Pushing, path: str) -> None:
    answer = pushing.ward.post(path, **body({"resourceType": "Bundle", "type": "transaction"}))
    assert (answer.status_code, read(answer)) == (200, {"resourceType": "Bundle", "type": "transaction-response"})


# Batches -------------------------------------------------------------------------------------------


def test_in_a_batch_each_stands_for_itself(pushing: Pushing) -> None:
    there = created(pushing, observation(pushing.ann, "1.0"))
    answer = send(
        pushing,
        "batch",
        entry("POST", "Observation", observation(pushing.ann, "2.0")),
        entry("POST", "Observation", observation(pushing.ann, code=None)),
        entry("GET", f"Observation/{there}"),
        entry("GET", f"Observation/{uuid4()}"),
        entry("PUT", f"Observation/{there}", {"id": there, **observation(pushing.ann, "1.1")}, ifMatch='W/"9"'),
        entry("DELETE", f"Observation/{there}"),
        entry("GET", f"Observation?patient={pushing.people['ann']}&code={SNOMED}|43396009"),
        entry("FETCH", "Observation"),
        entry("GET", f"Patient/{pushing.people['ann']}/$everything"),
    )
    assert read(answer)["type"] == "batch-response"
    assert statuses(answer) == [201, 400, 200, 404, 412, 204, 200, 400, 200]
    told = read(answer)["entry"]
    assert told[1]["response"]["outcome"]["issue"][0]["expression"] == ["Observation.code"]
    assert told[2]["resource"]["id"] == there
    assert told[3]["response"]["outcome"]["issue"][0]["code"] == "not-found"
    assert told[6]["resource"]["type"] == told[8]["resource"]["type"] == "searchset"
    assert told[7]["response"]["outcome"]["issue"][0]["expression"] == ["Bundle.entry[7].request.method"]
    assert len(pushing.stored("Observation", pushed=True)) == 1


def test_what_of_a_batch_is_refused_is_audited(pushing: Pushing) -> None:
    send(pushing, "batch", entry("GET", f"Observation/{uuid4()}"), entry("POST", "Consent", consent(pushing.ann)))
    kept = [one for one in trail(pushing.engine) if one.action == "refusal"]
    assert [one.user for one in kept] == ["client:ward-system"] * 2
    assert len({one.request for one in kept}) == 1


def test_a_batch_and_its_entries_are_one_request_that_is_not_over_with_the_first(pushing: Pushing) -> None:
    answer = send(pushing, "batch", *(entry("POST", "Observation", observation(pushing.ann)) for _ in range(5)))
    assert statuses(answer) == [201] * 5
    assert answer.headers["X-Request-Id"]
    assert len(pushing.stored("Observation", pushed=True)) == 5


def test_what_each_entry_asks_for_is_sent_back(pushing: Pushing) -> None:
    for kind in ("batch", "transaction"):
        answer = send(
            pushing, kind, entry("POST", "Observation", observation(pushing.ann)), Prefer="return=representation"
        )
        assert read(answer)["entry"][0]["resource"]["resourceType"] == "Observation"
        answer = send(
            pushing, kind, entry("POST", "Observation", observation(pushing.ann)), Prefer="return=OperationOutcome"
        )
        assert read(answer)["entry"][0]["response"]["outcome"]["issue"][0]["severity"] == "information"


# What is no Bundle ---------------------------------------------------------------------------------

NO_BUNDLE = [
    ({"resourceType": "Observation"}, "resourceType"),
    ({"resourceType": "Bundle", "type": "collection"}, "Bundle.type"),
    ({"resourceType": "Bundle", "type": "batch", "entry": {}}, "Bundle.entry"),
]
NO_ENTRY = [
    (7, "Bundle.entry[0]"),
    ({}, "Bundle.entry[0].request"),
    ({"request": []}, "Bundle.entry[0].request"),
    ({"request": {"method": "GET"}}, "Bundle.entry[0].request.url"),
    ({"request": {"method": "GET", "url": "https://elsewhere.example/Patient/1"}}, "Bundle.entry[0].request.url"),
    ({"request": {"method": "GET", "url": "../../people"}}, "Bundle.entry[0].request.url"),
    ({"request": {"method": "GET", "url": "a/../../people"}}, "Bundle.entry[0].request.url"),
    ({"request": {"method": "POST", "url": ""}, "resource": {}}, "Bundle.entry[0].request.url"),
    ({"request": {"method": "POST", "url": "Patient"}, "resource": []}, "Bundle.entry[0].resource"),
    ({"request": {"method": "POST", "url": "Patient"}}, "Bundle.entry[0].resource.resourceType"),
    ({"request": {"method": "POST", "url": "Patient/1"}, "resource": {}}, "Bundle.entry[0].request.url"),
    ({"request": {"method": "GET", "url": "Patient/1", "ifMatch": 7}}, "Bundle.entry[0].request.ifMatch"),
    ({"request": {"method": "GET", "url": "Patient/1"}, "fullUrl": 7}, "Bundle.entry[0].fullUrl"),
]


@pytest.mark.parametrize(("sent", "place_"), NO_BUNDLE)
def test_what_is_no_batch_or_transaction_is_refused(pushing: Pushing, sent: Json, place_: str) -> None:
    assert wrong(pushing.ward.post("/fhir/R4", **body(sent)), 400, "invalid")["expression"] == [place_]


@pytest.mark.parametrize(("sent", "place_"), NO_ENTRY)
def test_an_entry_that_asks_nothing_is_refused_with_its_place(pushing: Pushing, sent: Any, place_: str) -> None:
    whole = {"resourceType": "Bundle", "type": "transaction", "entry": [sent]}
    assert wrong(pushing.ward.post("/fhir/R4", **body(whole)), 400, "invalid")["expression"] == [place_]


def test_more_entries_than_are_done_at_once_are_refused(pushing: Pushing) -> None:
    sent = json.dumps(bundle("batch", *(entry("GET", "Patient/1") for _ in range(MOST + 1)))).encode()
    assert wrong(pushing.ward.post("/fhir/R4", **body(sent)), 413, "too-costly")["expression"] == ["Bundle.entry"]


def test_who_sends_no_token_is_told_so_whatever_is_sent(pushing: Pushing) -> None:
    answer = pushing.app.test_client().post("/fhir/R4", **body({"resourceType": "Bundle", "type": "batch"}))
    wrong(answer, 401, "login")
