"""Client libraries that others wrote work against the API unchanged: each has a session with a live server.

Signing in, search, pages, read, create, an update that comes too late, a transaction, everything of a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from conftest import ROOT
from fhir_builders import ANN, ANN_NUMBER
from fhirclient import client as smart
from fhirclient.models import bundle as bundles
from fhirclient.models import flag as flags
from fhirclient.models import observation as observations
from fhirclient.models import patient as patients
from fhirpy import SyncFHIRClient
from fhirpy.base.exceptions import MultipleResourcesFound, OperationOutcome, ResourceNotFound
from ingest_builders import NHS
from live_api import CLIENT, RESULTS, SCOPES, LiveApi, live_api, run_node
from sqlalchemy import Engine

from carelink.place import Place

FAMILY = ANN.body["name"][0]["family"]
NOBODY = "00000000-0000-0000-0000-000000000009"
MADE = {"Has a key safe", "Hard of hearing"}


@pytest.fixture
def live(engine: Engine, place: Place) -> Iterator[LiveApi]:
    with live_api(engine, place) as started:
        yield started


def flag(live: LiveApi, words: str) -> dict[str, Any]:
    return {"status": "active", "code": {"text": words}, "subject": {"reference": live.patient}}


def transaction(live: LiveApi) -> dict[str, Any]:
    request = {"method": "POST", "url": "Flag"}
    entries = [
        {"resource": {"resourceType": "Flag", **flag(live, words)}, "request": request} for words in sorted(MADE)
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


# fhirpy ----------------------------------------------------------------------------------------------


@pytest.fixture
def fhirpy(live: LiveApi) -> SyncFHIRClient:
    """Signed in with a secret, as its users do: the library itself takes the token."""
    form = {"grant_type": "client_credentials", "scope": SCOPES}
    granted = requests.post(live.token_url, data=form, auth=(CLIENT, live.secret), timeout=30)
    shown = {"Prefer": "return=representation"}
    token = granted.json()["access_token"]
    return SyncFHIRClient(live.base, authorization=f"Bearer {token}", extra_headers=shown)


def test_fhirpy_searches_reads_and_pages(live: LiveApi, fhirpy: SyncFHIRClient) -> None:
    (found,) = fhirpy.resources("Patient").search(identifier=f"{NHS}|{ANN_NUMBER}").fetch()
    assert (found.id, found["name"][0]["family"]) == (str(live.person), FAMILY)
    assert fhirpy.reference("Patient", str(live.person)).to_resource() == found
    results = fhirpy.resources("Observation").search(patient=str(live.person)).sort("-date").limit(3)
    assert len({one.id for one in results.fetch_all()}) == RESULTS
    assert results.first().get_by_path(["code", "coding", 0, "display"]) == "HbA1c"
    with pytest.raises(ResourceNotFound):
        fhirpy.reference("Patient", NOBODY).to_resource()
    with pytest.raises(OperationOutcome, match="colour"):
        fhirpy.resources("Patient").search(colour="blue").fetch()


def test_fhirpy_creates_updates_and_is_told_that_it_comes_too_late(live: LiveApi, fhirpy: SyncFHIRClient) -> None:
    made = fhirpy.resource("Flag", **flag(live, "Uses a stick"))
    made.save()
    assert made.id
    assert fhirpy.reference("Flag", made.id).to_resource()["code"]["text"] == "Uses a stick"
    made["code"] = {"text": "Uses a frame"}
    made.save()
    assert fhirpy.reference("Flag", made.id).to_resource()["meta"]["versionId"] == "2"
    late = {**made.serialize(), "status": "inactive"}
    with pytest.raises(MultipleResourcesFound, match="OperationOutcome"):  # what fhirpy makes of a 412
        fhirpy._do_request("put", f"Flag/{made.id}", data=late, extra_headers={"If-Match": 'W/"1"'})


def test_fhirpy_sends_a_transaction_and_asks_for_everything(live: LiveApi, fhirpy: SyncFHIRClient) -> None:
    done = fhirpy.execute("", method="post", data=transaction(live))
    assert [one["response"]["status"][:3] for one in done["entry"]] == ["201", "201"]
    everything = fhirpy.reference("Patient", str(live.person)).execute("$everything", method="get")
    held = [one["resource"] for one in everything["entry"]]
    assert {one["code"]["text"] for one in held if one["resourceType"] == "Flag"} == MADE
    assert held[0]["id"] == str(live.person)


# fhirclient ------------------------------------------------------------------------------------------


@pytest.fixture
def signed_in(live: LiveApi) -> smart.FHIRClient:
    """By SMART Backend Services: it reads metadata, sends what its key signed, and keeps the token."""
    settings = {
        "app_id": live.keyed.id,
        "api_base": live.base,
        "scope": SCOPES,
        "jwt_token": live.keyed.assertion(live.token_url),
    }
    made = smart.FHIRClient(settings=settings)
    made.wants_patient = False  # a system asks for no patient's context
    made.prepare()
    made.authorize()
    assert made.ready
    return made


def test_fhirclient_searches_reads_and_pages(live: LiveApi, signed_in: smart.FHIRClient) -> None:
    server = signed_in.server
    (found,) = patients.Patient.where({"identifier": f"{NHS}|{ANN_NUMBER}"}).perform_resources_iter(server)
    assert patients.Patient.read(str(live.person), server).name[0].family == FAMILY == found.name[0].family
    asked = observations.Observation.where({"patient": str(live.person), "_count": "3", "_sort": "-date"})
    assert len({one.id for one in asked.perform_resources_iter(server)}) == RESULTS
    pages = list(asked.perform_iter(server))
    assert [len(page.entry) for page in pages] == [3, 3, 1]


def test_fhirclient_creates_updates_and_is_told_that_it_comes_too_late(
    live: LiveApi, signed_in: smart.FHIRClient
) -> None:
    server = signed_in.server
    flags.Flag({"resourceType": "Flag", **flag(live, "Uses a stick")}).create(server)
    (made,) = flags.Flag.where({"patient": str(live.person)}).perform_resources_iter(server)
    current = flags.Flag.read(made.id, server)
    assert current.code.text == "Uses a stick"
    current.code.text = "Uses a frame"
    current.update(server)
    again = flags.Flag.read(current.id, server)
    assert (again.code.text, again.meta.versionId) == ("Uses a frame", "2")
    server.session.headers["If-Match"] = 'W/"1"'
    again.status = "inactive"
    with pytest.raises(requests.HTTPError, match="412"):
        again.update(server)


def test_fhirclient_sends_a_transaction_and_asks_for_everything(live: LiveApi, signed_in: smart.FHIRClient) -> None:
    server = signed_in.server
    done = bundles.Bundle(server.post_json("", transaction(live)).json())
    assert [one.response.status[:3] for one in done.entry] == ["201", "201"]
    everything = bundles.Bundle(server.request_json(f"Patient/{live.person}/$everything"))
    held = [one.resource for one in everything.entry]
    assert {one.code.text for one in held if one.resource_type == "Flag"} == MADE


# fhir-kit-client -------------------------------------------------------------------------------------


def test_fhir_kit_client_has_its_session(live: LiveApi) -> None:
    asked = {"base": live.base, "client": CLIENT, "secret": live.secret, "scope": SCOPES, "person": str(live.person), "patient": live.patient, "number": f"{NHS}|{ANN_NUMBER}"}  # fmt: skip
    said = run_node(ROOT / "tests" / "clients" / "fhir_kit_session.mjs", asked)
    assert said["version"] == "4.0.1"
    assert (said["people"], said["family"]) == ([str(live.person)], FAMILY)
    results = said["results"]
    assert isinstance(results, list)
    assert (len(set(results)), said["pages"]) == (RESULTS, 3)
    assert (said["created"], said["updated"], said["stale"]) == ("Uses a stick", "2", 412)
    assert [str(one)[:3] for one in said["transaction"]] == ["201", "201"]  # type: ignore[attr-defined]
    held = said["everything"]
    assert isinstance(held, list)
    assert (held[0], held.count("Flag"), held.count("Observation")) == ("Patient", 3, RESULTS)
    assert said["missing"] == [404, "OperationOutcome"]
