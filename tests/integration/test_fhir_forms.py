"""Every answer in the form that was asked for: reads, searches, histories, everything, metadata, and what went wrong."""

from __future__ import annotations

from typing import Any

import pytest
from fhir_builders import HER_ITEMS, api, link, people, read, system, wrong
from flask.testing import FlaskClient
from ingest_builders import key, observation, take
from push_builders import Pushing, body, id_of, pushing_in
from push_builders import observation as sent_observation
from sqlalchemy import Engine

from carelink import clock
from carelink.fhir import xml_reading, xml_writing
from carelink.fhir.forms import SUBSETTED
from carelink.ids import PersonKey
from carelink.place import Place
from fhir_adapters import exact_json

ROOT = "/fhir/R4"
JSON, XML = "application/fhir+json", "application/fhir+xml"
CONDITION = f"{ROOT}/Condition/{key(HER_ITEMS[1])}"


@pytest.fixture
def who(engine: Engine, place: Place) -> dict[str, PersonKey]:
    found = people(engine, place)
    with engine.begin() as conn:
        take(conn, place, [observation(f"o{day}", "ann", note=[{"text": "n"}]) for day in (4, 2, 3)], clock.now())
    return found


@pytest.fixture
def asks(engine: Engine, place: Place, who: dict[str, PersonKey]) -> FlaskClient:
    return system(api(engine, place), place, "ward-system", "RDV", "nurse", "system/*.rs")


def asked(who: dict[str, PersonKey]) -> list[str]:
    """An address of each kind of answer."""
    ann = who["ann"]
    return [f"{ROOT}/metadata", CONDITION, f"{ROOT}/Patient/{ann}", f"{ROOT}/Observation?patient={ann}", f"{ROOT}/Patient?_id={ann}", f"{CONDITION}/_history", f"{CONDITION}/_history/1", f"{ROOT}/Condition/_history", f"{ROOT}/Patient/{ann}/$everything"]  # fmt: skip


def with_(path: str, given: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}{given}"


