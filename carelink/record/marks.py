"""What is looked at wherever in a resource it stands: identifiers whose form is known, extensions of UK Core, files. Pure.

Found by a walk of its own; or, where every element is looked at anyway (`validation_elements`), on that one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from carelink.record.ukcore_extensions import PREFIX
from carelink.record.ukcore_finding import Loc
from carelink.record.ukcore_forms import IDENTIFIERS

Element = Mapping[str, Any]
# Elements of R4 that are Attachments; `_SOMETIMES` only where there is a file in them (Media, BodyStructure, RelatedArtifact).
_FILES = frozenset({"attachment", "photo", "presentedForm", "contentAttachment", "valueAttachment", "sourceAttachment"})
_SOMETIMES = frozenset({"content", "image", "document"})


@dataclass
class Marks:
    """What was found, each with its place in the resource."""

    identifiers: list[tuple[Loc, Element]] = field(default_factory=list)
    extensions: list[tuple[Loc, Element]] = field(default_factory=list)
    files: list[tuple[Loc, Element]] = field(default_factory=list)


def marks(body: Element) -> Marks:
    """What stands anywhere in the resource."""
    found = Marks()
    _walked(body, (), found)
    return found


def _walked(element: Element, way: Any, found: Marks) -> None:
    """Every element once. The way to it is a chain of pairs, unrolled only where something is found."""
    _noted(element, way, found)
    for key, value in element.items():
        if type(value) is dict:
            _filed(key, value, (way, key), found)
            _walked(value, (way, key), found)
        elif type(value) is list:
            for index, one in enumerate(value):
                if type(one) is dict:
                    here = ((way, key), index)
                    _filed(key, one, here, found)
                    _walked(one, here, found)


def _noted(element: Element, way: Any, found: Marks) -> None:
    system, url = element.get("system"), element.get("url")
    if type(system) is str and system in IDENTIFIERS:
        found.identifiers.append((_unrolled(way), element))
    if type(url) is str and url.startswith(PREFIX):
        found.extensions.append((_unrolled(way), element))


def note(found: Marks, datatype: str, element: Element, loc: Loc) -> None:
    """The same for an element that a walk is at which knows its datatype."""
    if datatype == "Attachment":
        found.files.append((loc, element))
    elif datatype == "Identifier":
        if element.get("system") in IDENTIFIERS:
            found.identifiers.append((loc, element))
    elif str(element.get("url")).startswith(PREFIX):
        found.extensions.append((loc, element))


NOTED = frozenset({"Attachment", "Extension", "Identifier"})  # datatypes


def _filed(key: str, value: Element, way: Any, found: Marks) -> None:
    if key in _FILES or (key in _SOMETIMES and value.keys() & {"url", "data"}):
        found.files.append((_unrolled(way), value))


def _unrolled(way: Any) -> Loc:
    parts: list[int | str] = []
    while way:
        way, part = way
        parts.append(part)
    return tuple(reversed(parts))
