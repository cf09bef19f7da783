"""The kinds of rule that turn a STU3 resource into an R4 one; the tables of each type are made of these.

Source of the rules: HL7's STU3 to R4 maps, UK Core R4, and the GP Connect Access Record Structured specification.
A rule changes the body in place (it is ours by then) and leaves alone what does not have the shape that it expects:
the check after mapping says what is wrong with that. What is lost or made up is told in the trail; what only moves is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from fhir_adapters import exact_json
from fhir_adapters.source import Repair

Body = dict[str, Any]
STU3_ELEMENT = "http://hl7.org/fhir/3.0/StructureDefinition/extension-"  # HL7's URL for an element that R4 dropped


@dataclass
class Trail:
    """What was changed in one resource that a reader of it should know."""

    type: str
    repairs: list[Repair] = field(default_factory=list)

    def note(self, rule: str, path: str, was: Any, why: str) -> None:
        """Adds a repair. `path` counts from the resource; empty for the resource itself."""
        where = f"{self.type}.{path}" if path else self.type
        self.repairs.append(Repair(rule, where, as_text(was), why))


class Rule(Protocol):
    """One row of a table of rules."""

    def apply(self, body: Body, trail: Trail) -> None:
        """Changes the body, and notes what is lost or made up."""
        ...


def as_text(was: Any) -> str:
    """Text as it is, anything else as JSON."""
    return was if isinstance(was, str) else exact_json.dumps(was).decode()


def objects(value: Any) -> list[Body]:
    """The objects that an element holds, whether it repeats or not; what is no object is left out."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]


def text(value: Any) -> str:
    """The value where it is text, else nothing: fit to look up in a table."""
    return value if isinstance(value, str) else ""


def parents(body: Body, at: str) -> Iterator[Body]:
    """The objects at a dotted path below the body; the body itself where the path is empty."""
    here = [body]
    for name in at.split(".") if at else ():
        here = [inner for one in here for inner in objects(one.get(name))]
    yield from here


def pop(body: Body, element: str) -> tuple[Any, Any]:
    """The element and its primitive extension (`_element`), both taken out; None where there is none."""
    return body.pop(element, None), body.pop(f"_{element}", None)


def extend(body: Body, *extensions: Body) -> None:
    """Adds extensions to the element."""
    present = body.get("extension")
    body["extension"] = [*(present if isinstance(present, list) else []), *extensions]


@dataclass(frozen=True)
class Rename:
    """The same value under R4's name; `many`: it became a list. What R4's name already holds is not overwritten."""

    was: str
    to: str
    at: str = ""
    many: bool = False

    def apply(self, body: Body, trail: Trail) -> None:
        for parent in parents(body, self.at):
            if self.was == self.to or self.to not in parent:
                self._move(parent)

    def _move(self, parent: Body) -> None:
        value, sibling = pop(parent, self.was)
        if value is not None:
            parent[self.to] = [value] if self.many and not isinstance(value, list) else value
        if sibling is not None:
            parent[f"_{self.to}"] = [sibling] if self.many and not isinstance(sibling, list) else sibling


@dataclass(frozen=True)
class Single:
    """One value that came in a list of one."""

    element: str
    at: str = ""

    def apply(self, body: Body, trail: Trail) -> None:
        for parent in parents(body, self.at):
            value = parent.get(self.element)
            if isinstance(value, list) and len(value) == 1:
                parent[self.element] = value[0]
                path = f"{self.at}.{self.element}".lstrip(".")
                trail.note("GP-list-of-one", path, value, "a list where FHIR has one value; it held one")


@dataclass(frozen=True)
class Concept:
    """A code becomes a CodeableConcept of that system. A code that R4 does not have is kept as STU3's element."""

    element: str
    system: str
    codes: Mapping[str, str]  # STU3 code -> R4 code

    def apply(self, body: Body, trail: Trail) -> None:
        if not isinstance(body.get(self.element), str):
            return
        code, sibling = pop(body, self.element)
        known = self.codes.get(code) or self.codes.get(code.strip().lower())
        if known is None:
            extend(body, {"url": f"{STU3_ELEMENT}{trail.type}.{self.element}", "valueCode": code})
            trail.note("GP-code-not-in-r4", self.element, code, "R4 has no such code; kept as an extension")
            return
        if known != code:
            trail.note("GP-code-spelling", self.element, code, f"STU3's code {code!r} is {known!r} in R4")
        body[self.element] = (sibling if isinstance(sibling, dict) else {}) | {
            "coding": [{"system": self.system, "code": known}]
        }


@dataclass(frozen=True)
class Recode:
    """Another word for the same code."""

    element: str
    codes: Mapping[str, str]
    because: str

    def apply(self, body: Body, trail: Trail) -> None:
        code = body.get(self.element)
        if isinstance(code, str) and code in self.codes:
            body[self.element] = self.codes[code]
            trail.note("GP-recoded", self.element, code, self.because)


@dataclass(frozen=True)
class Keep:
    """An element that R4 does not have stays, as HL7's extension for it. `kind` is its datatype, as in value[x]."""

    element: str
    kind: str
    at: str = ""

    def apply(self, body: Body, trail: Trail) -> None:
        path = f"{self.at}.{self.element}" if self.at else self.element
        url = f"{STU3_ELEMENT}{trail.type}.{path}"
        for parent in parents(body, self.at):
            value, _ = pop(parent, self.element)
            for one in value if isinstance(value, list) else [value]:
                if one is not None:
                    extend(parent, {"url": url, f"value{self.kind}": one})


@dataclass(frozen=True)
class Drop:
    """An element that R4 has no place for and that is no single datatype: its whole text goes to the Provenance."""

    element: str
    because: str
    at: str = ""

    def apply(self, body: Body, trail: Trail) -> None:
        for parent in parents(body, self.at):
            value, _ = pop(parent, self.element)
            if value is not None:
                trail.note("GP-no-place-in-r4", f"{self.at}.{self.element}".lstrip("."), value, self.because)


@dataclass(frozen=True)
class Fill:
    """What R4 requires and STU3 did not, where the source left it out."""

    element: str
    value: Any
    because: str

    def apply(self, body: Body, trail: Trail) -> None:
        if self.element not in body and f"_{self.element}" not in body:
            body[self.element] = self.value
            trail.note("GP-required-by-r4", self.element, "", self.because)


@dataclass(frozen=True)
class Agent:
    """STU3's `requester { agent, onBehalfOf }` is only the agent in R4; whom for is kept as an extension of it."""

    element: str = "requester"

    def apply(self, body: Body, trail: Trail) -> None:
        asked = body.get(self.element)
        if not isinstance(asked, dict) or not isinstance(asked.get("agent"), dict):
            return
        body[self.element] = dict(asked["agent"])
        if "onBehalfOf" in asked:
            url = f"{STU3_ELEMENT}{trail.type}.{self.element}.onBehalfOf"
            extend(body[self.element], {"url": url, "valueReference": asked["onBehalfOf"]})


@dataclass(frozen=True)
class Special:
    """What is no single move: a function of the body, with why."""

    do: Callable[[Body, Trail], None]
    because: str

    def apply(self, body: Body, trail: Trail) -> None:
        self.do(body, trail)


@dataclass(frozen=True)
class TypeRules:
    """What a STU3 type becomes: the R4 type, the rules in order, and the element that says whom it is about."""

    type: str
    rules: Sequence[Rule] = ()
    about: str = ""  # subject or patient; empty: not about a person
