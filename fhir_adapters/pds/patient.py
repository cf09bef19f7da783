"""PDS's Patient as we keep it: its own R4, with the old number beside the new and practices by ODS code."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from fhir_adapters.entries import rejected
from fhir_adapters.source import Item, Reason, Rejected

NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"


def keep(patient: Any, superseded: Collection[str]) -> Item | Rejected:
    """The Patient under its NHS number. `superseded` are older numbers under which this person is asked about.

    Each becomes an identifier with `use: old` and the type text "Superseded NHS number", so that linking knows both.
    When PDS superseded it is not told, so the identifier has no period.
    """
    if not isinstance(patient, Mapping) or patient.get("resourceType") != "Patient":
        return rejected("Patient", patient, "Patient", "the answer is no Patient")
    number = patient.get("id")
    if not isinstance(number, str) or not number:
        return rejected("Patient", patient, "Patient.id", "the resource has no id")
    body = dict(patient)
    wrong = _not_lists(body)
    if wrong:
        return Rejected("Patient", number, rejected("Patient", patient, "", "").raw, wrong)
    body["identifier"] = _identifiers(body.get("identifier", []), number, superseded)
    if "generalPractitioner" in body:
        body["generalPractitioner"] = [_by_ods_code(practice) for practice in body["generalPractitioner"]]
    return Item("Patient", number, body)


def _not_lists(body: Mapping[str, Any]) -> tuple[Reason, ...]:
    names = ("identifier", "generalPractitioner")
    return tuple(Reason(f"Patient.{n}", "is no list") for n in names if not isinstance(body.get(n, []), list))


def _identifiers(present: list[Any], number: str, superseded: Collection[str]) -> list[Any]:
    values = [one.get("value") for one in present if isinstance(one, Mapping) and one.get("system") == NHS_NUMBER]
    own = [] if number in values else [{"system": NHS_NUMBER, "value": number}]
    old = [
        {"use": "old", "type": {"text": "Superseded NHS number"}, "system": NHS_NUMBER, "value": former}
        for former in sorted(superseded)
        if former not in values
    ]
    return [*own, *present, *old]


def _by_ods_code(practice: Any) -> Any:
    """A practice that is only named by a directory's URL gets its ODS code as the identifier."""
    if not isinstance(practice, Mapping) or "identifier" in practice:
        return practice
    before, slash, code = str(practice.get("reference", "")).rpartition("/")
    if not slash or not before.endswith("Organization"):
        return practice
    return dict(practice) | {"type": "Organization", "identifier": {"system": ODS, "value": code.upper()}}
