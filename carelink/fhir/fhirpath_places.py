"""Where in a resource a FHIRPath points. Not FHIRPath as a whole: what names a place to change (docs/fhir.md says which).

Patient.name[0].given    Patient.name.where(use = 'official' and family.exists()).first()
Observation.value        Patient.birthDate.extension('http://…')    Observation.component.value.ofType(Quantity)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from carelink.errors import Invalid
from carelink.fhir.r4_elements import Element, Structure, resource_structure, structure, within

LONGEST = 1000
MOST = 100  # steps
Pair = tuple[Any, Any]  # a value, and what is told beside a primitive one (R4 2.6.2.3)
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*')|(?P<number>-?[0-9]+(?:\.[0-9]+)?)|(?P<name>[A-Za-z_$%][A-Za-z0-9_]*|`[^`]+`)"
    r"|(?P<sign>!=|[.()\[\]=]))"
)


@dataclass(frozen=True)
class Spot:
    """One value in a resource: which element of which object (and of what kind that is), and the how manieth of it."""

    parent: dict[str, Any]
    of: Structure
    element: Element
    index: int

    @property
    def pair(self) -> Pair:
        return pairs(self.parent, self.element)[self.index]

    def put(self, pair: Pair) -> None:
        """Another value in its place."""
        all_of = pairs(self.parent, self.element)
        all_of[self.index] = pair
        put_pairs(self.parent, self.element, all_of)


@dataclass(frozen=True)
class Here:
    """An object in a resource that has elements, and of what kind it is."""

    body: dict[str, Any]
    of: Structure


def pairs(parent: dict[str, Any], element: Element) -> list[Pair]:
    """All values of an element, each with what is told beside it."""
    value, beside = parent.get(element.name), parent.get(f"_{element.name}")
    values = value if isinstance(value, list) else [] if value is None else [value]
    told = beside if isinstance(beside, list) else [] if beside is None else [beside]
    size = max(len(values), len(told))
    return [(_nth(values, number), _nth(told, number)) for number in range(size)]


def _nth(values: list[Any], number: int) -> Any:
    return values[number] if number < len(values) else None


def put_pairs(parent: dict[str, Any], element: Element, values: list[Pair]) -> None:
    """These in the place of all that the element had; nothing where there are none: FHIR has no empty arrays."""
    for name, number in ((element.name, 0), (f"_{element.name}", 1)):
        parent.pop(name, None)
        said = [pair[number] for pair in values]
        if any(one is not None for one in said):
            parent[name] = said if element.many else said[0]


# Steps ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Condition:
    """Of `where`: a path within each, that must be there or be equal to a value."""

    steps: tuple[_Step, ...]
    sign: str  # exists, = or !=
    value: Any = None


@dataclass(frozen=True)
class _Step:
    """An element (`name`), or a function on what was found so far."""

    name: str
    function: bool = False
    argument: Any = None  # of [n], extension and ofType
    conditions: tuple[_Condition, ...] = ()


@dataclass(frozen=True)
class Path:
    """A path that was read; `place` names it in what is said of it."""

    steps: tuple[_Step, ...]
    place: str

    def spots(self, root: Here) -> list[Spot]:
        """All that it points at. Raises `Invalid` for an element that R4 does not have there."""
        return self._found(self.steps, root)

    def _found(self, steps: tuple[_Step, ...], root: Here) -> list[Spot]:
        here: list[Here] = [root]
        spots: list[Spot] = []
        for step in steps:
            if not step.function:
                spots = [spot for one in here for spot in self._children(one, step.name)]
            elif step.name == "extension":
                wanted = [spot for one in here for spot in self._children(one, "extension")]
                spots = [one for one in wanted if one.pair[0].get("url") == step.argument]
            else:
                spots = self._chosen(step, spots)
            here = [inside(spot) for spot in spots]
        return spots

    def _children(self, here: Here, name: str) -> Iterator[Spot]:
        for element in elements_named(here.of, name, self.place):
            for index in range(len(pairs(here.body, element))):
                yield Spot(here.body, here.of, element, index)

    def _chosen(self, step: _Step, spots: list[Spot]) -> list[Spot]:
        if step.name == "[":
            return spots[step.argument : step.argument + 1]
        if step.name == "first":
            return spots[:1]
        if step.name == "last":
            return spots[-1:]
        if step.name == "where":
            return [one for one in spots if all(self._holds(one, each) for each in step.conditions)]
        return [one for one in spots if one.element.datatype == step.argument]  # ofType, as

    def _holds(self, spot: Spot, condition: _Condition) -> bool:
        spots = self._found(condition.steps, inside(spot)) if condition.steps else [spot]
        found = [one.pair[0] for one in spots]
        if condition.sign == "exists":
            return bool(found)
        equal = len(found) == 1 and _equal(found[0], condition.value)
        return equal if condition.sign == "=" else bool(found) and not equal

    def above(self) -> tuple[Path, str]:
        """The path of what holds a collection, and the collection's name. Raises `Invalid` for what names none."""
        if not self.steps or self.steps[-1].function:
            raise Invalid(self.place, "must end with the name of a collection")
        return Path(self.steps[:-1], self.place), self.steps[-1].name


