"""Labels that are put on resources at ingest: one category and any sensitivities, by the rules of the place pack."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from carelink.consent.capacity_codes import RECORD, SEEN
from carelink.consent.kept_out import guarded
from carelink.consent.per_place import PerPlace
from carelink.consent.sensitivity import Sensitivity, confidential, sensitivities
from carelink.place import LabelRule, Place

# Where no rule of the place says otherwise: what kind of information each type is.
CATEGORY: Mapping[str, str] = {
    "Patient": "demographics",
    "RelatedPerson": "contacts",
    "CareTeam": "contacts",
    "Practitioner": "directory",
    "PractitionerRole": "directory",
    "Organization": "directory",
    "Location": "directory",
    "HealthcareService": "directory",
    "Condition": "problems",
    "FamilyMemberHistory": "problems",
    "Procedure": "problems",
    "AllergyIntolerance": "allergies",
    "Medication": "medicines",
    "MedicationRequest": "medicines",
    "MedicationStatement": "medicines",
    "MedicationDispense": "medicines",
    "MedicationAdministration": "medicines",
    "Immunization": "immunisations",
    "Observation": "results",
    "DiagnosticReport": "results",
    "Specimen": "results",
    "Encounter": "encounters",
    "Appointment": "encounters",
    "Communication": "encounters",
    "EpisodeOfCare": "services",
    "Device": "services",
    "Task": "assessments",
    "QuestionnaireResponse": "assessments",
    "ServiceRequest": "referrals",
    "DocumentReference": "documents",
    "Composition": "documents",
    "CarePlan": "plans",
    "Goal": "plans",
    "Flag": "alerts",
    "Consent": "consent",
}
# What CareLink tells the person themselves: of a category that no place has, so that no agreement shares it.
NOTICE, NOTICES = "notice", "https://carelink.example/CodeSystem/notice"
# What the national service says of opt-outs: its licence lets nobody see it who cares for the person.
OPT_OUT, OPT_OUTS = "opt-out", "https://carelink.example/CodeSystem/opt-out"
# What says which kind of thing an item is. What makes it sensitive may stand anywhere in it.
_CODED = ("code", "type", "category", "medicationCodeableConcept", "vaccineCode", "reasonCode", "class", "serviceType")


Coding = tuple[str, str]  # system, code


@dataclass(frozen=True)
class Label:
    """What kind of information an item is, and why it may need more care."""

    category: str
    sensitivities: int = 0


class Labeller:
    """The rules of one place, arranged so that labelling a resource costs a few look-ups."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.known = sensitivities(place)
        self._rules: dict[tuple[str, str], tuple[LabelRule, ...]] = {}
        self._words: dict[tuple[str, str], tuple[tuple[LabelRule, _Words], ...]] = {}

    def label(self, source: str, type_: str, body: Mapping[str, Any]) -> Label:
        """The label of a resource of that source: the first rule that gives a category wins, sensitivities add up."""
        bits, category = self._told(type_, body), ""
        rules = self._of(source, type_)
        if rules:
            inside, kinds = frozenset(_codes(body)), frozenset(_kinds(body))
            document = frozenset(_codes(body.get("type", ()))) if type_ in DOCUMENTS else frozenset()
            for rule in rules:
                if _matches(rule, inside, document):
                    bits |= self.known.mask(rule.sensitivities)
                if not category and _matches(rule, kinds, document):
                    category = rule.category
        return Label(category or _category(type_, body), bits)

    def hints(self, source: str, type_: str, body: Mapping[str, Any], bits: int) -> tuple[str, ...]:
        """The ids of the rules whose words are in it, where it lacks what they are for: a human looks at those."""
        rules = [one for one in self._hinting(source, type_) if self.known.mask(one[0].sensitivities) & ~bits]
        if not rules:
            return ()
        said = "\n".join(_said(body)).lower()
        return tuple(rule.id for rule, words in rules if words.found(said))

    def _of(self, source: str, type_: str) -> tuple[LabelRule, ...]:
        key = (source, type_)
        if key not in self._rules:
            mine = (rule for rule in self.place.labels if _applies(rule, source, type_))
            self._rules[key] = tuple(rule for rule in mine if _narrow(rule) or not rule.text)
        return self._rules[key]

    def _hinting(self, source: str, type_: str) -> tuple[tuple[LabelRule, _Words], ...]:
        key = (source, type_)
        if key not in self._words:
            mine = (rule for rule in self.place.labels if rule.text and _applies(rule, source, type_))
            self._words[key] = tuple((rule, _Words.of(rule.text)) for rule in mine)
        return self._words[key]

    def _told(self, type_: str, body: Mapping[str, Any]) -> int:
        """What the source itself says. On a Patient, confidentiality is about where they are: the redacted form's."""
        unsaid = Sensitivity.RESTRICTED if type_ != "Patient" and confidential(body) else 0
        if type_ == "CareTeam" and guarded(body) == "safeguarding":
            unsaid |= Sensitivity.SAFEGUARDING  # it names the alleged source of harm
        if type_ == "Consent":
            unsaid |= self._spoken_of(body)
        return self.known.told(body) | unsaid

    def _spoken_of(self, consent: Mapping[str, Any]) -> int:
        """The sensitivities that its provisions name: who reads "may share what is about HIV" knows that there is such.

        Less those that are kept from the person themselves: what they said they must be able to read and take back (UK
        GDPR Art 7(3)).
        """
        named, left = 0, [consent.get("provision")]
        while left:
            one = left.pop()
            if isinstance(one, Mapping):
                named |= self.known.told({"meta": {"security": one.get("securityLabel", ())}})
                left += one.get("provision", ())
        return named & ~self.known.hidden_from_person


