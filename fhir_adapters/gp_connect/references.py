"""References within one GP record: to what each leads, and what becomes of one that leads nowhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fhir_adapters.gp_connect.codes import ODS
from fhir_adapters.gp_connect.elements import Body
from fhir_adapters.gp_connect.rules import Trail

_LOCAL = re.compile(r"([A-Z][A-Za-z]+)/(\S+)")
# Two types of STU3 are one in R4. Their ids may be the same, so each id there says what it was.
RETYPED = {"ProcedureRequest": "ServiceRequest", "ReferralRequest": "ServiceRequest"}


@dataclass(frozen=True)
class Target:
    """What a reference of the record leads to: its R4 type, the id that it goes by, and who that is elsewhere."""

    type: str
    source_id: str
    identifier: Body | None = None  # of an organisation or a worker: means the same in every source

    @property
    def reference(self) -> str:
        return f"{self.type}/{self.source_id}"


@dataclass(frozen=True)
class Record:
    """What every resource of one GP record needs to know of the rest."""

    practice: str
    nhs_number: str
    patient: str = ""  # `Patient/id` of whom the record is about; empty: the Bundle has none
    numbers: frozenset[str] = frozenset()  # NHS numbers of that Patient, and the one that was asked for
    targets: Mapping[str, Target] = field(default_factory=dict)  # by reference as the source writes it

    @property
    def namespace(self) -> str:
        """Ids are unique in one record only: suppliers use the same ones for other people."""
        return f"{self.practice}/{self.nhs_number}"

    def target(self, reference: str) -> Target | None:
        """What of this record it leads to: by `Type/id`, with a version or a server before it, or by fullUrl."""
        return self.targets.get(reference) or self.targets.get(_tail(reference))


def settle(reference: Body, contained: Mapping[str, Target], record: Record, trail: Trail, path: str) -> Body:
    """The reference as it can be followed in R4: with the type and identifier of its target where the record has it.

    What leads out of the record stays as a logical reference; words in place of a reference become its display.
    """
    text = reference["reference"]
    target = contained.get(text) or record.target(text)
    if target is not None:
        return _led(reference, target)
    if "://" in text or text.startswith("urn:"):
        return reference
    return _logical(reference, text, record, trail, path)


def _tail(text: str) -> str:
    """`Type/id` at the end of a reference, without server and version."""
    parts = text.partition("/_history/")[0].rsplit("/", 2)
    return "/".join(parts[-2:]) if len(parts) > 1 else ""


def _led(reference: Body, target: Target) -> Body:
    settled = reference | {"reference": target.reference}
    if target.identifier is not None and "identifier" not in settled:
        settled |= {"type": target.type, "identifier": target.identifier}
    return settled


def _logical(reference: Body, text: str, record: Record, trail: Trail, path: str) -> Body:
    settled: Body = {key: value for key, value in reference.items() if key != "reference"}
    local = _LOCAL.fullmatch(text)
    if local is None:
        settled.setdefault("display", text)
        trail.note("GP-reference-in-words", path, text, "not a reference but words: kept as its display")
        return settled
    settled.setdefault("type", RETYPED.get(local[1], local[1]))
    settled.setdefault("identifier", _local_identifier(local[2], record))
    trail.note("GP-reference-leads-out", path, text, "not in the record: kept as a logical reference")
    return settled


def _local_identifier(id_: str, record: Record) -> Body:
    """An id that means something at that practice only."""
    practice = {"identifier": {"system": ODS, "value": record.practice}}
    return {"value": id_} | ({"assigner": practice} if record.practice else {})


def is_reference(node: Mapping[str, Any]) -> bool:
    """Whether the element is a Reference that says where to."""
    return isinstance(node.get("reference"), str)
