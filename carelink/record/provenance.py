"""The Provenance of a repaired resource: which rule changed what, and what it was (FHIR R4 Provenance)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from carelink.consent.redaction import LOCATING
from carelink.ids import ODS, resource_key
from carelink.place import Organisation
from carelink.record.writing import Writable
from fhir_adapters.source import Repair

REPAIR = "https://carelink.example/StructureDefinition/repair"
_ACTIVITY = {"system": "http://terminology.hl7.org/CodeSystem/v3-DataOperation", "code": "UPDATE"}
_ASSEMBLER = {"system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type", "code": "assembler"}


def of(target: Writable, repairs: tuple[Repair, ...], home: Organisation, now: datetime) -> Writable:
    """One Provenance for all repairs of a resource, labelled as the resource is, under an id that is always the same."""
    key = resource_key("carelink", "provenance", target.type, str(target.key))
    body = {
        "resourceType": "Provenance",
        "id": str(key),
        "target": [{"reference": f"{target.type}/{target.key}"}],
        "recorded": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "activity": {"coding": [_ACTIVITY]},
        "agent": [
            {
                "type": {"coding": [_ASSEMBLER]},
                "who": {"identifier": {"system": ODS, "value": home.ods}, "display": home.name},
            }
        ],
        "extension": [_told(repair) for repair in repairs],
    }
    return Writable(
        key=key,
        type="Provenance",
        body=body,
        source="carelink",
        source_id=f"{target.source}:{target.type}",
        custodian=target.custodian,
        category=target.category,
        sensitivities=target.sensitivities,
        person=target.person,
        patient=target.patient,
        locating=target.type in LOCATING,
    )


def _told(repair: Repair) -> dict[str, Any]:
    parts = {"rule": repair.rule, "path": repair.path, "was": repair.was or "(empty)", "why": repair.why}
    return {"url": REPAIR, "extension": [{"url": name, "valueString": text} for name, text in parts.items()]}
