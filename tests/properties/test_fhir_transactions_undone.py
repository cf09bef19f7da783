"""A transaction that fails changes nothing: whatever stood in it, and wherever in it the failure was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from push_builders import Pushing, body, bundle, consent, encounter, entry, named, observation, patient, pushing_in
from sqlalchemy import func, select

from carelink.db.embedded import Embedded
from carelink.db.engine import engine_for
from carelink.db.tables import metadata
from carelink.place import Place

Json = dict[str, Any]
AUDIT = frozenset({"audit_event"})  # who was refused what is kept
FEW = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


@pytest.fixture(scope="module")
def pushing(postgres: Embedded, place: Place) -> Iterator[Pushing]:
    engine = engine_for(postgres.database("undone", template="template_carelink"))
    made = pushing_in(engine, place)
    made.ward = made.system("both", "RDV", "nurse", "system/*.cruds system/Consent.cu")
    for number in range(3):
        sent = observation(made.ann, identifier=named(f"r{number}"))
        assert made.ward.post("/fhir/R4/Observation", **body(sent)).status_code == 201
    yield made
    engine.dispose()


def state(pushing: Pushing) -> dict[str, Any]:
    """How many rows each table has, and the newest version of each resource."""
    with pushing.engine.connect() as conn:
        told: dict[str, Any] = {
            name: conn.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in metadata.tables.items()
            if name not in AUDIT
        }
        t = metadata.tables["resource"].c
        told["versions"] = sorted(map(str, conn.execute(select(t.key, t.version, t.person, t.hash, t.last_updated))))
        return told


def sound(pushing: Pushing) -> st.SearchStrategy[Json]:
    """An entry that would be done."""
    me = f"Patient/{pushing.people['ann']}"
    there = [str(row.key) for row in pushing.stored("Observation", pushed=True)]
    whose = st.sampled_from([pushing.ann, me])
    number = st.integers(0, 9)
    return st.one_of(
        st.builds(lambda of, n: entry("POST", "Observation", observation(of, f"{n}.0")), whose, number),
        st.builds(lambda of: entry("POST", "Encounter", encounter(of)), whose),
        st.builds(lambda n: entry("POST", "Patient", patient(f"n{n}"), f"urn:uuid:{uuid4()}"), number),
        st.builds(
            lambda id_, n: entry("PUT", f"Observation/{id_}", {"id": id_, **observation(me, f"{n}.5")}),
            st.sampled_from(there),
            number,
        ),
        st.builds(lambda id_: entry("DELETE", f"Observation/{id_}"), st.sampled_from(there)),
        st.builds(
            lambda n: entry("PUT", f"Observation?identifier=c{n}", observation(me, identifier=named(f"c{n}"))), number
        ),
        st.builds(lambda n: entry("POST", "Observation", observation(me), ifNoneExist=f"identifier=d{n}"), number),
        st.builds(lambda of: entry("POST", "Consent", consent(of)), whose),
        st.builds(lambda: entry("GET", f"Patient/{pushing.people['ann']}")),
    )


def failing(pushing: Pushing) -> st.SearchStrategy[Json]:
    """An entry that can't be done."""
    bob = f"Patient/{pushing.people['bob']}"
    me = pushing.ann
    return st.sampled_from(
        [
            entry("POST", "Observation", observation(me, code=None)),
            entry("POST", "Observation", observation(bob)),
            entry("POST", "Observation", observation("urn:uuid:nobody")),
            entry("POST", "Observation", observation("Patient?identifier=nobody")),
            entry("PUT", f"Observation/{uuid4()}", observation(me)),
            entry("DELETE", f"Observation/{uuid4()}"),
            entry("POST", "Consent", consent(bob)),
            entry("POST", "Consent", consent(me, performer=[{"reference": "RelatedPerson/1", "display": "Bea"}])),
            entry("GET", f"Observation/{uuid4()}"),
            entry("GET", "Observation?colour=red"),
            entry("POST", "Spaceship", {"resourceType": "Spaceship"}),
        ]
    )


def test_a_transaction_that_fails_changes_nothing_at_all(pushing: Pushing) -> None:
    before = state(pushing)

    @FEW
    @given(st.lists(sound(pushing), max_size=6), failing(pushing), st.integers(0, 6))
    def unchanged(entries: list[Json], wrong: Json, at: int) -> None:
        sent = [*entries[:at], wrong, *entries[at:]]
        answer = pushing.ward.post("/fhir/R4", **body(bundle("transaction", *sent)))
        assert 400 <= answer.status_code < 500, answer.text
        assert state(pushing) == before

    unchanged()


def test_what_would_be_done_is_done_where_nothing_fails(pushing: Pushing) -> None:
    """So that the other test does not hang on entries that all fail."""
    done: list[int] = []

    @FEW
    @given(sound(pushing))
    def tried(one: Json) -> None:
        done.append(pushing.ward.post("/fhir/R4", **body(bundle("transaction", one))).status_code)

    tried()
    assert done.count(200) > len(done) / 2, done