DOCUMENTS = frozenset({"DocumentReference", "Composition"})


def _applies(rule: LabelRule, source: str, type_: str) -> bool:
    return (not rule.sources or source in rule.sources) and (not rule.types or type_ in rule.types)


def _narrow(rule: LabelRule) -> bool:
    return bool(rule.codes or rule.documents)


def _matches(rule: LabelRule, codes: frozenset[Coding], document: frozenset[Coding]) -> bool:
    return not _narrow(rule) or not codes.isdisjoint(rule.codes) or not document.isdisjoint(rule.documents)


@dataclass(frozen=True)
class _Words:
    """Words to look for, in small letters, and the same as whole words."""

    words: tuple[str, ...]
    whole: re.Pattern[str]

    @classmethod
    def of(cls, words: Iterable[str]) -> _Words:
        small = tuple(word.lower() for word in words)
        return cls(small, re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, small))})(?!\w)"))

    def found(self, said: str) -> bool:
        """Whether one stands in this text, in small letters. Nearly no text has even a part of one: that is asked first."""
        return any(word in said for word in self.words) and self.whole.search(said) is not None


def _category(type_: str, body: Mapping[str, Any]) -> str:
    if type_ == "Communication" and any(system == NOTICES for system, _ in _kinds(body)):
        return NOTICE
    if type_ == "Consent" and any(system == OPT_OUTS for system, _ in _kinds(body)):
        return OPT_OUT
    if type_ == "Task" and ("focus" in body or "basedOn" in body):
        return "referrals"  # the fulfilment of a request, not an assessment
    if type_ == "CareTeam" and guarded(body):
        return guarded(body)
    return "legal" if _who_decides(type_, body) else CATEGORY.get(type_, "other")


def _who_decides(type_: str, body: Mapping[str, Any]) -> bool:
    """What is recorded of capacity, and of an authority whose paper somebody has seen."""
    if type_ == "Observation":
        return any(coding.get("system") == RECORD for coding in body.get("code", {}).get("coding", ()))
    return type_ == "RelatedPerson" and any(one.get("url") == SEEN for one in body.get("extension", ()))


def _kinds(body: Mapping[str, Any]) -> Iterator[Coding]:
    """The codes of what it is."""
    for element in _CODED:
        if element in body:
            yield from _codes(body[element])


def _codes(value: Any) -> Iterator[Coding]:
    """Every coding in it, however deep: a value, a reaction, an answer, a contained medicine."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            code = one.get("code")
            if isinstance(code, str):
                yield (one.get("system", ""), code)
            left += [inner for inner in one.values() if isinstance(inner, _NESTS)]
        elif isinstance(one, list):
            left += [inner for inner in one if isinstance(inner, _NESTS)]


_NESTS = (dict, list)
# Elements in which people write words, on any level.
_WORDS = frozenset(
    [
        *("text", "display", "description", "title", "conclusion", "comment", "summary", "name", "div"),
        *("valueString", "valueMarkdown", "contentString", "reasonString", "patientInstruction", "presentation"),
    ]
)


def _said(body: Mapping[str, Any]) -> Iterator[str]:
    """Every text in it that a person wrote or reads."""
    left: list[Any] = [body]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            yield from (said for name, said in one.items() if isinstance(said, str) and name in _WORDS)
            left += [inner for inner in one.values() if isinstance(inner, _NESTS)]
        elif isinstance(one, list):
            left += [inner for inner in one if isinstance(inner, _NESTS)]


_labeller = PerPlace(Labeller)


def label(place: Place, source: str, type_: str, body: Mapping[str, Any]) -> Label:
    """The label of a resource by the rules of the place; the rules are arranged once a place."""
    return _labeller(place).label(source, type_, body)


def hints(place: Place, source: str, type_: str, body: Mapping[str, Any], bits: int) -> tuple[str, ...]:
    """The ids of the rules by whose words a human should look at a resource that has these sensitivities."""
    return _labeller(place).hints(source, type_, body, bits)
