"""FHIR's data types in plain words: concepts, quantities, names, dates, references. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Body = Mapping[str, Any]

# SNOMED CT's fully specified names end in a semantic tag, which says nothing to a reader.
_TAG = re.compile(
    r" \((disorder|finding|substance|procedure|situation|observable entity|product|medicinal product|event"
    r"|regime/therapy|qualifier value|morphologic abnormality|organism|person|record artifact|occupation)\)$"
)


def listed(value: Any) -> list[Any]:
    """What stands there as a list: none, one, or what it is."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def concept(value: Any) -> str:
    """The words of a CodeableConcept, or of the first of several that has any.

    Its text is what the clinician saw; else the coding they chose; else any display; a bare code as a last resort.
    """
    return next((words for one in listed(value) if (words := _concept(one))), "")


def _concept(value: Any) -> str:
    if not isinstance(value, Mapping):
        return ""
    codings = sorted(value.get("coding", ()), key=lambda one: not one.get("userSelected", False))
    displays = (_TAG.sub("", one["display"]) for one in codings if one.get("display"))
    codes = (one["code"] for one in codings if one.get("code"))
    return str(value.get("text") or next(displays, "") or value.get("display") or next(codes, ""))


def codes(value: Any) -> set[str]:
    """Every code of one or several CodeableConcepts, or of a Coding."""
    return {
        one["code"]
        for each in listed(value)
        if isinstance(each, Mapping)
        for one in (*each.get("coding", ()), each)
        if isinstance(one.get("code"), str)
    }


def quantity(value: Body) -> str:
    """`48 mmol/mol`; the number as it was written."""
    number, unit = value.get("value", ""), value.get("unit") or value.get("code") or ""
    return f"{value.get('comparator', '')}{_number(number)}{'' if unit == '%' else ' '}{unit}".strip()


def _number(value: Any) -> str:
    return getattr(value, "text", None) or str(value)


def whole(value: Any) -> str:
    """An amount as people say it: 14.00 is 14, 14.50 stays 14.50."""
    text = _number(value)
    bare, dot, fraction = text.partition(".")
    return bare if dot and not fraction.strip("0") else text


def value_of(body: Body) -> str:
    """The value[x] of an Observation or a component, or of an answer or extension."""
    if "valueQuantity" in body:
        return quantity(body["valueQuantity"])
    if "valueCodeableConcept" in body:
        return concept(body["valueCodeableConcept"])
    if "valueRange" in body:
        ends = [quantity(body["valueRange"][end]) for end in ("low", "high") if end in body["valueRange"]]
        return " to ".join(ends)
    if "valueBoolean" in body:
        return "yes" if body["valueBoolean"] else "no"
    for name in ("valueString", "valueInteger", "valueDecimal", "valueDateTime", "valueDate", "valueTime"):
        if name in body:
            return _number(body[name])
    return concept(body.get("dataAbsentReason"))


def human_name(names: Any) -> str:
    """A name as it is written: the official or usual one, else the first."""
    ranked = sorted(listed(names), key=lambda one: {"official": 0, "usual": 1, "old": 3}.get(one.get("use", ""), 2))
    if not ranked:
        return ""
    one = ranked[0]
    parts = [*one.get("prefix", ()), *one.get("given", ()), one.get("family", "")]
    return str(one.get("text") or " ".join(part for part in parts if part))


def notes(body: Body) -> Iterator[str]:
    """The annotations, one a line."""
    for one in listed(body.get("note")):
        if text := str(one.get("text", "")).strip():
            yield text


def sentence(*parts: str) -> str:
    """The parts that say something, with commas between."""
    return ", ".join(part for part in parts if part)


def capital(text: str) -> str:
    """With a capital, the rest as it was."""
    return text[:1].upper() + text[1:]


@dataclass(frozen=True)
class Names:
    """What references point at: `Type/key` -> how it is called, read once for a whole page."""

    known: Mapping[str, str] = field(default_factory=dict)

    def of(self, reference: Any, body: Body | None = None) -> str:
        """What a reference, or the first of several that is known, is called; `body` holds the contained ones."""
        return next((name for one in listed(reference) if (name := self._of(one, body or {}))), "")

    def _of(self, reference: Any, body: Body) -> str:
        if not isinstance(reference, Mapping):
            return ""
        literal = str(reference.get("reference", ""))
        if literal.startswith("#"):
            inside = (one for one in body.get("contained", ()) if one.get("id") == literal[1:])
            return next((called(one) for one in inside), "")
        return str(self.known.get(literal) or reference.get("display") or "")


def called(body: Body) -> str:
    """What a worker, their role, an organisation, a place, a service or a medicine is called."""
    if body.get("resourceType") in ("Practitioner", "Patient", "RelatedPerson"):
        return human_name(body.get("name"))
    if isinstance(name := body.get("name"), str):
        return name
    return str(body.get("practitioner", {}).get("display", "")) or concept(body.get("code"))


def extensions(body: Body, ending: str) -> Iterator[Body]:
    """Those whose URL ends so: the same extension stands under several hosts."""
    return (one for one in body.get("extension", ()) if str(one.get("url", "")).endswith(ending))


def first(values: Iterable[str]) -> str:
    """The first that says something."""
    return next((value for value in values if value), "")
