"""Practices as a test wants them: small records, refusals, and what became of a pull."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from scripted_server import Asked, Reply, reply

from fhir_adapters import registry
from fhir_adapters.source import Batch, Cursor, SourceFailed, SourceSettings, Wanted

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
NHS = "https://fhir.nhs.uk/Id/nhs-number"
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
A, B, C, D = "9990000018", "9990000026", "9990000034", "9990000042"


def record(number: str, *resources: Mapping[str, Any]) -> dict[str, Any]:
    patient = {"resourceType": "Patient", "id": f"p{number}", "identifier": [{"system": NHS, "value": number}]}
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": one} for one in (patient, *resources)],
    }


def number_of(asked: Asked) -> str:
    first = json.loads(asked.body)["parameter"][0]
    assert first["name"] == "patientNHSNumber"
    return str(first["valueIdentifier"]["value"])


def practice_of(asked: Asked) -> str:
    return asked.path.split("/")[1]


def gives(asked: Asked) -> Reply:
    return reply(record(number_of(asked)))


def settings(url: str, **options: Any) -> SourceSettings:
    return SourceSettings("gp", "gp_connect", "P81001", url, timeout=1, attempts=1, options=options)


def wanted(*numbers: str, practice: str = "P81001") -> list[Wanted]:
    return [Wanted(nhs_number=number, practice=practice) for number in numbers]


def pulled(url: str, asked: list[Wanted], cursor: Cursor | None = None, **options: Any) -> tuple[list[Batch], str]:
    """The batches until the end or the failure, and the line of the failure."""
    batches = []
    try:
        for batch in registry.make(settings(url, **options)).pull(cursor, asked, NOW):
            batches.append(batch)
    except SourceFailed as failed:
        return batches, failed.why
    return batches, ""


def whose(batches: list[Batch]) -> list[str]:
    return [item.source_id.removeprefix("p") for batch in batches for item in batch.items if item.type == "Patient"]


def refusal(code: str, status: int, **more: Any) -> Reply:
    coding = {"system": "https://fhir.nhs.uk/STU3/ValueSet/Spine-ErrorOrWarningCode-1", "code": code}
    issue = {"severity": "error", "code": "not-found", "details": {"coding": [coding]}} | more
    return reply({"resourceType": "OperationOutcome", "issue": [issue]}, status)
