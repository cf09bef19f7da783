"""Patient/$match: who is meant, how sure it is, and that neither tells what a client may not know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fhir_builders import ANN, ANN_NUMBER, BOB, api, entries, involve, people, read, statements, system, trail, wrong
from flask.testing import FlaskClient
from ingest_builders import NHS, key, patient, person_of, take
from sqlalchemy import Engine, text

from carelink import clock
from carelink.cases import patient_match
from carelink.consent.sensitivity import CONFIDENTIALITY
from carelink.fhir.matching import GRADE
from carelink.ids import PersonKey
from carelink.place import Place

MATCH = "/fhir/R4/Patient/$match"
NAME = ANN.body["name"]
BORN = ANN.body["birthDate"]
HOME = ANN.body["address"]
NUMBER = [{"system": NHS, "value": ANN_NUMBER}]
VERIFIED = {
    "url": "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus",
    "valueCodeableConcept": {
        "coding": [{"system": "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus", "code": "01"}]
    },
}


@pytest.fixture
def who(engine: Engine, place: Place) -> dict[str, PersonKey]:
    return people(engine, place)


@pytest.fixture
def asks(engine: Engine, place: Place, who: dict[str, PersonKey]) -> Iterator[FlaskClient]:
    with system(api(engine, place), place, "ward-system", "RDV", "nurse", "system/*.rs") as client:
        yield client


def sent(said: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    values = {"onlyCertainMatches": "valueBoolean", "count": "valueInteger"}
    told: list[dict[str, Any]] = [{"name": name, values[name]: value} for name, value in more.items()]
    if said is not None:
        told.append({"name": "resource", "resource": {"resourceType": "Patient", **said}})
    return {"resourceType": "Parameters", "parameter": told}


def asked(client: FlaskClient, said: dict[str, Any], **more: Any) -> list[tuple[str, str]]:
    """The ids that it finds, each with its grade; every score stands with its grade and in order."""
    answer = client.post(MATCH, json=sent(said, **more), content_type="application/fhir+json")
    assert answer.status_code == 200, answer.text
    found = read(answer)
    assert (found["resourceType"], found["type"], found["total"]) == ("Bundle", "searchset", len(entries(found)))
    scores = [float(one["search"]["score"]) for one in found.get("entry", [])]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    grades = [one["search"]["extension"] for one in found.get("entry", [])]
    assert all(len(one) == 1 and one[0]["url"] == GRADE for one in grades)
    return [
        (one["resource"]["id"], grade[0]["valueCode"])
        for one, grade in zip(found.get("entry", []), grades, strict=True)
    ]


# Who is found --------------------------------------------------------------------------------------


def test_who_agrees_in_number_name_and_birth_date_is_certain(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    assert asked(asks, {"identifier": NUMBER, "name": NAME, "birthDate": BORN}) == [(str(who["ann"]), "certain")]


def test_the_golden_patient_is_sent_as_it_is_stored(
    asks: FlaskClient, engine: Engine, who: dict[str, PersonKey]
) -> None:
    answer = asks.post(MATCH, json=sent({"identifier": NUMBER, "name": NAME, "birthDate": BORN}))
    with engine.connect() as conn:
        body = conn.execute(text("select body from resource where key = :k"), {"k": who["ann"]}).scalar_one()
    assert body.encode() in answer.data


# what is said beside the name -> how sure it is
SURER = [
    ({"birthDate": BORN, "address": HOME, "gender": "female"}, "certain"),
    ({"birthDate": BORN}, "certain"),
    ({"birthDate": BORN, "gender": "male"}, "possible"),
    ({"identifier": [{"system": NHS, "value": "9990000034"}], "birthDate": BORN}, "probable"),
]


@pytest.mark.parametrize(("said", "grade"), SURER, ids=[grade + str(number) for number, (_, grade) in enumerate(SURER)])
def test_how_sure_it_is_is_what_the_linker_would_do(
    asks: FlaskClient, who: dict[str, PersonKey], said: dict[str, Any], grade: str
) -> None:
    assert asked(asks, {"name": NAME, **said}) == [(str(who["ann"]), grade)]


def test_another_verified_number_is_certainly_somebody_else(
    asks: FlaskClient, engine: Engine, place: Place, who: dict[str, PersonKey]
) -> None:
    with engine.begin() as conn:
        proven = {**ANN.body, "identifier": [{"system": NHS, "value": ANN_NUMBER, "extension": [VERIFIED]}]}
        take(conn, place, [patient("ann", **{name: said for name, said in proven.items() if name not in ("id", "resourceType")})], clock.now())  # fmt: skip
    other = [{"system": NHS, "value": "9990000034", "extension": [VERIFIED]}]
    said = {"identifier": other, "name": NAME, "birthDate": BORN, "address": HOME}
    assert asked(asks, said) == [(str(who["ann"]), "certainly-not")]
    assert asked(asks, said, onlyCertainMatches=True) == []


def test_a_stranger_matches_nobody(asks: FlaskClient) -> None:
    assert asked(asks, {"name": [{"family": "Nobody", "given": ["Of", "Here"]}], "birthDate": "1901-05-06"}) == []


def test_two_who_are_equally_like_are_both_probable_and_neither_is_certain(
    asks: FlaskClient, engine: Engine, place: Place, who: dict[str, PersonKey]
) -> None:
    twin = patient(
        "twin", name=[{**NAME[0], "given": ["Someone"]}], birthDate=BORN, address=[{"postalCode": "DM99 9ZZ"}]
    )
    with engine.begin() as conn:
        take(conn, place, [twin], clock.now())
        other = person_of(conn, twin)
        involve(conn, other, "RDV")
        conn.execute(text("update resource set body = replace(body, 'Someone', :given) where key = :key"), {"key": other, "given": NAME[0]["given"][0]})  # fmt: skip
    said = {"name": NAME, "birthDate": BORN}
    assert set(asked(asks, said)) == {(str(who["ann"]), "probable"), (str(other), "probable")}
    assert asked(asks, said, onlyCertainMatches=True) == []
    assert len(asked(asks, said, count=1)) == 1


# What it does not tell -----------------------------------------------------------------------------


def test_somebody_whom_the_client_may_not_know_is_not_found_however_well_they_are_described(
    asks: FlaskClient, who: dict[str, PersonKey]
) -> None:
    everything = {name: said for name, said in BOB.body.items() if name not in ("id", "resourceType")}
    assert asked(asks, everything) == []


def test_where_a_restricted_person_lives_makes_it_neither_surer_nor_less_sure(
    asks: FlaskClient, engine: Engine, place: Place, who: dict[str, PersonKey]
) -> None:
    hidden = {**ANN.body, "meta": {"security": [{"system": CONFIDENTIALITY, "code": "R"}]}}
    with engine.begin() as conn:
        take(conn, place, [patient("ann", **{name: said for name, said in hidden.items() if name not in ("id", "resourceType")})], clock.now())  # fmt: skip
    said = {"name": NAME, "birthDate": BORN}
    guesses: list[dict[str, Any]] = [{}, {"address": HOME}, {"address": [{"line": ["1 Elsewhere Road"], "postalCode": "DM1 1AA"}]}]  # fmt: skip
    answers = {asks.post(MATCH, json=sent({**said, **guess})).data for guess in guesses}
    assert len(answers) == 1
    assert asked(asks, {"name": NAME, "address": HOME}) == []  # and nobody is found by it


def test_a_name_that_only_a_hidden_record_has_finds_nobody(
    asks: FlaskClient, engine: Engine, place: Place, who: dict[str, PersonKey]
) -> None:
    """A source's own Patient is compared by the linker, and not here: it may be kept from who asks."""
    secret = [{"family": "Verysecret", "given": ["Otherwise"]}]
    with engine.begin() as conn:
        there = conn.execute(text("select count(*) from person_trait where patient = :k"), {"k": key(ANN)}).scalar_one()
        assert there == 1
        conn.execute(
            text("update person_trait set family = 'verysecret', given = 'otherwise', sounds = 'x' where patient = :k"),
            {"k": key(ANN)},
        )
    assert asked(asks, {"name": secret, "birthDate": BORN}) == []


