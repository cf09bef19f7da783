"""Bulk exports (HL7 Bulk Data Access 2.0): asked for, made, fetched and deleted by the client that asked, under its lens."""

from __future__ import annotations

import gzip
import stat
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from export_builders import ASYNC, EXPORT, LENIENT, OF_PATIENTS, begun, lines, manifest, path_of, serving, shop, work
from fhir_builders import ANN, BOB, bearer, involve, people, read, system, trail, wrong
from flask import Flask
from flask.testing import FlaskClient
from ingest_builders import condition, item, key, observation, take
from psycopg import ServerCursor
from sqlalchemy import Engine, Result, Row, select, update

from carelink import clock
from carelink.cases import exporting_run
from carelink.consent.lens import Lens
from carelink.db.tables import client, export_job, resource
from carelink.identity import clients
from carelink.ids import PersonKey
from carelink.jobs import exporting as jobs
from carelink.jobs.shop import Shop
from carelink.place import Place
from carelink.record import exporting, store

ALL = "system/*.rs"
Opens = Callable[..., FlaskClient]


@pytest.fixture
def who(engine: Engine, place: Place) -> dict[str, PersonKey]:
    return people(engine, place)


@pytest.fixture
def app(engine: Engine, place: Place, who: dict[str, PersonKey], tmp_path: Path) -> Flask:
    return serving(engine, place, tmp_path)


@pytest.fixture
def opens(app: Flask, place: Place) -> Opens:
    """A system with these scopes, which asks with its token."""

    def made(id_: str = "ward", scopes: str = ALL, organisation: str = "RDV", role: str = "nurse") -> FlaskClient:
        return system(app, place, id_, organisation, role, scopes)

    return made


@pytest.fixture
def ward(opens: Opens) -> FlaskClient:
    return opens()


@pytest.fixture
def worker(engine: Engine, place: Place, tmp_path: Path) -> Shop:
    return shop(engine, place, tmp_path)


def test_what_the_client_may_see_comes_as_files_once_a_worker_made_them(
    ward: FlaskClient, worker: Shop, who: dict[str, PersonKey]
) -> None:
    where = begun(ward)
    waiting = ward.get(where)
    assert (waiting.status_code, waiting.headers["X-Progress"]) == (202, "in progress")
    assert int(waiting.headers["Retry-After"]) > 0
    assert work(worker) == 1
    told = manifest(ward.get(where))
    assert (told["request"], told["requiresAccessToken"]) == ("http://localhost/fhir/R4/$export", True)
    assert (told["deleted"], told["error"]) == ([], [])
    found = lines(ward, told)
    assert {type_: len(here) for type_, here in found.items()} == {
        **{"Condition": 1, "Encounter": 1, "Observation": 1, "Patient": 2, "Practitioner": 1},
    }
    assert {one["id"] for one in found["Patient"]} == {str(who["ann"]), str(key(ANN))}
    assert [one["subject"]["reference"] for one in found["Condition"]] == [f"Patient/{key(ANN)}"]


def test_every_reference_to_a_patient_or_worker_resolves_within_the_export(ward: FlaskClient, worker: Shop) -> None:
    where = begun(ward)
    work(worker)
    found = lines(ward, manifest(ward.get(where)))
    here = {f"{type_}/{one['id']}" for type_, ones in found.items() for one in ones}
    named = {
        found_["reference"]
        for ones in found.values()
        for one in ones
        for found_ in _references(one)
        if "reference" in found_
    }
    assert named
    assert named <= here


def _references(value: object) -> list[dict[str, str]]:
    if isinstance(value, dict):
        own = [value] if isinstance(value.get("reference"), str) else []
        return own + [one for inner in value.values() for one in _references(inner)]
    return [one for inner in value for one in _references(inner)] if isinstance(value, list) else []


