"""One STU3 resource of a GP record as an R4 Item."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fhir_adapters.gp_connect.about import say_whom
from fhir_adapters.gp_connect.codes import ODS, present_system
from fhir_adapters.gp_connect.elements import Body
from fhir_adapters.gp_connect.extensions import ukcore_extensions
from fhir_adapters.gp_connect.references import Record, Target, is_reference, settle
from fhir_adapters.gp_connect.rules import Trail
from fhir_adapters.gp_connect.tables import TYPES
from fhir_adapters.source import Item

META_KEPT = ("security", "tag")  # profiles and versions are STU3's and the source's: ours are put on by the store
Settle = Callable[[Body, str], Body]


def map_resource(resource: Body, source_id: str, contained: Mapping[str, Target], record: Record) -> Item:
    """The resource under R4's names, with references that can be followed; what was lost or made up is in its repairs.

    `resource` is not changed. Its type must be one of the tables.
    """
    rules = TYPES[resource["resourceType"]]
    trail = Trail(rules.type)
    body = _copy({key: value for key, value in resource.items() if key not in ("id", "_id", "contained")})
    _note_id(resource, source_id, trail)
    body["resourceType"] = rules.type
    _meta(body)
    say_whom(body, rules.about, record, trail)
    for rule in rules.rules:
        rule.apply(body, trail)
    body = _polish(body, lambda reference, path: settle(reference, contained, record, trail, path), "")
    if rules.type == "Patient":
        _registered(body, record)
    return Item(rules.type, source_id, body, record.namespace, record.practice, tuple(trail.repairs))


def _copy(value: Any) -> Any:
    """Objects and lists anew, so that rules may change them; what they hold is not changed by any."""
    if isinstance(value, dict):
        return {key: _copy(one) for key, one in value.items()}
    return [_copy(one) for one in value] if isinstance(value, list) else value


def _note_id(resource: Body, source_id: str, trail: Trail) -> None:
    if not isinstance(resource.get("id"), str) or not resource["id"]:
        trail.note("GP-no-id", "id", "", f"the source gave no id: it goes by {source_id}, made of what it is")


def _meta(body: Body) -> None:
    meta = body.pop("meta", None)
    kept = {key: meta[key] for key in META_KEPT if key in meta} if isinstance(meta, dict) else {}
    if kept:
        body["meta"] = kept


def _polish(node: Any, follow: Settle, path: str) -> Any:
    """What is the same in every type: systems, extensions and references, at any depth."""
    if isinstance(node, list):
        return [_polish(one, follow, f"{path}[{index}]") for index, one in enumerate(node)]
    if not isinstance(node, dict):
        return node
    new = {key: _polish(one, follow, f"{path}.{key}" if path else key) for key, one in node.items()}
    if isinstance(new.get("extension"), list):
        new["extension"] = ukcore_extensions(new["extension"])
    if "code" in new and isinstance(new.get("system"), str):
        new["system"] = present_system(new["system"], new["code"])
    return follow(new, path) if is_reference(new) else new


def _registered(body: Body, record: Record) -> None:
    """The practice that holds the record, by its ODS code, among the Patient's general practitioners."""
    managing = body.get("managingOrganization")
    practice = dict(managing) if isinstance(managing, dict) else {}
    if _ods(practice) is None and record.practice:
        practice = {"identifier": {"system": ODS, "value": record.practice}}
    known = body.get("generalPractitioner")
    doctors = known if isinstance(known, list) else [known] if known is not None else []
    if _ods(practice) is not None and all(_ods(one) != _ods(practice) for one in doctors):
        body["generalPractitioner"] = [*doctors, practice | {"type": "Organization"}]


def _ods(reference: Any) -> Any:
    identifier = reference.get("identifier") if isinstance(reference, dict) else None
    return identifier.get("value") if isinstance(identifier, dict) and identifier.get("system") == ODS else None
