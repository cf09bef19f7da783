"""Patient/$everything in parts: of some types, of some time, changed since, and page by page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from fhir_builders import (
    ANN,
    DOCTOR,
    HER_ITEMS,
    api,
    entries,
    involve,
    link,
    people,
    read,
    statements,
    system,
    trail,
    wrong,
)
from flask.testing import FlaskClient
from ingest_builders import condition, item, key, observation, take
from sqlalchemy import Engine

from carelink import clock
from carelink.ids import PersonKey
from carelink.place import Place

THEIRS = {"subject": {"reference": "Patient/ann"}}
HERS = {"patient": {"reference": "Patient/ann"}}
MORE = [
    condition("c-2020", "ann", onsetDateTime="2020-03-04"),
    observation("o-2020", "ann", effectiveDateTime="2020-03-05T10:00:00Z"),
    item("CarePlan", "long", status="active", intent="plan", period={"start": "2019-01-01"}, **THEIRS),
    item("CarePlan", "over", status="completed", intent="plan", period={"start": "2019-01-01", "end": "2019-06-30"}, **THEIRS),
    item("AllergyIntolerance", "undated", code={"text": "Peanuts"}, **HERS),
]  # fmt: skip


@pytest.fixture
def who(engine: Engine, place: Place) -> dict[str, PersonKey]:
    found = people(engine, place)
    with engine.begin() as conn:
        take(conn, place, MORE, clock.now())
    return found


@pytest.fixture
def asks(engine: Engine, place: Place, who: dict[str, PersonKey]) -> Iterator[FlaskClient]:
    with system(api(engine, place), place, "ward-system", "RDV", "nurse", "system/*.rs") as client:
        yield client


@pytest.fixture
def her(who: dict[str, PersonKey]) -> str:
    return f"/fhir/R4/Patient/{who['ann']}/$everything"


def ids(client: FlaskClient, address: str, mode: str = "match") -> list[str]:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in entries(read(answer), mode)]


def keys(*items: Any) -> set[str]:
    return {str(key(one)) for one in items}


# Types ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", ["_type=Condition,Observation", "_type=Condition&_type=Observation"])
def test_of_some_types_alone(asks: FlaskClient, her: str, asked: str) -> None:
    assert set(ids(asks, f"{her}?{asked}")) == keys(HER_ITEMS[1], HER_ITEMS[2], MORE[0], MORE[1])
    assert ids(asks, f"{her}?{asked}", "include") == []


def test_what_others_name_is_there_where_its_type_is_wanted(asks: FlaskClient, her: str) -> None:
    both = f"{her}?_type=Observation,Practitioner"
    assert set(ids(asks, both)) == keys(HER_ITEMS[2], MORE[1])
    assert ids(asks, both, "include") == [str(key(DOCTOR))]
    assert ids(asks, f"{her}?_type=Practitioner", "include") == [str(key(DOCTOR))]


def test_a_type_that_there_is_none_of_gives_an_empty_bundle(asks: FlaskClient, her: str) -> None:
    assert ids(asks, f"{her}?_type=Immunization") == []
    assert read(asks.get(f"{her}?_type=Immunization"))["total"] == 0


def test_the_scopes_bound_the_types_that_are_wanted(
    asks: FlaskClient, place: Place, who: dict[str, PersonKey], her: str
) -> None:
    narrow = system(asks.application, place, "narrow", "RDV", "nurse", "system/Patient.rs system/Observation.rs")
    assert set(ids(narrow, f"{her}?_type=Observation,Condition")) == keys(HER_ITEMS[2], MORE[1])


# Time ----------------------------------------------------------------------------------------------

# what is asked -> which of the person's items, of those that have a date; undated ones are always there
SPANS = [
    ("start=2020-03-04&end=2020-03-05", {0, 1, 2}),
    ("start=2020-03&end=2020-03", {0, 1, 2}),
    ("end=2019-12-31", {2, 3}),
    ("start=2020-03-05", {1, 2}),
    ("start=2019-06-30&end=2019-06-30", {2, 3}),
    ("start=2019-07-01&end=2019-07-01", {2}),
    ("end=1990", set()),
]


@pytest.mark.parametrize(("asked", "there"), SPANS)
def test_of_care_in_a_span_of_time_and_what_has_no_date(
    asks: FlaskClient, her: str, who: dict[str, PersonKey], asked: str, there: set[int]
) -> None:
    found = set(ids(asks, f"{her}?{asked}"))
    assert found & keys(*MORE[:4]) == keys(*(MORE[number] for number in there))
    assert {str(who["ann"]), *keys(ANN, MORE[4])} <= found


def test_changed_since_an_instant(asks: FlaskClient, engine: Engine, place: Place, her: str) -> None:
    later = clock.now() + timedelta(minutes=5)
    new = condition("c-new", "ann")
    with engine.begin() as conn:
        take(conn, place, [new], later)
    since = quote((later - timedelta(seconds=1)).isoformat())
    assert ids(asks, f"{her}?_since={since}") == [str(key(new))]
    assert ids(asks, f"{her}?_since={quote((later + timedelta(minutes=1)).isoformat())}") == []


# Pages ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 3, 100])
def test_every_page_is_reached_and_nothing_is_twice_or_lost(
    asks: FlaskClient, her: str, who: dict[str, PersonKey], count: int
) -> None:
    whole = ids(asks, her)
    address, found, pages = f"{her}?_count={count}", [], 0
    while address:
        page = read(asks.get(address))
        assert len(entries(page)) <= count
        assert ("total" in page) == (count == 100)
        found += [one["id"] for one in entries(page)]
        address, pages = link(page, "next"), pages + 1
    assert found == whole
    assert found[0] == str(who["ann"])
    assert pages >= len(whole) / count


def test_who_is_named_stands_on_the_page_that_names_them(asks: FlaskClient, her: str) -> None:
    page = read(asks.get(f"{her}?_count=1&_type=Observation,Practitioner"))
    seen = []
    while True:
        for one in entries(page):
            named = "Practitioner/" in str(one)
            assert bool(entries(page, "include")) == named
            seen.append(named)
        if not (address := link(page, "next")):
            break
        page = read(asks.get(address))
    assert True in seen


def test_what_is_written_meanwhile_loses_and_repeats_nothing(
    asks: FlaskClient, engine: Engine, place: Place, her: str
) -> None:
    before = ids(asks, her)
    page = read(asks.get(f"{her}?_count=3"))
    with engine.begin() as conn:
        take(conn, place, [condition("c-new", "ann", onsetDateTime="2026-11-01")], clock.now())
    found = [one["id"] for one in entries(page)]
    while address := link(page, "next"):
        page = read(asks.get(address))
        found += [one["id"] for one in entries(page)]
    assert found == before


def test_a_page_is_for_whom_it_was_given_to(asks: FlaskClient, engine: Engine, place: Place, who: dict[str, PersonKey], her: str) -> None:  # fmt: skip
    more = link(read(asks.get(f"{her}?_count=2")), "next")
    with engine.begin() as conn:
        involve(conn, who["ann"], "P81001")
    other = system(asks.application, place, "surgery", "P81001", "gp", "system/*.rs")
    assert wrong(other.get(more), 400, "invalid")["expression"] == ["_page"]
    assert "Condition" not in more
    assert str(who["bob"]) not in more


def test_it_is_asked_by_post_and_its_pages_go_on(asks: FlaskClient, her: str) -> None:
    said = [
        {"name": "_count", "valueInteger": 2},
        {"name": "_type", "valueCode": "Condition"},
        {"name": "_type", "valueCode": "Observation"},
        {"name": "start", "valueDate": "2020-01-01"},
    ]
    page = read(asks.post(her, json={"resourceType": "Parameters", "parameter": said}))
    found = [one["id"] for one in entries(page)]
    assert read(asks.get(link(page, "self")))["entry"] == page["entry"]
    while address := link(page, "next"):
        page = read(asks.get(address))
        found += [one["id"] for one in entries(page)]
    assert set(found) == keys(HER_ITEMS[2], MORE[0], MORE[1])
    assert read(asks.post(her))["entry"] == read(asks.get(her))["entry"]


# What can't be asked, who may not be known, and what is kept ---------------------------------------

MISTAKES = [
    ("_count=0", "_count"),
    ("_count=-1", "_count"),
    ("_count=501", "_count"),
    ("_count=two", "_count"),
    ("_count=2&_count=3", "_count"),
    ("start=yesterday", "start"),
    ("end=2026-13-01", "end"),
    ("start=2026-02-01&end=2026-01-01", "end"),
    ("_since=2026-01-01", "_since"),
    ("_since=now", "_since"),
    ("_type=Sandwich", "_type"),
    ("_type=Condition,", "_type"),
    ("_type=", "_type"),
    ("code=7", "code"),
    ("_sort=date", "_sort"),
    ("_page=nonsense", "_page"),
]


@pytest.mark.parametrize(("asked", "place_"), MISTAKES)
def test_what_is_not_known_or_no_value_is_refused_by_name(asks: FlaskClient, her: str, asked: str, place_: str) -> None:
    assert wrong(asks.get(f"{her}?{asked}"), 400, "invalid")["expression"] == [place_]


@pytest.mark.parametrize("asked", ["", "?_type=Condition", "?_count=1", "?start=2020-01-01", "?_type=Immunization"])
def test_whoever_may_not_be_known_is_not_there_however_it_is_asked(
    asks: FlaskClient, who: dict[str, PersonKey], asked: str
) -> None:
    hidden = asks.get(f"/fhir/R4/Patient/{who['bob']}/$everything{asked}")
    nobody = asks.get(f"/fhir/R4/Patient/{UUID(int=9)}/$everything{asked}")
    wrong(hidden, 404, "not-found")
    assert hidden.data == nobody.data


@pytest.mark.parametrize("asked", ["", "?_type=Condition", "?_count=2", "?_type=Immunization"])
def test_one_look_is_kept_of_a_request(
    asks: FlaskClient, engine: Engine, who: dict[str, PersonKey], her: str, asked: str
) -> None:
    before = len(trail(engine))
    found = read(asks.get(her + asked))
    (row,) = trail(engine)[before:]
    assert (row.action, row.query, row.person) == ("read", "$everything", who["ann"])
    assert row.count == len(entries(found)) + len(entries(found, "include"))


def test_all_of_it_asks_no_more_than_before(asks: FlaskClient, engine: Engine, her: str) -> None:
    asks.get(her)
    with statements(engine) as sent:
        asks.get(her)
    assert len(sent) == 5  # of the person, whom it names, the look, whether something is withheld, where sources stand
    assert sent.count("insert") <= 1


def test_it_is_offered_for_one_person_alone(asks: FlaskClient) -> None:
    assert asks.get("/fhir/R4/Patient/$everything").status_code in (404, 405)
    (patient,) = [one for one in read(asks.get("/fhir/R4/metadata"))["rest"][0]["resource"] if one["type"] == "Patient"]
    assert {one["name"] for one in patient["operation"]} >= {"everything", "match", "summary", "meta"}
