"""The Provenance of a repaired resource: which rule changed what, and what it was (FHIR R4 Provenance)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from carelink.consent.redaction import LOCATING
from carelink.consent.sensitivity import sensitivities
from carelink.db.among import among
from carelink.db.tables import resource
from carelink.ids import ODS, ResourceKey, resource_key
from carelink.place import Organisation, Place
from carelink.record.golden_store import home
from carelink.record.writing import Writable, ended, write
from fhir_adapters.source import Repair

REPAIR = "https://carelink.example/StructureDefinition/repair"
_ACTIVITY = {"system": "http://terminology.hl7.org/CodeSystem/v3-DataOperation", "code": "UPDATE"}
_ASSEMBLER = {"system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type", "code": "assembler"}


def tell(
    conn: Connection,
    place: Place,
    changed: Sequence[Writable],
    versions: Mapping[ResourceKey, int],
    repairs: Mapping[ResourceKey, tuple[Repair, ...]],
    now: datetime,
) -> None:
    """Write the Provenance of what was repaired in its new version; end that of what no longer needs repair."""
    told = [of(one, repairs[one.key], home(place), now) for one in changed if one.key in repairs]
    whole = [one for one in changed if versions[one.key] > 1 and one.key not in repairs]
    write(conn, [*told, *_outlived(conn, whole)], now, sensitivities(place))


def _outlived(conn: Connection, whole: Sequence[Writable]) -> list[Writable]:
    targets = {_key(one): one for one in whole}
    t = resource.c
    asked = select(t.key).where(among(t.key, targets), t.deleted.is_(False)).order_by(t.key)
    there = [ResourceKey(row[0]) for row in conn.execute(asked)] if targets else []
    return [ended(_labelled(targets[key], {"resourceType": "Provenance", "id": str(key)})) for key in there]


def _key(target: Writable) -> ResourceKey:
    return resource_key("carelink", "provenance", target.type, str(target.key))


def of(target: Writable, repairs: tuple[Repair, ...], home: Organisation, now: datetime) -> Writable:
    """One Provenance for all repairs of a resource, labelled as the resource is, under an id that is always the same."""
    body = {
        "resourceType": "Provenance",
        "id": str(_key(target)),
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
    return _labelled(target, body)


def _labelled(target: Writable, body: dict[str, Any]) -> Writable:
    return Writable(
        key=_key(target),
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
