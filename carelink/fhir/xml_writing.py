"""A resource as XML (R4 2.6.1), element by element from its JSON: nothing goes through a model that would write it anew.

Texts, decimals and dates stand in the XML as they stand in the JSON; XML itself can't hold some control characters,
which become U+FFFD.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape, unescape
from itertools import zip_longest
from typing import Any
from xml.parsers import expat

from werkzeug.exceptions import NotAcceptable

from carelink.fhir.r4_elements import Element, Structure, resource_structure, structure, within
from fhir_adapters.exact_json import ExactDecimal

FHIR, XHTML = "http://hl7.org/fhir", "http://www.w3.org/1999/xhtml"
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_IN_XML = ("amp", "lt", "gt", "quot", "apos")
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
# White space in an attribute would be read as blanks, were it not written so (XML 1.0, 3.3.3).
_ATTRIBUTE = str.maketrans({"&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"})
Body = Mapping[str, Any]


def written(resource: Body, *, pretty: bool = False) -> bytes:
    """The XML, in UTF-8. Raises `NotAcceptable` for what has an element that R4 does not know, or is nested too deeply."""
    out = _Out(pretty)
    try:
        out.resource(resource, FHIR)
    except RecursionError as deep:
        raise NotAcceptable("This is nested too deeply to be written as XML; ask for JSON") from deep
    return ("<?xml version='1.0' encoding='UTF-8'?>" + "".join(out.parts)).encode()


class _Out:
    """What was written so far."""

    def __init__(self, pretty: bool) -> None:
        self.parts: list[str] = []
        self._pretty = pretty
        self._depth = 0

    def resource(self, body: Body, namespace: str = "") -> None:
        of = resource_structure(str(body.get("resourceType")))
        if of is None:
            raise NotAcceptable("This holds a resource that FHIR R4 has no XML for; ask for JSON")
        attributes = {"xmlns": namespace} if namespace else {}
        self._element(of.name, attributes, body, of)

    def _element(self, name: str, attributes: Mapping[str, str], body: Body, of: Structure | None) -> None:
        said = "".join(f' {key}="{_attribute(value)}"' for key, value in attributes.items())
        self._line()
        before = len(self.parts)
        self.parts.append(f"<{name}{said}>")
        self._depth += 1
        if of is not None:
            self._children(body, of)
        self._depth -= 1
        if len(self.parts) == before + 1:
            self.parts[before] = f"<{name}{said}/>"
        else:
            self._line()
            self.parts.append(f"</{name}>")

    def _children(self, body: Body, of: Structure) -> None:
        skipped = _attributes_of(of)
        for name, element in of.elements.items():
            if name not in skipped and (name in body or f"_{name}" in body):
                self._values(element, body.get(name), body.get(f"_{name}"))
        unknown = {name.removeprefix("_") for name in body} - set(of.elements) - {"resourceType"}
        if unknown:
            raise NotAcceptable(f"This has an element that FHIR R4 does not know in {of.name}; ask for JSON")

    def _values(self, element: Element, value: Any, beside: Any) -> None:
        if value is not None and isinstance(value, list) is not element.many:
            raise NotAcceptable(f"{element.name} is not what FHIR R4 has there; ask for JSON")
        values = value if isinstance(value, list) else [value]
        told = beside if isinstance(beside, list) else [beside]
        for one, more in zip_longest(values, told):
            self._value(element, one, more)

    def _value(self, element: Element, value: Any, beside: Any) -> None:
        if element.datatype == "xhtml":
            self._line()
            self.parts.append(narrative(str(value)))
        elif element.datatype == "Resource":
            self._line()
            self.parts.append(f"<{element.name}>")
            self._depth += 1
            self.resource(value)
            self._depth -= 1
            self._line()
            self.parts.append(f"</{element.name}>")
        elif element.primitive:
            said = {} if value is None else {"value": _text(value)}
            self._primitive(element.name, said, beside or {})
        else:
            self._complex(element, value)

    def _primitive(self, name: str, said: Mapping[str, str], beside: Body) -> None:
        identified = {"id": str(beside["id"])} if "id" in beside else {}
        self._element(name, {**identified, **said}, beside, structure("Element") if beside else None)

    def _complex(self, element: Element, value: Any) -> None:
        of = within(element)
        if not isinstance(value, Mapping) or of is None:
            raise NotAcceptable(f"{element.name} is not what FHIR R4 has there; ask for JSON")
        attributes = {name: _text(value[name]) for name in _attributes_of(of) if name in value}
        self._element(element.name, attributes, value, of)

    def _line(self) -> None:
        if self._pretty:
            self.parts.append("\n" + "  " * self._depth)


def _attributes_of(of: Structure) -> tuple[str, ...]:
    """What stands in attributes (R4 2.6.1): ids within a resource, and which extension it is."""
    if of.is_resource:
        return ()
    return ("id", "url") if of.name == "Extension" else ("id",)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.text if isinstance(value, ExactDecimal) else str(value)


def _attribute(text: str) -> str:
    return _ILLEGAL.sub("\ufffd", text).translate(_ATTRIBUTE)


# Narrative ------------------------------------------------------------------------------------------


def narrative(div: str) -> str:
    """XHTML as it stands in the XML: untouched where it is well-formed, else its source as plain text."""
    text = _ILLEGAL.sub("\ufffd", div).strip()
    for one in (text, _ENTITY.sub(_named, text)):
        if (found := _well_formed(one)) is not None:
            return found
    return f'<div xmlns="{XHTML}"><pre>{escape(text, quote=False)}</pre></div>'


def _named(entity: re.Match[str]) -> str:
    """An entity of HTML as the character that it means: XML knows five of them alone."""
    return entity[0] if entity[1] in _IN_XML else unescape(entity[0])


def _well_formed(text: str) -> str | None:
    if not re.match(r"<div[\s/>]", text):
        return None
    root: list[str] = []
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = lambda name, _: root.append(name)
    parser.StartDoctypeDeclHandler = _refused
    parser.ProcessingInstructionHandler = _refused
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, ValueError):
        return None
    if root[0] == "div":
        return f'<div xmlns="{XHTML}"{text[len("<div") :]}'
    return text if root[0] == f"{XHTML} div" else None


def _refused(*_: object) -> None:
    raise ValueError("nothing of this in a narrative")
