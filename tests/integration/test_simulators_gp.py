"""The simulated practices over a real connection: what they ask of a question, and what they answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from fhir_adapters import registry
from fhir_adapters.gp_connect.asking import headers, parameters, path
from fhir_adapters.simulators import cast, gp, gp_published
from fhir_adapters.simulators.gp import Practices
from fhir_adapters.simulators.gp_record import record
from fhir_adapters.simulators.population import Population, people
from fhir_adapters.source import SourceSettings, Wanted

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
MARGARET = cast.MARGARET_ELLISON.nhs_number


@pytest.fixture(scope="module")
def population() -> Population:
    return people(1, 40)


@pytest.fixture(scope="module")
def server(population: Population) -> Iterator[Practices]:
    running = gp.serve(population)
    yield running
    running.close()


def settings(server: Practices) -> SourceSettings:
    return SourceSettings("gp", "gp_connect", "P81001", server.url)


def ask(server: Practices, number: str = MARGARET, practice: str = "P81001", **changed: str | None) -> httpx.Response:
    """A question as our adapter asks it; a header given as None is left out."""
    sent: dict[str, Any] = headers(settings(server), practice, NOW) | {
        name.replace("_", "-"): value for name, value in changed.items()
    }
    kept = {name: value for name, value in sent.items() if value is not None}
    return httpx.post(f"{server.url}/{path(practice)}", json=parameters(number), headers=kept)


def code(answer: httpx.Response) -> str:
    return str(answer.json()["issue"][0]["details"]["coding"][0]["code"])


def test_a_right_question_is_answered_with_the_whole_record(server: Practices, population: Population):
    belief = next(one for one in population.gp if one.nhs_number == MARGARET)
    answer = ask(server)
    assert answer.status_code == 200
    assert len(answer.json()["entry"]) == len(record(population, belief)["entry"])


@pytest.mark.parametrize("header", ["Ssp-TraceID", "Ssp-From", "Ssp-To", "Ssp-InteractionID", "Authorization"])
def test_a_question_without_one_of_the_headers_is_refused(server: Practices, header: str):
    answer = ask(server, **{header.replace("-", "_"): None})
    assert (answer.status_code, code(answer)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    "changed",
    [
        {"Ssp_InteractionID": "urn:nhs:names:services:gpconnect:fhir:rest:read:patient-1"},
        {"Authorization": "Bearer not-a-token"},
        {"Authorization": "Bearer a.e30.c"},  # {}: no claims
    ],
)
def test_a_question_with_a_wrong_header_is_refused(server: Practices, changed: dict[str, str]):
    assert ask(server, **changed).status_code == 400


@pytest.mark.parametrize(
    ("number", "practice", "status", "code_"),
    [
        ("9990009007", "P81001", 404, "PATIENT_NOT_FOUND"),
        (MARGARET, "P81002", 404, "PATIENT_NOT_FOUND"),
        (cast.SUPERSEDED_NUMBER.former_number, "P81001", 404, "PATIENT_NOT_FOUND"),
        ("9990000019", "P81001", 400, "INVALID_NHS_NUMBER"),
    ],
)
def test_who_has_no_record_there_is_not_found(server: Practices, number: str, practice: str, status: int, code_: str):
    answer = ask(server, number, practice)
    assert (answer.status_code, code(answer)) == (status, code_)


def test_parameters_without_a_number_are_refused(server: Practices):
    sent = headers(settings(server), "P81001", NOW)
    answer = httpx.post(f"{server.url}/{path('P81001')}", json={"resourceType": "Parameters"}, headers=sent)
    assert (answer.status_code, code(answer)) == (422, "INVALID_PARAMETER")


def test_the_adapter_maps_every_entry_of_every_generated_record(server: Practices, population: Population):
    wanted = [Wanted(nhs_number=one.nhs_number, practice=one.person.practice) for one in population.gp]
    batches = list(registry.make(settings(server)).pull(None, wanted, NOW))
    assert len(batches) == len(population.gp)
    assert not [one for batch in batches for one in batch.rejected]
    patients = {item.source_id for batch in batches for item in batch.items if item.type == "Patient"}
    assert {("gp", id_) for id_ in patients} == {key for key in population.truth if key[0] == "gp"}


def test_the_published_records_are_served_under_their_own_practices(population: Population, shared_examples: Path):
    published = gp_published.published_records(shared_examples)
    assert len(published) == 11
    assert {practice for practice, _, _ in published} <= {"A82038", "B82617", "GPC001"}
    running = gp.serve(population, published=published)
    try:
        for practice, number, file in published:
            answer = ask(running, number, practice)
            assert answer.status_code == 200
            assert answer.json() == json.loads(file.read_text("utf-8"))
    finally:
        running.close()


def test_a_folder_that_is_not_there_has_no_published_records(tmp_path: Path):
    assert gp_published.published_records(tmp_path / "nothing") == []
