"""Asking GP practices about people over a real connection: the question as GP Connect wants it, and the record."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from fhir.resources.STU3.device import Device
from fhir.resources.STU3.organization import Organization
from fhir.resources.STU3.parameters import Parameters
from fhir.resources.STU3.practitioner import Practitioner
from gp_connect_builders import (
    NHS,
    NOW,
    ODS,
    A,
    B,
    C,
    D,
    gives,
    number_of,
    practice_of,
    pulled,
    record,
    settings,
    wanted,
    whose,
)
from scripted_server import Asked, Scripted, reply, scripted

from fhir_adapters import exact_json, registry
from fhir_adapters.gp_connect import GpConnect
from fhir_adapters.simulators import cast, gp
from fhir_adapters.simulators.population import people
from fhir_adapters.source import SourceFailed, Wanted

INTERACTION = "urn:nhs:names:services:gpconnect:fhir:operation:gpc.getstructuredrecord-1"


@pytest.fixture
def server() -> Iterator[Scripted]:
    with scripted(gives) as running:
        yield running


def claims(asked: Asked) -> dict[str, Any]:
    kind, _, token = asked.headers["authorization"].partition(" ")
    head, payload, signature = token.split(".")
    assert (kind, signature) == ("Bearer", "")
    assert json.loads(urlsafe_b64decode(head + "==")) == {"alg": "none", "typ": "JWT"}
    found = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert isinstance(found, dict)
    return found


# The question


def test_the_operation_is_asked_for_at_the_practice_with_the_number_in_the_body_alone(server: Scripted) -> None:
    pulled(server.url, wanted(A, practice="P81002"))
    (asked,) = server.asked
    assert asked.method == "POST"
    assert asked.path == "/P81002/STU3/1/gpconnect/structured/fhir/Patient/$gpc.getstructuredrecord"
    assert asked.params == {}
    assert A not in asked.path + str({name: value for name, value in asked.headers.items() if name != "authorization"})


def test_the_headers_are_those_of_the_spines_proxy(server: Scripted) -> None:
    pulled(server.url, wanted(A, B), asid_from="200000000115", asids={"P81001": "200000000116"})
    first, second = server.asked
    for asked in (first, second):
        assert asked.headers["ssp-from"] == "200000000115"
        assert asked.headers["ssp-to"] == "200000000116"
        assert asked.headers["ssp-interactionid"] == INTERACTION
    traces = {UUID(asked.headers["ssp-traceid"]) for asked in (first, second)}
    assert len(traces) == 2, "each request has its own"


def test_what_is_sent_and_accepted_is_fhir_json(server: Scripted) -> None:
    pulled(server.url, wanted(A))
    (asked,) = server.asked
    assert asked.headers["content-type"] == "application/fhir+json"
    assert asked.headers["accept"].split(", ")[0] == "application/fhir+json"


def test_the_parameters_ask_for_the_whole_record_of_that_number(server: Scripted) -> None:
    pulled(server.url, [Wanted(nhs_number="999 000 0018")])
    body = json.loads(server.asked[0].body)
    Parameters.model_validate(body)
    parts = {one["name"]: one.get("part", []) for one in body["parameter"][1:]}
    assert body["parameter"][0] == {"name": "patientNHSNumber", "valueIdentifier": {"system": NHS, "value": A}}
    assert parts.pop("includeAllergies") == [{"name": "includeResolvedAllergies", "valueBoolean": True}]
    assert parts.pop("includeMedication") == [{"name": "includePrescriptionIssues", "valueBoolean": True}]
    assert parts == {
        "includeConsultations": [],
        "includeProblems": [],
        "includeImmunisations": [],
        "includeInvestigations": [],
        "includeReferrals": [],
        "includeDiaryEntries": [],
        "includeUncategorisedData": [],
    }


def test_the_token_says_who_asks_for_what_and_why(server: Scripted) -> None:
    told: dict[str, Any] = {
        "consumer": "https://icb.example/",
        "practitioner": "10019",
        "sds_user_id": "111222333444",
        "sds_role_profile_id": "444555666777",
        "requesting_ods": "QDM",
        "requesting_name": "Dale Valley ICB",
    }
    pulled(server.url, wanted(A), **told)
    said = claims(server.asked[0])
    assert said["iss"] == "https://icb.example/"
    assert said["sub"] == said["requesting_practitioner"]["id"] == "10019"
    assert said["aud"] == f"{server.url}/P81001/STU3/1/gpconnect/structured/fhir"
    assert (said["iat"], said["exp"]) == (int(NOW.timestamp()), int(NOW.timestamp()) + 300)
    assert said["reason_for_request"] == "directcare"
    assert said["requested_scope"] == "patient/*.read"
    assert set(said) == set(gp.CLAIMS)
    Device.model_validate(said["requesting_device"])
    Organization.model_validate(said["requesting_organization"])
    Practitioner.model_validate(said["requesting_practitioner"])
    assert said["requesting_organization"]["identifier"] == [{"system": ODS, "value": "QDM"}]
    ids = {one["system"]: one["value"] for one in said["requesting_practitioner"]["identifier"]}
    assert ids == {
        "https://fhir.nhs.uk/Id/sds-user-id": "111222333444",
        "https://fhir.nhs.uk/Id/sds-role-profile-id": "444555666777",
        "https://icb.example/": "10019",
    }


def test_a_token_is_new_for_each_person_though_the_pull_is_longer_than_a_token_lives(server: Scripted) -> None:
    seconds = count(0.0, 100.0)
    source = GpConnect(settings(server.url), clock=lambda: next(seconds))
    list(source.pull(None, wanted(A, B, C, D), NOW))
    issued = [claims(asked)["iat"] - int(NOW.timestamp()) for asked in server.asked]
    assert issued == sorted(issued)
    assert issued[-1] > 300


def test_a_practice_whose_service_root_is_told_is_asked_through_the_proxy_at_that(server: Scripted) -> None:
    root = "https://pcs.example/P81001/STU3/1"
    batches, why = pulled(f"{server.url}/", wanted(A), roots={"P81001": root})
    assert (whose(batches), why) == ([A], "")
    assert server.asked[0].path == f"/{root}/Patient/$gpc.getstructuredrecord"
    assert claims(server.asked[0])["aud"] == root


@pytest.mark.parametrize("option", ["asids", "roots"])
def test_an_option_that_is_no_table_by_practice_is_told_at_the_start(option: str) -> None:
    with pytest.raises(SourceFailed, match=f"options.{option} must name"):
        registry.make(settings("http://practice.example", **{option: "200000000116"}))


# The record


def test_a_record_is_a_batch_of_r4_in_a_namespace_of_its_own(server: Scripted) -> None:
    allergy = {
        "resourceType": "AllergyIntolerance",
        "id": "a1",
        "patient": {"reference": f"Patient/p{A}"},
        "clinicalStatus": "active",
        "verificationStatus": "unconfirmed",
        "assertedDate": "2019-05",
    }
    server.answer = lambda asked: reply(record(number_of(asked), allergy))
    ((batch,), why) = pulled(server.url, wanted(A))
    patient, mapped = batch.items
    assert why == ""
    assert (patient.type, mapped.type) == ("Patient", "AllergyIntolerance")
    assert {item.namespace for item in batch.items} == {f"P81001/{A}"}
    assert {item.custodian for item in batch.items} == {"P81001"}
    assert mapped.body["clinicalStatus"]["coding"][0]["code"] == "active"
    assert (batch.done, batch.total, batch.cursor) == (1, 1, {"after": ""})


def test_decimals_of_a_record_keep_their_text() -> None:
    value = b'{"resourceType":"Observation","id":"o","status":"final","valueQuantity":{"value":7.10}}'
    whole = json.dumps(record(A)).encode()[:-2] + b',{"resource":' + value + b"}]}"
    with scripted(lambda asked: reply(whole)) as server:
        ((batch,), _) = pulled(server.url, wanted(A))
    assert b'"value":7.10' in exact_json.dumps(batch.items[1].body)


def test_each_person_is_asked_about_once_at_their_own_practice_and_without_a_number_not_at_all(
    server: Scripted,
) -> None:
    asked = [*wanted(B, practice="P81002"), Wanted(family="Nobody"), Wanted(nhs_number=A), *wanted(B)]
    batches, _ = pulled(server.url, asked)
    assert whose(batches) == [A, B]
    assert [practice_of(one) for one in server.asked] == ["P81001", "P81002"]


def test_somebody_elses_record_is_never_filed_under_the_person_asked_about(server: Scripted) -> None:
    server.answer = lambda asked: reply(record(B))
    ((batch,), why) = pulled(server.url, wanted(A))
    assert (batch.items, why) == ((), "")
    assert [one.reasons[0].why for one in batch.rejected] == ["is not the Patient whose record was asked for"]


def test_the_same_pull_twice_gives_the_same_batches() -> None:
    population = people(1, 12)
    running = gp.serve(population)
    asked = [Wanted(nhs_number=one.nhs_number, practice=one.person.practice) for one in population.gp]
    asked += wanted(D)  # whom it does not know
    try:
        first, why = pulled(running.url, asked)
        again, _ = pulled(running.url, list(reversed(asked)))
    finally:
        running.close()
    assert why == ""
    assert again == first
    assert cast.MARGARET_ELLISON.nhs_number in {item.namespace.partition("/")[2] for b in first for item in b.items}
