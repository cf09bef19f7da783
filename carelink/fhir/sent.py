"""The resource in the body of a request: JSON that means one thing, or XML; else a refusal that names the place."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask import request
from werkzeug.exceptions import UnsupportedMediaType

from carelink.errors import Invalid
from carelink.fhir import xml_reading
from carelink.fhir.forms import FHIR_JSON, FHIR_XML, is_subsetted
from fhir_adapters import exact_json

DEEPEST = 100  # levels: FHIR's own types have no thirty, and whatever walks a body later calls itself at each
LARGEST = 300  # digits before or after the point: past this a number is none for most who read it
_JSON = frozenset({FHIR_JSON, "application/json", "text/json"})
_XML = frozenset({FHIR_XML, "application/xml", "text/xml"})
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"(\s*:)?')

Body = dict[str, Any]


def resource(type_: str, *others: str) -> Body:
    """The resource of that type, or of one of the others, that was sent. Raises `Invalid` with the place,
    `UnsupportedMediaType`.
    """
    body = _read(type_)
    if not isinstance(body, dict):
        raise Invalid(type_, "must be one JSON object")
    if body.get("resourceType") not in (type_, *others):
        raise Invalid("resourceType", f"must be {' or '.join((type_, *others))}")
    if is_subsetted(body):
        raise Invalid(f"{type_}.meta.tag", "says that this is not whole (SUBSETTED), so it can't be stored")
    return body


def _must_be_r4(parameters: Mapping[str, str]) -> None:
    """Raises `UnsupportedMediaType` for another version of FHIR, or text that is not UTF-8 (R4 3.1.0.1.11)."""
    if parameters.get("fhirversion", "4.0") not in ("4.0", "4.0.1"):
        raise UnsupportedMediaType("FHIR R4 is spoken here: fhirVersion=4.0")
    if parameters.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise UnsupportedMediaType("FHIR is written in UTF-8")


def _read(type_: str) -> Any:
    _must_be_r4(request.mimetype_params)
    if request.mimetype in _XML:
        return xml_reading.read(request.get_data())
    if request.mimetype not in _JSON:
        raise UnsupportedMediaType(f"Send it as {FHIR_JSON} or {FHIR_XML}")
    return read_json(type_, request.get_data())


def read_json(what: str, text: bytes) -> Any:
    """The JSON value. Raises `Invalid` for what is no JSON, is nested too deeply, or says something twice."""
    try:
        body = exact_json.loads(text)
    except RecursionError as wrong:
        raise Invalid(what, f"is nested deeper than {DEEPEST} levels") from wrong
    except ValueError as wrong:
        raise Invalid(what, f"is not JSON: {_where(wrong)}") from wrong
    strings = _STRING.findall(text)  # of each, what stands behind it where it is a name
    if _checked(what, body) != len(strings) - strings.count(b""):
        raise Invalid(*_twice(what, text))
    return body


def _where(wrong: ValueError) -> str:
    """At which byte, without anything of what was sent."""
    found = re.search(r"\(byte (\d+)\)", str(wrong))
    return f"malformed at byte {found[1]}" if found else "it ends too early or is not UTF-8"


def _checked(place: str, value: Any) -> int:
    """How many names are in it. Raises `Invalid` for what is too deep."""
    names = 0
    level: list[Any] = [value]
    for _ in range(DEEPEST):
        below: list[Any] = []
        for one in level:
            if type(one) is dict:
                names += len(one)
            for inner in one.values() if type(one) is dict else one if type(one) is list else ():
                kind = type(inner)
                if kind is dict or kind is list:
                    below.append(inner)
                elif kind is not str and _is_out_of_reach(inner):
                    raise Invalid(_place_of(value, inner, place), "must be a number that can be held")
        if not below:
            return names
        level = below
    raise Invalid(place, f"is nested deeper than {DEEPEST} levels")


def _is_out_of_reach(number: Any) -> bool:
    if type(number) is int:
        return bool(abs(number) >= 10**LARGEST)
    if not isinstance(number, Decimal):
        return False
    return bool(not number.is_finite() or abs(number.adjusted()) >= LARGEST)


def _place_of(value: Any, wanted: Any, place: str) -> str:
    """Where in it that very object stands; so deep as was looked."""
    for name, inner in value.items() if isinstance(value, dict) else enumerate(value):
        here = f"{place}.{name}" if isinstance(name, str) else f"{place}[{name}]"
        if inner is wanted:
            return here
        if isinstance(inner, (dict, list)) and (found := _place_of(inner, wanted, here)):
            return found
    return ""


def _twice(what: str, text: bytes) -> tuple[str, str]:
    """The place and the words of a name that stands twice in one object."""
    twice: list[str] = []

    def pairs(said: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in said]
        twice.extend(name for name in names if names.count(name) > 1)
        return dict(said)

    json.loads(text, object_pairs_hook=pairs, parse_float=Decimal)
    place = f"{what}.{twice[0][:60]}" if twice else what
    return place, "stands more than once in one object, so it does not say one thing"
