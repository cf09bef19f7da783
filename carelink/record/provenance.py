"""The Provenance of a resource that was repaired, or whose label was corrected: what was changed, by whom and why.

FHIR R4 Provenance; each is labelled as its target is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, select

from carelink.consent.redaction import LOCATING
from carelink.consent.sensitivity import sensitivities
from carelink.db.among import among
from carelink.db.tables import resource
from carelink.ids import ODS, ResourceKey, resource_key
from carelink.place import Organisation, Place
from carelink.record.corrections import Correction
from carelink.record.golden_store import home
from carelink.record.writing import Writable, ended, write
from fhir_adapters import exact_json
from fhir_adapters.source import Repair

REPAIR = "https://carelink.example/StructureDefinition/repair"
_ACTIVITY = {"system": "http://terminology.hl7.org/CodeSystem/v3-DataOperation", "code": "UPDATE"}
_PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
_ASSEMBLER = {"system": _PARTICIPANT, "code": "assembler"}
_AUTHOR = {"system": _PARTICIPANT, "code": "author"}


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
    return [ended(_labelled(targets[key], key, {"resourceType": "Provenance", "id": str(key)})) for key in there]


def _key(target: Writable, of: str = "provenance") -> ResourceKey:
    return resource_key("carelink", of, target.type, str(target.key))


def about(type_: str, key: ResourceKey) -> tuple[ResourceKey, ...]:
    """The keys of every Provenance that may be of that resource: what was repaired in it, who corrected its label."""
    return tuple(resource_key("carelink", of, type_, str(key)) for of in ("provenance", CORRECTION))


CORRECTION = "label-correction"
USER = "https://carelink.example/user"  # system of our user ids


def corrected(conn: Connection, place: Place, target: Writable, correction: Correction | None, now: datetime) -> None:
    """Write who corrected the label of the target and why; or, where the correction was undone, that it is no more."""
    key = _key(target, CORRECTION)
    body: dict[str, Any] = {"resourceType": "Provenance", "id": str(key)}
    if correction is None:
        write(conn, [ended(_labelled(target, key, body))], now)
        return
    who = {"identifier": {"system": USER, "value": correction.made_by}}
    body |= {
        "target": [{"reference": f"{target.type}/{target.key}"}],
        "recorded": _instant(correction.made_at),
        "reason": [{"text": correction.why}],
        "activity": {"coding": [_ACTIVITY]},
        "agent": [{"type": {"coding": [_AUTHOR]}, "who": who, "onBehalfOf": _organisation(place, correction)}],
    }
    write(conn, [_labelled(target, key, body)], now, sensitivities(place))


def follow(conn: Connection, place: Place, targets: Sequence[Writable], now: datetime) -> None:
    """What was told of these has their label, which has changed."""
    of = {_key(one, kind): one for one in targets for kind in ("provenance", CORRECTION)}
    t = resource.c
    asked = select(t.key, t.body).where(among(t.key, of), t.deleted.is_(False)).order_by(t.key)
    told = [(ResourceKey(row.key), exact_json.loads(row.body)) for row in conn.execute(asked)] if of else []
    again = [_labelled(of[key], key, {k: v for k, v in body.items() if k != "meta"}) for key, body in told]
    write(conn, again, now, sensitivities(place))


def _organisation(place: Place, correction: Correction) -> dict[str, Any]:
    known = place.organisations.get(correction.organisation)
    named = {"display": known.name} if known else {}
    return {"identifier": {"system": ODS, "value": correction.organisation}} | named


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def of(target: Writable, repairs: tuple[Repair, ...], home: Organisation, now: datetime) -> Writable:
    """One Provenance for all repairs of a resource, labelled as the resource is, under an id that is always the same."""
    body = {
        "resourceType": "Provenance",
        "id": str(_key(target)),
        "target": [{"reference": f"{target.type}/{target.key}"}],
        "recorded": _instant(now),
        "activity": {"coding": [_ACTIVITY]},
        "agent": [
            {
                "type": {"coding": [_ASSEMBLER]},
                "who": {"identifier": {"system": ODS, "value": home.ods}, "display": home.name},
            }
        ],
        "extension": [_told(repair) for repair in repairs],
    }
    return _labelled(target, _key(target), body)


def _labelled(target: Writable, key: ResourceKey, body: dict[str, Any]) -> Writable:
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
