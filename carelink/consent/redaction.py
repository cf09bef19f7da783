"""The redacted form of a resource: the same without whatever tells where a person is (PDS 'S' flag guidance)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# type -> elements that are taken out, each with what it would tell
LOCATING: Mapping[str, Mapping[str, str]] = {
    "Patient": {
        "address": "where they live",
        "telecom": "a landline's area code; a number that can be traced",
        "contact": "where their family is",
        "generalPractitioner": "the area that they live in",
        "managingOrganization": "the practice, and so the area",
        "text": "repeats the above in words",
    },
    "RelatedPerson": {"address": "they may live together", "telecom": "can be traced", "text": "repeats the above"},
    "Encounter": {"location": "where they are now", "hospitalization": "where they went", "text": "repeats the above"},
    "Appointment": {"participant": "names the place they will be at", "text": "repeats the above"},
    "EpisodeOfCare": {"text": "may name a home", "managingOrganization": "may be the home that they live in"},
    "Location": {"address": "where it is", "telecom": "can be traced", "position": "where it is"},
    "ServiceRequest": {"locationCode": "where", "locationReference": "where", "text": "repeats the above"},
    "Task": {"location": "where", "text": "repeats the above"},
    "DocumentReference": {"text": "may repeat an address"},
    "CareTeam": {"managingOrganization": "the area", "text": "repeats the above"},
}
# Patient extensions that locate: by the end of their URL.
LOCATING_EXTENSIONS = ("UKCore-BirthPlace", "patient-birthPlace", "UKCore-AddressKey", "RegistrationDetails-1")


def redact(type_: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
    """The resource less what locates; None where nothing in it does."""
    rules = LOCATING.get(type_)
    if rules is None:
        return None
    left = {key: value for key, value in body.items() if key.removeprefix("_") not in rules}
    extensions = [one for one in body.get("extension", ()) if not _locates(one)]
    if len(extensions) != len(body.get("extension", ())):
        left.pop("extension")
        if extensions:
            left["extension"] = extensions
    return left if left != body else None


def _locates(extension: Any) -> bool:
    return isinstance(extension, Mapping) and str(extension.get("url", "")).endswith(LOCATING_EXTENSIONS)
