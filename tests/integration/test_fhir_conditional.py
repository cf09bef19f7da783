"""Writes under a condition: looked up with the client's own lens, inside the transaction, so that two can't both win."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
from fhir_builders import ANN, BASE, read, trail, wrong
from flask.testing import FlaskClient
from ingest_builders import key
from push_builders import (
    Pushing,
    body,
    bundle,
    entry,
    id_of,
    named,
    observation,
    patient,
    pushing_in,
)
from sqlalchemy import Engine

from carelink.ids import ODS
from carelink.place import Place

Json = dict[str, Any]
CLIENTS = 8  # at once
CONDITION = "identifier=urn:ward:results|r1"


@pytest.fixture
def pushing(engine: Engine, place: Place) -> Pushing:
    return pushing_in(engine, place)


def result(pushing: Pushing, value: str = "7.10", number: str = "r1", **changed: Any) -> Json:
    return observation(pushing.ann, value, **({"identifier": named(number)} | changed))


def post(browser: FlaskClient, sent: Json, condition: str = CONDITION) -> Any:
    return browser.post(f"/fhir/R4/{sent['resourceType']}", **body(sent, If_None_Exist=condition))


def put(browser: FlaskClient, sent: Json, condition: str = CONDITION, **headers: str) -> Any:
    return browser.put(f"/fhir/R4/{sent['resourceType']}?{condition}", **body(sent, **headers))


# Create --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("condition", [CONDITION, f"?{CONDITION}", f"Observation?{CONDITION}"])
def test_what_is_there_already_is_told_of_and_not_created_again(pushing: Pushing, condition: str) -> None:
    first = post(pushing.ward, result(pushing), condition)
    again = post(pushing.ward, result(pushing, "9.9"), condition)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.headers["Location"] == first.headers["Location"]
    assert [one.version for one in pushing.stored("Observation", pushed=True)] == [1]


def test_where_several_meet_the_condition_nothing_is_created(pushing: Pushing) -> None:
    for _ in range(2):
        pushing.ward.post("/fhir/R4/Observation", **body(result(pushing)))
    wrong(post(pushing.ward, result(pushing)), 412, "multiple-matches")
    assert len(pushing.stored("Observation", pushed=True)) == 2


@pytest.mark.parametrize(
    ("condition", "place_"),
    [("", "If-None-Exist"), ("colour=red", "colour"), ("_count=1", "_count"), (f"{CONDITION}&_sort=date", "_sort")],
)
def test_a_condition_that_is_none_is_refused(pushing: Pushing, condition: str, place_: str) -> None:
    issue = wrong(post(pushing.ward, result(pushing), condition), 400, "invalid")
    assert issue["expression"] == [place_]


def test_a_condition_looks_so_it_needs_the_scope_to_search(pushing: Pushing) -> None:
    writer = pushing.system("writer", "RDV", "nurse", "system/Observation.cud")
    answers = [post(writer, result(pushing)), put(writer, result(pushing)), writer.delete(f"/fhir/R4/Observation?{CONDITION}")]  # fmt: skip
    for answer in answers:
        wrong(answer, 403, "forbidden")


def test_the_look_for_the_condition_is_audited_once(pushing: Pushing) -> None:
    before = len(trail(pushing.engine))
    asked = body(result(pushing), If_None_Exist=CONDITION, Prefer="return=minimal")
    pushing.ward.post("/fhir/R4/Observation", **asked)
    kept = trail(pushing.engine)[before:]
    assert [(one.action, one.query) for one in kept] == [
        ("search", "Observation?identifier"),
        ("create", "Observation"),
    ]


def test_what_the_client_may_not_see_is_as_if_it_did_not_exist(pushing: Pushing) -> None:
    """A practice that is not involved with her meets nothing; then it is, and meets the one of the ward."""
    practice = pushing.system("practice", "P81001", "gp")
    post(pushing.ward, result(pushing))
    own = patient("77")
    sent = bundle(
        "transaction",
        entry("POST", "Patient", own, "urn:uuid:1"),
        entry("POST", "Observation", observation("urn:uuid:1", identifier=named("r1")), ifNoneExist=CONDITION),
    )
    answer = practice.post("/fhir/R4", **body(sent))
    assert [one["response"]["status"] for one in read(answer)["entry"]] == ["201 Created", "201 Created"]
    pushing.involve("P81001")
    again = post(practice, observation(f"Patient/{pushing.people['ann']}", identifier=named("r1")))
    assert again.status_code == 200
    assert read(practice.get(again.headers["Location"].partition("/_history")[0].removeprefix("http://localhost")))


# Update --------------------------------------------------------------------------------------------


def test_the_one_that_meets_the_condition_is_updated(pushing: Pushing) -> None:
    id_ = id_of(post(pushing.ward, result(pushing)).headers["Location"])
    answer = put(pushing.ward, result(pushing, "8.0"))
    assert (answer.status_code, answer.headers["Location"]) == (200, f"{BASE}/Observation/{id_}/_history/2")
    assert put(pushing.ward, {**result(pushing, "8.1"), "id": id_}).headers["ETag"] == 'W/"3"'


def test_where_none_meets_it_something_new_is_created(pushing: Pushing) -> None:
    assert put(pushing.ward, result(pushing)).status_code == 201
    assert put(pushing.ward, result(pushing)).status_code == 200
    assert len(pushing.stored("Observation", pushed=True)) == 1


def test_an_id_in_the_body_that_nothing_meets_is_one_that_the_client_would_choose(pushing: Pushing) -> None:
    wrong(put(pushing.ward, {**result(pushing), "id": str(uuid4())}), 405, "not-supported")
    wrong(put(pushing.ward, {**result(pushing), "id": "seven"}), 400, "invalid")
    there = id_of(post(pushing.ward, result(pushing, number="r2"), "identifier=r2").headers["Location"])
    wrong(put(pushing.ward, {**result(pushing), "id": there}), 409, "conflict")


def test_an_id_in_the_body_that_is_not_of_what_meets_the_condition_is_refused(pushing: Pushing) -> None:
    post(pushing.ward, result(pushing))
    wrong(put(pushing.ward, {**result(pushing), "id": str(uuid4())}), 400, "invalid")


def test_a_stale_version_is_refused_by_condition_too(pushing: Pushing) -> None:
    post(pushing.ward, result(pushing))
    put(pushing.ward, result(pushing, "8.0"))
    wrong(put(pushing.ward, result(pushing, "9.0"), If_Match='W/"1"'), 412, "conflict")


def test_a_condition_that_several_meet_changes_none(pushing: Pushing) -> None:
    for number in ("r1", "r2"):
        post(
            pushing.ward,
            result(pushing, number=number, identifier=[*named(number), *named("both", "urn:b")]),
            number_of(number),
        )
    wrong(put(pushing.ward, result(pushing, "1.0"), "identifier=urn:b|both"), 412, "multiple-matches")
    wrong(pushing.ward.delete("/fhir/R4/Observation?identifier=urn:b|both"), 412, "multiple-matches")
    assert [one.version for one in pushing.stored("Observation", pushed=True)] == [1, 1]


def number_of(number: str) -> str:
    return f"identifier=urn:ward:results|{number}"


def test_of_patients_a_condition_means_those_of_the_clients_organisation(pushing: Pushing) -> None:
    """Each source has its own, and the golden one has the identifiers of all: one number would always mean several."""
    mine = put(
        pushing.ward, {**{k: v for k, v in ANN.body.items() if k != "id"}, "gender": "other"}, "identifier=urn:ward|7"
    )
    assert (mine.status_code, id_of(mine.headers["Location"])) == (200, str(key(ANN)))
    assert [one.version for one in pushing.stored("Patient") if one.key == key(ANN)] == [2]


# Delete --------------------------------------------------------------------------------------------


def test_the_one_that_meets_the_condition_is_deleted_and_none_is_no_failure(pushing: Pushing) -> None:
    post(pushing.ward, result(pushing))
    assert [pushing.ward.delete(f"/fhir/R4/Observation?{CONDITION}").status_code for _ in range(2)] == [204, 204]
    assert pushing.stored("Observation", pushed=True) == []


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_without_id_and_condition_nothing_is_changed(pushing: Pushing, method: str) -> None:
    wrong(pushing.ward.open("/fhir/R4/Observation", method=method, **body(result(pushing))), 400, "invalid")


# At once -------------------------------------------------------------------------------------------


def at_once(pushing: Pushing, ask: Any) -> list[Any]:
    """The answers to many that ask at the same moment, each on a connection of its own."""
    start = Barrier(CLIENTS)

    def one(number: int) -> Any:
        browser = pushing.app.test_client()
        browser.environ_base.update(pushing.ward.environ_base)
        start.wait()
        return ask(browser, number)

    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(one, range(CLIENTS)))


@pytest.mark.parametrize("condition", [CONDITION, "code=43396009&patient={ann}&date=2026-07-09"])
def test_of_many_creates_under_one_condition_exactly_one_wins(pushing: Pushing, condition: str) -> None:
    asked = condition.format(ann=pushing.people["ann"])
    sent = result(pushing, effectiveDateTime="2026-07-09T10:00:00Z")
    answers = at_once(pushing, lambda browser, _: post(browser, sent, asked))
    assert sorted(one.status_code for one in answers) == [200] * (CLIENTS - 1) + [201]
    assert len({one.headers["Location"] for one in answers}) == 1
    assert len(pushing.stored("Observation", pushed=True)) == 1


def test_conditions_that_are_written_differently_and_mean_the_same_resource_do_not_both_win(pushing: Pushing) -> None:
    asked = ["identifier=urn:ward:results|r1", "identifier=r1", "identifier=urn:other|o1", "identifier=o1"]
    sent = result(pushing, identifier=[*named("r1"), *named("o1", "urn:other")])
    answers = at_once(pushing, lambda browser, number: post(browser, sent, asked[number % len(asked)]))
    assert sorted(one.status_code for one in answers) == [200] * (CLIENTS - 1) + [201]
    assert len(pushing.stored("Observation", pushed=True)) == 1


def test_of_many_updates_and_transactions_under_one_condition_one_creates_and_the_others_update(
    pushing: Pushing,
) -> None:
    def ask(browser: FlaskClient, number: int) -> Any:
        sent = result(pushing, f"{number}.0")
        if number % 2:
            return put(browser, sent).status_code
        entries = entry("PUT", f"Observation?{CONDITION}", sent)
        answer = browser.post("/fhir/R4", **body(bundle("transaction", entries)))
        return int(read(answer)["entry"][0]["response"]["status"][:3])

    assert sorted(at_once(pushing, ask)) == [200] * (CLIENTS - 1) + [201]
    (one,) = pushing.stored("Observation", pushed=True)
    assert one.version == CLIENTS


def test_of_many_patients_under_one_condition_exactly_one_is_created_and_linked(pushing: Pushing) -> None:
    """Of somebody who is registered with them: so the practice sees its own Patient at once."""
    practice = pushing.system("practice", "P81001", "gp")
    pushing.ward.environ_base.update(practice.environ_base)
    registered = [{"identifier": {"system": ODS, "value": "P81001"}}]
    sent = patient("7", generalPractitioner=registered)
    answers = at_once(pushing, lambda browser, _: post(browser, sent, "identifier=urn:ward|7"))
    assert sorted(one.status_code for one in answers) == [200] * (CLIENTS - 1) + [201]
    (one,) = pushing.stored("Patient", pushed=True)
    assert one.person not in pushing.people.values()


def test_of_many_updates_of_one_version_exactly_one_wins(pushing: Pushing) -> None:
    id_ = id_of(post(pushing.ward, result(pushing)).headers["Location"])

    def ask(browser: FlaskClient, number: int) -> Any:
        sent = {"id": id_, **result(pushing, f"{number}.5")}
        return browser.put(f"/fhir/R4/Observation/{id_}", **body(sent, If_Match='W/"1"')).status_code

    assert sorted(at_once(pushing, ask)) == [200] + [412] * (CLIENTS - 1)
