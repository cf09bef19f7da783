"""A STU3 resource of a GP record and what it is in R4, as rows of tables that somebody of the field can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fhir_adapters.gp_connect import map_record
from fhir_adapters.gp_connect.record import Mapped
from fhir_adapters.gp_connect.tables import TYPES
from fhir_adapters.source import Item

Body = dict[str, Any]

PRACTICE, NUMBER = "P81001", "9990000018"
SNOMED = "http://snomed.info/sct"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
STU3 = "http://hl7.org/fhir/3.0/StructureDefinition/extension-"  # HL7's URL for an element that R4 dropped
UKCORE = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-"
UKCORE_CODES = "https://fhir.hl7.org.uk/CodeSystem/UKCore-"
NHS_UK = "https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-"
HL7_UK = "https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-"
PATIENT: Body = {
    "resourceType": "Patient",
    "id": "p",
    "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": NUMBER}],
}
# What the cases refer to, so that no reference of theirs leads out of the record.
AROUND: Sequence[Body] = (
    {"resourceType": "Encounter", "id": "e1", "subject": {"reference": "Patient/p"}},
    {"resourceType": "Practitioner", "id": "gp1"},
    {"resourceType": "Organization", "id": "org1"},
    {"resourceType": "Medication", "id": "m1"},
    {"resourceType": "ProcedureRequest", "id": "pr1", "subject": {"reference": "Patient/p"}},
    {"resourceType": "Observation", "id": "o2", "subject": {"reference": "Patient/p"}},
)


@dataclass(frozen=True)
class Case:
    """`stu3` are the elements of one resource beside its id and subject; `r4` all that there is of it afterwards.

    `rules` are those that leave a trace, because they lost or made up something.
    """

    says: str
    type: str
    stu3: Mapping[str, Any]
    r4: Mapping[str, Any]
    rules: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.type}: {self.says}"


def whole(*resources: Mapping[str, Any]) -> Mapped:
    """A record of the one Patient and these, mapped."""
    entries = [{"resource": one} for one in (PATIENT, *resources)]
    return map_record({"resourceType": "Bundle", "type": "collection", "entry": entries}, PRACTICE, NUMBER)


def mapped(type_: str, **elements: Any) -> Item:
    """One resource of the Patient's, mapped among others."""
    about = TYPES[type_].about
    subject = {about: {"reference": "Patient/p"}} if about else {}
    one = {"resourceType": type_, "id": "x"} | subject | elements
    entries = [one, *AROUND] if type_ == "Patient" else [PATIENT, one, *AROUND]
    bundle = {"resourceType": "Bundle", "entry": [{"resource": entry} for entry in entries]}
    found = map_record(bundle, PRACTICE, NUMBER)
    key = f"{type_}.x" if TYPES[type_].type != type_ else "x"
    return next(item for item in found.items if item.source_id == key)


def holds(case: Case) -> None:
    """Asserts that the case is so: no element more or less, and a trace of what it says."""
    item = mapped(case.type, **case.stu3)
    left = {key: value for key, value in item.body.items() if key not in ("resourceType", TYPES[case.type].about)}
    assert left == case.r4
    assert tuple(repair.rule for repair in item.repairs) == case.rules


def concept(system: str, code: str, display: str = "", **more: Any) -> Body:
    return {"coding": [{"system": system, "code": code} | ({"display": display} if display else {}) | more]}


def ref(what: str, **more: Any) -> Body:
    return {"reference": what} | more
