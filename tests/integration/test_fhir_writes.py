"""Create, update and delete by a system: what its organisation answers for goes in through ingest, and nothing else."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from fhir_builders import BASE, read, trail, wrong
from flask.testing import FlaskClient
from push_builders import Pushing, body, observation, pushing_in
from sqlalchemy import Engine

from carelink.place import Place

Json = dict[str, Any]


@pytest.fixture
def pushing(engine: Engine, place: Place) -> Pushing:
    return pushing_in(engine, place)


def test_something_new_is_created_with_where_it_is_and_its_version(pushing: Pushing) -> None:
    answer = pushing.ward.post("/fhir/R4/Observation", **body(observation(pushing.ann)))
    assert (answer.status_code, answer.data) == (201, b""), answer.text
    (one,) = pushing.stored("Observation", pushed=True)
    assert answer.headers["Location"] == f"{BASE}/Observation/{one.key}/_history/1"
    assert answer.headers["ETag"] == 'W/"1"'
    assert "Last-Modified" in answer.headers
    assert "X-Request-Id" in answer.headers
    assert (one.custodian, one.person) == ("RDV", pushing.people["ann"])
    assert read(pushing.ward.get(f"/fhir/R4/Observation/{one.key}"))["valueQuantity"]["value"].text == "7.10"
