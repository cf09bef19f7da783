"""Parameters of dates and of spans of time."""

from __future__ import annotations

from functools import partial

from carelink.record.parameters.shape import Kind, Parameter, row

_row = partial(row, Kind.DATE)

DATES: tuple[Parameter, ...] = (
    _row(5, "birthdate", ("birthDate", "Patient RelatedPerson")),
    _row(16, "death-date", ("deceasedDateTime", "Patient")),
    _row(37, "date", ("period", "PractitionerRole"), ("planningHorizon", "Schedule")),
    _row(40, "start", ("start", "Slot")),
    _row(
        110,
        "date",
        ("recordedDate", "AllergyIntolerance"),
        ("period", "CarePlan CareTeam Encounter EpisodeOfCare Flag"),
        ("date", "Composition DocumentReference List Questionnaire"),
        ("dateTime", "Consent"),
        ("effectiveDateTime | effectivePeriod", "DiagnosticReport"),
        ("occurrenceDateTime", "Immunization"),
        ("effectiveDateTime | effectivePeriod | effectiveTiming | effectiveInstant", "Observation"),
        ("performedDateTime | performedPeriod", "Procedure"),
        ("start", "Appointment"),
        ("dosageInstruction.timing.event", "MedicationRequest"),
    ),
    _row(111, "onset-date", ("onsetDateTime | onsetPeriod", "Condition")),
    _row(112, "recorded-date", ("recordedDate", "Condition")),
    _row(113, "authoredon", ("authoredOn", "MedicationRequest")),
    _row(
        114,
        "period",
        ("event.period", "Composition"),
        ("provision.period", "Consent"),
        ("context.period", "DocumentReference"),
        ("executionPeriod", "Task"),
    ),
    _row(330, "abatement-date", ("abatementDateTime | abatementPeriod", "Condition")),
    _row(331, "activity-date", ("activity.detail.scheduledTiming | activity.detail.scheduledPeriod", "CarePlan")),
    _row(332, "authored", ("authoredOn", "CommunicationRequest ServiceRequest"), ("authored", "QuestionnaireResponse")),
    _row(333, "authored-on", ("authoredOn", "Task")),
    _row(
        334,
        "effective",
        ("effectiveDateTime | effectivePeriod", "MedicationStatement"),
        ("effectivePeriod", "Questionnaire"),
    ),
    _row(335, "expiration-date", ("batch.expirationDate", "Medication")),
    _row(336, "issued", ("issued", "DiagnosticReport")),
    _row(337, "last-date", ("lastOccurrence", "AllergyIntolerance")),
    _row(338, "location-period", ("location.period", "Encounter"), locating=True),
    _row(339, "modified", ("lastModified", "Task")),
    _row(
        340,
        "occurrence",
        ("occurrenceDateTime", "CommunicationRequest"),
        ("occurrenceDateTime | occurrencePeriod | occurrenceTiming", "ServiceRequest"),
    ),
    _row(341, "onset", ("reaction.onset", "AllergyIntolerance")),
    _row(342, "reaction-date", ("reaction.date", "Immunization")),
    _row(343, "received", ("received", "Communication")),
    _row(344, "recorded", ("recorded", "Provenance")),
    _row(345, "sent", ("sent", "Communication")),
    _row(346, "start-date", ("startDate", "Goal")),
    _row(347, "target-date", ("target.dueDate", "Goal")),
    _row(348, "value-date", ("valueDateTime | valuePeriod", "Observation")),
    _row(349, "when", ("occurredDateTime", "Provenance")),
)
