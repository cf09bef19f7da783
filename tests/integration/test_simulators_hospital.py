"""The simulated hospital over a real connection: FHIR R4 search in pages, in the order of change."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fhir.resources.R4B import get_fhir_model_class

from fhir_adapters import registry
from fhir_adapters.simulators import cast, hospital, hospital_published
from fhir_adapters.simulators.demo_keys import SECRETS
from fhir_adapters.simulators.hospital import Hospital
from fhir_adapters.simulators.hospital_resources import resources
from fhir_adapters.simulators.population import Population, people
from fhir_adapters.source import SourceSettings

NOW = datetime(2026, 11, 24, tzinfo=UTC)
TOKEN = {"Authorization": f"Bearer {SECRETS['hospital']}"}


@pytest.fixture(scope="module")
def population() -> Population:
    return people(1, 80)


@pytest.fixture
def server(population: Population) -> Iterator[Hospital]:
    running = hospital.serve(population)
    yield running
    running.close()


def search(server: Hospital, type_: str, **params: str) -> list[dict[str, Any]]:
    """All pages of a search."""
    found, url = [], httpx.URL(f"{server.url}/{type_}", params=params)
    while url:
        bundle = httpx.get(url, headers=TOKEN).json()
        found += [entry["resource"] for entry in bundle.get("entry", [])]
        url = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), "")
    return found


def test_every_resource_is_valid_r4(population: Population):
    for one in resources(population):
        get_fhir_model_class(one["resourceType"]).model_validate(json.loads(json.dumps(one, default=float)))


def test_every_resource_says_its_version_and_when_it_changed(population: Population):
    changed = [one["meta"]["lastUpdated"] for one in resources(population)]
    assert changed == sorted(changed)
    assert max(changed) < population.today.isoformat()
    assert all(one["meta"]["versionId"] for one in resources(population))


def test_a_page_has_a_total_and_an_opaque_link_to_the_next(server: Hospital, population: Population):
    first = httpx.get(f"{server.url}/Condition?_count=10&_sort=_lastUpdated", headers=TOKEN).json()
    assert (first["type"], len(first["entry"])) == ("searchset", 10)
    following = next(link["url"] for link in first["link"] if link["relation"] == "next")
    assert "_count" not in following
    assert first["total"] == len(search(server, "Condition", _count="7"))


def test_only_what_changed_since_comes(server: Hospital):
    every = search(server, "Observation")
    middle = every[len(every) // 2]["meta"]["lastUpdated"]
    at_or_after = search(server, "Observation", _lastUpdated=f"ge{middle}", _count="9")
    after = search(server, "Observation", _lastUpdated=f"gt{middle}")
    assert [one["id"] for one in at_or_after] == [one["id"] for one in every if one["meta"]["lastUpdated"] >= middle]
    assert len(after) < len(at_or_after)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/Patient", {}, 401),
        ("/Patient", {"Authorization": "Bearer wrong"}, 401),
        ("/Patient", {"X-Api-Key": SECRETS["hospital"]}, 200),
        ("/Questionnaire", TOKEN, 404),
        ("/Patient/nobody", TOKEN, 404),
        ("/Patient?_lastUpdated=yesterday", TOKEN, 400),
        ("/Patient?_count=many", TOKEN, 400),
    ],
)
def test_what_is_not_right_is_an_operation_outcome(server: Hospital, path: str, headers: dict[str, str], status: int):
    answer = httpx.get(f"{server.url}{path}", headers=headers)
    assert answer.status_code == status
    assert status == 200 or answer.json()["resourceType"] == "OperationOutcome"


def test_margaret_ellison_is_on_ward_7_with_an_encounter_in_progress(server: Hospital, population: Population):
    id_ = next(one.id for one in population.hospital if one.person == cast.ON_WARD_NOW)
    inside = [one for one in search(server, "Encounter") if one["status"] == "in-progress"]
    hers = next(one for one in inside if one["subject"]["reference"] == f"Patient/{id_}")
    assert hers["location"][0]["location"]["display"] == "Ward 7"
    assert hers["serviceProvider"]["identifier"]["value"] == "RDV"


def test_objections_are_consents_that_deny(server: Hospital, population: Population):
    by_part = {f"Patient/{one.id}": one.person.part for one in population.hospital}
    found = {by_part[one["patient"]["reference"]]: one for one in search(server, "Consent")}
    whole, part = found[cast.OBJECTED.part], found[cast.OBJECTED_IN_PART.part]
    assert whole["provision"] == {"type": "deny"}
    assert part["provision"]["class"][0]["code"] == "mental-health"
    assert part["provision"]["actor"][0]["reference"]["identifier"]["value"] == "901"


def test_a_referral_to_the_council_is_accepted(server: Hospital):
    tasks = search(server, "Task")
    assert tasks
    assert {one["owner"]["identifier"]["value"] for one in tasks} == {"901"}
    assert {one["status"] for one in tasks} == {"accepted"}


def test_the_adapter_pulls_all_of_it_once_and_then_only_what_is_new(server: Hospital, population: Population):
    source = registry.make(
        SourceSettings("hospital", "fhir_r4", "RDV", server.url, SECRETS["hospital"], options={"page_size": 50})
    )
    batches = list(source.pull(None, (), NOW))
    assert Counter(item.type for batch in batches for item in batch.items) == Counter(
        one["resourceType"] for one in resources(population)
    )
    server.change(population.moved_on(3))
    news = [item for batch in source.pull(batches[-1].cursor, (), NOW) for item in batch.items]
    assert len(news) == len(resources(population.moved_on(3))) - len(resources(population))
    assert len(news) > 0


def test_published_uk_core_examples_are_served_beside(population: Population, shared_examples: Path):
    extra = hospital_published.published(shared_examples, population.today)
    assert len(extra) >= 100
    for one in extra:
        get_fhir_model_class(one["resourceType"]).model_validate(json.loads(json.dumps(one, default=float)))
    running = hospital.serve(population, extra=extra)
    try:
        ids = {one["id"] for one in search(running, "Patient")}
    finally:
        running.close()
    assert "UKCore-Patient-RichardSmith-Example" in ids