def test_files_lie_for_nobody_else_to_read_and_are_named_by_nothing(
    ward: FlaskClient, worker: Shop, tmp_path: Path, who: dict[str, PersonKey]
) -> None:
    begun(ward)
    work(worker)
    made = [one for one in (tmp_path / "exports").rglob("*") if one.is_file()]
    assert len(made) == 5, "five types, and nothing that was only needed while it was made"
    assert {stat.S_IMODE(one.stat().st_mode) for one in made} == {0o600}
    assert {stat.S_IMODE(one.parent.stat().st_mode) for one in made} == {0o700}
    assert not any(str(one) in str(file) for one in who.values() for file in made)


def test_a_file_is_packed_for_who_takes_it_so(ward: FlaskClient, worker: Shop) -> None:
    where = begun(ward, f"{EXPORT}?_type=Condition")
    work(worker)
    url = path_of(manifest(ward.get(where))["output"][0]["url"])
    plain, packed = ward.get(url), ward.get(url, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert "Content-Encoding" not in plain.headers


@pytest.mark.parametrize("method", ["get", "delete"])
def test_to_another_client_there_is_no_such_export(opens: Opens, worker: Shop, method: str) -> None:
    ward = opens()
    where = begun(ward, f"{EXPORT}?_type=Patient")
    work(worker)
    url = path_of(manifest(ward.get(where))["output"][0]["url"])
    other = opens("other")
    absent = other.open(where[:-4] + "0000", method=method)
    assert wrong(other.open(where, method=method), 404, "not-found") == wrong(absent, 404, "not-found")
    wrong(other.get(url), 404, "not-found")
    assert ward.get(url).status_code == 200


def test_without_a_token_there_is_nothing(ward: FlaskClient, app: Flask, worker: Shop) -> None:
    where = begun(ward)
    work(worker)
    for asked in (EXPORT, where, path_of(manifest(ward.get(where))["output"][0]["url"])):
        wrong(app.test_client().get(asked, headers=ASYNC), 401, "login")


def test_another_purpose_of_the_same_client_sees_none_of_it(opens: Opens, worker: Shop, engine: Engine) -> None:
    ward = opens()
    where = begun(ward)
    with engine.begin() as conn:
        conn.execute(update(export_job).values(purpose="ETREAT"))
    wrong(ward.get(where), 404, "not-found")


def test_what_was_denied_between_the_asking_and_the_making_is_left_out(
    ward: FlaskClient, worker: Shop, engine: Engine, who: dict[str, PersonKey], place: Place
) -> None:
    where = begun(ward)
    with engine.begin() as conn:
        conn.execute(resource.update().where(resource.c.type == "Condition").values(sensitivities=512))  # LEGAL
    work(worker)
    assert "Condition" not in lines(ward, manifest(ward.get(where)))


def test_a_client_that_was_revoked_meanwhile_gets_nothing(
    ward: FlaskClient, worker: Shop, engine: Engine, tmp_path: Path
) -> None:
    where = begun(ward)
    with engine.begin() as conn:
        conn.execute(update(client).where(client.c.id == "ward").values(active=False))
    work(worker)
    told = wrong(ward.get(where), 403, "forbidden")
    assert "not made" in told["diagnostics"]
    assert not list((tmp_path / "exports").rglob("*.ndjson"))


def test_only_the_types_that_are_asked_for_and_only_what_changed_since(
    ward: FlaskClient, worker: Shop, engine: Engine, place: Place
) -> None:
    where = begun(ward, f"{EXPORT}?_type=Condition,Observation")
    work(worker)
    first = manifest(ward.get(where))
    assert set(lines(ward, first)) == {"Condition", "Observation"}
    assert first["request"].endswith("$export?_type=Condition%2CObservation")
    later = clock.now() + timedelta(hours=1)
    with engine.begin() as conn:
        take(conn, place, [condition("c9", "ann")], later)
    since = (later - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    where = begun(ward, f"{EXPORT}?_type=Condition&_since={since}")
    work(worker)
    assert [one["id"] for one in lines(ward, manifest(ward.get(where)))["Condition"]] == [
        str(key(condition("c9", "ann")))
    ]


def test_what_was_ended_since_is_told_as_deleted(ward: FlaskClient, worker: Shop, engine: Engine, place: Place) -> None:
    where = begun(ward)
    work(worker)
    since = manifest(ward.get(where))["transactionTime"]
    ended = key(condition("c1", "ann"))
    with engine.begin() as conn:
        store.delete(conn, place, Lens.system("test", clock.now()), "Condition", ended)
        store.delete(conn, place, Lens.system("test", clock.now()), "Condition", key(condition("c2", "bob")))
    where = begun(ward, f"{EXPORT}?_since={since}")
    work(worker)
    told = manifest(ward.get(where))
    gone = lines(ward, told, "deleted")["Bundle"]
    assert [one["entry"][0]["request"] for one in gone] == [{"method": "DELETE", "url": f"Condition/{ended}"}]


def test_patients_may_be_named_in_the_body(
    ward: FlaskClient, worker: Shop, engine: Engine, who: dict[str, PersonKey]
) -> None:
    with engine.begin() as conn:
        involve(conn, who["bob"], "RDV")
    body = _parameters(("patient", {"valueReference": {"reference": f"Patient/{key(BOB)}"}}))
    answer = ward.post(OF_PATIENTS, json=body, headers=ASYNC)
    assert answer.status_code == 202, answer.text
    work(worker)
    told = manifest(ward.get(path_of(answer.headers["Content-Location"])))
    found = lines(ward, told)
    assert {one["id"] for one in found["Patient"]} == {str(who["bob"]), str(key(BOB))}
    assert str(key(BOB)) not in told["request"]


def test_a_patient_whom_one_may_not_see_is_like_one_who_is_not_there(ward: FlaskClient, worker: Shop) -> None:
    for whose in (key(BOB), "00000000-0000-0000-0000-000000000001"):
        body = _parameters(
            ("patient", {"valueReference": {"reference": f"Patient/{whose}"}}), ("_type", {"valueString": "Patient"})
        )
        answer = ward.post(OF_PATIENTS, json=body, headers=ASYNC)
        work(worker)
        assert manifest(ward.get(path_of(answer.headers["Content-Location"])))["output"] == []


def _parameters(*named: tuple[str, object]) -> dict[str, object]:
    return {"resourceType": "Parameters", "parameter": [{"name": name, **value} for name, value in named]}  # type: ignore[dict-item]


REFUSED = [
    (f"{EXPORT}", {}, "Prefer"),
    (f"{EXPORT}?_elements=id", ASYNC, "_elements"),
    (f"{EXPORT}?_typeFilter=Patient%3Factive=true", ASYNC, "_typeFilter"),
    (f"{EXPORT}?_type=Patient,Nonsense", ASYNC, "_type"),
    (f"{EXPORT}?_outputFormat=text/csv", ASYNC, "_outputFormat"),
    (f"{EXPORT}?_since=2026", ASYNC, "_since"),
    (f"{EXPORT}?_since=2026-01-01T00:00:00Z&_since=2026-01-01T00:00:00Z", ASYNC, "_since"),
    (f"{EXPORT}?patient=Patient/1", ASYNC, "patient"),
    (f"{EXPORT}?colour=red", ASYNC, "colour"),
]


@pytest.mark.parametrize(("address", "headers", "place_"), REFUSED)
def test_what_is_not_understood_is_refused_with_its_place(
    ward: FlaskClient, address: str, headers: dict[str, str], place_: str
) -> None:
    told = wrong(ward.get(address, headers=headers), 400, "invalid")
    assert told["expression"] == [place_]


def test_under_lenient_handling_it_is_left_out_and_said_in_the_manifest(ward: FlaskClient, worker: Shop) -> None:
    where = begun(ward, f"{EXPORT}?_type=Condition,Nonsense&_elements=id", **LENIENT)
    work(worker)
    told = manifest(ward.get(where))
    assert set(lines(ward, told)) == {"Condition"}
    said = lines(ward, told, "error")["OperationOutcome"]
    assert [one["issue"][0]["diagnostics"].partition(":")[0] for one in said] == ["_elements", "_type"]


def test_types_that_the_token_has_no_scope_for_are_refused_or_left_out(opens: Opens, worker: Shop) -> None:
    some = opens("some", "system/Patient.rs system/Condition.rs")
    answer = some.get(f"{EXPORT}?_type=Observation", headers=ASYNC)
    wrong(answer, 403, "forbidden")
    assert 'scope="system/Observation.rs"' in answer.headers["WWW-Authenticate"]
    where = begun(some)
    work(worker)
    assert set(lines(some, manifest(some.get(where)))) == {"Patient", "Condition"}


def test_of_many_exports_at_once_the_next_must_wait(opens: Opens, worker: Shop) -> None:
    ward, other = opens(), opens("other")
    for _ in range(2):
        where = begun(ward)
    refused = ward.get(EXPORT, headers=ASYNC)
    wrong(refused, 429, "throttled")
    assert int(refused.headers["Retry-After"]) > 0
    assert begun(other), "another client is not held up"
    assert ward.delete(where).status_code == 202
    assert begun(ward)


def test_a_cancelled_export_is_gone_with_its_files_and_is_not_made(
    ward: FlaskClient, worker: Shop, engine: Engine, tmp_path: Path
) -> None:
    done, waiting = begun(ward), ""
    work(worker)
    waiting = begun(ward)
    for where in (done, waiting):
        assert ward.delete(where).status_code == 202
        wrong(ward.get(where), 404, "not-found")
        wrong(ward.delete(where), 404, "not-found")
    work(worker)
    work(worker, "export.expire")
    with engine.connect() as conn:
        assert conn.execute(select(export_job)).all() == []
    assert not list((tmp_path / "exports").rglob("*"))


def test_after_its_hours_it_is_over_and_a_worker_deletes_it(
    ward: FlaskClient, worker: Shop, engine: Engine, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = begun(ward)
    work(worker)
    assert work(worker, "export.expire") == 1, "asked too early it deletes nothing"
    assert ward.get(where).status_code == 200
    with engine.begin() as conn:
        conn.execute(update(export_job).values(expires_at=clock.now() - timedelta(seconds=1)))
    wrong(ward.get(where), 404, "not-found")
    jobs.expire(worker, {"export": where.rpartition("/")[2]})
    assert not list((tmp_path / "exports").rglob("*"))


def test_the_audit_says_who_took_what_and_whom_it_was_about(
    ward: FlaskClient, worker: Shop, engine: Engine, who: dict[str, PersonKey]
) -> None:
    where = begun(ward)
    work(worker)
    kept = [row for row in trail(engine) if row.action == "export"]
    assert [(row.query, row.count) for row in kept] == [
        ("$export, asked for", None),
        ("$export, of people", 5),
        ("$export", 6),
    ]
    assert {row.user for row in kept} == {"client:ward"}
    assert kept[1].person == who["ann"]
    assert kept[2].detail["types"] == {
        "Condition": 1,
        "Encounter": 1,
        "Observation": 1,
        "Patient": 2,
        "Practitioner": 1,
    }
    lines(ward, manifest(ward.get(where)))
    fetched = [row.query for row in trail(engine) if row.action == "export"][3:]
    assert sorted(fetched) == sorted(f"$export, {type_} fetched" for type_ in kept[2].detail["types"])


def test_a_row_of_the_audit_names_no_more_than_so_many_people(
    opens: Opens, worker: Shop, engine: Engine, who: dict[str, PersonKey], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting_run, "IN_A_ROW", 1)
    with engine.begin() as conn:
        involve(conn, who["bob"], "RDV")
    begun(opens())
    work(worker)
    of_people = [row for row in trail(engine) if row.query == "$export, of people"]
    assert {row.person for row in of_people} == {who["ann"], who["bob"]}


def test_it_is_read_page_by_page_and_no_more_is_held_than_a_page(
    opens: Opens, worker: Shop, engine: Engine, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [condition(f"m{number}", "ann") for number in range(23)]
    with engine.begin() as conn:
        take(conn, place, many, clock.now())
    monkeypatch.setattr(exporting, "PAGE", 5)
    held: list[int] = []
    pages = exporting._pages

    def noted(result: Result[Any]) -> Iterator[Sequence[Row[Any]]]:
        assert isinstance(result.cursor, ServerCursor), "the rest stays in the database"
        for page in pages(result):
            held.append(len(page))
            yield page

    monkeypatch.setattr(exporting, "_pages", noted)
    ward = opens()
    where = begun(ward)
    work(worker)
    assert max(held) == 5
    assert sum(held) == 5 + 23 + 1
    assert len(lines(ward, manifest(ward.get(where)))["Condition"]) == 24


def test_what_comes_while_it_is_made_is_not_in_it_and_comes_next_time(
    ward: FlaskClient, worker: Shop, engine: Engine, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting_run, "LOOK_UP", 1)
    came: list[str] = []

    def meanwhile(shop_: Shop, id_: object) -> bool:
        if not came:
            late = item("Observation", "late", status="final", subject={"reference": "Patient/ann"}, code={"text": "x"})
            with engine.begin() as conn:
                take(conn, place, [late], clock.now())
            came.append(str(key(late)))
        return True

    monkeypatch.setattr("carelink.jobs.exporting._is_wanted", meanwhile)
    where = begun(ward)
    work(worker)
    told = manifest(ward.get(where))
    assert came
    assert came[0] not in {one["id"] for one in lines(ward, told)["Observation"]}
    where = begun(ward, f"{EXPORT}?_since={told['transactionTime']}")
    work(worker)
    assert came[0] in {one["id"] for one in lines(ward, manifest(ward.get(where)))["Observation"]}


def test_it_stands_in_metadata(ward: FlaskClient) -> None:
    rest = read(ward.get("/fhir/R4/metadata"))["rest"][0]
    assert "export" in {one["name"] for one in rest["operation"]}
    patients = next(one for one in rest["resource"] if one["type"] == "Patient")
    assert "export" in {one["name"] for one in patients["operation"]}


def test_a_scope_that_narrows_a_type_narrows_the_export(
    opens: Opens, worker: Shop, engine: Engine, place: Place
) -> None:
    laboratory = {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]
    }
    with engine.begin() as conn:
        take(conn, place, [observation("lab", "ann", category=[laboratory])], clock.now())
    narrow = opens("narrow", "system/Observation.rs?category=laboratory system/Patient.rs")
    where = begun(narrow)
    work(worker)
    found = lines(narrow, manifest(narrow.get(where)))
    assert [one["id"] for one in found["Observation"]] == [str(key(observation("lab", "ann")))]
    assert set(found) == {"Observation", "Patient"}


def test_a_file_is_not_fetched_with_a_token_for_less(opens: Opens, worker: Shop, app: Flask, engine: Engine) -> None:
    ward = opens()
    where = begun(ward, f"{EXPORT}?_type=Condition")
    work(worker)
    url = path_of(manifest(ward.get(where))["output"][0]["url"])
    tokens = app.extensions["carelink.fhir"].tokens
    with engine.connect() as conn:
        known = clients.find(conn, "ward")
    assert known is not None
    for scope, status in (("system/Patient.rs", 404), ("system/Condition.rs", 200)):
        asked = app.test_client().get(url, headers=bearer(tokens.make(known, scope, clock.now())))
        assert asked.status_code == status
