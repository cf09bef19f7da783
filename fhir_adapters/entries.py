"""One entry of a FHIR Bundle as an Item to keep, or as Rejected with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from fhir_adapters import exact_json
from fhir_adapters.source import Item, Reason, Rejected


def read_entry(entry: Any, expected_type: str) -> Item | Rejected:
    """The entry's resource under its own type and id, unchanged; Rejected where it has none of these."""
    resource = entry.get("resource") if isinstance(entry, Mapping) else None
    if not isinstance(resource, dict):
        return rejected(expected_type, entry, "Bundle.entry.resource", "is no object")
    type_, id_ = resource.get("resourceType"), resource.get("id")
    if not isinstance(type_, str) or not type_:
        return rejected(expected_type, resource, "resourceType", "the resource does not say its type")
    if not isinstance(id_, str) or not id_:
        return rejected(type_, resource, f"{type_}.id", "the resource has no id")
    return Item(type_, id_, resource)


def rejected(type_: str, whole: Any, place: str, why: str) -> Rejected:
    """Kept whole. What has no id of its own goes by its content, so that the same thing is the same again."""
    raw = exact_json.dumps(whole)
    return Rejected(type_, sha256(raw).hexdigest()[:32], raw.decode(), (Reason(place, why),))
