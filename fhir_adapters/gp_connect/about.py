"""Whose record this is, and whether a resource of it is about that person: what is about another is never filed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from fhir_adapters.gp_connect.codes import NHS_NUMBER
from fhir_adapters.gp_connect.elements import Body, objects
from fhir_adapters.gp_connect.references import Record
from fhir_adapters.gp_connect.rules import Trail
from fhir_adapters.source import Reason


def nhs_numbers(resource: Body) -> frozenset[str]:
    """The NHS numbers of a Patient, without spaces."""
    numbers = (one for one in objects(resource.get("identifier")) if one.get("system") == NHS_NUMBER)
    return frozenset(str(one.get("value", "")).replace(" ", "") for one in numbers) - {""}


def whose(patients: Sequence[Body], asked: str) -> Body | None:
    """The Patient whom the record is about: the one with the number that was asked for, else the only one without any."""
    named = [one for one in patients if not asked or asked in nhs_numbers(one)]
    if named:
        return named[0]
    return patients[0] if len(patients) == 1 and not nhs_numbers(patients[0]) else None


def wrong_person(resource: Body, type_: str, element: str, record: Record) -> tuple[Reason, ...]:
    """Why the resource must not be filed under this person; empty where it may be."""
    if type_ == "Patient":
        same = f"Patient/{resource.get('id')}" == record.patient
        return () if same else (Reason("Patient", "is not the Patient whose record was asked for"),)
    if type_ == "Appointment":
        actors = (one.get("actor") for one in objects(resource.get("participant")))
        return tuple(
            reason
            for actor in actors
            if isinstance(actor, dict) and _names_patient(actor)
            for reason in _another(actor, "Appointment.participant.actor", record)
        )
    if not element:
        return ()
    if not record.patient:
        return (Reason(f"{type_}.{element}", "the record has no Patient whom this could be about"),)
    subject = resource.get(element)
    return _another(subject, f"{type_}.{element}", record) if isinstance(subject, dict) else ()


def _names_patient(reference: Body) -> bool:
    return "Patient/" in str(reference.get("reference", "")) or "identifier" in reference


def _another(subject: Body, path: str, record: Record) -> tuple[Reason, ...]:
    text = subject.get("reference")
    target = record.target(text) if isinstance(text, str) else None
    if isinstance(text, str) and (target is None or target.reference != record.patient):
        return (Reason(path, "leads to another than the Patient of this record"),)
    identifier = subject.get("identifier")
    if isinstance(identifier, Mapping) and identifier.get("system") == NHS_NUMBER:
        number = str(identifier.get("value", "")).replace(" ", "")
        if number not in record.numbers:
            return (Reason(path, "has another NHS number than the Patient of this record"),)
    return ()


def say_whom(body: Body, element: str, record: Record, trail: Trail) -> None:
    """A GP Connect answer is about one person: where a resource does not refer to them, it does now."""
    if not element or not record.patient:
        return
    subject = body.get(element)
    said = subject if isinstance(subject, dict) else {}
    if not isinstance(said.get("reference"), str):
        body[element] = said | {"reference": record.patient}
        trail.note("GP-subject", element, subject or "", "the whole answer is about one person, this Patient")


def patients_of(resources: Iterable[Body]) -> list[Body]:
    """The Patients among them, the first of each id."""
    found: dict[str, Body] = {}
    for one in resources:
        if one.get("resourceType") == "Patient":
            found.setdefault(str(one.get("id")), one)
    return list(found.values())
