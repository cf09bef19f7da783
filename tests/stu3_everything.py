"""STU3 resources that have every element of their type, read from the models of STU3 itself: no value in them comes twice."""

from __future__ import annotations

import base64
import re
import typing
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from fhir.resources.STU3 import get_fhir_model_class

from fhir_adapters.exact_json import ExactDecimal

Body = dict[str, Any]

# What is the same in every resource, or no content of it: extensions, modifiers, narrative and contained have own tests.
LEFT_OUT = frozenset(
    ["fhir_comments", "id", "implicitRules", "language", "meta", "contained", "extension", "modifierExtension", "text"]
)
_CODE = re.compile(r"[A-Za-z0-9-]+|[<>]=?")
_NOT_INSIDE = frozenset({"fhir_comments", "extension", "modifierExtension"})
_UNTOLD = {
    "comparator": ["<", ">="],
    "priority": ["routine", "urgent", "asap", "stat"],
    "when": ["MORN", "HS"],
}  # bound to more codes than the models tell
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_BESIDE = "https://supplier.example/StructureDefinition/beside"


def everything(type_: str, *, beside: bool = False) -> list[Body]:
    """As many resources as it takes to have each choice of type and each code once.

    `beside`: what FHIR writes beside a primitive (`_status`) is there too.
    """
    first = _Filling(0, beside)
    made = [_resource(type_, first)]
    return made + [_resource(type_, _Filling(turn, beside)) for turn in range(1, first.turns)]


def _resource(type_: str, filling: _Filling) -> Body:
    about = {"resourceType": type_, "id": f"{type_}-{filling.turn}"}
    return about | _element(get_fhir_model_class(type_), (type_,), filling, LEFT_OUT)


@dataclass
class _Filling:
    """One resource while it is filled: which of the choices and codes are its turn, and a number for the next value."""

    turn: int
    beside: bool
    number: int = 0
    turns: int = field(default=1)

    def next(self) -> int:
        self.number += 1
        return self.number

    def choose(self, of: list[str]) -> str:
        self.turns = max(self.turns, len(of))
        return of[self.turn % len(of)]


def _element(model: Any, way: tuple[str, ...], filling: _Filling, left_out: frozenset[str] = LEFT_OUT) -> Body:
    fields = {str(one.alias or name): one for name, one in model.model_fields.items()}
    choices: dict[str, list[str]] = defaultdict(list)
    for name, one in fields.items():
        if group := _extra(one).get("one_of_many"):
            choices[group].append(name)
    skipped = {name for group in choices.values() for name in group if name != filling.choose(group)}
    filled: Body = {}
    for name, one in fields.items():
        if not (name in skipped or name in left_out or name in ("id", "resource_type") or name.startswith("_")):
            filled |= _filled(name, one, way, filling)
    return filled


def _filled(name: str, one: Any, way: tuple[str, ...], filling: _Filling) -> Body:
    kind, primitive, many = _kind(one.annotation)
    if getattr(kind, "__module__", "") == "abc":
        type_ = kind.__name__.removesuffix("Type")
        if type_ in way:
            return {}  # items within items: once is enough
        value = _complex(type_, _extra(one), way, filling)
        return {name: [value] if many else value} if value else {}
    value = _primitive(kind, primitive, _codes(name, kind, one), filling)
    told = {"extension": [{"url": _BESIDE, "valueString": f"beside-{filling.next()}"}]} if filling.beside else None
    found = {name: [value] if many else value}
    return found | ({f"_{name}": [told] if many else told} if told else {})


def _complex(type_: str, extra: Mapping[str, Any], way: tuple[str, ...], filling: _Filling) -> Body:
    if type_ == "Reference":
        led = [one for one in extra.get("enum_reference_types", ()) if one not in ("Patient", "Resource")]
        type_ = filling.choose(led) if led else "Basic"
        return {"reference": f"{type_}/led-{filling.next()}", "display": f"display-{filling.next()}"}
    return _element(get_fhir_model_class(type_), (*way, type_), filling, _NOT_INSIDE)


def _primitive(kind: Any, primitive: str, codes: list[str], filling: _Filling) -> Any:
    number = filling.next()
    if codes:
        return filling.choose(codes)
    if kind is bool:
        return True
    made: dict[Any, Callable[[], Any]] = {
        datetime: lambda: (_LONG_AGO + timedelta(minutes=number)).isoformat(),
        date: lambda: (date(1900, 1, 1) + timedelta(days=number)).isoformat(),
        int: lambda: 1000 + number,
        bytes: lambda: base64.b64encode(f"bytes-{number}".encode()).decode(),
    }
    if kind in made:
        return made[kind]()
    if primitive == "Decimal":
        return ExactDecimal(f"{number}.50")
    if primitive == "Time":
        return (_LONG_AGO + timedelta(seconds=number)).time().isoformat()
    return f"urn:word:{number}" if primitive == "Uri" else f"word-{number}"


def _codes(name: str, kind: Any, one: Any) -> list[str]:
    if kind is str and name in _UNTOLD:
        return _UNTOLD[name]
    return [code for code in _extra(one).get("enum_values") or () if _CODE.fullmatch(code)]


def _extra(one: Any) -> Mapping[str, Any]:
    return one.json_schema_extra if isinstance(one.json_schema_extra, Mapping) else {}


def _kind(annotation: Any) -> tuple[Any, str, bool]:
    """What is at the heart of the annotation, the FHIR name of a primitive, and whether it is a list of that."""
    primitive, many = "", False
    while arguments := [one for one in typing.get_args(annotation) if one is not type(None)]:
        if typing.get_origin(annotation) is typing.Annotated:
            primitive = type(arguments[1]).__name__
        many = many or typing.get_origin(annotation) is list
        annotation = arguments[0]
    return annotation, primitive, many


def leaves(node: Any, way: str = "") -> Iterator[tuple[str, str]]:
    """(path without indices, text) of every string and number; a decimal as it is written."""
    if isinstance(node, dict):
        for key, one in node.items():
            yield from leaves(one, f"{way}.{key}" if way else key)
    elif isinstance(node, list):
        for one in node:
            yield from leaves(one, way)
    elif node is not None and not isinstance(node, bool):
        yield way, node.text if isinstance(node, ExactDecimal) else str(node)
