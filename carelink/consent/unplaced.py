"""What is sent of somebody whose whereabouts the requester may not know, less what tells which organisation holds it.

A practice or a hospital tells the area that somebody lives in (PDS 'S' flag guidance). What says so stands in nearly
every resource: a second copy of each would double the store, so it is taken out here, of the few that are asked for.
The elements and their order, and how numbers are written, stay as they are stored. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from carelink.ids import NHS_NUMBER, ODS
from fhir_adapters import exact_json

# Addresses (of codes, extensions, identifiers) that are the same everywhere, and so name no organisation.
_EVERYWHERE = re.compile(
    r"[^:]*\Z|https?://(www\.)?(snomed\.info|loinc\.org|unitsofmeasure\.org|hl7\.org|terminology\.hl7\.org|hl7\.org\.uk"
    r"|fhir\.hl7\.org\.uk|fhir\.nhs\.uk|read\.info|carelink\.example)(/|\Z)|urn:(carelink|ietf):",
    re.IGNORECASE,
)
_OURS = "https://carelink.example/"
_OF_A_SOURCE = re.compile(r"/(element-source|repair)\Z")
_REFERENCE = re.compile(r"([A-Z][A-Za-z]+)/[^/]+(/_history/[^/]+)?")
_PLACES = frozenset({"Organization", "Location", "HealthcareService", "Endpoint", "OrganizationAffiliation"})
_CONTAINED_PLACES = frozenset({"Organization", "Location", "HealthcareService", "Endpoint", "PractitionerRole"})
_WORKERS = frozenset({"Practitioner", "PractitionerRole"})
_NEVER = frozenset({"assigner", "authorString"})
_FILES = frozenset({"attachment", "valueAttachment", "presentedForm", "photo"})
_CODED = frozenset({"coding", "class", "format", "purpose", "securityLabel", "valueCoding"})
# To whom somebody permits or denies what, and who said so for them, is not where they are: it must stay exact.
_EXACT_IN_CONSENT = frozenset({"performer", "provision", "verification"})
_MASKED = {
    "extension": [
        {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"},
    ]
}


def everywhere(system: str) -> bool:
    """Whether codes or identifiers of that system are given out everywhere, so that it names no organisation."""
    return _EVERYWHERE.match(system) is not None


def unplaced(text: str, own: str, *, own_item: bool) -> str:
    """The text of a resource without that; `own` is the requester's organisation, `own_item` whether it answers for it."""
    if not text:
        return text  # erased
    whole = exact_json.loads(text)
    gone = frozenset(
        f"#{one.get('id')}"
        for one in whole.get("contained", ())
        if (type_ := one.get("resourceType")) in _CONTAINED_PLACES or (type_ == "Practitioner" and not own_item)
    )
    return exact_json.dumps(_Taking(own, own_item, gone).of("", whole, "")).decode()


@dataclass(frozen=True)
class _Taking:
    """Of one resource. None stands for what goes: FHIR knows null only in arrays, beside an extension."""

    own: str
    own_item: bool
    gone: frozenset[str]

    def of(self, element: str, part: Any, inside: str) -> Any:
        """What stays of one part; `element` is what holds it, `inside` what holds that."""
        if _names(element, part, inside):
            return None
        if isinstance(part, list):
            return [kept for one in part if (kept := self.of(element, one, inside)) is not None or one is None] or None
        if not isinstance(part, dict):
            return part
        if self._goes(element, part):
            return None
        if self._refers(element, part) and not self._may_stay(part):
            return _MASKED
        exact = _EXACT_IN_CONSENT if part.get("resourceType") == "Consent" else ()
        kept = {name: one if name in exact else self.of(name.lstrip("_"), one, element) for name, one in part.items()}
        return {name: one for name, one in kept.items() if one is not None} or None

    def _goes(self, element: str, part: dict[str, Any]) -> bool:
        if element == "identifier":
            system = str(part.get("system", ""))
            if system == ODS and part.get("value") == self.own:
                return False
            return system != NHS_NUMBER and not system.startswith(_OURS)
        if element in ("extension", "modifierExtension"):
            url = part.get("url")
            return url is not None and (not _EVERYWHERE.match(url) or bool(_OF_A_SOURCE.search(url)))
        if element == "contained":
            return f"#{part.get('id')}" in self.gone
        return element == "text" and "div" in part

    def _refers(self, element: str, part: dict[str, Any]) -> bool:
        if "resourceType" in part or element == "identifier":
            return False
        if isinstance(part.get("reference"), str) or isinstance(part.get("identifier"), dict):
            return True  # CarePlan.activity has an element of that name, which is a whole Reference
        return "display" in part and "code" not in part and "system" not in part and element not in _CODED

    def _may_stay(self, part: dict[str, Any]) -> bool:
        """Whether a reference may: one within the person's record, one to the requester's own organisation, or from that
        one's items to its own workers. Everything else is where the record comes from, or who keeps it there.
        """
        identifier = part.get("identifier")
        if isinstance(identifier, dict) and identifier.get("system") == ODS:
            return bool(identifier.get("value") == self.own)
        literal = part.get("reference")
        found = _REFERENCE.fullmatch(literal) if literal is not None else None
        type_ = found[1] if found else part.get("type", "")
        if type_ in _WORKERS:
            return self.own_item
        if literal is None or type_ in _PLACES:
            return False
        return found is not None or (literal.startswith("#") and literal not in self.gone)


def _names(element: str, part: Any, inside: str) -> bool:
    """What names an organisation by where it stands."""
    return (
        element in _NEVER
        or (inside == "meta" and element in ("source", "tag"))
        or (element == "url" and inside in _FILES)
        or (element == "system" and isinstance(part, str) and not everywhere(part))
    )
