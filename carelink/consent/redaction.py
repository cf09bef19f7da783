"""The redacted form of a resource: the same without whatever tells where a person is (PDS 'S' flag guidance)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

_PLACES = ("Address", "ContactPoint", "ContactDetail")  # datatypes that tell where somebody is

# type -> elements that are taken out, each with what it would tell; a dotted one stands within another
LOCATING: Mapping[str, Mapping[str, str]] = {
    "Patient": {
        "address": "where they live",
        "telecom": "a landline's area code; a number that can be traced",
        "contact": "where their family is",
        "generalPractitioner": "the area that they live in",
        "managingOrganization": "the practice, and so the area",
        "photo": "may show a place",
        "text": "repeats the above in words",
        "contained": "the practice, and so the area",
    },
    "RelatedPerson": {"address": "they may live together", "telecom": "can be traced", "text": "repeats the above"},
    "Encounter": {
        "location": "where they are now",
        "hospitalization": "where they went",
        "serviceProvider": "the practice or hospital, and so the area",
        "text": "repeats the above",
        "contained": "a place that it was at",
    },
    "Appointment": {
        "participant": "names the place they will be at",
        "text": "repeats the above",
        "contained": "the organisation that they will be at",
    },
    "EpisodeOfCare": {"text": "may name a home", "managingOrganization": "may be the home that they live in"},
    "Location": {"address": "where it is", "telecom": "can be traced", "position": "where it is"},
    "Organization": {"address": "where it is", "telecom": "can be traced", "contact": "where it is"},
    "ServiceRequest": {"locationCode": "where", "locationReference": "where", "text": "repeats the above"},
    "Task": {
        "location": "where",
        **{f"{part}.value{kind}": "where" for part in ("input", "output") for kind in _PLACES},
        "text": "repeats the above",
    },
    "CarePlan": {"activity.detail.location": "where", "text": "repeats the above"},
    "DocumentReference": {
        "text": "may repeat an address",
        "content.attachment.data": "the head of a letter has the address",
        "content.attachment.url": "leads to the letter",
    },
    "DiagnosticReport": {"text": "may repeat an address", "presentedForm": "the head of a report has the address"},
    "CareTeam": {"managingOrganization": "the area", "telecom": "the area code", "text": "repeats the above"},
    "Procedure": {"location": "where they were", "text": "repeats the above"},
    "Immunization": {"location": "where they were", "text": "repeats the above"},
    "Device": {"location": "where it stands: at their home", "contact": "can be traced", "text": "repeats the above"},
    "MedicationRequest": {
        "dispenseRequest.performer": "the pharmacy, which is near their home",
        "text": "repeats the above",
    },
    "MedicationDispense": {
        "location": "the pharmacy, which is near their home",
        "destination": "where it is sent",
        "performer": "the pharmacy",
        "text": "repeats the above",
    },
}
# Extensions that locate, by the end of their URL: the pharmacy, dispenser and supplier that PDS leaves out for
# restricted people too, and the care home or agency that provides a service.
LOCATING_EXTENSIONS = (
    "UKCore-BirthPlace",
    "patient-birthPlace",
    "UKCore-AddressKey",
    "RegistrationDetails-1",
    "NominatedPharmacy",
    "PreferredDispenserOrganization",
    "MedicalApplianceSupplier",
    "PDS-RemovalFromRegistration",
    "StructureDefinition/provider",
)


def redact(type_: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The resource, and what is contained in it, less what locates; None where nothing in it does."""
    if type_ not in LOCATING and "extension" not in body and "contained" not in body:
        return None  # most resources: not even copied
    left = _less(body, LOCATING.get(type_, ()))
    for name in ("extension", "contained"):
        if name in left:
            _keep(left, name, _EACH[name](left[name]))
    return left if left != body else None


def _less(body: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    left = {key: value for key, value in body.items() if key.removeprefix("_") not in names}
    for name in names:
        first, dot, rest = name.partition(".")
        if dot and first in left:
            _keep(left, first, _within(left[first], rest))
    return left


def _within(value: Any, name: str) -> Any:
    if isinstance(value, list):
        return [one for one in (_within(each, name) for each in value) if one]
    return _less(value, (name,)) if isinstance(value, Mapping) else value


def _keep(body: dict[str, Any], name: str, value: Any) -> None:
    """FHIR has no empty objects and lists."""
    if value:
        body[name] = value
    else:
        del body[name]


def _extensions(extensions: list[Any]) -> list[Any]:
    return [one for one in extensions if not _locates(one)]


def _locates(extension: Any) -> bool:
    return isinstance(extension, Mapping) and (
        str(extension.get("url", "")).endswith(LOCATING_EXTENSIONS)
        or any(f"value{kind}" in extension for kind in _PLACES)
        or any(_locates(inner) for inner in extension.get("extension", ()))
    )


def _contained(resources: list[Any]) -> list[Any]:
    return [_inner(one) if isinstance(one, Mapping) else one for one in resources]


def _inner(resource: Mapping[str, Any]) -> Mapping[str, Any]:
    redacted = redact(str(resource.get("resourceType", "")), resource)
    return resource if redacted is None else redacted


_EACH = {"extension": _extensions, "contained": _contained}
