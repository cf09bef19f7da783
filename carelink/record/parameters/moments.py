"""When a resource happened: the date by which the timeline and the order of searches put it."""

from __future__ import annotations

from collections.abc import Mapping

from carelink.record.parameters.shape import Path

# The first of these that is there.
CLINICAL: Mapping[str, tuple[Path, ...]] = {
    "AllergyIntolerance": (("onsetDateTime",), ("recordedDate",)),
    "Appointment": (("start",), ("created",)),
    "CarePlan": (("period", "start"), ("created",)),
    "CareTeam": (("period", "start"),),
    "Communication": (("sent",), ("received",)),
    "Composition": (("date",),),
    "Condition": (("onsetDateTime",), ("onsetPeriod", "start"), ("recordedDate",)),
    "Consent": (("dateTime",),),
    "DiagnosticReport": (("effectiveDateTime",), ("effectivePeriod", "start"), ("issued",)),
    "DocumentReference": (("context", "period", "start"), ("date",)),
    "Encounter": (("period", "start"),),
    "EpisodeOfCare": (("period", "start"),),
    "FamilyMemberHistory": (("date",),),
    "Flag": (("period", "start"),),
    "Goal": (("startDate",), ("statusDate",)),
    "Immunization": (("occurrenceDateTime",), ("recorded",)),
    "List": (("date",),),
    "MedicationRequest": (("authoredOn",),),
    "MedicationStatement": (("effectivePeriod", "start"), ("effectiveDateTime",), ("dateAsserted",)),
    "Observation": (("effectiveDateTime",), ("effectivePeriod", "start"), ("issued",)),
    "Procedure": (("performedDateTime",), ("performedPeriod", "start")),
    "QuestionnaireResponse": (("authored",),),
    "ServiceRequest": (("occurrenceDateTime",), ("authoredOn",)),
    "Specimen": (("collection", "collectedDateTime"), ("receivedTime",)),
    "Task": (("executionPeriod", "start"), ("authoredOn",)),
}
