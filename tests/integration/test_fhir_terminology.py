"""The small code systems that come with CareLink: looked up, expanded, translated; and honest about those that do not."""

from __future__ import annotations

from typing import Any

import pytest
from fhir_builders import api, read, system, wrong
from flask.testing import FlaskClient
from sqlalchemy import Engine

from carelink.db import sync
from carelink.place import Place

ROOT = "/fhir/R4"
ALERT = "https://carelink.example/CodeSystem/alert"
SNOMED = "http://snomed.info/sct"
HIV = "https://carelink.example/ValueSet/hiv"


@pytest.fixture(scope="module")
def asks(shared_engine: Engine, place: Place) -> FlaskClient:
    with shared_engine.begin() as conn:
        sync.sync(conn, place)
    return system(api(shared_engine, place), place, "terms", "RDV", "nurse", "system/*.rs")


def named(answer: Any) -> dict[str, Any]:
    """The parameters of an answer by their names."""
    told = read(answer)
    assert (answer.status_code, told["resourceType"]) == (200, "Parameters"), answer.text
    return {
        one["name"]: next(value for key, value in one.items() if key.startswith("value") or key == "part")
        for one in told["parameter"]
    }


def body(*parameters: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": list(parameters)}


def test_a_code_of_ours_is_looked_up_in_the_address_and_in_the_body(asks: FlaskClient) -> None:
    asked = asks.get(f"{ROOT}/CodeSystem/$lookup?system={ALERT}&code=safeguarding")
    coding = {"name": "coding", "valueCoding": {"system": ALERT, "code": "safeguarding"}}
    posted = asks.post(f"{ROOT}/CodeSystem/$lookup", json=body(coding))
    assert named(asked) == named(posted) == {"name": "alert", "display": "Safeguarding"}


def test_a_code_that_a_place_pack_puts_under_another_says_so(asks: FlaskClient) -> None:
    told = named(
        asks.get(f"{ROOT}/CodeSystem/$lookup?system=http://terminology.hl7.org/CodeSystem/v3-RoleCode&code=SONADOPT")
    )
    assert told["property"] == [{"name": "code", "valueCode": "parent"}, {"name": "value", "valueCode": "CHLDADOPT"}]


@pytest.mark.parametrize(
    ("address", "code", "says"),
    [
        (f"CodeSystem/$lookup?system={SNOMED}&code=73211009", "not-supported", "does not carry"),
        (f"CodeSystem/$lookup?system={ALERT}&code=nonsense", "not-found", "no such code"),
        ("CodeSystem/$lookup?system=http://terminology.hl7.org/CodeSystem/v3-RoleCode&code=ZZ", "not-found", "only a part"),
        ("ValueSet/$expand?url=http://snomed.info/sct?fhir_vs", "not-supported", "does not carry"),
        ("ConceptMap/$translate?url=http://other.example/map&code=x", "not-supported", "does not carry"),
        (f"ConceptMap/$translate?reverse=true&system={SNOMED}&code=73211009", "not-supported", "speaks of"),
        ("CodeSystem/nonsense", "not-found", "no such resource"),
        ("ValueSet/nonsense/$expand", "not-found", "no such resource"),
    ],
)  # fmt: skip
def test_what_is_not_here_is_said_not_to_be_here(asks: FlaskClient, address: str, code: str, says: str) -> None:
    assert says in wrong(asks.get(f"{ROOT}/{address}"), 404, code)["diagnostics"]


@pytest.mark.parametrize(
    ("address", "place_"),
    [
        ("CodeSystem/$lookup", "code"),
        ("CodeSystem/$lookup?colour=red", "colour"),
        ("ValueSet/$expand", "url"),
        (f"ValueSet/$expand?url={HIV}&count=-1", "count"),
        ("ConceptMap/$translate", "code"),
        ("CodeSystem?name=x", "name"),
        ("metadata?mode=nonsense", "mode"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_place(asks: FlaskClient, address: str, place_: str) -> None:
    assert wrong(asks.get(f"{ROOT}/{address}"), 400, "invalid")["expression"] == [place_]


def test_a_value_set_is_expanded_page_by_page_and_by_words(asks: FlaskClient) -> None:
    first = read(asks.get(f"{ROOT}/ValueSet/$expand?url={HIV}&count=2"))["expansion"]
    second = read(asks.get(f"{ROOT}/ValueSet/hiv/$expand?count=2&offset=2"))["expansion"]
    assert first["total"] == second["total"] > 4
    codes = [one["code"] for page in (first, second) for one in page["contains"]]
    assert len(set(codes)) == 4
    found = read(asks.get(f"{ROOT}/ValueSet/$expand?url={HIV}&filter=carrier"))["expansion"]
    assert 0 < found["total"] < first["total"]
    assert all("carrier" in one["display"].casefold() for one in found["contains"])


def test_a_word_of_a_councils_table_is_translated_and_back(asks: FlaskClient) -> None:
    there = read(asks.get(f"{ROOT}/ConceptMap/council-a-alert/$translate?code=sg"))
    match = {one["name"]: one for one in there["parameter"][1]["part"]}
    assert there["parameter"][0]["valueBoolean"] is True
    assert match["concept"]["valueCoding"] == {"system": ALERT, "code": "safeguarding", "display": "Safeguarding"}
    back = read(asks.get(f"{ROOT}/ConceptMap/council-a-alert/$translate?reverse=true&system={ALERT}&code=safeguarding"))
    words = {
        part["valueCoding"]["code"]
        for one in back["parameter"][1:]
        for part in one["part"]
        if part["name"] == "concept"
    }
    assert words == {"Safeguarding", "SG"}


def test_a_word_that_no_map_knows_has_no_meaning(asks: FlaskClient) -> None:
    told = named(asks.get(f"{ROOT}/ConceptMap/$translate?code=nonsense"))
    assert told["result"] is False


@pytest.mark.parametrize("type_", ["CodeSystem", "ValueSet", "ConceptMap"])
def test_they_are_read_and_found_by_url(asks: FlaskClient, type_: str) -> None:
    everything = read(asks.get(f"{ROOT}/{type_}"))
    assert everything["total"] == len(everything["entry"])
    one = everything["entry"][0]["resource"]
    assert read(asks.get(f"{ROOT}/{type_}/{one['id']}")) == one
    found = read(asks.post(f"{ROOT}/{type_}/_search", data={"url": one["url"]}))
    assert [entry["resource"]["id"] for entry in found["entry"]] == [one["id"]]


def test_ids_and_urls_are_each_of_one(asks: FlaskClient) -> None:
    for type_ in ("CodeSystem", "ValueSet", "ConceptMap"):
        here = [one["resource"] for one in read(asks.get(f"{ROOT}/{type_}"))["entry"]]
        assert len({one["id"] for one in here}) == len({one["url"] for one in here}) == len(here)


def test_what_others_publish_is_said_to_be_a_part(asks: FlaskClient) -> None:
    here = {one["resource"]["url"]: one["resource"] for one in read(asks.get(f"{ROOT}/CodeSystem"))["entry"]}
    assert here[ALERT]["content"] == "complete"
    assert here["http://terminology.hl7.org/CodeSystem/v3-RoleCode"]["content"] == "fragment"
    assert SNOMED not in here


def test_metadata_says_what_is_carried(asks: FlaskClient) -> None:
    told = read(asks.get(f"{ROOT}/metadata?mode=terminology"))
    assert told["resourceType"] == "TerminologyCapabilities"
    assert ALERT in {one["uri"] for one in told["codeSystem"]}
    named_ = {one["type"]: one for one in read(asks.get(f"{ROOT}/metadata"))["rest"][0]["resource"]}
    assert [one["name"] for one in named_["CodeSystem"]["operation"]] == ["lookup"]


def test_a_token_is_needed(asks: FlaskClient) -> None:
    wrong(asks.application.test_client().get(f"{ROOT}/CodeSystem"), 401, "login")
