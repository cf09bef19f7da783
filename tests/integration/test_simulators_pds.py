"""The simulated PDS over a real connection: reads, searches, and the outcomes of the real one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fhir.resources.R4B import get_fhir_model_class

from fhir_adapters import registry
from fhir_adapters.simulators import cast, pds
from fhir_adapters.simulators.pds import PersonalDemographics
from fhir_adapters.simulators.people import Person
from fhir_adapters.simulators.population import Population, people
from fhir_adapters.source import SourceSettings, Wanted

HEADERS = {"Authorization": "Bearer anything", "X-Request-ID": "60E0B220-8136-4CA5-AE46-1D97EF59D068"}
NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture(scope="module")
def population() -> Population:
    return people(1, 80)


@pytest.fixture(scope="module")
def server(population: Population) -> Iterator[PersonalDemographics]:
    running = pds.serve(population)
    yield running
    running.close()


def read(server: PersonalDemographics, number: str) -> httpx.Response:
    return httpx.get(f"{server.url}/Patient/{number}", headers=HEADERS)


def search(server: PersonalDemographics, **params: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{server.url}/Patient", params=params, headers=HEADERS).json()
    return found


def code(outcome: dict[str, Any]) -> str:
    return str(outcome["issue"][0]["details"]["coding"][0]["code"])


def patient(server: PersonalDemographics, person: Person) -> dict[str, Any]:
    found: dict[str, Any] = read(server, person.nhs_number).json()
    return found


def test_every_patient_is_valid_r4_with_its_number_as_id(server: PersonalDemographics, population: Population):
    for person in population.people:
        found = patient(server, person)
        get_fhir_model_class("Patient").model_validate(found)
        assert found["id"] == found["identifier"][0]["value"] == person.nhs_number


def test_a_patient_tells_name_address_telephone_and_practice(server: PersonalDemographics):
    person = cast.MARGARET_ELLISON
    found = patient(server, person)
    assert (found["name"][0]["family"], found["birthDate"]) == ("Ellison", "1941-03-12")
    assert found["address"][0]["postalCode"] == person.address.postcode
    assert found["generalPractitioner"][0]["identifier"]["value"] == "P81001"
    assert found["meta"]["security"][0]["code"] == "U"


def test_a_restricted_person_has_no_address_telephone_or_practice(server: PersonalDemographics):
    found = patient(server, cast.RESTRICTED)
    assert found["meta"]["security"][0]["code"] == "R"
    assert found.keys().isdisjoint({"address", "telecom", "generalPractitioner", "contact"})
    assert cast.RESTRICTED.address.postcode not in read(server, cast.RESTRICTED.nhs_number).text


def test_a_death_comes_with_its_notification(server: PersonalDemographics, population: Population):
    found = patient(server, cast.DECEASED)
    assert found["deceasedDateTime"][:10] == cast.DECEASED.died_on(population.today).isoformat()
    notice = next(one for one in found["extension"] if one["url"].endswith("DeathNotificationStatus"))
    assert notice["extension"][0]["valueCodeableConcept"]["coding"][0]["code"] == "2"


def test_a_superseded_number_answers_with_the_record_of_the_new_one(server: PersonalDemographics):
    found = read(server, cast.SUPERSEDED_NUMBER.former_number).json()
    assert found["id"] == found["identifier"][0]["value"] == cast.SUPERSEDED_NUMBER.nhs_number


@pytest.mark.parametrize(
    ("path", "headers", "status", "code_"),
    [
        ("/Patient/9990009007", HEADERS, 404, "RESOURCE_NOT_FOUND"),
        ("/Patient/9990000019", HEADERS, 400, "INVALID_RESOURCE_ID"),
        ("/Patient/nobody", HEADERS, 400, "INVALID_RESOURCE_ID"),
        ("/Patient/9990000018", {"Authorization": "Bearer x"}, 412, "PRECONDITION_FAILED"),
        ("/Patient/9990000018", {"X-Request-ID": "1"}, 401, "ACCESS_DENIED"),
        ("/Patient?family=Ellison", HEADERS, 400, "MISSING_VALUE"),
    ],
)
def test_what_is_refused_says_why(
    server: PersonalDemographics, path: str, headers: dict[str, str], status: int, code_: str
):
    answer = httpx.get(f"{server.url}{path}", headers=headers)
    assert (answer.status_code, code(answer.json())) == (status, code_)


def test_a_search_that_one_person_fits_finds_them(server: PersonalDemographics):
    bundle = search(server, family="OGDEN", given="george", birthdate="eq1939-02-11", gender="male")
    assert bundle["total"] == 1
    assert bundle["entry"][0]["resource"]["id"] == cast.FATHER_AND_SON[0].nhs_number


def test_a_search_that_nobody_fits_finds_nobody(server: PersonalDemographics):
    bundle = search(server, family="Ellison", birthdate="eq1941-03-13")
    assert (bundle["total"], bundle.get("entry", [])) == (0, [])


def test_twins_without_a_given_name_are_too_many_matches(server: PersonalDemographics):
    answer = search(server, family="Barraclough", birthdate="eq1943-08-16")
    assert code(answer) == "TOO_MANY_MATCHES"


def test_a_restricted_person_is_not_found_by_postcode(server: PersonalDemographics):
    person = cast.RESTRICTED
    told = {"family": person.family, "birthdate": f"eq{person.born}"}
    assert search(server, **told)["total"] == 1
    assert search(server, **told, **{"address-postalcode": person.address.postcode})["total"] == 0


def test_the_adapter_finds_everyone_by_number(server: PersonalDemographics, population: Population):
    source = registry.make(SourceSettings("pds", "pds", "X26", server.url, "demo"))
    wanted = [Wanted(nhs_number=person.nhs_number) for person in population.people]
    found = [item.source_id for batch in source.pull(None, wanted, NOW) for item in batch.items]
    assert sorted(found) == sorted(person.nhs_number for person in population.people)


def test_published_patients_are_served_beside(population: Population, shared_examples: Path):
    extra = pds.published(shared_examples)
    assert len(extra) == 3
    running = pds.serve(population, extra=extra)
    try:
        assert read(running, "9000000009").json()["name"][0]["family"] == "Smith"
    finally:
        running.close()
