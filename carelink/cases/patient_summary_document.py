"""A patient summary as a document: a Bundle that begins with its Composition and has all that it names (pure).

FHIR R4 Bundle (bdl-*), Composition (cmp-*), and the shape of HL7's International Patient Summary 2.0. Nothing claims the
profiles of the IPS in `meta.profile`: what the sources hold need not meet them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from carelink.cases import patient_summary_narrative as narrative
from carelink.cases.patient_summary_references import settled
from carelink.cases.patient_summary_sections import NO_INFORMATION, Filled, Item
from carelink.ids import ODS
from carelink.place import Organisation
from carelink.record.golden import is_restricted
from carelink.record.timeline_dates import LONDON, whole
from carelink.record.timeline_values import Body, human_name
from fhir_adapters import exact_json

LOINC = "http://loinc.org"
PATIENT_SUMMARY = "60591-5"
EMPTY = "http://terminology.hl7.org/CodeSystem/list-empty-reason"
_OURS = UUID("0f9a3f0e-6a2d-5a52-9c07-5d9a4d1f3a57")

Json = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """What is told of the whole: `withheld` what the place says where something is kept back, `doubts` what may be missing."""

    withheld: str
    doubts: tuple[str, ...]
    none_known: tuple[str, ...]  # sources that say that there are no allergies, by their labels


@dataclass(frozen=True)
class Gathered:
    """All that a summary is made of: the Patient, the sections, and what they name."""

    patient: Item
    sections: tuple[Filled, ...]
    named: tuple[tuple[str, Body], ...]  # `Type/id` and what it says
    same: frozenset[str]  # other Patients that are the same person, as `Patient/id`


def document(made_of: Gathered, told: Told, custodian: Organisation, base: str, at: datetime) -> bytes:
    """The Bundle, the same to the byte for the same record, time and address of this server."""
    bodies = _bodies(made_of)
    resources = [(f"{base}/{reference}", body) for reference, body in bodies.items()]
    keeper = _organisation(custodian)
    sections = [_section(one, base, told.none_known) for one in made_of.sections]
    seal = _seal([sections, [body for _, body in resources]], at)
    composition: Json = {
        "resourceType": "Composition",
        "id": str(uuid5(_OURS, f"composition {seal}")),
        "language": "en-GB",
        "text": _lead(made_of.patient.body, told, custodian, at),
        "identifier": _identifier(f"composition {seal}"),
        "status": "final",
        "type": {"coding": [{"system": LOINC, "code": PATIENT_SUMMARY, "display": "Patient summary Document"}]},
        "subject": {"reference": f"{base}/{made_of.patient.reference}"},
        "date": _instant(at),
        "author": [{"reference": _urn(keeper["id"]), "display": custodian.name}],
        "title": "Patient summary",
        "confidentiality": "R" if is_restricted(made_of.patient.body) else "N",
        "custodian": {"reference": _urn(keeper["id"]), "display": custodian.name},
        "section": sections,
    }
    entries = [(_urn(composition["id"]), composition), *resources, (_urn(keeper["id"]), keeper)]
    return exact_json.dumps(
        {
            "resourceType": "Bundle",
            "identifier": _identifier(f"bundle {seal}"),
            "type": "document",
            "timestamp": _instant(at),
            "entry": [{"fullUrl": url, "resource": body} for url, body in entries],
        }
    )


def _bodies(made_of: Gathered) -> dict[str, Json]:
    """Each once, the Patient first; a golden Patient without its links to what is not in the Bundle."""
    whom = made_of.patient.reference
    found: dict[str, Body] = {whom: {name: said for name, said in made_of.patient.body.items() if name != "link"}}
    found |= {item.reference: item.body for one in made_of.sections for item in one.items}
    found |= dict(made_of.named)
    there = frozenset(found)
    return {reference: settled(body, whom, made_of.same, there) for reference, body in found.items()}


def _section(one: Filled, base: str, none_known: Sequence[str]) -> Json:
    about = one.section
    made: Json = {"title": about.title, "code": {"coding": [{"system": LOINC, "code": about.code}]}}
    if one.items:
        entries = [{"reference": f"{base}/{item.reference}"} for item in one.items]
        return {**made, "text": _text(narrative.items(one.items)), "entry": entries}
    if none_known and "AllergyIntolerance" in about.types:
        words = f"No known allergies: {', '.join(none_known)}"
        return {**made, "text": _text(narrative.paragraph(words)), "emptyReason": _reason("nilknown", words)}
    # Whether there is nothing, or nothing that this requester may see, is told apart by nothing.
    words = NO_INFORMATION
    return {**made, "text": _text(narrative.paragraph(words)), "emptyReason": _reason("unavailable", words)}


def _reason(code: str, words: str) -> Json:
    return {"coding": [{"system": EMPTY, "code": code}], "text": words}


def _text(xhtml: str) -> Json:
    return {"status": "generated", "div": narrative.div(xhtml)}


def _lead(patient: Body, told: Told, custodian: Organisation, at: datetime) -> Json:
    """What it is, and what must be known before it is read."""
    local = at.astimezone(LONDON)
    of = human_name(patient.get("name")) or "somebody whose name is not known"
    said = f"Summary of the shared record of {of}, put together by {custodian.name} on {whole(local)} at {local:%H:%M}."
    withheld = narrative.paragraph(told.withheld, "withheld") if told.withheld else ""
    return _text(narrative.paragraph(said) + withheld + narrative.bullets(told.doubts))


def _organisation(one: Organisation) -> Json:
    return {
        "resourceType": "Organization",
        "id": str(uuid5(_OURS, f"organisation {one.ods}")),
        "identifier": [{"system": ODS, "value": one.ods}],
        "name": one.name,
    }


def _seal(said: object, at: datetime) -> str:
    """What says which document it is: of all that is in it but for what is told of the whole."""
    return hashlib.sha256(exact_json.dumps([said, _instant(at)])).hexdigest()


def _identifier(of: str) -> Mapping[str, str]:
    return {"system": "urn:ietf:rfc:3986", "value": _urn(uuid5(_OURS, of))}


def _urn(id_: object) -> str:
    return f"urn:uuid:{id_}"


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
