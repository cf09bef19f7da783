"""Scopes that narrow a type (SMART App Launch 2.2, 3.0.2.3): `Observation.rs?category=laboratory` as a JSON path.

Only what can be kept to exactly: tokens that stand in the resource itself, without modifiers. Each is a path that the
lens asks of every row (carelink/consent/narrowed.py); a scope with anything else is given to nobody.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

# type -> parameter -> the element; with `.coding` (or a Coding) by system and code, else a bare code.
ELEMENTS: Mapping[str, Mapping[str, str]] = {
    "AllergyIntolerance": {"category": "category", "clinical-status": "clinicalStatus.coding"},
    "CarePlan": {"category": "category.coding", "status": "status"},
    "Composition": {"category": "category.coding", "type": "type.coding", "status": "status"},
    "Condition": {"category": "category.coding", "code": "code.coding", "clinical-status": "clinicalStatus.coding"},
    "DiagnosticReport": {"category": "category.coding", "code": "code.coding", "status": "status"},
    "DocumentReference": {"category": "category.coding", "type": "type.coding", "status": "status"},
    "Encounter": {"class": "class", "type": "type.coding", "status": "status"},
    "EpisodeOfCare": {"type": "type.coding", "status": "status"},
    "Flag": {"category": "category.coding", "code": "code.coding", "status": "status"},
    "Immunization": {"vaccine-code": "vaccineCode.coding", "status": "status"},
    "MedicationRequest": {"category": "category.coding", "intent": "intent", "status": "status"},
    "Observation": {"category": "category.coding", "code": "code.coding", "status": "status"},
    "Procedure": {"category": "category.coding", "code": "code.coding", "status": "status"},
    "QuestionnaireResponse": {"status": "status"},
    "ServiceRequest": {"category": "category.coding", "code": "code.coding", "status": "status"},
    "Task": {"code": "code.coding", "status": "status"},
}
_VALUE = re.compile(r"[^\s\\$,|\0]{0,200}(?:\|[^\s\\$,|\0]{0,200})?")
_MOST = 20


def path_of(type_: str, query: str) -> str | None:
    """What a resource of that type must fulfil, as a JSON path; None for what can't be kept to."""
    try:
        asked = parse_qsl(query, keep_blank_values=True, strict_parsing=True, max_num_fields=_MOST)
    except ValueError:
        return None
    known = ELEMENTS.get(type_, {})
    conditions = [_condition(known.get(name, ""), values.split(",")) for name, values in asked]
    return None if not conditions or not all(conditions) else f"$ ? ({' && '.join(map(str, conditions))})"


def _condition(element: str, values: list[str]) -> str:
    """One of these values; empty for an element that isn't known and for values that are none."""
    if not element or len(values) > _MOST or not all(one and one != "|" and _VALUE.fullmatch(one) for one in values):
        return ""
    test = _coding if element.endswith(".coding") or element == "class" else _code
    tests = [test(one) for one in values]
    path = ".".join(f'"{name}"' for name in element.split("."))
    return f"exists (@.{path} ? ({' || '.join(tests)}))" if all(tests) else ""


def _coding(value: str) -> str:
    """`code`, `system|code`, `|code` (of no system) or `system|`, as R4 3.1.1.4.10 reads a token."""
    system, bar, code = value.rpartition("|")
    tests = [f"@.code == {json.dumps(code)}"] if code else []
    if system:
        tests.append(f"@.system == {json.dumps(system)}")
    elif bar:
        tests.append("!exists (@.system)")
    return f"({' && '.join(tests)})"


def _code(value: str) -> str:
    return "" if "|" in value else f"(@ == {json.dumps(value)})"
