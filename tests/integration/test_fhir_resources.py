"""Read and search of the types that are read and searched alike, as a system of a hospital asks."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote
from uuid import uuid4

import pytest
from fhir_builders import (  # fmt: skip
    ANN,
    DOCTOR,
    HER_ITEMS,
    HIS_ITEMS,
    api,
    entries,
    link,
    people,
    read,
    statements,
    system,
    trail,
    wrong,
)
from flask.testing import FlaskClient
from ingest_builders import key, observation, take
from sqlalchemy import Engine

from carelink import clock
from carelink.fhir import searched
from carelink.fhir.capability import RESOURCES
from carelink.ids import PersonKey
from carelink.place import Place
from carelink.record.parameters import of_type

ROOT = "/fhir/R4"
SAMPLES = {
    "token": "x",
    "string": "x",
    "date": "ge2020-01-01",
    "reference": str(uuid4()),
    "uri": "urn:x",
    "quantity": "1",
}


@pytest.fixture
def who(engine: Engine, place: Place) -> dict[str, PersonKey]:
    found = people(engine, place)
    more = [observation(f"o{day}", "ann", effectiveDateTime=f"2026-03-0{day}") for day in (4, 2, 3)]
    with engine.begin() as conn:
        take(conn, place, more, clock.now())
    return found


@pytest.fixture
def asks(engine: Engine, place: Place, who: dict[str, PersonKey]) -> Iterator[FlaskClient]:
    """A system of the hospital that has Ann on a ward, and knows Bob."""
    with system(api(engine, place), place, "ward-system", "RDV", "nurse", "system/*.rs") as client:
        yield client


def ids(answer: object) -> list[str]:
    return [one["id"] for one in entries(answer)]  # type: ignore[arg-type]


def found(client: FlaskClient, path: str) -> list[str]:
    answer = client.get(f"{ROOT}/{path}")
    assert answer.status_code == 200, answer.text
    return ids(read(answer))


# Read -----------------------------------------------------------------------------------------------


def test_what_may_be_seen_is_read_and_what_may_not_is_not_there(asks: FlaskClient) -> None:
    for one in (*HER_ITEMS, DOCTOR):
        answer = asks.get(f"{ROOT}/{one.type}/{key(one)}")
        assert (answer.status_code, read(answer)["id"]) == (200, str(key(one)))
        again = asks.get(f"{ROOT}/{one.type}/{key(one)}", headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304
    unknown = asks.get(f"{ROOT}/Condition/{uuid4()}")
    hidden = asks.get(f"{ROOT}/Condition/{key(HIS_ITEMS[0])}")
    assert wrong(hidden, 404, "not-found") == wrong(unknown, 404, "not-found") | {
        "diagnostics": read(hidden)["issue"][0]["diagnostics"]
    }


def test_a_thing_is_read_as_what_it_is(asks: FlaskClient) -> None:
    wrong(asks.get(f"{ROOT}/Observation/{key(HER_ITEMS[1])}"), 404, "not-found")


# Search ---------------------------------------------------------------------------------------------


def test_a_persons_things_are_found_by_the_golden_patient_and_by_that_of_a_source(
    asks: FlaskClient, who: dict[str, PersonKey]
) -> None:
    (condition,) = found(asks, f"Condition?patient={who['ann']}")
    assert condition == str(key(HER_ITEMS[1]))
    for other in (f"patient=Patient/{who['ann']}", f"subject={who['ann']}", f"patient={key(ANN)}"):
        assert found(asks, f"Condition?{other}") == [condition]
    assert found(asks, f"Condition?patient={who['bob']}") == []
    assert found(asks, f"Condition?patient={uuid4()}") == []


def test_they_come_newest_first_or_as_asked(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    whole = f"Observation?patient={who['ann']}&date=ge2026-03-01&date=lt2026-03-05"
    newest = [str(key(observation(f"o{day}", "ann"))) for day in (4, 3, 2)]
    assert found(asks, whole) == newest
    assert found(asks, f"{whole}&_sort=-date") == newest
    assert found(asks, f"{whole}&_sort=date") == newest[::-1]


def test_pages_follow_until_there_is_none(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    whole = found(asks, f"Observation?patient={who['ann']}")
    path, seen = f"{ROOT}/Observation?patient={who['ann']}&_count=1", list[str]()
    while path:
        page = read(asks.get(path))
        seen += ids(page)
        path = link(page, "next")
    assert seen == whole
    assert len(whole) == 4


def test_it_is_narrowed_by_what_metadata_names(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    coded = next(one.body["code"]["coding"][0] for one in HER_ITEMS if one.type == "Condition")
    code = quote(f"{coded['system']}|{coded['code']}")
    assert found(asks, f"Condition?patient={who['ann']}&code={code}") == [str(key(HER_ITEMS[1]))]
    assert found(asks, f"Condition?patient={who['ann']}&code=nothing") == []
    assert found(asks, f"Condition?_id={key(HER_ITEMS[1])}") == [str(key(HER_ITEMS[1]))]
    assert found(asks, f"Condition?_id={key(HIS_ITEMS[0])}") == []


def test_a_directory_is_searched_without_a_person(asks: FlaskClient) -> None:
    assert found(asks, "Practitioner?name=desai") == [str(key(DOCTOR))]
    assert read(asks.get(f"{ROOT}/Practitioner?family=desai"))["total"] == 1


def test_what_was_asked_in_the_body_stands_in_no_address(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    answer = asks.post(f"{ROOT}/Observation/_search", data={"patient": str(who["ann"]), "_count": "2"})
    assert answer.status_code == 200
    page = read(answer)
    assert [str(who["ann"]) in one["url"] for one in page["link"]] == [False, False]
    assert len(ids(read(asks.get(link(page, "next"))))) == 2


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("Condition?", "say which"),
        ("Patient?", "say which"),
        ("Condition?patient={ann}&colour=blue", "not a search parameter"),
        ("Condition?patient={ann}&code:below=1", "no such modifier"),
        ("Condition?patient={ann}&code:=1", "no modifier after its colon"),
        ("Condition?patient={ann}&_sort=encounter", "nothing that Condition can be sorted by"),
        ("Condition?patient={ann}&_sort=clinical", "no search parameter"),
        ("Condition?patient={ann}&_sort=_id,_id,_id,_id,_id,_id", "more than five"),
        ("Condition?patient={ann}&_count=-1", "whole number"),
        ("Condition?patient={ann}&_count=501", "whole number"),
        ("Condition?patient={ann}&_total=many", "none, estimate, accurate"),
        ("Condition?patient={ann}&_include=Condition:code", "no reference"),
        ("Condition?patient={ann}&_include:upwards=Condition:encounter", "no such modifier"),
        ("Condition?patient={ann}&_revinclude=*", "names no type"),
        ("Condition?patient={ann}&_has:Observation:code=1", "must be _has:TYPE:REFERENCE:PARAMETER"),
        ("Condition?patient={ann}&code.text=1", "is no reference"),
        ("Condition?patient=nobody", "not an id"),
        ("Goal?patient={ann}&_sort=date", "nothing that Goal can be sorted by"),
        ("Patient?identifier=1&_sort=general-practitioner", "nothing that Patient can be sorted by"),
        ("AuditEvent?patient={ann}&_sort=date", "newest first"),
    ],
)
def test_what_is_not_known_is_refused_and_never_left_out(
    asks: FlaskClient, who: dict[str, PersonKey], path: str, says: str
) -> None:
    issue = wrong(asks.get(f"{ROOT}/{path.format(ann=who['ann'])}"), 400, "invalid")
    assert says in issue["diagnostics"]


def test_no_other_type_than_those_of_the_table_is_served(asks: FlaskClient) -> None:
    wrong(asks.get(f"{ROOT}/Basic?_id={uuid4()}"), 404, "not-found")


def test_a_scope_opens_its_own_type_alone(engine: Engine, place: Place, asks: FlaskClient, who: dict[str, PersonKey]) -> None:  # fmt: skip
    client = system(asks.application, place, "conditions", "RDV", "nurse", "system/Condition.rs")
    assert len(found(client, f"Condition?patient={who['ann']}")) == 1
    wrong(client.get(f"{ROOT}/Observation?patient={who['ann']}"), 403, "forbidden")


# Cost, audit, metadata ------------------------------------------------------------------------------


def test_a_search_of_one_person_is_one_question_and_its_look(
    asks: FlaskClient, engine: Engine, who: dict[str, PersonKey]
) -> None:
    with statements(engine) as said:
        asks.get(f"{ROOT}/Observation?patient={who['ann']}&_sort=-date&_count=20")
    assert said == ["with", "insert"]
    row = trail(engine)[-1]
    assert (row.action, row.person, row.count, row.user) == ("search", who["ann"], 4, "client:ward-system")
    assert row.query == "Observation?"


def sample_of(type_: str, name: str, kind: str) -> str:
    """A value that the parameter may be asked by; of a composite one for each part."""
    known = of_type(type_)
    parts = known[name].components if kind == "composite" else ()
    return "$".join(SAMPLES[known[part].kind.value] for part in parts) if parts else SAMPLES[kind]


@pytest.mark.parametrize("type_", searched.TYPES)
def test_every_parameter_that_metadata_names_is_searched_by(
    asks: FlaskClient, who: dict[str, PersonKey], type_: str
) -> None:
    assert RESOURCES[type_]["parameters"] == searched.parameters(type_)
    whose = f"&patient={who['ann']}" if searched.needs_a_person(type_) else ""
    for name, kind, _ in searched.parameters(type_):
        sample = SAMPLES["reference"] if name == "_id" else sample_of(type_, name, kind)
        more = "" if name in searched.OF_A_PERSON else whose
        assert asks.get(f"{ROOT}/{type_}?{name}={sample}{more}").status_code == 200, name
    if type_ in searched.SORTED_BY:
        assert asks.get(f"{ROOT}/{type_}?_sort={searched.SORTED_BY[type_]}{whose}").status_code == 200
