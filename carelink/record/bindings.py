"""Required bindings of the stored types (FHIR R4 4.0.1): fhir.resources lets any code pass, so they are checked here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fhir_adapters.source import Reason


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


_REQUEST = _codes("draft active on-hold revoked completed entered-in-error unknown")
_INTENT = _codes("proposal plan directive order original-order reflex-order filler-order instance-order option")
_PRIORITY = _codes("routine urgent asap stat")
_EVENT = _codes("preparation in-progress not-done on-hold stopped completed entered-in-error unknown")
_GENDER = _codes("male female other unknown")

# type -> element -> the codes that FHIR allows. An element that may repeat is checked one by one.
REQUIRED: Mapping[str, Mapping[str, frozenset[str]]] = {
    "AllergyIntolerance": {
        "type": _codes("allergy intolerance"),
        "category": _codes("food medication environment biologic"),
        "criticality": _codes("low high unable-to-assess"),
    },
    "Appointment": {
        "status": _codes(
            "proposed pending booked arrived fulfilled cancelled noshow entered-in-error checked-in waitlist"
        )
    },
    "CarePlan": {"status": _REQUEST, "intent": _codes("proposal plan order option")},
    "CareTeam": {"status": _codes("proposed active suspended inactive entered-in-error")},
    "Communication": {"status": _EVENT, "priority": _PRIORITY},
    "Composition": {"status": _codes("preliminary final amended entered-in-error")},
    "Consent": {"status": _codes("draft proposed active rejected inactive entered-in-error")},
    "DiagnosticReport": {
        "status": _codes(
            "registered partial preliminary final amended corrected appended cancelled entered-in-error unknown"
        )
    },
    "DocumentReference": {
        "status": _codes("current superseded entered-in-error"),
        "docStatus": _codes("preliminary final amended entered-in-error"),
    },
    "Encounter": {
        "status": _codes("planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown")
    },
    "EpisodeOfCare": {"status": _codes("planned waitlist active onhold finished cancelled entered-in-error")},
    "Flag": {"status": _codes("active inactive entered-in-error")},
    "Goal": {
        "lifecycleStatus": _codes(
            "proposed planned accepted active on-hold completed cancelled entered-in-error rejected"
        )
    },
    "Immunization": {"status": _codes("completed entered-in-error not-done")},
    "List": {
        "status": _codes("current retired entered-in-error"),
        "mode": _codes("working snapshot changes"),
    },
    "Location": {"status": _codes("active suspended inactive"), "mode": _codes("instance kind")},
    "Medication": {"status": _codes("active inactive entered-in-error")},
    "MedicationRequest": {
        "status": _codes("active on-hold cancelled completed entered-in-error stopped draft unknown"),
        "intent": _codes("proposal plan order original-order reflex-order filler-order instance-order option"),
        "priority": _PRIORITY,
    },
    "MedicationStatement": {
        "status": _codes("active completed entered-in-error intended stopped on-hold unknown not-taken")
    },
    "Observation": {
        "status": _codes("registered preliminary final amended corrected cancelled entered-in-error unknown")
    },
    "Patient": {"gender": _GENDER},
    "Practitioner": {"gender": _GENDER},
    "RelatedPerson": {"gender": _GENDER},
    "Procedure": {"status": _EVENT},
    "QuestionnaireResponse": {"status": _codes("in-progress completed amended entered-in-error stopped")},
    "ServiceRequest": {"status": _REQUEST, "intent": _INTENT, "priority": _PRIORITY},
    "Slot": {"status": _codes("busy free busy-unavailable busy-tentative entered-in-error")},
    "Specimen": {"status": _codes("available unavailable unsatisfactory entered-in-error")},
    "Task": {
        "status": _codes(
            "draft requested received accepted rejected ready cancelled in-progress on-hold failed completed"
            " entered-in-error"
        ),
        "intent": _codes("unknown proposal plan order original-order reflex-order filler-order instance-order option"),
        "priority": _PRIORITY,
    },
}


def unbound(type_: str, body: Mapping[str, Any]) -> tuple[Reason, ...]:
    """What holds a code that FHIR does not allow there."""
    return tuple(
        Reason(f"{type_}.{element}", f"{code!r} is not one of: {', '.join(sorted(allowed))}")
        for element, allowed in REQUIRED.get(type_, {}).items()
        if element in body
        for code in (body[element] if isinstance(body[element], list) else (body[element],))
        if code not in allowed
    )
