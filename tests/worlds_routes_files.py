"""How systems ask for files that resources name, and whether a resource is right."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from worlds_asking import Ask
from worlds_bodies import BODIES, key
from worlds_routes import UNKNOWN, Drawing, Route

from carelink.fhir import searched
from carelink.record.attachments import addressed

FHIR_JSON = {"Content-Type": "application/fhir+json"}


def _binary(draw: Drawing) -> Ask:
    """The file of a document as it is now or was before, of somebody's or of nobody's; as bytes or as a resource."""
    thing = draw.thing("DocumentReference")
    files: tuple[Any, ...] = ()
    if thing is not None and thing.type == "DocumentReference":
        said = draw.one(thing.said[-1], thing.said[-1], thing.said[-1], thing.said[0])
        _, files = addressed({"id": str(key(thing)), **BODIES[thing.type].said(thing, said)})
    headers = draw.one({}, {}, {"Accept": "*/*"}, {"Accept": "application/fhir+json"})
    return Ask("fhir_binaries.read", {"key": files[0].key if files else UNKNOWN}, headers=headers)


def _sent(draw: Drawing, key_: object = "") -> tuple[str, bytes]:
    type_ = draw.one("Patient", "Condition", "Observation")
    said = draw.one({}, {"gender": "male"}, {"status": "final"}, {"meta": {"profile": ["https://x.example/p"]}})
    return type_, json.dumps({"resourceType": type_, **said} | ({"id": str(key_)} if key_ else {})).encode()


def _of_type(draw: Drawing) -> Ask:
    type_, body = _sent(draw)
    return Ask("fhir_validate.of_type", {"type_": type_}, "POST", body=body, headers=FHIR_JSON)


def _stored(draw: Drawing) -> dict[str, Any]:
    thing = draw.thing("Patient", *searched.TYPES)
    known = thing is not None and thing.type in ("Patient", *searched.TYPES)
    return {"type_": thing.type, "key": key(thing)} if thing is not None and known else {"type_": "Condition", "key": UNKNOWN}  # fmt: skip


def _of_one(draw: Drawing) -> Ask:
    where = _stored(draw)
    body = json.dumps({"resourceType": where["type_"], "id": str(where["key"])}).encode()
    sent = draw.one((b"", {}), (body, FHIR_JSON), (body, FHIR_JSON))
    return Ask("fhir_validate.of_one", where, "POST", body=sent[0], headers=sent[1])


FILES: Mapping[str, Route] = {
    "fhir_binaries.read": Route(_binary, whose="system"),
    "fhir_validate.of_type": Route(_of_type, whose="system"),
    "fhir_validate.of_one": Route(_of_one, whose="system"),
    "fhir_validate.of_stored": Route(lambda draw: Ask("fhir_validate.of_stored", _stored(draw)), whose="system"),
}
