"""What a rule of UK Core is, what it finds, and how rules look into a resource that may be written any way. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Body = Mapping[str, Any]
Loc = tuple[int | str, ...]


class Severity(StrEnum):
    """As OperationOutcome names them. An error means that the profile is not met; a warning is for who looks after data."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """Where a resource does not hold to a rule, and what to do about it."""

    rule: str
    loc: Loc
    severity: Severity
    code: str  # http://hl7.org/fhir/issue-type
    says: str
    because: str
    always: bool = True  # told whether or not the resource claims the profile


@dataclass(frozen=True)
class Rule:
    """One rule: `broken` gives the places where a resource does not hold to it."""

    id: str
    place: str  # FHIRPath, without indexes
    severity: Severity
    code: str
    says: str  # what must hold, so what to do
    because: str  # the profile and its version, or the standard
    broken: Callable[[Body], Iterable[Loc]]
    always: bool = True  # no: it is a matter only for who claims the profile

    def found(self, body: Body) -> Iterator[Finding]:
        """A finding for each place."""
        for loc in self.broken(body):
            yield Finding(self.id, loc, self.severity, self.code, self.says, self.because, self.always)


def each(element: Any, name: str) -> Sequence[tuple[int, Mapping[str, Any]]]:
    """The objects of a list within the element, with their places in it; none where there is no such list."""
    inner = element.get(name) if type(element) is dict else None
    if type(inner) is not list:
        return ()
    return [(index, one) for index, one in enumerate(inner) if type(one) is dict]


def text(element: Any, name: str) -> str:
    """What is written there; empty where nothing is, or no text."""
    said = element.get(name) if type(element) is dict else None
    return said if type(said) is str else ""


def codings(concept: Any) -> list[tuple[str, str]]:
    """System and code of each coding of a CodeableConcept."""
    return [(text(one, "system"), text(one, "code")) for _, one in each(concept, "coding")]


def missing(*names: str) -> Callable[[Body], Iterator[Loc]]:
    """A rule's `broken`: none of these elements is there, also not as absent with a reason."""

    def broken(body: Body) -> Iterator[Loc]:
        if not any(name in body or f"_{name}" in body for name in names):
            yield (names[0],)

    return broken


def more_than_one(name: str, which: Callable[[Mapping[str, Any]], bool]) -> Callable[[Body], Iterator[Loc]]:
    """A rule's `broken`: each of the list that is one too many."""

    def broken(body: Body) -> Iterator[Loc]:
        found = [index for index, one in each(body, name) if which(one)]
        yield from ((name, index) for index in found[1:])

    return broken
