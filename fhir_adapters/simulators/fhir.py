"""Small pieces of FHIR that every simulated FHIR source is made of; no versions differ in these."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fhir_adapters.exact_json import ExactDecimal

Json = dict[str, Any]

SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
LONDON = ZoneInfo("Europe/London")


def snomed(code: str, display: str, text: str = "") -> Json:
    """A CodeableConcept of SNOMED CT; `text` where it is not the display."""
    return {"coding": [{"system": SNOMED, "code": code, "display": display}]} | ({"text": text} if text else {})


def concept(system: str, code: str, display: str = "") -> Json:
    """A CodeableConcept of one coding."""
    return {"coding": [coding(system, code, display)]}


def coding(system: str, code: str, display: str = "") -> Json:
    """A Coding."""
    return {"system": system, "code": code} | ({"display": display} if display else {})


def quantity(value: str, unit: str, ucum: str) -> Json:
    """A Quantity whose value keeps its text."""
    return {"value": number(value), "unit": unit, "system": UCUM, "code": ucum}


def number(text: str) -> int | ExactDecimal:
    """A JSON number with that very text."""
    return ExactDecimal(text) if "." in text else int(text)


def at(on: date, hour: int = 9, minute: int = 0) -> str:
    """That time in England, with the offset of that day: sources write offsets, not Z."""
    return datetime.combine(on, time(hour, minute), tzinfo=LONDON).isoformat()


def instant(on: date, minutes: int) -> str:
    """An instant in UTC: `minutes` after midnight of that day."""
    moment = datetime.combine(on, time()) + timedelta(minutes=minutes)
    return f"{moment.isoformat()}.{minutes % 1000:03d}Z"


def outcome(code: str, display: str, severity: str = "error", kind: str = "not-found", system: str = "") -> Json:
    """An OperationOutcome with a coded reason."""
    details = {"coding": [coding(system or "https://fhir.nhs.uk/CodeSystem/Spine-ErrorOrWarningCode", code, display)]}
    issue = {"severity": severity, "code": kind, "details": details, "diagnostics": display}
    return {"resourceType": "OperationOutcome", "issue": [issue]}
