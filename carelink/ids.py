"""The identifiers that must not be mixed, and how the id of a pulled resource is made."""

from __future__ import annotations

from typing import NewType
from uuid import UUID, uuid5

Ods = NewType("Ods", str)  # organisation code, https://fhir.nhs.uk/Id/ods-organization-code
PersonKey = NewType("PersonKey", UUID)  # one person; also the id of their golden Patient
ResourceKey = NewType("ResourceKey", UUID)  # one resource; its text form is the FHIR id
UserId = NewType("UserId", str)

NHS_NUMBER = "https://fhir.nhs.uk/Id/nhs-number"
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"

_PULLED = UUID("5f0c6b1e-8c43-5d0e-9a53-3c1f5b1f7a10")
_PERSON = UUID("c0a7f3b2-41de-5a1b-8f0e-7d1b2a9e6c55")


def resource_key(source: str, namespace: str, type_: str, source_id: str) -> ResourceKey:
    """Same input, same id: UUIDv5 of where it came from, its type and the id that it has there."""
    return ResourceKey(uuid5(_PULLED, f"{source}|{namespace}|{type_}|{source_id}"))


def person_key(founder: ResourceKey) -> PersonKey:
    """The key of the person that this source Patient founded."""
    return PersonKey(uuid5(_PERSON, str(founder)))
