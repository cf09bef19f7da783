"""Parameters of codes, identifiers and the like."""

from __future__ import annotations

from functools import partial

from carelink.record.parameters.shape import Kind, Parameter, row

_row = partial(row, Kind.TOKEN)

TOKENS: tuple[Parameter, ...] = (
    _row(
        1,
        "identifier",
        (
            "identifier",
            "AllergyIntolerance Appointment CarePlan CareTeam Communication CommunicationRequest Composition "
            "Condition Consent DiagnosticReport Encounter EpisodeOfCare Flag Goal Group HealthcareService "
            "Immunization List Location Medication MedicationRequest MedicationStatement Observation "
            "Organization Patient Practitioner PractitionerRole Procedure Questionnaire QuestionnaireResponse "
            "RelatedPerson Schedule ServiceRequest Slot Task",
        ),
        ("masterIdentifier | identifier", "DocumentReference"),
        locating=True,
    ),
    _row(6, "gender", ("gender", "Patient Practitioner RelatedPerson")),
    _row(8, "telecom", ("telecom", "Patient Practitioner PractitionerRole RelatedPerson"), locating=True),
    _row(
        9,
        "active",
        ("active", "HealthcareService Organization Patient Practitioner PractitionerRole RelatedPerson Schedule"),
    ),
    _row(14, "address-use", ("address.use", "Location Organization Patient Practitioner RelatedPerson"), locating=True),
    _row(15, "deceased", ("deceased.exists()", "Patient")),
    _row(18, "language", ("communication.language", "Patient")),
    _row(21, "communication", ("communication", "Practitioner")),
    _row(22, "role", ("code", "PractitionerRole")),
    _row(23, "specialty", ("specialty", "Appointment HealthcareService PractitionerRole Schedule Slot")),
    _row(29, "type", ("type", "Location Organization")),
    _row(30, "operational-status", ("operationalStatus", "Location")),
    _row(31, "status", ("status", "Location Slot")),
    _row(32, "characteristic", ("characteristic", "HealthcareService")),
    _row(34, "program", ("program", "HealthcareService")),
    _row(35, "service-category", ("serviceCategory", "Appointment Schedule Slot"), ("category", "HealthcareService")),
    _row(36, "service-type", ("serviceType", "Appointment Schedule Slot"), ("type", "HealthcareService")),
    _row(41, "appointment-type", ("appointmentType", "Appointment Slot")),
    _row(43, "version", ("version", "Questionnaire")),
    _row(
        100,
        "code",
        ("code | reaction.substance", "AllergyIntolerance"),
        ("code", "Condition DiagnosticReport Group List Medication Observation Procedure ServiceRequest Task"),
        ("medicationCodeableConcept", "MedicationRequest MedicationStatement"),
        ("item.code", "Questionnaire"),
        ours=("code", "Flag"),
    ),
    _row(101, "vaccine-code", ("vaccineCode", "Immunization")),
    _row(
        102,
        "category",
        (
            "category",
            "AllergyIntolerance CarePlan CareTeam Communication CommunicationRequest Composition Condition "
            "Consent DiagnosticReport DocumentReference Goal MedicationRequest MedicationStatement Observation "
            "Procedure ServiceRequest",
        ),
    ),
    _row(
        103,
        "status",
        (
            "status",
            "Appointment CarePlan CareTeam Communication CommunicationRequest Composition Consent "
            "DiagnosticReport DocumentReference Encounter EpisodeOfCare Immunization List Medication "
            "MedicationRequest MedicationStatement Observation Procedure Questionnaire QuestionnaireResponse "
            "ServiceRequest Task",
        ),
        ours=("status", "Flag"),
    ),
    _row(104, "clinical-status", ("clinicalStatus", "AllergyIntolerance Condition")),
    _row(
        105,
        "type",
        ("type", "AllergyIntolerance Composition DocumentReference Encounter EpisodeOfCare Group"),
    ),
    _row(106, "class", ("class", "Encounter")),
    _row(200, "achievement-status", ("achievementStatus", "Goal")),
    _row(201, "action", ("provision.action", "Consent")),
    _row(202, "activity-code", ("activity.detail.code", "CarePlan")),
    _row(203, "actual", ("actual", "Group")),
    _row(204, "agent-role", ("agent.role", "Provenance")),
    _row(205, "agent-type", ("agent.type", "Provenance")),
    _row(206, "body-site", ("bodySite", "Condition ServiceRequest")),
    _row(207, "business-status", ("businessStatus", "Task")),
    _row(208, "characteristic", ("characteristic.code", "Group")),
    _row(209, "combo-code", types="Observation", of=(100, 212)),
    _row(210, "combo-data-absent-reason", types="Observation", of=(222, 213)),
    _row(211, "combo-value-concept", types="Observation", of=(267, 214)),
    _row(212, "component-code", ("component.code", "Observation")),
    _row(213, "component-data-absent-reason", ("component.dataAbsentReason", "Observation")),
    _row(214, "component-value-concept", ("component.valueCodeableConcept", "Observation")),
    _row(215, "conclusion", ("conclusionCode", "DiagnosticReport")),
    _row(216, "confidentiality", ("confidentiality", "Composition")),
    _row(218, "contenttype", ("content.attachment.contentType", "DocumentReference")),
    _row(219, "context", ("event.code", "Composition"), ("useContext.valueCodeableConcept", "Questionnaire")),
    _row(220, "context-type", ("useContext.code", "Questionnaire")),
    _row(221, "criticality", ("criticality", "AllergyIntolerance")),
    _row(222, "data-absent-reason", ("dataAbsentReason", "Observation")),
    _row(223, "empty-reason", ("emptyReason", "List")),
    _row(224, "event", ("context.event", "DocumentReference")),
    _row(225, "evidence", ("evidence.code", "Condition")),
    _row(226, "exclude", ("characteristic.exclude", "Group")),
    _row(227, "facility", ("context.facilityType", "DocumentReference")),
    _row(228, "form", ("form", "Medication")),
    _row(229, "format", ("content.format", "DocumentReference")),
    _row(230, "group-identifier", ("groupIdentifier", "CommunicationRequest Task"), locating=True),
    _row(231, "ingredient-code", ("ingredient.itemCodeableConcept", "Medication")),
    _row(232, "intended-performertype", ("performerType", "MedicationRequest")),
    _row(233, "intent", ("intent", "CarePlan MedicationRequest ServiceRequest Task")),
    _row(234, "jurisdiction", ("jurisdiction", "Questionnaire")),
    _row(235, "language", ("content.attachment.language", "DocumentReference")),
    _row(236, "lifecycle-status", ("lifecycleStatus", "Goal")),
    _row(237, "lot-number", ("batch.lotNumber", "Medication")),
    _row(238, "manifestation", ("reaction.manifestation", "AllergyIntolerance")),
    _row(239, "medium", ("medium", "Communication CommunicationRequest")),
    _row(240, "method", ("method", "Observation")),
    _row(241, "order-detail", ("orderDetail.text", "ServiceRequest")),
    _row(242, "part-status", ("participant.status", "Appointment"), locating=True),
    _row(243, "participant-type", ("participant.type", "Encounter")),
    _row(245, "performer", ("performerType", "Task")),
    _row(246, "performer-type", ("performerType", "ServiceRequest")),
    _row(247, "priority", ("priority", "CommunicationRequest MedicationRequest ServiceRequest Task")),
    _row(248, "purpose", ("provision.purpose", "Consent")),
    _row(249, "reason-code", ("reasonCode", "Appointment Encounter Immunization Procedure")),
    _row(250, "related-id", ("relatesTo.targetIdentifier", "Composition"), locating=True),
    _row(251, "relation", ("relatesTo.code", "DocumentReference")),
    _row(252, "relationship", ("relationship", "RelatedPerson")),
    _row(253, "requisition", ("requisition", "ServiceRequest"), locating=True),
    _row(254, "route", ("reaction.exposureRoute", "AllergyIntolerance")),
    _row(255, "scope", ("scope", "Consent")),
    _row(256, "section", ("section.code", "Composition")),
    _row(257, "security-label", ("provision.securityLabel", "Consent"), ("securityLabel", "DocumentReference")),
    _row(258, "setting", ("context.practiceSetting", "DocumentReference")),
    _row(259, "severity", ("reaction.severity", "AllergyIntolerance"), ("severity", "Condition")),
    _row(260, "signature-type", ("signature.type", "Provenance")),
    _row(261, "special-arrangement", ("hospitalization.specialArrangement", "Encounter"), locating=True),
    _row(262, "stage", ("stage.summary", "Condition")),
    _row(263, "status-reason", ("statusReason", "Immunization")),
    _row(264, "subject-type", ("subjectType", "Questionnaire")),
    _row(265, "target-disease", ("protocolApplied.targetDisease", "Immunization")),
    _row(266, "value", ("characteristic.valueCodeableConcept | characteristic.valueBoolean", "Group")),
    _row(267, "value-concept", ("valueCodeableConcept", "Observation")),
    _row(268, "verification-status", ("verificationStatus", "AllergyIntolerance Condition")),
)
