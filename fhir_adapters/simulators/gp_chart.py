"""How the two systems of practices write an entry of a GP Connect record (STU3): ids, identifiers, codes, references."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from random import Random
from typing import Any
from uuid import UUID, uuid5

from fhir_adapters.simulators.believing import gp_id, is_tpp
from fhir_adapters.simulators.fhir import SNOMED, Json, at
from fhir_adapters.simulators.people import PRACTICE, Belief

PROFILE = "https://fhir.nhs.uk/STU3/StructureDefinition/CareConnect-GPC-{}-1"
EXTENSION = "https://fhir.nhs.uk/STU3/StructureDefinition/Extension-CareConnect-GPC-{}-1"
HL7_EXTENSION = "https://fhir.hl7.org.uk/STU3/StructureDefinition/Extension-CareConnect-{}-1"
# What does not belong to the person: the same id in every record of the practice, as in life.
_PRACTICE_IDS = UUID("37f1a2c4-9f53-5d2e-8d3b-0d8f4f1e6a02")
SHARED = frozenset({"practice", "doctor", "nurse", "surgery", "doctor-role", "nurse-role"})


@dataclass(frozen=True)
class Chart:
    """One person's record at the practice while it is written."""

    belief: Belief
    today: date

    @cached_property
    def tpp(self) -> bool:
        """Whether it is written as TPP's system does; else as EMIS's."""
        return is_tpp(self.belief.person)

    def id(self, what: str) -> str:
        """The id of that entry. A word after `#` is EMIS's suffix: `medicine-3#MS`."""
        name, _, suffix = what.partition("#")
        if name in SHARED:
            made = uuid5(_PRACTICE_IDS, name)
            return made.hex[:16] if self.tpp else str(made).upper()
        if self.tpp:
            return gp_id(self.belief.person, what)
        return gp_id(self.belief.person, name) + (f"-{suffix}" if suffix else "")

    def ref(self, type_: str, what: str) -> Json:
        """A reference within the record."""
        return {"reference": f"{type_}/{self.id(what)}"}

    @property
    def patient(self) -> Json:
        """A reference to the person."""
        return self.ref("Patient", "patient")

    def entry(self, type_: str, what: str, profile: str = "", **elements: Any) -> Json:
        """A clinical resource with its id, profile and the system's own identifier."""
        id_ = self.id(what)
        return {
            "resourceType": type_,
            "id": id_,
            "meta": {"profile": [PROFILE.format(profile or type_)]},
            "identifier": [self._identifier(type_, id_)],
        } | elements

    def _identifier(self, type_: str, id_: str) -> Json:
        if self.tpp:
            return {"system": f"https://tpp-uk.com/Id/{type_.lower()}", "value": id_}
        owner = self.id("patient").replace("-", "")
        return {"system": f"https://EMISWeb/{PRACTICE}", "value": owner + id_.replace("-", "")}

    def administrative(self, type_: str, what: str, **elements: Any) -> Json:
        """Demographics and directory: these have a version, and no identifier of the system."""
        id_ = self.id(what)
        version = str(Random(id_).randrange(10**15, 10**16))
        meta = {"versionId": version, "profile": [PROFILE.format(type_)]}
        return {"resourceType": type_, "id": id_, "meta": meta} | elements

    def code(self, code: str, display: str, text: str = "") -> Json:
        """A CodeableConcept. EMIS marks the coding that the user chose; TPP never does."""
        coded: Json = {"system": SNOMED, "code": code, "display": display}
        if not self.tpp:
            coded["userSelected"] = True
        return {"coding": [coded]} | ({"text": text} if text else {})

    def recorded(self, on: date) -> str:
        """When something was recorded: a time of that day, with the offset of that day."""
        rng = Random(f"{self.belief.key}:{on}")
        return at(on, rng.randrange(8, 18), rng.randrange(60))
