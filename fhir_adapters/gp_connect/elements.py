"""Reaching into a resource: its elements, the objects in them, and extensions for what R4 has no element for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Body = dict[str, Any]
STU3_ELEMENT = "http://hl7.org/fhir/3.0/StructureDefinition/extension-"  # HL7's URL for an element that R4 dropped


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


def pop_objects(body: Body, element: str) -> list[Body]:
    """The objects of an element, taken out. What holds anything else stays where it is, for the check to refuse."""
    value = body.get(element)
    found = objects(value)
    if not found or (isinstance(value, list) and len(found) < len(value)):
        return []
    del body[element]
    return found


def extend(body: Body, *extensions: Body) -> None:
    """Adds extensions to the element."""
    if not extensions:
        return
    present = body.get("extension")
    body["extension"] = [*(present if isinstance(present, list) else []), *extensions]