# What is kept of it --------------------------------------------------------------------------------


def test_it_is_audited_as_a_search_of_whom_it_showed_and_with_no_value(
    asks: FlaskClient, engine: Engine, who: dict[str, PersonKey]
) -> None:
    before = len(trail(engine))
    asked(asks, {"identifier": NUMBER, "name": NAME, "birthDate": BORN})
    asked(asks, {"name": [{"family": "Nobody", "given": ["Of"]}], "birthDate": BORN})
    rows = trail(engine)[before:]
    assert [(one.action, one.query, one.person, one.count) for one in rows] == [
        ("search", "Patient?$match", who["ann"], 1),
        ("search", "Patient?$match", None, 0),
    ]
    said = " ".join(str(one.detail) + str(one.query) for one in rows)
    assert not [value for value in (ANN_NUMBER, BORN, NAME[0]["family"]) if value in said]


def test_it_asks_no_more_than_a_statement_a_block_and_one_for_the_audit(asks: FlaskClient, engine: Engine) -> None:
    with statements(engine) as sent_:
        asked(asks, {"identifier": NUMBER, "name": NAME, "birthDate": BORN, "address": HOME, "telecom": [{"system": "phone", "value": "01632 960001"}]})  # fmt: skip
    assert sent_.count("insert") == 1
    assert len(sent_) <= 7, sent_


