"""The search parameters that we index, as data (FHIR R4 search parameter registry).

A parameter under 100 is asked without a person: it has an index of its own. A number, once given, stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

Path = tuple[str, ...]


class Kind(Enum):
    TOKEN = "token"
    STRING = "string"
    DATE = "date"
    REFERENCE = "reference"
    NUMBER = "number"
    QUANTITY = "quantity"
    URI = "uri"
    COMPOSITE = "composite"


@dataclass(frozen=True)
class Parameter:
    """One search parameter: where its values stand in each type.

    `locating`: a hit would tell where a person is. `solid`: spaces do not count, as in a postcode.
    """

    number: int
    code: str
    kind: Kind
    paths: Mapping[str, tuple[Path, ...]]
    locating: bool = False
    solid: bool = False
    targets: tuple[str, ...] = ()  # the types that a reference may name
    components: tuple[str, ...] = ()  # of a composite: the parameters whose values must stand in the same element


def _same(paths: tuple[Path, ...], *types: str) -> dict[str, tuple[Path, ...]]:
    return dict.fromkeys(types, paths)


_STATUS = [
    "Encounter",
    "EpisodeOfCare",
    "MedicationRequest",
    "MedicationStatement",
    "Immunization",
    "Observation",
    "DiagnosticReport",
    "Procedure",
    "CarePlan",
    "CareTeam",
    "Task",
    "ServiceRequest",
    "Flag",
    "Consent",
    "Appointment",
    "DocumentReference",
    "List",
    "Composition",
    "Communication",
]

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        1,
        "identifier",
        Kind.TOKEN,
        _same(
            (("identifier",),),
            "Patient",
            "Practitioner",
            "Organization",
            "PractitionerRole",
            "Location",
            "HealthcareService",
            "RelatedPerson",
            "Appointment",
            "CarePlan",
            "Consent",
            "DiagnosticReport",
            "DocumentReference",
            "Encounter",
            "EpisodeOfCare",
            "QuestionnaireResponse",
            "ServiceRequest",
            "Task",
        ),
    ),
    Parameter(
        2,
        "name",
        Kind.STRING,
        {
            **_same((("name", "family"), ("name", "given")), "Patient", "Practitioner", "RelatedPerson"),
            **_same((("name",),), "Organization", "Location"),
        },
    ),
    Parameter(3, "family", Kind.STRING, _same((("name", "family"),), "Patient", "Practitioner")),
    Parameter(4, "given", Kind.STRING, _same((("name", "given"),), "Patient", "Practitioner")),
    Parameter(5, "birthdate", Kind.DATE, _same((("birthDate",),), "Patient")),
    Parameter(6, "gender", Kind.TOKEN, _same((("gender",),), "Patient")),
    Parameter(
        7,
        "address-postalcode",
        Kind.STRING,
        _same((("address", "postalCode"),), "Patient"),
        locating=True,
        solid=True,
    ),
    Parameter(8, "telecom", Kind.TOKEN, _same((("telecom",),), "Patient"), locating=True),
    Parameter(
        100,
        "code",
        Kind.TOKEN,
        {
            **_same(
                (("code",),),
                "Condition",
                "AllergyIntolerance",
                "Observation",
                "DiagnosticReport",
                "Procedure",
                "ServiceRequest",
                "Task",
                "Flag",
                "Medication",
                "List",
            ),
            **_same((("medicationCodeableConcept",),), "MedicationRequest", "MedicationStatement"),
        },
    ),
    Parameter(101, "vaccine-code", Kind.TOKEN, _same((("vaccineCode",),), "Immunization")),
    Parameter(
        102,
        "category",
        Kind.TOKEN,
        _same(
            (("category",),),
            "Condition",
            "AllergyIntolerance",
            "Observation",
            "DiagnosticReport",
            "CarePlan",
            "ServiceRequest",
            "DocumentReference",
            "Flag",
            "Consent",
        ),
    ),
    Parameter(103, "status", Kind.TOKEN, _same((("status",),), *_STATUS)),
    Parameter(104, "clinical-status", Kind.TOKEN, _same((("clinicalStatus",),), "Condition", "AllergyIntolerance")),
    Parameter(
        105, "type", Kind.TOKEN, _same((("type",),), "Encounter", "EpisodeOfCare", "DocumentReference", "Composition")
    ),
    Parameter(106, "class", Kind.TOKEN, _same((("class",),), "Encounter")),
    Parameter(
        110,
        "date",
        Kind.DATE,
        {
            **_same((("effectiveDateTime",), ("effectivePeriod",)), "Observation", "DiagnosticReport"),
            **_same((("period",),), "Encounter", "EpisodeOfCare", "CarePlan", "CareTeam", "Flag"),
            **_same((("occurrenceDateTime",),), "Immunization"),
            **_same((("performedDateTime",), ("performedPeriod",)), "Procedure"),
            **_same((("date",),), "DocumentReference", "Composition", "AllergyIntolerance", "List"),
            **_same((("start",),), "Appointment"),
        },
    ),
    Parameter(111, "onset-date", Kind.DATE, _same((("onsetDateTime",), ("onsetPeriod",)), "Condition")),
    Parameter(112, "recorded-date", Kind.DATE, _same((("recordedDate",),), "Condition")),
    Parameter(113, "authoredon", Kind.DATE, _same((("authoredOn",),), "MedicationRequest", "ServiceRequest", "Task")),
    Parameter(114, "period", Kind.DATE, _same((("executionPeriod",),), "Task")),
    Parameter(
        120,
        "encounter",
        Kind.REFERENCE,
        _same((("encounter",),), "Condition", "Observation", "DiagnosticReport", "MedicationRequest", "Procedure"),
    ),
    Parameter(121, "based-on", Kind.REFERENCE, _same((("basedOn",),), "Task", "ServiceRequest", "MedicationRequest")),
    Parameter(122, "focus", Kind.REFERENCE, _same((("focus",),), "Task")),
    Parameter(130, "value-quantity", Kind.NUMBER, _same((("valueQuantity",),), "Observation")),
)

# Asked as one parameter, kept as another with a system of its own (R4: Patient.telecom.where(system='phone')).
ALIASES: Mapping[str, tuple[str, str]] = {"phone": ("telecom", "phone"), "email": ("telecom", "email")}

_BY_TYPE: dict[str, dict[str, Parameter]] = {}
for _parameter in PARAMETERS:
    for _type in _parameter.paths:
        _BY_TYPE.setdefault(_type, {})[_parameter.code] = _parameter


def of_type(type_: str) -> Mapping[str, Parameter]:
    """The indexed parameters of that type by their code."""
    return _BY_TYPE.get(type_, {})


# When it happened, for the timeline: the first of these that is there.
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
