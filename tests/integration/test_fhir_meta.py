"""[type]/[id]/$meta: how a resource is labelled, for whom may read it."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from fhir_builders import DOCTOR, HER_ITEMS, HIS_ITEMS, api, people, read, system, trail, wrong
from flask.testing import FlaskClient
from ingest_builders import key
from sqlalchemy import Engine

from carelink.ids import PersonKey
from carelink.place import Place

CONDITION = f"/fhir/R4/Condition/{key(HER_ITEMS[1])}"


@pytest.fixture
def who(engine: Engine, place: Place) -> dict[str, PersonKey]:
    return people(engine, place)


@pytest.fixture
def asks(engine: Engine, place: Place, who: dict[str, PersonKey]) -> Iterator[FlaskClient]:
    with system(api(engine, place), place, "ward-system", "RDV", "nurse", "system/*.rs") as client:
        yield client


@pytest.mark.parametrize("of", ["golden", "condition", "practitioner"])
def test_it_is_the_meta_of_the_resource_itself(asks: FlaskClient, who: dict[str, PersonKey], of: str) -> None:
    address = {
        "golden": f"/fhir/R4/Patient/{who['ann']}",
        "condition": CONDITION,
        "practitioner": f"/fhir/R4/Practitioner/{key(DOCTOR)}",
    }[of]
    (returned,) = read(asks.get(f"{address}/$meta"))["parameter"]
    assert returned == {"name": "return", "valueMeta": read(asks.get(address))["meta"]}
    assert returned["valueMeta"]["versionId"] == "1"


def test_what_may_not_be_read_has_none_like_what_is_not_there(asks: FlaskClient) -> None:
    hidden = asks.get(f"/fhir/R4/Condition/{key(HIS_ITEMS[0])}/$meta")
    nobody = asks.get(f"/fhir/R4/Condition/{UUID(int=9)}/$meta")
    wrong(hidden, 404, "not-found")
    assert hidden.data == nobody.data
    wrong(asks.get(f"/fhir/R4/Observation/{key(HER_ITEMS[1])}/$meta"), 404, "not-found")


def test_it_is_a_look_like_a_read(asks: FlaskClient, engine: Engine, who: dict[str, PersonKey]) -> None:
    before = len(trail(engine))
    asks.get(f"{CONDITION}/$meta")
    assert [(one.action, one.query, one.person) for one in trail(engine)[before:]] == [
        ("read", "Condition", who["ann"])
    ]


def test_it_takes_no_parameter_and_nothing_is_changed_by_it(asks: FlaskClient) -> None:
    assert wrong(asks.get(f"{CONDITION}/$meta?mode=x"), 400, "invalid")["expression"] == ["mode"]
    for operation in ("$meta-add", "$meta-delete"):
        assert asks.post(f"{CONDITION}/{operation}").status_code in (404, 405)
    for address in ("/fhir/R4/Condition/$meta", "/fhir/R4/$meta"):
        assert asks.get(address).status_code in (404, 405)