def test_it_gives_no_more_than_so_many(asks: FlaskClient) -> None:
    """Whatever is asked for: nobody goes through a place by matching."""
    answer = asks.post(MATCH, json=sent({"name": NAME, "birthDate": BORN}, count=100_000))
    assert len(entries(read(answer))) <= patient_match.MOST


# What can't be asked -------------------------------------------------------------------------------

PATIENT = {"name": "resource", "resource": {"resourceType": "Patient", "name": NAME}}
# what is sent -> where it says the mistake is
MISTAKES: list[tuple[Any, str]] = [
    ({"resourceType": "Parameters"}, "Parameters.parameter"),
    ({"resourceType": "Patient", "name": NAME}, "resourceType"),
    ([], "Parameters"),
    ({"resourceType": "Parameters", "parameter": {}}, "Parameters.parameter"),
    ({"resourceType": "Parameters", "parameter": [7]}, "Parameters.parameter[0]"),
    ({"resourceType": "Parameters", "parameter": [{"name": "resource"}]}, "Parameters.parameter[0]"),
    ({"resourceType": "Parameters", "parameter": [PATIENT, PATIENT]}, "Parameters.parameter[1]"),
    ({"resourceType": "Parameters", "parameter": [PATIENT, {"name": "fuzzy", "valueBoolean": True}]}, "fuzzy"),
    ({"resourceType": "Parameters", "parameter": [PATIENT, {"name": "count", "valueString": "9"}]}, "Parameters.parameter[1]"),
    ({"resourceType": "Parameters", "parameter": [PATIENT, {"name": "count", "valueInteger": -1}]}, "Parameters.parameter[1]"),
    ({"resourceType": "Parameters", "parameter": [PATIENT, {"name": "count", "valueInteger": True}]}, "Parameters.parameter[1]"),
    ({"resourceType": "Parameters", "parameter": [PATIENT, {"name": "onlyCertainMatches", "valueBoolean": "x"}]}, "Parameters.parameter[1]"),
    (sent({"birthDate": BORN}), "Parameters.parameter[0].resource.name"),
    (sent({"name": [{"text": "  "}]}), "Parameters.parameter[0].resource.name"),
    (sent({"name": [{"family": f"F{n}"} for n in range(11)]}), "Parameters.parameter[0].resource.name"),
    (sent({"name": NAME, "gender": "unheard-of"}), "Parameters.parameter[0].resource.gender"),
    ({"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": {"resourceType": "Person"}}]}, "Parameters.parameter[0].resource"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "place_"), MISTAKES, ids=[f"{n} {one[1]}" for n, one in enumerate(MISTAKES)])
def test_what_can_t_be_asked_is_refused_with_its_place(asks: FlaskClient, body: Any, place_: str) -> None:
    issue = wrong(asks.post(MATCH, json=body, content_type="application/fhir+json"), 400, "invalid")
    assert issue["expression"][0].startswith(place_)


def test_what_is_no_json_is_refused(asks: FlaskClient) -> None:
    wrong(asks.post(MATCH, data=b"{", content_type="application/fhir+json"), 400, "invalid")
    wrong(asks.post(MATCH, data=b"[" * 100_000, content_type="application/fhir+json"), 400, "invalid")
    wrong(asks.post(MATCH, data=b"x", content_type="text/plain"), 415, "not-supported")


def test_it_needs_a_token_that_may_read_patients(asks: FlaskClient, place: Place) -> None:
    wrong(asks.application.test_client().post(MATCH, json=sent({"name": NAME})), 401, "login")
    other = system(asks.application, place, "conditions", "RDV", "nurse", "system/Condition.rs")
    wrong(other.post(MATCH, json=sent({"name": NAME})), 403, "forbidden")
