"""Small code systems, value sets and maps, and what can be asked of them (FHIR R4 4.8, 4.9, 4.10). About nobody. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from carelink.errors import CareLinkError


class NotCarried(CareLinkError):
    """This server does not have that code system, value set or map: it is not said that there is none."""


class UnknownCode(CareLinkError):
    """There is no such code in a code system that is here."""


@dataclass(frozen=True)
class Concept:
    """A code and what it means; `parent` is the code that it stands under."""

    code: str
    display: str
    parent: str = ""


@dataclass(frozen=True)
class CodeSystem:
    """`whole`: all of its codes are here; else only those that are used."""

    id: str
    url: str
    title: str
    concepts: Mapping[str, Concept]
    whole: bool


@dataclass(frozen=True)
class ValueSet:
    """Codes, each with its system, in order."""

    id: str
    url: str
    title: str
    codings: tuple[tuple[str, Concept], ...]


@dataclass(frozen=True)
class Meant:
    """What a word of a source is in published codes."""

    word: str
    system: str
    concept: Concept


@dataclass(frozen=True)
class ConceptMap:
    """Words of one source's table, by which its rows are mapped; upper and lower case make no difference."""

    id: str
    url: str
    title: str
    source: str  # names the words, in the place of a code system
    meant: tuple[Meant, ...]


@dataclass(frozen=True)
class Terminology:
    """All that is here, by url."""

    systems: Mapping[str, CodeSystem] = field(default_factory=dict)
    sets: Mapping[str, ValueSet] = field(default_factory=dict)
    maps: Mapping[str, ConceptMap] = field(default_factory=dict)

    def system(self, url: str) -> CodeSystem:
        """Raises `NotCarried`."""
        found = self.systems.get(url)
        if found is None:
            raise NotCarried(f"This server does not carry that code system; it has {_listed(self.systems)}")
        return found

    def lookup(self, url: str, code: str) -> tuple[CodeSystem, Concept]:
        """The concept of that code. Raises `NotCarried` and `UnknownCode`."""
        system = self.system(url)
        concept = system.concepts.get(code)
        if concept is None:
            some = "" if system.whole else " among those that this server has: it has only a part of this code system"
            raise UnknownCode(f"There is no such code in {url}{some}")
        return system, concept

    def value_set(self, url: str) -> ValueSet:
        """Raises `NotCarried`."""
        found = self.sets.get(url)
        if found is None:
            raise NotCarried(f"This server does not carry that value set; it has {_listed(self.sets)}")
        return found

    def concept_map(self, url: str) -> ConceptMap:
        """Raises `NotCarried`."""
        found = self.maps.get(url)
        if found is None:
            raise NotCarried(f"This server does not carry that map; it has {_listed(self.maps)}")
        return found

    def translated(
        self, maps: Iterable[ConceptMap], system: str, code: str, target: str = "", *, reverse: bool = False
    ) -> list[tuple[ConceptMap, Meant]]:
        """What that word means by these maps; or, in `reverse`, which words mean that code. Empty `system`: any."""
        return [
            (one, meant)
            for one in maps
            for meant in one.meant
            if _fits(one, meant, system, code, reverse) and (not target or target == _target(one, meant, reverse))
        ]


def expanded(found: ValueSet, wanted: str) -> list[tuple[str, Concept]]:
    """Its codes whose words hold what is `wanted`; all where nothing is."""
    text = wanted.strip().casefold()
    return [one for one in found.codings if text in one[1].display.casefold() or text in one[1].code.casefold()]


def _fits(one: ConceptMap, meant: Meant, system: str, code: str, reverse: bool) -> bool:
    if reverse:
        return meant.concept.code == code and system in ("", meant.system)
    return meant.word.casefold() == code.strip().casefold() and system in ("", one.source)


def _target(one: ConceptMap, meant: Meant, reverse: bool) -> str:
    return one.source if reverse else meant.system


def _listed(found: Mapping[str, object]) -> str:
    return ", ".join(sorted(found)) or "none"
