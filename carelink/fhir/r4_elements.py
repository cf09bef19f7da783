"""What FHIR R4 says of every element: its name, order, datatype, and whether a summary has it.

The table beside this file holds those facts alone, made from R4's StructureDefinitions (tests/definitions_elements.py). It
is read when somebody first asks for XML, a summary or single elements, or patches something; a plain answer needs none.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_TABLE = Path(__file__).with_name("r4_elements.csv")
_OF_ITS_OWN = ("BackboneElement", "Element")  # the element has elements that no datatype has
CHOICE = "[x]"


@dataclass(frozen=True)
class Element:
    """One element under its name in JSON: a choice (`value[x]`) has one for each of its datatypes."""

    name: str
    stem: str  # `value` of valueQuantity
    datatype: str
    within: str  # the structure of its own elements; empty: a primitive, or any resource
    many: bool = False
    required: bool = False
    summary: bool = False

    @property
    def primitive(self) -> bool:
        return not self.within and self.datatype != "Resource"


@dataclass(frozen=True)
class Structure:
    """A resource, datatype or backbone element, with its elements in the order of R4."""

    name: str
    elements: Mapping[str, Element]
    is_resource: bool


@cache
def structure(name: str) -> Structure | None:
    """That resource type, datatype or backbone element (`Patient.contact`); None where R4 has none."""
    if name not in _rows():
        return None
    elements = {one.name: one for one in _elements(name)}
    return Structure(name, elements, is_resource(name))


def is_resource(name: str) -> bool:
    """Whether it is a type of resource."""
    return "Resource" in _line(name)


def resource_structure(type_: str) -> Structure | None:
    """That type of resource; None where R4 has none, or only as a base of others."""
    found = structure(type_)
    return found if found is not None and found.is_resource and type_ not in ("Resource", "DomainResource") else None


def within(element: Element) -> Structure | None:
    """The structure of an element's own elements; None for a primitive, and for any resource."""
    return structure(element.within) if element.within else None


@cache
def every_name() -> frozenset[str]:
    """The names that an element at the top of some resource has, choices by their stem too."""
    of = [resource_structure(name) for name in _rows()]
    return frozenset(name for one in of if one is not None for name in names(one))


def names(one: Structure) -> frozenset[str]:
    """What its elements may be called in a request: `value`, `value[x]` and `valueQuantity` are all known."""
    told = [
        (each.name, each.stem, f"{each.stem}{CHOICE}") if each.stem != each.name else (each.name,)
        for each in one.elements.values()
    ]
    return frozenset(name for each in told for name in each)


@cache
def _rows() -> Mapping[str, tuple[str, str]]:
    with _TABLE.open(encoding="utf-8", newline="") as file:
        return {row["structure"]: (row["base"], row["elements"]) for row in csv.DictReader(file)}


def _line(name: str) -> tuple[str, ...]:
    """The structure and all that it is based on, the nearest first."""
    base = _rows()[name][0] if name in _rows() else ""
    return (name, *(_line(base) if base else ()))


def _elements(name: str) -> Iterator[Element]:
    for one in reversed(_line(name)):
        for told in _rows()[one][1].split():
            yield from _told(told, one)


def _told(told: str, owner: str) -> Iterator[Element]:
    bare = told.rstrip("*!^")
    marks = told[len(bare) :]
    name, _, types = bare.partition(":")
    for type_ in types.split("|"):
        called = name.removesuffix(CHOICE)
        if name != called:
            called += type_[:1].upper() + type_[1:]
        yield Element(
            name=called,
            stem=name.removesuffix(CHOICE),
            datatype=type_.removeprefix("@"),
            within=_within(type_, f"{owner}.{name}"),
            many="*" in marks,
            required="!" in marks,
            summary="^" in marks,
        )


def _within(type_: str, path: str) -> str:
    if type_ in _OF_ITS_OWN:
        return path if path in _rows() else type_
    bare = type_.removeprefix("@")
    return bare if bare in _rows() and bare != "Resource" else ""
