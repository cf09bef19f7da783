"""FHIR R4 XML as JSON values: what is a list, and what is a number, the resource models say."""

from __future__ import annotations

import typing
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

from fhir.resources.R4B import get_fhir_model_class

from fhir_adapters.exact_json import ExactDecimal
from fhir_adapters.simulators.fhir import Json

FHIR = "{http://hl7.org/fhir}"
XHTML = "{http://www.w3.org/1999/xhtml}"


def read(text: bytes) -> Json:
    """The resource as its JSON has it. Raises KeyError or ElementTree.ParseError for what is no FHIR R4 XML."""
    return _resource(ElementTree.fromstring(text))


def _resource(element: ElementTree.Element) -> Json:
    type_ = element.tag.removeprefix(FHIR)
    return {"resourceType": type_} | _object(element, get_fhir_model_class(type_))


def _object(element: ElementTree.Element, model: Any) -> Json:
    """The element's children by name; attributes (`id`, `url`) are elements in JSON."""
    found: Json = dict(element.attrib)
    fields = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    for child in element:
        name = child.tag.removeprefix(FHIR)
        if name.startswith(XHTML):
            found["div"] = _xhtml(child)
            continue
        kind, many = _kind(fields[name])
        value, beside = _value(child, kind)
        if many:
            _append(found, name, value, beside)
        else:
            found |= ({name: value} if value is not None else {}) | ({f"_{name}": beside} if beside else {})
    return found


def _append(found: Json, name: str, value: Any, beside: Json | None) -> None:
    """Adds to a list; its primitives' extensions stand in a list of the same length."""
    found.setdefault(name, []).append(value)
    if beside or f"_{name}" in found:
        others = found.setdefault(f"_{name}", [])
        others += [None] * (len(found[name]) - 1 - len(others))
        others.append(beside)


def _value(child: ElementTree.Element, kind: Any) -> tuple[Any, Json | None]:
    """The value, and for a primitive what is said about it (its id and extensions)."""
    type_ = getattr(kind, "__name__", "").removesuffix("Type")
    if type_ == "Resource":
        return _resource(child[0]), None
    if getattr(kind, "__module__", "") == "abc":
        return _object(child, get_fhir_model_class(type_)), None
    beside: Json = {key: value for key, value in child.attrib.items() if key != "value"}
    extension = get_fhir_model_class("Extension")
    if len(child):
        beside["extension"] = [_object(one, extension) for one in child]
    text = child.get("value")
    return (None if text is None else _primitive(text, kind)), beside or None


def _primitive(text: str, kind: Any) -> Any:
    if kind is bool:
        return text == "true"
    if kind is int:
        return int(text)
    return ExactDecimal(text) if kind is Decimal else text


def _kind(annotation: Any) -> tuple[Any, bool]:
    """What the annotation is about at its heart, and whether it is a list of that."""
    many = False
    while arguments := [one for one in typing.get_args(annotation) if one is not type(None)]:
        many = many or typing.get_origin(annotation) is list
        annotation = arguments[0]
    return annotation, many


def _xhtml(element: ElementTree.Element) -> str:
    for one in element.iter():
        one.tag = one.tag.removeprefix(XHTML)
    element.set("xmlns", XHTML.strip("{}"))
    element.tail = None
    return ElementTree.tostring(element, encoding="unicode")
