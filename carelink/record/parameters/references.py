"""Parameters of references: where they stand, in which types, and what they may point to (nothing said: anything)."""

from __future__ import annotations

from functools import partial

from carelink.record.parameters.shape import Kind, Parameter, row

_row = partial(row, Kind.REFERENCE)

REFERENCES: tuple[Parameter, ...] = (
    _row(17, "general-practitioner", ("generalPractitioner", "Patient", "Organization Practitioner PractitionerRole")),
    _row(19, "link", ("link.other", "Patient", "Patient RelatedPerson")),
    _row(
        20,
        "organization",
        ("organization", "Consent PractitionerRole", "Organization"),
        ("managingOrganization", "EpisodeOfCare Location Patient", "Organization"),
        ("providedBy", "HealthcareService", "Organization"),
    ),
    _row(24, "practitioner", ("practitioner", "PractitionerRole", "Practitioner")),
    _row(25, "location", ("location", "HealthcareService PractitionerRole", "Location")),
    _row(26, "service", ("healthcareService", "PractitionerRole", "HealthcareService")),
    _row(27, "endpoint", ("endpoint", "HealthcareService Location Organization PractitionerRole", "Endpoint")),
    _row(28, "partof", ("partOf", "Location", "Location"), ("partOf", "Organization", "Organization")),
    _row(33, "coverage-area", ("coverageArea", "HealthcareService", "Location")),
    _row(
        38,
        "actor",
        ("actor", "Schedule", "Device HealthcareService Location Patient Practitioner PractitionerRole RelatedPerson"),
    ),
    _row(39, "schedule", ("schedule", "Slot", "Schedule")),
    _row(
        120,
        "encounter",
        (
            "encounter",
            "CarePlan CareTeam Communication CommunicationRequest Condition MedicationRequest "
            "QuestionnaireResponse Task",
            "Encounter",
        ),
        (
            "encounter",
            "Composition DiagnosticReport Flag List Observation Procedure ServiceRequest",
            "Encounter EpisodeOfCare",
        ),
        ("context.encounter", "DocumentReference", "Encounter EpisodeOfCare"),
    ),
    _row(
        121,
        "based-on",
        ("basedOn", "Appointment Encounter", "ServiceRequest"),
        ("basedOn", "CarePlan", "CarePlan"),
        ("basedOn", "Communication CommunicationRequest Task", ""),
        (
            "basedOn",
            "DiagnosticReport",
            "CarePlan ImmunizationRecommendation MedicationRequest NutritionOrder ServiceRequest",
        ),
        (
            "basedOn",
            "Observation",
            "CarePlan DeviceRequest ImmunizationRecommendation MedicationRequest NutritionOrder ServiceRequest",
        ),
        ("basedOn", "Procedure QuestionnaireResponse", "CarePlan ServiceRequest"),
        ("basedOn", "ServiceRequest", "CarePlan MedicationRequest ServiceRequest"),
    ),
    _row(122, "focus", ("focus", "Observation Task", "")),
    _row(400, "account", ("account", "Encounter", "Account")),
    _row(
        401,
        "activity-reference",
        (
            "activity.reference",
            "CarePlan",
            "Appointment CommunicationRequest DeviceRequest MedicationRequest NutritionOrder RequestGroup "
            "ServiceRequest Task VisionPrescription",
        ),
    ),
    _row(
        402,
        "actor",
        (
            "participant.actor",
            "Appointment",
            "Device HealthcareService Location Patient Practitioner PractitionerRole RelatedPerson",
        ),
        locating=True,
    ),
    _row(
        403,
        "actor",
        (
            "provision.actor.reference",
            "Consent",
            "CareTeam Device Group Organization Patient Practitioner PractitionerRole RelatedPerson",
        ),
        exact=True,
    ),
    _row(
        404,
        "agent",
        ("agent.who", "Provenance", "Device Organization Patient Practitioner PractitionerRole RelatedPerson"),
    ),
    _row(405, "appointment", ("appointment", "Encounter", "Appointment")),
    _row(
        406,
        "asserter",
        ("asserter", "AllergyIntolerance Condition", "Patient Practitioner PractitionerRole RelatedPerson"),
    ),
    _row(
        407,
        "attester",
        ("attester.party", "Composition", "Organization Patient Practitioner PractitionerRole RelatedPerson"),
    ),
    _row(408, "authenticator", ("authenticator", "DocumentReference", "Organization Practitioner PractitionerRole")),
    _row(
        409,
        "author",
        (
            "author",
            "Composition DocumentReference QuestionnaireResponse",
            "Device Organization Patient Practitioner PractitionerRole RelatedPerson",
        ),
        ("author", "Flag", "Device Organization Patient Practitioner PractitionerRole"),
    ),
    _row(410, "care-manager", ("careManager:Practitioner", "EpisodeOfCare", "Practitioner")),
    _row(411, "care-team", ("careTeam", "CarePlan", "CareTeam")),
    _row(
        412, "condition", ("addresses", "CarePlan", "Condition"), ("diagnosis.condition", "EpisodeOfCare", "Condition")
    ),
    _row(
        413,
        "consentor",
        ("performer", "Consent", "Organization Patient Practitioner PractitionerRole RelatedPerson"),
        exact=True,
    ),
    _row(414, "context", ("context", "MedicationStatement", "Encounter EpisodeOfCare")),
    _row(415, "custodian", ("custodian", "DocumentReference", "Organization")),
    _row(416, "data", ("provision.data.reference", "Consent", ""), exact=True),
    _row(
        417,
        "derived-from",
        (
            "derivedFrom",
            "Observation",
            "DocumentReference ImagingStudy Media MolecularSequence Observation QuestionnaireResponse",
        ),
    ),
    _row(418, "device", ("device", "Observation", "Device DeviceMetric")),
    _row(419, "diagnosis", ("diagnosis.condition", "Encounter", "Condition Procedure")),
    _row(420, "entity", ("entity.what", "Provenance", "")),
    _row(421, "entry", ("section.entry", "Composition", "")),
    _row(422, "episode-of-care", ("episodeOfCare", "Encounter", "EpisodeOfCare")),
    _row(423, "evidence-detail", ("evidence.detail", "Condition", "")),
    _row(424, "goal", ("goal", "CarePlan", "Goal")),
    _row(425, "has-member", ("hasMember", "Observation", "MolecularSequence Observation QuestionnaireResponse")),
    _row(426, "incoming-referral", ("referralRequest", "EpisodeOfCare", "ServiceRequest")),
    _row(427, "ingredient", ("ingredient.itemReference", "Medication", "Medication Substance")),
    _row(
        428,
        "instantiates-canonical",
        (
            "instantiatesCanonical",
            "CarePlan Communication Procedure",
            "ActivityDefinition Measure OperationDefinition PlanDefinition Questionnaire",
        ),
        ("instantiatesCanonical", "ServiceRequest", "ActivityDefinition PlanDefinition"),
        exact=True,
    ),
    _row(429, "intended-dispenser", ("dispenseRequest.performer", "MedicationRequest", "Organization"), locating=True),
    _row(
        430,
        "intended-performer",
        (
            "performer",
            "MedicationRequest",
            "CareTeam Device Organization Patient Practitioner PractitionerRole RelatedPerson",
        ),
    ),
    _row(431, "item", ("entry.item", "List", "")),
    _row(
        432,
        "location",
        ("participant.actor:Location", "Appointment", "Location"),
        ("location.location", "Encounter", "Location"),
        ("location", "Immunization Procedure Provenance", "Location"),
    ),
    _row(
        433, "managing-entity", ("managingEntity", "Group", "Organization Practitioner PractitionerRole RelatedPerson")
    ),
    _row(434, "manufacturer", ("manufacturer", "Immunization Medication", "Organization")),
    _row(435, "media", ("media.link", "DiagnosticReport", "Media")),
    _row(436, "medication", ("medicationReference", "MedicationRequest MedicationStatement", "Medication")),
    _row(
        437,
        "member",
        ("member.entity", "Group", "Device Group Medication Patient Practitioner PractitionerRole Substance"),
    ),
    _row(
        438,
        "owner",
        (
            "owner",
            "Task",
            "CareTeam Device HealthcareService Organization Patient Practitioner PractitionerRole RelatedPerson",
        ),
    ),
    _row(
        439,
        "part-of",
        ("partOf", "CarePlan", "CarePlan"),
        ("partOf", "Communication", ""),
        ("partOf", "Encounter", "Encounter"),
        (
            "partOf",
            "MedicationStatement",
            "MedicationAdministration MedicationDispense MedicationStatement Observation Procedure",
        ),
        (
            "partOf",
            "Observation",
            "ImagingStudy Immunization MedicationAdministration MedicationDispense MedicationStatement Procedure",
        ),
        ("partOf", "Procedure", "MedicationAdministration Observation Procedure"),
        ("partOf", "QuestionnaireResponse", "Observation Procedure"),
        ("partOf", "Task", "Task"),
    ),
    _row(
        440,
        "participant",
        ("participant.member", "CareTeam", "CareTeam Organization Patient Practitioner PractitionerRole RelatedPerson"),
        ("participant.individual", "Encounter", "Practitioner PractitionerRole RelatedPerson"),
    ),
    _row(
        441,
        "performer",
        (
            "activity.detail.performer",
            "CarePlan",
            "CareTeam Device HealthcareService Organization Patient Practitioner PractitionerRole RelatedPerson",
        ),
        ("performer", "DiagnosticReport", "CareTeam Organization Practitioner PractitionerRole"),
        ("performer", "Observation", "CareTeam Organization Patient Practitioner PractitionerRole RelatedPerson"),
        (
            "performer",
            "ServiceRequest",
            "CareTeam Device HealthcareService Organization Patient Practitioner PractitionerRole RelatedPerson",
        ),
        ("performer.actor", "Immunization", "Organization Practitioner PractitionerRole"),
        ("performer.actor", "Procedure", "Device Organization Patient Practitioner PractitionerRole RelatedPerson"),
    ),
    _row(
        442,
        "practitioner",
        ("participant.actor:Practitioner", "Appointment", "Practitioner"),
        ("participant.individual:Practitioner", "Encounter", "Practitioner"),
    ),
    _row(443, "questionnaire", ("questionnaire", "QuestionnaireResponse", "Questionnaire"), exact=True),
    _row(444, "reaction", ("reaction.detail", "Immunization", "Observation")),
    _row(
        445,
        "reason-reference",
        ("reasonReference", "Appointment Encounter", "Condition ImmunizationRecommendation Observation Procedure"),
        ("reasonReference", "Immunization", "Condition DiagnosticReport Observation"),
        ("reasonReference", "Procedure", "Condition DiagnosticReport DocumentReference Observation Procedure"),
    ),
    _row(
        446,
        "recipient",
        (
            "recipient",
            "Communication CommunicationRequest",
            "CareTeam Device Group HealthcareService Organization Patient Practitioner PractitionerRole RelatedPerson",
        ),
    ),
    _row(447, "recorder", ("recorder", "AllergyIntolerance", "Patient Practitioner PractitionerRole RelatedPerson")),
    _row(448, "related", ("context.related", "DocumentReference", "")),
    _row(449, "related-ref", ("relatesTo.targetReference", "Composition", "Composition")),
    _row(450, "relatesto", ("relatesTo.target", "DocumentReference", "DocumentReference")),
    _row(
        451,
        "replaces",
        ("replaces", "CarePlan", "CarePlan"),
        ("replaces", "CommunicationRequest", "CommunicationRequest"),
        ("replaces", "ServiceRequest", "ServiceRequest"),
    ),
    _row(
        452,
        "requester",
        (
            "requester",
            "CommunicationRequest MedicationRequest ServiceRequest Task",
            "Device Organization Patient Practitioner PractitionerRole RelatedPerson",
        ),
    ),
    _row(453, "result", ("result", "DiagnosticReport", "Observation")),
    _row(
        454,
        "results-interpreter",
        ("resultsInterpreter", "DiagnosticReport", "CareTeam Organization Practitioner PractitionerRole"),
    ),
    _row(
        455,
        "sender",
        (
            "sender",
            "Communication CommunicationRequest",
            "Device HealthcareService Organization Patient Practitioner PractitionerRole RelatedPerson",
        ),
    ),
    _row(456, "service-provider", ("serviceProvider", "Encounter", "Organization"), locating=True),
    _row(457, "slot", ("slot", "Appointment", "Slot")),
    _row(
        458,
        "source",
        ("source", "List", "Device Patient Practitioner PractitionerRole"),
        ("source", "QuestionnaireResponse", "Patient Practitioner PractitionerRole RelatedPerson"),
        (
            "informationSource",
            "MedicationStatement",
            "Organization Patient Practitioner PractitionerRole RelatedPerson",
        ),
    ),
    _row(
        459,
        "source-reference",
        ("sourceReference", "Consent", "Consent Contract DocumentReference QuestionnaireResponse"),
    ),
    _row(460, "specimen", ("specimen", "DiagnosticReport Observation ServiceRequest", "Specimen")),
    _row(461, "supporting-info", ("supportingInformation", "Appointment", "")),
    _row(462, "target", ("target", "Provenance", "")),
)
