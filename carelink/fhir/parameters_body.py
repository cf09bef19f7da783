"""A Parameters resource in the body of an operation, as names and values. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from carelink.errors import Invalid
from carelink.fhir.asking import Given

TYPE = "Parameters"
MOST = 2000  # parameters of one body


def given(body: Mapping[str, Any]) -> Given:
    """The parameters of the resource in their order; that of a Reference is what it refers to. Raises `Invalid`."""
    found = body.get("parameter", [])
    if not isinstance(found, list) or len(found) > MOST:
        raise Invalid("Parameters.parameter", f"must be a list of at most {MOST}")
    return [_one(number, one) for number, one in enumerate(found)]


def _one(number: int, parameter: Any) -> tuple[str, str]:
    place = f"Parameters.parameter[{number}]"
    if not isinstance(parameter, dict) or not isinstance(parameter.get("name"), str):
        raise Invalid(place, "must be an object with a name")
    values = list(_values(parameter))
    if len(values) != 1:
        raise Invalid(place, "must have one value")
    return str(parameter["name"]), _text(place, values[0])


def _values(parameter: dict[str, Any]) -> Iterator[Any]:
    yield from (value for name, value in parameter.items() if name.startswith("value"))


def _text(place: str, value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("reference")
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str):
        raise Invalid(place, "must be a text, a code, an instant or a Reference")
    return value