def inside(spot: Spot, *, make: bool = False) -> Here:
    """The object that has the elements of a value: the value itself; of a primitive, what is told beside it.

    With `make` there is one afterwards.
    """
    value, beside = spot.pair
    if spot.element.primitive:
        if beside is None and make:
            beside = {}
            spot.put((value, beside))
        return Here(beside if beside is not None else {}, _known("Element"))
    if not isinstance(value, dict):
        return Here({}, _known("Element"))
    return Here(value, within(spot.element) or _structure_of(value))


def _structure_of(resource: dict[str, Any]) -> Structure:
    return resource_structure(str(resource.get("resourceType"))) or _known("Resource")


def _known(name: str) -> Structure:
    found = structure(name)
    assert found is not None, "R4 has it"
    return found


def elements_named(of: Structure, name: str, place: str) -> list[Element]:
    """The element of that name; of a choice all that it may be. Raises `Invalid` where R4 has none."""
    found = [one for one in of.elements.values() if name in (one.name, one.stem)]
    if not found:
        raise Invalid(place, f"{name[:60]} is no element of {of.name}")
    return found


def _equal(found: Any, wanted: Any) -> bool:
    if isinstance(found, bool) or isinstance(wanted, bool):
        return found is wanted
    return bool(found == wanted)


# Reading --------------------------------------------------------------------------------------------


def path_of(text: Any, type_: str, place: str) -> Path:
    """The path that is written so, within a resource of that type. Raises `Invalid` for what is no path that is known."""
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST:
        raise Invalid(place, f"must be a FHIRPath of at most {LONGEST} characters")
    reader = _Reader(_tokens(text, place), place)
    steps = reader.path()
    if reader.left():
        raise Invalid(place, f"is not understood here from {reader.peek()[:30]}")
    if steps and not steps[0].function and steps[0].name in (type_, "$this", "%resource"):
        steps = steps[1:]
    return Path(steps, place)


def _tokens(text: str, place: str) -> list[str]:
    found: list[str] = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise Invalid(place, f"is not understood here from {text[at : at + 30]}")
        found.append(token[0].strip())
        at = token.end()
    return found


class _Reader:
    """Tokens, one after the other."""

    def __init__(self, tokens: list[str], place: str) -> None:
        self._tokens = tokens
        self._at = 0
        self._place = place

    def left(self) -> bool:
        return self._at < len(self._tokens)

    def peek(self) -> str:
        return self._tokens[self._at] if self.left() else ""

    def _next(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1] if self._at <= len(self._tokens) else ""

    def _expect(self, sign: str) -> None:
        if self._next() != sign:
            raise Invalid(self._place, f"needs a {sign} there")

    def path(self) -> tuple[_Step, ...]:
        steps = [self._step()]
        while self.peek() in (".", "["):
            if len(steps) >= MOST:
                raise Invalid(self._place, f"has more than {MOST} steps")
            if self._next() == "[":
                steps.append(_Step("[", True, self._number()))
                self._expect("]")
            else:
                steps.append(self._step())
        return tuple(steps)

    def _step(self) -> _Step:
        name = self._next().strip("`")
        if not re.fullmatch(r"[A-Za-z_$%][A-Za-z0-9_]*", name):
            raise Invalid(self._place, "needs the name of an element there")
        if self.peek() != "(":
            return _Step(name)
        self._expect("(")
        step = self._function(name)
        self._expect(")")
        return step

    def _function(self, name: str) -> _Step:
        if name in ("first", "last"):
            return _Step(name, True)
        if name == "extension":
            return _Step(name, True, self._literal())
        if name in ("ofType", "as"):
            return _Step("ofType", True, self._next())
        if name == "where":
            conditions = [self._condition()]
            while self.peek() == "and":
                self._next()
                conditions.append(self._condition())
            return _Step(name, True, conditions=tuple(conditions))
        raise Invalid(
            self._place, f"{name[:60]}() is not known here; known are first, last, where, extension, ofType, as"
        )

    def _condition(self) -> _Condition:
        steps = self._tested()
        if self.peek() not in ("=", "!="):
            if steps and steps[-1].name == "exists":
                return _Condition(steps[:-1], "exists")
            raise Invalid(self._place, "where() is asked by = or != or exists(), joined by and")
        return _Condition(steps, self._next(), self._literal())

    def _tested(self) -> tuple[_Step, ...]:
        """A path within `where`, with nothing that asks again but `exists()` at its end."""
        steps: list[_Step] = []
        while True:
            name = self._next().strip("`")
            if name == "exists" and self.peek() == "(":
                self._expect("(")
                self._expect(")")
                return (*steps, _Step("exists", True))
            if not re.fullmatch(r"[A-Za-z_$][A-Za-z0-9_]*", name):
                raise Invalid(self._place, "needs the name of an element there")
            if name != "$this":
                steps.append(_Step(name))
            if self.peek() != ".":
                return tuple(steps)
            self._next()

    def _number(self) -> int:
        text = self._next()
        if not re.fullmatch(r"[0-9]{1,9}", text):
            raise Invalid(self._place, "needs a whole number there")
        return int(text)

    def _literal(self) -> Any:
        text = self._next()
        if text[:1] == "'":
            return re.sub(r"\\(.)", r"\1", text[1:-1])
        if text in ("true", "false"):
            return text == "true"
        if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
            return Decimal(text)
        raise Invalid(self._place, "needs a text in single quotes, a number, true or false there")
