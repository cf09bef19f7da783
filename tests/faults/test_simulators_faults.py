"""The faults of the simulated servers: what a client gets, that an adapter notices, and that mending mends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from fhir_adapters import registry
from fhir_adapters.simulators import council_b, gp, hospital, pds
from fhir_adapters.simulators.demo_keys import SECRETS
from fhir_adapters.simulators.population import Population, people
from fhir_adapters.simulators.serving import Fault, Simulated
from fhir_adapters.source import SourceFailed, SourceSettings, Wanted

NOW = datetime(2026, 11, 24, tzinfo=UTC)
SERVERS = {"hospital": hospital.serve, "pds": pds.serve, "gp": gp.serve, "council-b": council_b.serve}
QUESTIONS = {
    "hospital": ("Patient?_count=5", {"Authorization": f"Bearer {SECRETS['hospital']}"}),
    "pds": ("Patient/9990000018", {"Authorization": "Bearer x", "X-Request-ID": "1"}),
    "gp": ("P81001/nothing", {}),
    "council-b": ("clients?page_size=5", {"X-Api-Key": SECRETS["council-b"]}),
}
PAGED = {"hospital": "entry", "council-b": "items"}


@pytest.fixture(scope="module")
def population() -> Population:
    return people(1, 60)


@pytest.fixture(params=SERVERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(name: str, population: Population) -> Iterator[Simulated]:
    running = SERVERS[name](population)
    running.delay = 0.4
    yield running
    running.close()


def ask(server: Simulated, name: str, timeout: float = 5.0) -> httpx.Response:
    path, headers = QUESTIONS[name]
    return httpx.get(f"{server.url}/{path}", headers=headers, timeout=timeout)


def test_down_closes_the_connection(server: Simulated, name: str):
    server.fault = "down"
    with pytest.raises(httpx.RemoteProtocolError):
        ask(server, name)


def test_slow_does_not_answer_in_time(server: Simulated, name: str):
    server.fault = "slow"
    with pytest.raises(httpx.ReadTimeout):
        ask(server, name, timeout=0.1)


def test_500_fails(server: Simulated, name: str):
    server.fault = "500"
    assert ask(server, name).status_code == 500


def test_malformed_json_ends_in_the_middle(server: Simulated, name: str):
    server.fault = "malformed"
    with pytest.raises(json.JSONDecodeError):
        ask(server, name).json()


def test_the_wrong_type_is_html(server: Simulated, name: str):
    server.fault = "wrong-type"
    assert ask(server, name).headers["Content-Type"] == "text/html"


@pytest.mark.parametrize("name", PAGED, indirect=True)
def test_half_a_page_has_fewer_entries_than_it_promises_and_no_way_to_the_rest(server: Simulated, name: str):
    whole = ask(server, name).json()
    server.fault = "half-page"
    half = ask(server, name).json()
    assert len(half[PAGED[name]]) == len(whole[PAGED[name]]) // 2
    assert half["total"] == whole["total"]
    assert not half.get("next")
    assert not [link for link in half.get("link", []) if link["relation"] == "next"]


def test_an_answer_that_is_no_page_breaks_off_half_way(population: Population):
    running = pds.serve(population)
    running.fault = "half-page"
    try:
        with pytest.raises(httpx.RemoteProtocolError):
            ask(running, "pds")
    finally:
        running.close()


@pytest.mark.parametrize("name", PAGED, indirect=True)
def test_the_same_page_comes_again_and_again(server: Simulated, name: str):
    server.fault = "same-page"
    first = ask(server, name).json()
    following = first.get("next") or next(link["url"] for link in first["link"] if link["relation"] == "next")
    assert httpx.get(following, headers=QUESTIONS[name][1]).json() == first


def test_a_fault_is_switched_over_http_and_mended(server: Simulated, name: str):
    switch = f"{server.root}/_simulator/fault"
    sound = ask(server, name).status_code
    assert httpx.post(switch, json={"fault": "500"}).json() == {"fault": "500"}
    assert ask(server, name).status_code == 500
    assert httpx.get(switch).json() == {"fault": "500"}
    httpx.post(switch, json={"fault": None})
    assert ask(server, name).status_code == sound


def test_a_fault_that_is_not_known_changes_nothing(server: Simulated, name: str):
    answer = httpx.post(f"{server.root}/_simulator/fault", json={"fault": "sulking"})
    assert answer.status_code == 400
    assert server.fault is None


def test_a_closed_server_is_not_reachable(name: str, population: Population):
    running = SERVERS[name](population)
    running.close()
    with pytest.raises(httpx.ConnectError):
        ask(running, name)


@pytest.mark.parametrize("name", ["hospital", "pds", "gp"], indirect=True)
@pytest.mark.parametrize("fault", [one for one in Fault if one is not Fault.SAME_PAGE])
def test_adapters_stop_with_one_line_at_each_fault(server: Simulated, name: str, fault: Fault):
    server.fault = fault
    kind = {"hospital": "fhir_r4", "pds": "pds", "gp": "gp_connect"}[name]
    settings = SourceSettings(name, kind, "RDV", server.url, SECRETS[name] or "x", timeout=0.1, attempts=1)
    with pytest.raises(SourceFailed) as failed:
        list(registry.make(settings).pull(None, [Wanted(nhs_number="9990000018", practice="P81001")], NOW))
    assert "\n" not in str(failed.value)
    assert "9990000018" not in str(failed.value)


@pytest.mark.parametrize("fault", [Fault.HALF_PAGE, Fault.SAME_PAGE])
def test_a_page_that_lies_stops_the_pull_of_the_hospital(population: Population, fault: Fault):
    running = hospital.serve(population)
    running.fault = fault
    settings = SourceSettings("hospital", "fhir_r4", "RDV", running.url, SECRETS["hospital"], options={"page_size": 20})
    try:
        with pytest.raises(SourceFailed, match=r"half a page|same page"):
            list(registry.make(settings).pull(None, (), NOW))
    finally:
        running.close()
