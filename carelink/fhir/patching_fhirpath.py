"""FHIRPath Patch (R4 fhirpatch): a Parameters resource with operations, each at the place that a FHIRPath names. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from carelink.errors import Invalid
from carelink.fhir.fhirpath_places import (
    Here,
    Pair,
    Path,
    Spot,
    elements_named,
    inside,
    pairs,
    path_of,
    put_pairs,
)
from carelink.fhir.r4_elements import Element, Structure, resource_structure, within

MOST = 1000  # operations
Body = dict[str, Any]


@dataclass(frozen=True)
class _Given:
    """A value as Parameters give it: of one datatype, or in parts where no datatype has such a thing."""

    datatype: str = ""  # as in valueCodeableConcept
    value: Any = None
    beside: Any = None
    parts: tuple[tuple[str, _Given], ...] = ()


@dataclass(frozen=True)
class _Operation:
    parts: Mapping[str, Mapping[str, Any]]
    place: str

    def text(self, name: str) -> str:
        """Raises `Invalid` where it is not given."""
        found = next((value for key, value in self._part(name).items() if key.startswith("value")), None)
        if not isinstance(found, str) or not found:
            raise Invalid(f"{self.place}.{name}", "must be given as text")
        return found

    def number(self, name: str) -> int:
        """Raises `Invalid` where it is not given."""
        found = self._part(name).get("valueInteger")
        if type(found) is not int or found < 0:
            raise Invalid(f"{self.place}.{name}", "must be given as valueInteger, from 0")
        return found

    def value(self) -> _Given:
        """Raises `Invalid` where there is none, or more than one."""
        return _given(self._part("value"), f"{self.place}.value")

    def path(self, root: Here) -> Path:
        return path_of(self.text("path"), root.of.name, f"{self.place}.path")

    def _part(self, name: str) -> Mapping[str, Any]:
        if name not in self.parts:
            raise Invalid(f"{self.place}.{name}", "is missing")
        return self.parts[name]


def applied(body: Body, patch: Any) -> Body:
    """The resource after all operations, one after the other; it may be changed meanwhile. Raises `Invalid`."""
    of = resource_structure(str(body.get("resourceType")))
    if of is None:
        raise Invalid("resourceType", "is not a resource of FHIR R4")
    for number, parameter in enumerate(_operations(patch)):
        place = f"Parameters.parameter[{number}]"
        operation = _operation(parameter, place)
        act = _ACTS.get(operation.text("type"))
        if act is None:
            raise Invalid(f"{place}.type", f"must be one of {', '.join(_ACTS)}")
        act(Here(body, of), operation)
    return body


def _operations(patch: Any) -> Sequence[Any]:
    if not isinstance(patch, Mapping) or patch.get("resourceType") != "Parameters":
        raise Invalid("patch", "must be a Parameters resource with operations")
    found = patch.get("parameter", ())
    if not isinstance(found, list) or not found or len(found) > MOST:
        raise Invalid("Parameters.parameter", f"must hold from 1 to {MOST} operations")
    return found


def _operation(parameter: Any, place: str) -> _Operation:
    parts = parameter.get("part") if isinstance(parameter, Mapping) else None
    if not isinstance(parts, list) or parameter.get("name") != "operation":
        raise Invalid(place, "must be named operation, and have parts")
    found: dict[str, Mapping[str, Any]] = {}
    for one in parts:
        name = one.get("name") if isinstance(one, Mapping) else None
        if name not in ("type", "path", "name", "value", "index", "source", "destination") or name in found:
            raise Invalid(place, "has a part that no operation has, or has one twice")
        found[str(name)] = one
    return _Operation(found, place)


def _given(part: Mapping[str, Any], place: str) -> _Given:
    if isinstance(part.get("part"), list):
        return _Given(parts=tuple(_named(one, f"{place}.part[{number}]") for number, one in enumerate(part["part"])))
    if "resource" in part:
        return _Given("Resource", deepcopy(part["resource"]))
    names = {name.removeprefix("_") for name in part if name.removeprefix("_").startswith("value")}
    if len(names) != 1:
        raise Invalid(place, "must have one value")
    (name,) = names
    return _Given(name.removeprefix("value"), deepcopy(part.get(name)), deepcopy(part.get(f"_{name}")))


def _named(part: Any, place: str) -> tuple[str, _Given]:
    if not isinstance(part, Mapping) or not isinstance(part.get("name"), str):
        raise Invalid(place, "must have a name")
    return part["name"], _given(part, place)


# What it does ---------------------------------------------------------------------------------------


def _add(root: Here, operation: _Operation) -> None:
    """At the end of a collection, or where nothing is yet."""
    name, given = operation.text("name"), operation.value()
    here = _holder(root, operation.path(root))
    place = f"{operation.place}.name"
    element = _element(here.of, name, given, place)
    there = [one for each in elements_named(here.of, element.stem, place) for one in pairs(here.body, each)]
    if there and not element.many:
        raise Invalid(place, f"{name[:60]} is there already; replace it")
    made = _made(element, given, f"{operation.place}.value")
    put_pairs(here.body, element, [*pairs(here.body, element), made])


def _insert(root: Here, operation: _Operation) -> None:
    here, element = _collection(root, operation)
    index, values = operation.number("index"), pairs(here.body, element)
    if index > len(values):
        raise Invalid(f"{operation.place}.index", f"must be from 0 to {len(values)}")
    values.insert(index, _made(element, operation.value(), f"{operation.place}.value"))
    put_pairs(here.body, element, values)


def _delete(root: Here, operation: _Operation) -> None:
    """Nothing where it is not there (R4: the element to delete, if found)."""
    path = operation.path(root)
    found = path.spots(root)
    if not path.steps or len(found) > 1:
        raise Invalid(path.place, f"must name one element, and names {len(found) or 'the whole resource'}")
    for spot in found:
        values = pairs(spot.parent, spot.element)
        del values[spot.index]
        put_pairs(spot.parent, spot.element, values)


def _replace(root: Here, operation: _Operation) -> None:
    spot, given = _single(root, operation.path(root)), operation.value()
    place = f"{operation.place}.value"
    element = spot.element
    if element.stem != element.name and given.datatype:  # a choice may be of another datatype now
        siblings = {one.name: one for one in spot.of.elements.values() if one.stem == element.stem}
        element = siblings.get(f"{element.stem}{given.datatype}", element)
    made = _made(element, given, place)
    if element is spot.element:
        spot.put(made)
    else:
        put_pairs(spot.parent, spot.element, [])
        put_pairs(spot.parent, element, [made])


def _move(root: Here, operation: _Operation) -> None:
    here, element = _collection(root, operation)
    values = pairs(here.body, element)
    source, destination = operation.number("source"), operation.number("destination")
    for name, number in (("source", source), ("destination", destination)):
        if number >= len(values):
            raise Invalid(f"{operation.place}.{name}", f"must be less than {len(values)}")
    values.insert(destination, values.pop(source))
    put_pairs(here.body, element, values)


_ACTS: Mapping[str, Callable[[Here, _Operation], None]] = {
    "add": _add,
    "insert": _insert,
    "delete": _delete,
    "replace": _replace,
    "move": _move,
}


# Where, and what ------------------------------------------------------------------------------------


def _single(root: Here, path: Path) -> Spot:
    found = path.spots(root)
    if len(found) != 1:
        raise Invalid(path.place, f"must name one element, and names {len(found)}")
    return found[0]


def _holder(root: Here, path: Path) -> Here:
    return inside(_single(root, path), make=True) if path.steps else root


def _collection(root: Here, operation: _Operation) -> tuple[Here, Element]:
    above, name = operation.path(root).above()
    here = _holder(root, above)
    (element, *others) = elements_named(here.of, name, above.place)
    if others or not element.many:
        raise Invalid(above.place, "must name a collection: an element that may be there more than once")
    return here, element


def _element(of: Structure, name: str, given: _Given, place: str) -> Element:
    """The element that a value is for; of a choice, the one of its datatype."""
    found = elements_named(of, name, place)
    chosen = [one for one in found if one.name in (name, f"{name}{given.datatype}")]
    if not chosen:
        raise Invalid(place, f"{name[:60]} can't be a {given.datatype[:60] or 'thing of parts'}")
    return chosen[0]


def _made(element: Element, given: _Given, place: str) -> Pair:
    """The value, and what is told beside it. Raises `Invalid` for a datatype that the element is not of."""
    if not given.parts:
        if element.primitive == isinstance(given.value, (dict, list)) and given.value is not None:
            raise Invalid(place, f"is not what {element.name} holds: {element.datatype}")
        return given.value, given.beside
    of = within(element)
    if of is None:
        raise Invalid(place, f"has parts, and {element.name} has none")
    here = Here({}, of)
    for number, (name, part) in enumerate(given.parts):
        at = f"{place}.part[{number}]"
        inner = _element(of, name, part, at)
        there = pairs(here.body, inner)
        if there and not inner.many:
            raise Invalid(at, f"{name[:60]} is there twice")
        put_pairs(here.body, inner, [*there, _made(inner, part, at)])
    return here.body, None
