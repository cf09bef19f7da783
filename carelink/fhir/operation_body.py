"""What an operation is asked with: in the address, or in the body as Parameters (FHIR R4 2.45). Each name said or refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import request

from carelink.errors import Invalid
from carelink.fhir.asking import Given
from carelink.fhir.sent import resource

TYPE = "Parameters"
MOST = 50  # in one body
LONGEST = 2000  # characters of one value


@dataclass(frozen=True)
class Sent:
    """One parameter of a body: `kind` is `resource`, or the type of its value as FHIR writes it (`Boolean`, `Instant`)."""

    place: str
    name: str
    kind: str
    value: Any


def in_body() -> tuple[Sent, ...]:
    """The parameters of the body that was sent; none where it is empty. Raises `Invalid`, `UnsupportedMediaType`."""
    return tuple(parameters(resource(TYPE))) if request.get_data() else ()


def parameters(body: Mapping[str, Any]) -> Iterator[Sent]:
    """What a Parameters resource says. Raises `Invalid` with the place of what is no parameter."""
    listed = body.get("parameter", [])
    if not isinstance(listed, list) or len(listed) > MOST:
        raise Invalid(f"{TYPE}.parameter", f"must be a list of at most {MOST}")
    for number, one in enumerate(listed):
        yield _sent(f"{TYPE}.parameter[{number}]", one)


def _sent(place: str, one: Any) -> Sent:
    if not isinstance(one, Mapping) or not isinstance(one.get("name"), str) or not one["name"]:
        raise Invalid(place, "must have a name")
    said = [key for key in one if key.startswith("value") or key in ("resource", "part")]
    if len(said) != 1 or said == ["part"]:
        raise Invalid(place, "must have one value, or a resource")
    return Sent(place, one["name"], said[0].removeprefix("value"), one[said[0]])


def as_given(sent: tuple[Sent, ...]) -> Given:
    """Plain values as an address would have them. Raises `Invalid` for one that can't stand in an address."""
    return [(one.name, _plain(one)) for one in sent]


def _plain(one: Sent) -> str:
    if isinstance(one.value, bool):
        return "true" if one.value else "false"
    if isinstance(one.value, int):
        return str(one.value)
    if not isinstance(one.value, str) or len(one.value) > LONGEST or one.kind == "resource":
        raise Invalid(one.place, f"must be a plain value of at most {LONGEST} characters")
    return one.value


def once(sent: tuple[Sent, ...], known: Mapping[str, str]) -> dict[str, Sent]:
    """Each parameter by its name; `known` are the names, each with the kind that it must be.

    Raises `Invalid` for one that is not known, is of another kind, or is there twice.
    """
    found: dict[str, Sent] = {}
    for one in sent:
        if one.name not in known:
            raise Invalid(one.name[:100], f"is not a parameter of this operation here; known are {', '.join(known)}")
        if one.name in found:
            raise Invalid(one.place, f"gives {one.name} a second time")
        if one.kind != known[one.name]:
            raise Invalid(one.place, f"must be {_said(known[one.name])}")
        found[one.name] = one
    return found


def _said(kind: str) -> str:
    return "a resource" if kind == "resource" else f"a value{kind}"
