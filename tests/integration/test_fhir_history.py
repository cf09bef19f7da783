"""Single versions, histories of one resource and of a type, and what is gone: each under the lens of today and of then."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from fhir_builders import BASE, HIS_ITEMS, api, link, people, read, statements, system, trail, wrong
from flask.testing import FlaskClient
from ingest_builders import condition, key, observation, take
from sqlalchemy import Engine, update

from carelink import clock
from carelink.consent.lens import Lens
from carelink.db.tables import resource, resource_version
from carelink.ids import PersonKey
from carelink.place import Place
from carelink.record import store

ROOT = "/fhir/R4"
NOW = clock.now()
WORDS = ("first", "second", "third")
Json = dict[str, Any]


def said(words: str) -> Any:
    return observation("seen", "ann", note=[{"text": words}])


SEEN = f"{ROOT}/Observation/{key(said(''))}"


@pytest.fixture
def who(engine: Engine, place: Place) -> dict[str, PersonKey]:
    """Ann, of whom one observation was changed twice, at an hour each."""
    found = people(engine, place)
    with engine.begin() as conn:
        for hour, words in enumerate(WORDS):
            take(conn, place, [said(words)], NOW + timedelta(hours=hour))
    return found


@pytest.fixture
def asks(engine: Engine, place: Place, who: dict[str, PersonKey]) -> FlaskClient:
    """A system of the hospital that has Ann on a ward, and knows Bob."""
    return system(api(engine, place), place, "ward-system", "RDV", "nurse", "system/*.rs")


def words(entry: Json) -> str:
    return str(entry["resource"]["note"][0]["text"])


def delete(engine: Engine, place: Place, type_: str, id_: UUID) -> None:
    with engine.begin() as conn:
        store.delete(conn, place, Lens.system("test", NOW + timedelta(hours=9)), type_, id_)  # type: ignore[arg-type]


# One version ----------------------------------------------------------------------------------------


def test_every_version_is_read_as_it_was(asks: FlaskClient) -> None:
    for number, text in enumerate(WORDS, 1):
        answer = asks.get(f"{SEEN}/_history/{number}")
        assert (answer.status_code, answer.headers["ETag"]) == (200, f'W/"{number}"')
        assert (read(answer)["note"][0]["text"], read(answer)["meta"]["versionId"]) == (text, str(number))
    assert asks.get(f"{SEEN}/_history/2", headers={"If-None-Match": 'W/"2"'}).status_code == 304


@pytest.mark.parametrize("version", ["0", "4", "99999999999999999999", "01", "-1", "abc", "2147483648"])
def test_a_version_that_there_is_not_is_not_found(asks: FlaskClient, version: str) -> None:
    hidden = asks.get(f"{ROOT}/Condition/{key(HIS_ITEMS[0])}/_history/1")
    assert wrong(asks.get(f"{SEEN}/_history/{version}"), 404, "not-found") == wrong(hidden, 404, "not-found")


@pytest.mark.parametrize("version", ["%00", "x'--", "a b", "x" * 65])
def test_what_is_no_version_is_refused_with_its_place(asks: FlaskClient, version: str) -> None:
    assert wrong(asks.get(f"{SEEN}/_history/{version}"), 400, "invalid")["expression"] == ["_history"]


@pytest.mark.parametrize("id_", ["12", "..", "x'--", "%00", "c0ffee00-0000-4000-8000-000000000001"])
def test_what_is_not_there_has_no_past_whatever_its_id_looks_like(asks: FlaskClient, id_: str) -> None:
    for path in (f"Condition/{id_}", f"Condition/{id_}/_history", f"Condition/{id_}/_history/1"):
        wrong(asks.get(f"{ROOT}/{path}"), 404, "not-found")


# The history of one ---------------------------------------------------------------------------------


def test_a_history_has_every_version_newest_first_with_what_made_it(asks: FlaskClient) -> None:
    bundle = read(asks.get(f"{SEEN}/_history"))
    assert (bundle["type"], bundle["total"], link(bundle, "self")) == ("history", 3, f"{SEEN}/_history")
    assert [words(one) for one in bundle["entry"]] == list(WORDS[::-1])
    assert [one["request"]["method"] for one in bundle["entry"]] == ["PUT", "PUT", "POST"]
    newest = bundle["entry"][0]
    assert newest["fullUrl"] == f"{BASE}/Observation/{key(said(''))}"
    assert newest["request"]["url"] == f"Observation/{key(said(''))}"
    assert newest["response"]["etag"] == 'W/"3"'
    assert newest["response"]["lastModified"] == newest["resource"]["meta"]["lastUpdated"]


def test_pages_of_a_history_follow_until_there_is_none(asks: FlaskClient) -> None:
    path, seen = f"{SEEN}/_history?_count=1", list[str]()
    while path:
        page = read(asks.get(path))
        assert "total" not in page
        seen += [words(one) for one in page["entry"]]
        path = link(page, "next")
    assert seen == list(WORDS[::-1])
    assert read(asks.get(f"{SEEN}/_history?_summary=count"))["total"] == 3


def test_a_history_is_narrowed_by_time(asks: FlaskClient) -> None:
    def found(**asked: Any) -> list[str]:
        answer = asks.get(f"{SEEN}/_history", query_string={name: when.isoformat() for name, when in asked.items()})
        return [words(one) for one in read(answer).get("entry", [])]

    hour, minute = timedelta(hours=1), timedelta(minutes=1)
    assert found(_since=NOW + minute) == ["third", "second"]
    assert found(_since=NOW + hour) == ["third", "second"]
    assert found(_since=NOW + 9 * hour) == []
    assert found(_at=NOW + minute) == ["first"]
    assert found(_at=NOW + hour + minute) == ["second"]
    assert found(_at=NOW + 9 * hour) == ["third"]
    assert found(_at=NOW - minute) == []


@pytest.mark.parametrize(
    ("asked", "named"),
    [("_since=yesterday", "_since"), ("_at=2026-13", "_at"), ("_since=9999", "_since"), ("_count=0", "_count"), ("_count=-1", "_count"), ("_sort=date", "_sort"), ("patient=1", "patient"), ("_page=x", "_page"), ("_summary=maybe", "_summary"), ("_elements=shoe", "_elements")],
)  # fmt: skip
def test_what_a_history_can_not_be_asked_is_refused_with_its_name(asks: FlaskClient, asked: str, named: str) -> None:
    for path in (f"{SEEN}/_history", f"{ROOT}/Observation/_history"):
        assert wrong(asks.get(f"{path}?{asked}"), 400, "invalid")["expression"] == [named]


def test_the_link_of_a_search_is_none_of_a_history(asks: FlaskClient, who: dict[str, PersonKey]) -> None:
    page = read(asks.get(f"{ROOT}/Observation?patient={who['ann']}&_count=1"))
    token = link(page, "next").partition("?")[2]
    assert asks.get(f"{SEEN}/_history?{token}").status_code == 400


# Of a type ------------------------------------------------------------------------------------------


def test_the_history_of_a_type_has_what_may_be_seen_of_all(asks: FlaskClient) -> None:
    bundle = read(asks.get(f"{ROOT}/Observation/_history"))
    assert [words(one) for one in bundle["entry"] if "note" in one["resource"]] == list(WORDS[::-1])
    conditions = read(asks.get(f"{ROOT}/Condition/_history"))["entry"]
    assert [one["resource"]["id"] for one in conditions] == [str(key(condition("c1", "ann")))]
    assert read(asks.get(f"{ROOT}/Flag/_history")) == {"resourceType": "Bundle", "type": "history", "total": 0, "link": [{"relation": "self", "url": f"{BASE}/Flag/_history"}]}  # fmt: skip


def test_pages_of_a_type_follow_and_what_is_written_meanwhile_repeats_nothing(
    asks: FlaskClient, engine: Engine, place: Place
) -> None:
    path, seen = f"{ROOT}/Observation/_history?_count=2", list[tuple[str, str]]()
    while path:
        page = read(asks.get(path))
        seen += [(one["resource"]["id"], one["resource"]["meta"]["versionId"]) for one in page["entry"]]
        path = link(page, "next")
        with engine.begin() as conn:
            take(conn, place, [said(f"number {len(seen)}")], NOW + timedelta(hours=5))
    assert len(seen) == len(set(seen)) == 4


# What is withheld -----------------------------------------------------------------------------------


def test_an_old_version_is_seen_where_its_own_labels_and_those_of_today_allow_it(
    asks: FlaskClient, engine: Engine
) -> None:
    legal = 1 << 10
    with engine.begin() as conn:
        t = resource_version.c
        conn.execute(update(resource_version).where(t.key == key(said("")), t.version == 2).values(sensitivities=legal, custodian="901"))  # fmt: skip
    assert [words(one) for one in read(asks.get(f"{SEEN}/_history"))["entry"]] == ["third", "first"]
    wrong(asks.get(f"{SEEN}/_history/2"), 404, "not-found")
    between = (NOW + timedelta(hours=1, minutes=1)).isoformat()
    at = read(asks.get(f"{SEEN}/_history", query_string={"_at": between}))
    assert [words(one) for one in at["entry"]] == ["first"], "when a hidden version was made is not told"
    with engine.begin() as conn:
        conn.execute(update(resource).where(resource.c.key == key(said(""))).values(sensitivities=legal, custodian="901"))  # fmt: skip
    for path in ("", "/_history", "/_history/1"):
        wrong(asks.get(SEEN + path), 404, "not-found")


def test_of_a_golden_patient_the_current_version_alone_is_told(
    asks: FlaskClient, engine: Engine, who: dict[str, PersonKey]
) -> None:
    golden = f"{ROOT}/Patient/{who['ann']}"
    with engine.begin() as conn:
        row = resource.c
        kept = conn.execute(resource.select().where(row.key == who["ann"])).one()
        values = {one.name: getattr(kept, one.name) for one in resource_version.c} | {"version": kept.version + 1}
        conn.execute(resource_version.insert().values(values))
        conn.execute(update(resource).where(row.key == who["ann"]).values(version=kept.version + 1))
    newest = kept.version + 1
    bundle = read(asks.get(f"{golden}/_history"))
    assert [one["response"]["etag"] for one in bundle["entry"]] == [f'W/"{newest}"']
    assert asks.get(f"{golden}/_history/{newest}").status_code == 200
    wrong(asks.get(f"{golden}/_history/{newest - 1}"), 404, "not-found")
    tags = [one["response"]["etag"] for one in read(asks.get(f"{ROOT}/Patient/_history"))["entry"] if one["fullUrl"].endswith(str(who["ann"]))]  # fmt: skip
    assert tags == [f'W/"{newest}"']


# What is gone ---------------------------------------------------------------------------------------


def test_what_was_deleted_is_gone_for_who_could_see_it_and_its_history_says_so(
    asks: FlaskClient, engine: Engine, place: Place
) -> None:
    delete(engine, place, "Observation", key(said("")))
    wrong(asks.get(SEEN), 410, "deleted")
    wrong(asks.get(f"{SEEN}/_history/4"), 410, "deleted")
    assert read(asks.get(f"{SEEN}/_history/3"))["note"][0]["text"] == "third"
    gone, *before = read(asks.get(f"{SEEN}/_history"))["entry"]
    assert (gone["request"]["method"], gone["response"]["etag"], "resource" in gone) == ("DELETE", 'W/"4"', False)
    assert [words(one) for one in before] == list(WORDS[::-1])
    of_type = read(asks.get(f"{ROOT}/Observation/_history"))["entry"]
    assert of_type[0]["request"]["method"] == "DELETE"


def test_what_was_deleted_and_never_seen_was_never_there(asks: FlaskClient, engine: Engine, place: Place) -> None:
    his = key(HIS_ITEMS[0])
    unknown = wrong(asks.get(f"{ROOT}/Condition/{uuid4()}"), 404, "not-found")
    delete(engine, place, "Condition", his)
    for path in ("", "/_history", "/_history/1", "/_history/2"):
        assert wrong(asks.get(f"{ROOT}/Condition/{his}{path}"), 404, "not-found") == unknown
    conditions = read(asks.get(f"{ROOT}/Condition/_history"))["entry"]
    assert [one["resource"]["id"] for one in conditions] == [str(key(condition("c1", "ann")))]


def test_what_was_hidden_last_is_not_told_to_be_gone(asks: FlaskClient, engine: Engine, place: Place) -> None:
    """The row that says that it is gone may be seen by its labels; what it said last decides too."""
    delete(engine, place, "Observation", key(said("")))
    with engine.begin() as conn:
        t = resource_version.c
        conn.execute(update(resource_version).where(t.key == key(said("")), t.version == 3).values(sensitivities=1 << 10, custodian="901"))  # fmt: skip
    for path in ("", "/_history", "/_history/1", "/_history/4"):
        wrong(asks.get(SEEN + path), 404, "not-found")


# Cost and audit -------------------------------------------------------------------------------------


def test_each_look_at_the_past_is_kept_and_costs_one_statement(
    asks: FlaskClient, engine: Engine, who: dict[str, PersonKey]
) -> None:
    for path, action in ((f"{SEEN}/_history/1", "vread"), (f"{SEEN}/_history", "history")):
        before = len(trail(engine))
        with statements(engine) as sent:
            assert asks.get(path).status_code == 200
        assert len(sent) <= 2, sent
        assert [(one.action, one.person) for one in trail(engine)[before:]] == [(action, who["ann"])]


def test_a_read_of_what_is_there_asks_nothing_about_the_past(asks: FlaskClient, engine: Engine) -> None:
    asks.get(SEEN)
    with statements(engine) as sent:
        assert asks.get(SEEN).status_code == 200
    assert len(sent) == 2, sent


def test_a_scope_for_another_type_opens_no_history(engine: Engine, place: Place, who: dict[str, PersonKey]) -> None:
    narrow = system(api(engine, place), place, "narrow", "RDV", "nurse", "system/Condition.rs")
    for path in (f"{SEEN}/_history", f"{SEEN}/_history/1", f"{ROOT}/Observation/_history"):
        wrong(narrow.get(path), 403, "forbidden")
