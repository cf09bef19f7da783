"""How the hospital writes a resource (FHIR R4, UK Core): ids, versions, last changes, references."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

from fhir_adapters.simulators.fhir import ODS, Json, instant
from fhir_adapters.simulators.people import Belief

PROFILE = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-{}"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
TRUST = "RDV"
TRUST_NAME = "Dale Valley Hospitals NHS Trust"
# Types of which UK Core has no profile.
NO_PROFILE = frozenset({"Consent", "Task"})


@dataclass(frozen=True)
class Chart:
    """One person's records at the hospital while they are written."""

    belief: Belief
    today: date

    def id(self, what: str) -> str:
        """The id of that record."""
        return f"{self.belief.id}-{what}"

    def ref(self, type_: str, what: str) -> Json:
        """A reference to another record of the person."""
        return {"reference": f"{type_}/{self.id(what)}"}

    @property
    def patient(self) -> Json:
        """A reference to the person."""
        return {"reference": f"Patient/{self.belief.id}"}

    def entry(self, type_: str, what: str, on: date, **elements: Any) -> Json:
        """A resource that was last changed on that day."""
        id_ = self.id(what) if what else self.belief.id
        return resource(type_, id_, on, **elements)


def resource(type_: str, id_: str, on: date, version: int = 1, **elements: Any) -> Json:
    """A resource with version, profile and a lastUpdated within the evening of that day."""
    rng = Random(id_)
    meta: Json = {"versionId": str(version), "lastUpdated": instant(on, 18 * 60 + rng.randrange(300))}
    if type_ not in NO_PROFILE:
        meta["profile"] = [PROFILE.format(type_)]
    return {"resourceType": type_, "id": id_, "meta": meta} | elements


def trust() -> Json:
    """A reference to the hospital, by its own id and its ODS code."""
    return organisation(TRUST, TRUST_NAME) | {"reference": "Organization/org-rdv"}


def organisation(ods: str, name: str) -> Json:
    """A logical reference to an organisation."""
    return {"type": "Organization", "identifier": {"system": ODS, "value": ods}, "display": name}
