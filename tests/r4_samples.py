"""A value of each datatype, by what each kind of search finds it, and by what not."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from r4_definitions import Defined, datatype

SNOMED, UCUM = "http://snomed.info/sct", "http://unitsofmeasure.org"
THERE = "5f0c6b1e-8c43-5d0e-9a53-3c1f5b1f7a10"
ELSEWHERE = "00000000-8c43-5d0e-9a53-3c1f5b1f7a10"
_AMOUNT = {"value": Decimal("7.1"), "unit": "mmol per litre", "system": UCUM, "code": "mmol/L"}
_CODING = {"system": SNOMED, "code": "73211009", "display": "Diabetes"}

# datatype -> a value of it, and by what it is found
_VALUES: Mapping[str, tuple[Any, str]] = {
    "Address": ({"line": ["1 High Street"], "city": "Yarm", "postalCode": "TS15 9AA"}, "1 high"),
    "Age": (_AMOUNT, f"7.1|{UCUM}|mmol/L"),
    "CodeableConcept": ({"coding": [_CODING], "text": "Sugar"}, f"{SNOMED}|73211009"),
    "Coding": (_CODING, f"{SNOMED}|73211009"),
    "ContactPoint": ({"system": "phone", "value": "01632 960001"}, "phone|01632 960001"),
    "Duration": (_AMOUNT, "7.1||mmol per litre"),
    "HumanName": ({"family": "O’Neill", "given": ["Zoë"], "prefix": ["Dr"]}, "oneill"),
    "Identifier": ({"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9999999999"}, "9999999999"),
    "Period": ({"start": "2026-03-01", "end": "2026-03-31"}, "2026-03"),
    "Quantity": (_AMOUNT, "7.10"),
    "Range": ({"low": _AMOUNT, "high": {**_AMOUNT, "value": Decimal(9)}}, "gt8"),
    "SampledData": ({"origin": {**_AMOUNT, "value": 7}, "factor": Decimal("0.1"), "data": "E 1 U"}, "7.1"),
    "Timing": ({"event": ["2026-03-01", "2026-03-31"]}, "2026-03"),
    "boolean": (True, "true"),
    "canonical": ("https://example.org/Questionnaire/falls|2", "https://example.org/Questionnaire/falls"),
    "code": ("active", "active"),
    "date": ("2026-03-01", "2026-03"),
    "dateTime": ("2026-03-01", "eq2026-03-01"),
    "instant": ("2026-03-01T10:00:00Z", "ge2026-03-01"),
    "markdown": ("Falls at *home*", "FALLS"),
    "string": ("Café Lane", "cafe"),
    "uri": ("https://example.org/it", "https://example.org/it"),
    "url": ("https://example.org/it", "https://example.org/it"),
}
# kind -> by what nothing above is found
MISSED: Mapping[str, str] = {
    "date": "2019",
    "quantity": "400",
    "reference": ELSEWHERE,
    "string": "zzz",
    "token": f"{SNOMED}|1",
    "uri": "https://example.org/other",
}


def sample(one: Defined, path: str) -> tuple[Any, str]:
    """What is to stand at that path, and by what the parameter finds it."""
    if path == "deceased.exists()":
        return True, "true"
    kind = datatype(one.type, path)
    if kind == "Reference":
        target = path.partition(":")[2] or min(one.targets, default="Basic")
        return {"reference": f"{target}/{THERE}"}, THERE
    value, found_by = _VALUES[kind]
    return (value, value) if one.kind == "token" and kind == "string" else (value, found_by)


def place_of(path: str) -> str:
    """The path of the element that is to be filled."""
    return "deceasedBoolean" if path == "deceased.exists()" else path