def test_every_kind_of_answer_says_the_same_in_xml_and_set_out(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    for path in asked(who):
        plain = asks.get(path)
        by_header = asks.get(path, headers={"Accept": XML})
        assert (plain.content_type, by_header.content_type, by_header.status_code) == (JSON, XML, 200), path
        assert exact_json.dumps(xml_reading.read(by_header.data)) == exact_json.dumps(read(plain)), path
        pretty = asks.get(with_(path, "_pretty=true"))
        assert pretty.data.count(b"\n") > 3
        assert without_links(read(pretty)) == without_links(read(plain)), path
        named = asks.get(with_(path, "_format=xml&_pretty=true"))
        assert without_links(xml_reading.read(named.data)) == without_links(read(plain)), path


def without_links(told: dict[str, Any]) -> dict[str, Any]:
    """A Bundle says of itself how it was asked for."""
    return {name: value for name, value in told.items() if name != "link"}


def test_a_plain_answer_is_the_stored_text(asks: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def parsed(_: object) -> None:
        raise AssertionError("a resource was parsed on its way out")

    monkeypatch.setattr(exact_json, "loads", parsed)
    for accept in ("", "*/*", JSON, "application/json", "application/fhir+json; charset=utf-8; fhirVersion=4.0"):
        assert asks.get(CONDITION, headers={"Accept": accept}).status_code == 200
    assert asks.get(f"{CONDITION}?_format=json&_summary=false").status_code == 200


@pytest.mark.parametrize("asked_", ["_summary=true", "_summary=data", "_summary=text", "_elements=code"])
def test_each_resource_that_is_cut_says_that_it_is(asks: FlaskClient, who: dict[str, PersonKey], asked_: str) -> None:
    whole = read(asks.get(f"{ROOT}/Observation?patient={who['ann']}"))["entry"]
    found = read(asks.get(f"{ROOT}/Observation?patient={who['ann']}&{asked_}"))["entry"]
    assert len(found) == len(whole) == 4
    for one, before in zip(found, whole, strict=True):
        less = set(before["resource"]) - set(one["resource"])
        assert (SUBSETTED in one["resource"]["meta"].get("tag", [])) is bool(less), one
        assert one["resource"]["id"] == before["resource"]["id"]
        assert {"status", "code"} <= set(one["resource"]) or not less
    if asked_ in ("_summary=true", "_elements=code"):
        assert all("note" not in one["resource"] for one in found)


def test_a_search_is_counted_under_the_lens(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    told = read(asks.get(f"{ROOT}/Observation?patient={who['ann']}&_summary=count"))
    assert (told["total"], "entry" in told) == (4, False)
    assert read(asks.get(f"{ROOT}/Condition?patient={who['bob']}&_summary=count"))["total"] == 0
    assert xml_reading.read(asks.get(f"{ROOT}/Observation?patient={who['ann']}&_summary=count&_format=xml").data)["total"] == 4  # fmt: skip
    wrong(asks.get(f"{CONDITION}?_summary=count"), 400, "invalid")


def test_every_page_has_the_form_of_the_first(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    path, seen = f"{ROOT}/Observation?patient={who['ann']}&_count=1&_elements=code&_pretty=true", 0
    while path:
        answer = asks.get(path)
        assert b"\n" in answer.data
        page = read(answer)
        (one,) = page["entry"]
        assert set(one["resource"]) <= {"resourceType", "id", "meta", "status", "code"}
        path, seen = link(page, "next"), seen + 1
    assert seen == 4


def test_the_form_of_a_search_in_the_body_is_asked_in_the_body(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    given = {"patient": str(who["ann"]), "_format": "xml", "_summary": "true", "_count": "2"}
    answer = asks.post(f"{ROOT}/Observation/_search", data=given)
    assert answer.content_type == XML
    following = next(one["url"] for one in xml_reading.read(answer.data)["link"] if one["relation"] == "next")
    assert asks.get(following.removeprefix("http://localhost")).content_type == XML


# What went wrong ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["Condition/x", "nothing", "Condition?shoe=1", "Condition/_history?shoe=1"])
def test_what_went_wrong_is_told_in_that_form_too_and_whole(asks: FlaskClient, path: str) -> None:
    plain = asks.get(f"{ROOT}/{path}")
    assert plain.status_code in (400, 404)
    answer = asks.get(with_(f"{ROOT}/{path}", "_format=xml&_summary=true"))
    assert (answer.status_code, answer.content_type) == (plain.status_code, XML)
    assert xml_reading.read(answer.data)["issue"][0]["diagnostics"] == read(plain)["issue"][0]["diagnostics"]


@pytest.mark.parametrize(
    ("given", "place_"),
    [("_summary=maybe", "_summary"), ("_summary=", "_summary"), ("_pretty=1", "_pretty"), ("_elements=", "_elements"), ("_elements=code.text", "_elements"), ("_elements=%00", "_elements"), ("_elements=birthDate", "_elements"), ("_elements=code&_summary=text", "_elements")],
)  # fmt: skip
def test_a_form_that_there_is_not_is_refused_with_its_name(asks: FlaskClient, given: str, place_: str) -> None:
    for path in (CONDITION, f"{ROOT}/Condition", f"{CONDITION}/_history", f"{CONDITION}/_history/1"):
        assert wrong(asks.get(f"{path}?{given}"), 400, "invalid")["expression"] == [place_]


@pytest.mark.parametrize("accept", ["text/html", "application/fhir+xml; fhirVersion=3.0", "text/turtle", "application/fhir+turtle"])  # fmt: skip
def test_what_is_not_served_is_not_acceptable(asks: FlaskClient, accept: str) -> None:
    wrong(asks.get(CONDITION, headers={"Accept": accept}), 406, "not-supported")
    wrong(asks.get(f"{CONDITION}?_format={accept.partition(';')[0]}1"), 406, "not-supported")


def test_what_is_in_a_version_that_the_client_has_is_not_sent_in_any_form(asks: FlaskClient) -> None:
    answer = asks.get(CONDITION, headers={"Accept": XML})
    again = asks.get(CONDITION, headers={"Accept": XML, "If-None-Match": answer.headers["ETag"]})
    since = asks.get(CONDITION, headers={"Accept": XML, "If-Modified-Since": answer.headers["Last-Modified"]})
    assert (again.status_code, again.data, since.status_code) == (304, b"", 304)


# What is sent in XML, and what is not whole ---------------------------------------------------------


@pytest.fixture
def pushing(engine: Engine, place: Place) -> Pushing:
    return pushing_in(engine, place)


def test_what_is_written_in_xml_is_stored_to_the_digit(pushing: Pushing) -> None:
    sent = xml_writing.written(sent_observation(pushing.ann, "7.100"))
    answer = pushing.ward.post(f"{ROOT}/Observation", **body(sent, Content_Type=XML))
    assert answer.status_code == 201, answer.text
    found = read(pushing.ward.get(f"{ROOT}/Observation/{id_of(answer.headers['Location'])}"))
    assert found["valueQuantity"]["value"].text == "7.100"


def test_xml_that_is_not_harmless_is_refused_with_its_place(pushing: Pushing) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "b">]><Observation xmlns="http://hl7.org/fhir"><status value="&a;"/></Observation>'
    for sent in (bomb, b"", b"<", b"\xff", b'<Observation xmlns="http://hl7.org/fhir"><x/></Observation>'):
        answer = pushing.ward.post(f"{ROOT}/Observation", **body(sent, Content_Type=XML))
        assert answer.status_code == 400, answer.text
        assert read(answer)["issue"][0]["expression"]


def test_what_is_not_whole_is_not_stored_in_the_place_of_the_whole(pushing: Pushing) -> None:
    made = pushing.ward.post(f"{ROOT}/Observation", **body(sent_observation(pushing.ann)))
    path = f"{ROOT}/Observation/{id_of(made.headers['Location'])}"
    less = read(pushing.ward.get(f"{path}?_elements=status"))
    refused = wrong(pushing.ward.put(path, **body(less)), 400, "invalid")
    assert refused["expression"] == ["Observation.meta.tag"]
