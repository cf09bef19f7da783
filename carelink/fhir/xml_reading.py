"""XML that was sent, as the JSON that it means (R4 2.6.1): numbers keep their text, a narrative keeps its bytes.

No document type, no entities of one's own, no other encoding than UTF-8; so deep and so large and no further.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from carelink.errors import Invalid
from carelink.fhir.r4_elements import Element, Structure, resource_structure, structure, within
from carelink.fhir.xml_writing import FHIR, XHTML
from fhir_adapters.exact_json import ExactDecimal

DEEPEST = 100
MOST = 200_000  # elements
PLACE = "body"
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]{0,999})(\.[0-9]{1,999})?([eE][+-]?[0-9]{1,3})?")
_INTEGER = re.compile(r"[-+]?[0-9]{1,20}")
_NUMBERS = frozenset({"integer", "positiveInt", "unsignedInt"})


def read(sent: bytes) -> dict[str, Any]:
    """The resource. Raises `Invalid` with the place of the first thing that is wrong."""
    root = _tree(sent)
    if not root.name.startswith(f"{FHIR} "):
        raise Invalid(PLACE, f"must be a resource in the namespace {FHIR}")
    return _resource(root, "")


# The document ---------------------------------------------------------------------------------------


@dataclass
class _Node:
    name: str
    attributes: Mapping[str, str]
    children: list[_Node] = field(default_factory=list)
    markup: str = ""  # of a narrative: all of it, as it was sent


def _tree(sent: bytes) -> _Node:
    try:
        text = sent.decode("utf-8-sig").encode()
        reader = _Reader(text)
        return reader.read()
    except UnicodeDecodeError as wrong:
        raise Invalid(PLACE, "is not UTF-8") from wrong
    except expat.ExpatError as wrong:
        raise Invalid(PLACE, f"is not XML: line {wrong.lineno}, column {wrong.offset}") from wrong


class _Reader:
    """Builds the tree while expat reads; a narrative is taken as it stands, from its first byte to its last."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._open: list[_Node] = []
        self._root: _Node | None = None
        self._seen = 0
        self._narrative = 0  # how deep within one
        self._from = -1  # where it began; it ends where the next thing begins
        self._parser = expat.ParserCreate("UTF-8", " ")
        self._parser.buffer_text = False
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.CommentHandler = lambda _: self._close()
        self._parser.ProcessingInstructionHandler = self._forbidden
        self._parser.StartDoctypeDeclHandler = self._forbidden

    def read(self) -> _Node:
        self._parser.Parse(self._text, True)
        assert self._root is not None, "expat knows no document without an element"
        return self._root

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._close()
        self._seen += 1
        if self._seen > MOST or len(self._open) + self._narrative > DEEPEST:
            raise Invalid(PLACE, f"has more than {MOST} elements, or is nested deeper than {DEEPEST}")
        if self._narrative or name == f"{XHTML} div":
            if not self._narrative:
                self._from = self._parser.CurrentByteIndex
                self._add(_Node(name, {}))
            self._narrative += 1
            return
        node = _Node(name, attributes)
        self._add(node)
        self._open.append(node)

    def _add(self, node: _Node) -> None:
        if self._open:
            self._open[-1].children.append(node)
        else:
            self._root = node

    def _end(self, _: str) -> None:
        self._close()
        if self._narrative:
            self._narrative -= 1
        else:
            self._open.pop()

    def _characters(self, text: str) -> None:
        self._close()
        if not self._narrative and text.strip():
            raise Invalid(PLACE, "has text beside its elements, where FHIR has none")

    def _close(self) -> None:
        """A narrative that is over ends here."""
        if self._narrative or self._from < 0:
            return
        if self._open:
            self._open[-1].children[-1].markup = self._text[self._from : self._parser.CurrentByteIndex].decode()
        self._from = -1

    def _forbidden(self, *_: object) -> None:
        raise Invalid(PLACE, "has a document type or a processing instruction, which are not read here")


# What it means --------------------------------------------------------------------------------------


def _resource(node: _Node, place: str) -> dict[str, Any]:
    type_ = _local(node, place or PLACE)
    of = resource_structure(type_)
    if of is None:
        raise Invalid(place or PLACE, "is not a resource of FHIR R4")
    if node.attributes:
        raise Invalid(type_, "has an attribute, where a resource has none")
    return {"resourceType": type_, **_body(node, of, place or type_)}


