"""How systems ask for the past, and patch, in invented worlds: of what they see, of what they do not, of what is gone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from worlds_asking import Ask
from worlds_bodies import Thing, key
from worlds_routes import UNKNOWN, Drawing, Route

from carelink.fhir import past, writes

JSON_PATCH = {"Content-Type": "application/json-patch+json"}
FHIR = {"Content-Type": "application/fhir+json"}
TIMES = ("2026-11-24T11:30:00Z", "2026-11-24T09:30:00Z", "2026-11-24", "2020")


def _address(draw: Drawing, *types: str) -> tuple[Thing | None, dict[str, Any]]:
    thing = draw.thing(*(types or past.TYPES))
    type_ = thing.type if thing is not None and draw.chance.random() < 0.95 else "Condition"
    return thing, {"type_": type_, "key": key(thing) if thing is not None else UNKNOWN}


def _narrowed(draw: Drawing) -> dict[str, str]:
    asked = draw.one({}, {}, {"_since": draw.one(*TIMES)}, {"_at": draw.one(*TIMES)})
    return asked | draw.one({}, {}, {"_count": "1"}, {"_summary": "count"}, {"_format": "xml"}, {"_summary": "true"})


def _history(draw: Drawing) -> Ask:
    _, values = _address(draw)
    whose = {"type_": "Patient", "key": draw.person()}
    return Ask("fhir_past.history", draw.one(values, values, values, whose) | _narrowed(draw))


def _history_of_type(draw: Drawing) -> Ask:
    _, values = _address(draw)
    return Ask("fhir_past.history_of_type", {"type_": values["type_"]} | _narrowed(draw))


def _vread(draw: Drawing) -> Ask:
    thing, values = _address(draw)
    versions = len(thing.said) if thing is not None else 1
    version = draw.one(versions, versions, versions + 1, 1, 2, 0, "99999999999999999999")
    if draw.chance.random() < 0.2:
        values = {"type_": "Patient", "key": draw.person()}
    return Ask("fhir_past.vread", {**values, "version": version} | draw.one({}, {}, {"_elements": "id"}))


def _patch(draw: Drawing) -> tuple[bytes, dict[str, str]]:
    """That does something, or tests what is there, or names what may not be."""
    path = draw.one("/language", "/code/text", "/meta/versionId", "/extension/0", "/status", "/subject/reference")
    act = draw.one("add", "add", "test", "remove")
    by_json = [{"op": act, "path": "/language" if act == "add" else path, "value": "en"}]
    part = [
        {"name": "type", "valueCode": draw.one("replace", "delete")},
        {"name": "path", "valueString": draw.one("status", "extension[0]", "meta.tag")},
        {"name": "value", "valueCode": "final"},
    ]
    by_path = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": part}]}
    said, kind = draw.one((by_json, JSON_PATCH), (by_json, JSON_PATCH), (by_path, FHIR))
    return json.dumps(said).encode(), kind


def _match(draw: Drawing, thing: Thing | None) -> dict[str, str]:
    version = len(thing.said) if thing is not None else 1
    return draw.one({}, {}, {"If-Match": f'W/"{version}"'}, {"If-Match": 'W/"9"'})


def _patched(draw: Drawing) -> Ask:
    thing, values = _address(draw, *writes.TYPES)
    body, kind = _patch(draw)
    where = {"type_": values["type_"], "id_": values["key"]}
    return Ask("fhir_patches.patch", where, "PATCH", body=body, headers=kind | _match(draw, thing))


def _patched_by_condition(draw: Drawing) -> Ask:
    _, values = _address(draw, *writes.TYPES)
    body, kind = _patch(draw)
    where = {"type_": values["type_"], "_id": values["key"]}
    return Ask("fhir_patches.patch_by_condition", where, "PATCH", body=body, headers=kind)


def _patched_consent(draw: Drawing) -> Ask:
    thing = draw.thing("Consent", source="carelink")
    ends = {"end": "2027-01-01"}
    sent = draw.one(
        [{"op": "add", "path": "/provision/period", "value": ends}],
        [{"op": "add", "path": "/provision/period", "value": ends}],
        [{"op": "test", "path": "/extension", "value": 1}],
        [{"op": "remove", "path": "/dateTime"}],
    )
    values = {"key": key(thing) if thing is not None else UNKNOWN}
    body = json.dumps(sent).encode()
    return Ask("fhir_patches.patch_consent", values, "PATCH", body=body, headers=JSON_PATCH | _match(draw, thing))


PAST: Mapping[str, Route] = {
    "fhir_past.vread": Route(_vread, whose="system"),
    "fhir_past.history": Route(_history, whose="system"),
    "fhir_past.history_of_type": Route(_history_of_type, whose="system"),
    "fhir_past.read_nothing": Route(tells_nothing="404 for whatever is no id of ours, before anything is asked"),
    "fhir_patches.patch": Route(_patched, whose="system"),
    "fhir_patches.patch_by_condition": Route(_patched_by_condition, whose="system"),
    "fhir_patches.patch_consent": Route(_patched_consent, whose="system"),
}
