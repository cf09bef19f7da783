"""The kinds of rule that turn a STU3 resource into an R4 one; the tables of each type are made of these.

Source of the rules: HL7's STU3 to R4 maps, UK Core R4, and the GP Connect Access Record Structured specification.
A rule changes the body in place (it is ours by then) and leaves alone what does not have the shape that it expects:
the check after mapping says what is wrong with that. What is lost or made up is told in the trail; what only moves is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from fhir_adapters import exact_json
from fhir_adapters.gp_connect.elements import STU3_ELEMENT, Body, extend, objects, parents, pop, text
from fhir_adapters.source import Repair

EPISODE_OF_CARE = "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"


@dataclass
class Trail:
    """What was changed in one resource that a reader of it should know."""

    type: str
    repairs: list[Repair] = field(default_factory=list)

    def note(self, rule: str, path: str, was: Any, why: str) -> None:
        """Adds a repair. `path` counts from the resource; empty for the resource itself."""
        where = f"{self.type}.{path}" if path else self.type
        self.repairs.append(Repair(rule, where, as_text(was), why))

    def beside(self, path: str, was: Any) -> None:
        """Notes what stood beside a primitive (`_status`) whose element R4 does not have."""
        if was is not None:
            self.note("GP-no-place-in-r4", path, was, "what stood beside an element that R4 does not have")


class Rule(Protocol):
    """One row of a table of rules."""

    def apply(self, body: Body, trail: Trail) -> None:
        """Changes the body, and notes what is lost or made up."""
        ...


def as_text(was: Any) -> str:
    """Text as it is, anything else as JSON."""
    return was if isinstance(was, str) else exact_json.dumps(was).decode()


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
            trail.beside(self.element, sibling)
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
            value, beside = pop(parent, self.element)
            values = value if isinstance(value, list) else [value]
            extend(parent, *({"url": url, f"value{self.kind}": one} for one in values if one is not None))
            trail.beside(path, beside)


@dataclass(frozen=True)
class Drop:
    """An element that R4 has no place for and that is no single datatype: its whole text goes to the Provenance."""

    element: str
    because: str
    at: str = ""

    def apply(self, body: Body, trail: Trail) -> None:
        path = f"{self.at}.{self.element}".lstrip(".")
        for parent in parents(body, self.at):
            value, beside = pop(parent, self.element)
            if value is not None:
                trail.note("GP-no-place-in-r4", path, value, self.because)
            trail.beside(path, beside)


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
class Note:
    """A text of its own that is the first of the notes in R4."""

    element: str

    def apply(self, body: Body, trail: Trail) -> None:
        if isinstance(body.get(self.element), str | None):
            words, beside = pop(body, self.element)
            said = ({"text": words} if words is not None else {}) | ({"_text": beside} if beside is not None else {})
            if said:
                body["note"] = [said, *objects(body.get("note"))]


@dataclass(frozen=True)
class NotDone:
    """STU3 says beside the status that it did not happen; R4 says so in the status. What was an error stays one."""

    flag: str

    def apply(self, body: Body, trail: Trail) -> None:
        if not isinstance(body.get(self.flag), bool | None):
            return
        flag, beside = pop(body, self.flag)
        trail.beside(self.flag, beside)
        if flag and body.get("status") == "entered-in-error":
            trail.note("GP-no-place-in-r4", self.flag, flag, "the status says that the whole was entered in error")
        elif flag:
            trail.note("GP-not-done", "status", body.get("status", ""), f"STU3's {self.flag} is a status in R4")
            body["status"] = "not-done"


@dataclass(frozen=True)
class Context:
    """STU3's context is an Encounter or an EpisodeOfCare; R4's encounter only the first, so the other is an extension."""

    def apply(self, body: Body, trail: Trail) -> None:
        context = body.get("context")
        if isinstance(context, dict) and "EpisodeOfCare/" in text(context.get("reference")):
            del body["context"]
            extend(body, {"url": EPISODE_OF_CARE, "valueReference": context})
        else:
            Rename("context", "encounter").apply(body, trail)


@dataclass(frozen=True)
class Agent:
    """STU3's `requester { agent, onBehalfOf }` is only the agent in R4; whom for is kept as an extension of it."""

    element: str = "requester"

    def apply(self, body: Body, trail: Trail) -> None:
        asked = body.get(self.element)
        if not isinstance(asked, dict) or not isinstance(asked.get("agent"), dict):
            return
        body[self.element] = dict(asked["agent"])
        extend(body[self.element], *objects(asked.get("extension")))
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