def _local(node: _Node, place: str) -> str:
    namespace, _, name = node.name.rpartition(" ")
    if namespace != FHIR and not (namespace == XHTML and name == "div"):
        raise Invalid(place, "has an element of another namespace")
    return name


def _body(node: _Node, of: Structure, place: str) -> dict[str, Any]:
    found: dict[str, list[_Node]] = {}
    for child in node.children:
        found.setdefault(_local(child, place), []).append(child)
    body: dict[str, Any] = {}
    for name, children in found.items():
        element = of.elements.get(name)
        if element is None:
            raise Invalid(f"{place}.{name}"[:200], "is not an element of this type")
        if len(children) > 1 and not element.many:
            raise Invalid(f"{place}.{name}", "stands more than once")
        body |= _named(element, list(_values(element, children, f"{place}.{name}")))
    return body


def _named(element: Element, values: list[tuple[Any, Any]]) -> dict[str, Any]:
    """Under their names in JSON: values, and beside primitives what is told of them (R4 2.6.2.3)."""
    said, beside = [value for value, _ in values], [more for _, more in values]
    made: dict[str, Any] = {}
    if any(value is not None for value in said):
        made[element.name] = said if element.many else said[0]
    if any(more is not None for more in beside):
        made[f"_{element.name}"] = beside if element.many else beside[0]
    return made


def _values(element: Element, children: list[_Node], place: str) -> Iterator[tuple[Any, Any]]:
    for number, child in enumerate(children):
        yield _value(element, child, f"{place}[{number}]" if element.many else place)


def _value(element: Element, node: _Node, place: str) -> tuple[Any, Any]:
    if element.datatype == "xhtml":
        return _div(node, place), None
    if element.datatype == "Resource":
        if len(node.children) != 1 or node.attributes:
            raise Invalid(place, "must hold one resource")
        return _resource(node.children[0], place), None
    if element.primitive:
        return _primitive(element, node, place)
    of = within(element)
    assert of is not None, "what is no primitive and no resource has elements"
    given = _attributes(node, ("id", "url") if of.name == "Extension" else ("id",), place)
    body = {**given, **_body(node, of, place)}
    if not body:
        raise Invalid(place, "is empty")
    return body, None


def _attributes(node: _Node, known: tuple[str, ...], place: str) -> dict[str, str]:
    if unknown := set(node.attributes) - set(known):
        raise Invalid(place, f"has the attribute {min(unknown)[:60]}, which FHIR R4 does not know there")
    return dict(node.attributes)


def _primitive(element: Element, node: _Node, place: str) -> tuple[Any, Any]:
    given = _attributes(node, ("id", "value"), place)
    text = given.pop("value", None)
    of = structure("Element")
    assert of is not None
    beside = {**given, **_body(node, of, place)}
    if text is None and not beside:
        raise Invalid(place, "has no value")
    return (None if text is None else _meant(element.datatype, text, place)), beside or None


def _meant(datatype: str, text: str, place: str) -> Any:
    """The value in JSON: a truth, a number with its own text, or text."""
    if datatype == "boolean":
        if text not in ("true", "false"):
            raise Invalid(place, "must be true or false")
        return text == "true"
    if datatype == "decimal":
        if not _DECIMAL.fullmatch(text):
            raise Invalid(place, "must be a number")
        return ExactDecimal(text)
    if datatype in _NUMBERS:
        if not _INTEGER.fullmatch(text):
            raise Invalid(place, "must be a whole number")
        return int(text)
    return text


def _div(node: _Node, place: str) -> str:
    """As it was sent; it must be read by itself, without what stands around it."""
    markup = node.markup
    if not re.match(r"<div[\s/>]", markup):
        raise Invalid(place, f'must be a <div xmlns="{XHTML}">')
    declared = markup if _stands_alone(markup) else f'<div xmlns="{XHTML}"{markup[len("<div") :]}'
    if not _stands_alone(declared):
        raise Invalid(place, f'must be a <div xmlns="{XHTML}"> that is well-formed by itself')
    return declared


def _stands_alone(markup: str) -> bool:
    names: list[str] = []
    parser = expat.ParserCreate("UTF-8", " ")
    parser.StartElementHandler = lambda name, _: names.append(name)
    try:
        parser.Parse(markup.encode(), True)
    except expat.ExpatError:
        return False
    return names[0] == f"{XHTML} div"
