"""Looks at every element of a resource once more, where the models are lenient: JSON types, codes, empties, invariants."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from carelink.record.invariants import OF_DATATYPE, Invariant
from carelink.record.marks import NOTED, Marks, note
from carelink.record.validation_shapes import Element, Shape, shape_of

Body = dict[str, Any]
Loc = tuple[int | str, ...]


@dataclass(frozen=True)
class Fault:
    """Something wrong at a place. `kind` is what repair rules go by; an invariant may bring its own repair."""

    loc: Loc
    kind: str
    message: str
    was: Any
    invariant: Invariant | None = None
    codes: frozenset[str] = frozenset()  # that would be allowed


def fhir_path(type_: str, loc: Loc) -> str:
    """A place as a FHIRPath: `Patient.name[0].family`."""
    return type_ + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)


@dataclass
class _Seen:
    """What one walk found: faults, ids of what is contained, and the references to them."""

    faults: list[Fault] = field(default_factory=list)
    marks: Marks = field(default_factory=Marks)
    contained: set[str] = field(default_factory=set)
    local: list[tuple[Loc, str]] = field(default_factory=list)


def faults(type_: str, body: Body, marks: Marks | None = None) -> list[Fault]:
    """What is wrong in it though the models let it pass; empty for nearly everything. `marks` gets what is met on the way."""
    shape = shape_of(type_)
    assert shape is not None, "the type is known by now"
    seen = _Seen(marks=marks or Marks())
    _element(body, shape, (), seen)
    if seen.local or seen.contained:
        seen.faults.extend(_references((), body, seen))
    return seen.faults


def _element(element: Body, shape: Shape, loc: Loc, seen: _Seen) -> None:
    known = shape.elements
    for key, value in element.items():
        what = known.get(key)
        if what is None:
            _unknown(key, value, shape, (*loc, key), seen)
            continue
        if type(value) is list:
            _many(element, key, value, what, loc, seen)
        elif what.primitive:
            if type(value) is not str or not value or what.datatype in _TEXTS or what.codes is not None:
                _primitive(value, what, (*loc, key), seen)
        else:
            _complex(value, what, (*loc, key), seen)
    invariants = OF_DATATYPE.get(shape.name)
    if invariants is not None:
        _judge(element, invariants, loc, seen)
    if "modifierExtension" in element:
        _modified(element["modifierExtension"], loc, seen)
    if shape.name == "Reference":
        _note_local(element, loc, seen)
    elif shape.name in NOTED:
        note(seen.marks, shape.name, element, loc)


def _unknown(key: str, value: Any, shape: Shape, loc: Loc, seen: _Seen) -> None:
    """The models let comments pass, which DSTU2 had, and do not know what stands beside the value of an extension."""
    beside = shape.name == "Extension" and key.startswith("_value") and key[1:] in shape.elements
    if beside and isinstance(value, dict) and value:
        return
    if key != "resourceType":
        seen.faults.append(Fault(loc, "extra_forbidden", "is not an element of this type", value))


def _many(element: Body, key: str, values: list[Any], what: Element, loc: Loc, seen: _Seen) -> None:
    beside = element.get(f"_{key}") if what.primitive else None
    if not values:
        seen.faults.append(Fault((*loc, key), "empty", "is empty", values))
    for index, value in enumerate(values):
        at = (*loc, key, index)
        if value is None and (key[0] == "_" or _is_told(beside, index)):
            continue  # a null keeps the place of a value of which only extensions are known (R4 2.6.2.3)
        if what.primitive:
            _primitive(value, what, at, seen)
        else:
            _complex(value, what, at, seen)


def _is_told(beside: Any, index: int) -> bool:
    return isinstance(beside, list) and index < len(beside) and bool(beside[index])


def _complex(value: Any, what: Element, loc: Loc, seen: _Seen) -> None:
    if not isinstance(value, dict):
        seen.faults.append(Fault(loc, "empty" if value is None else "object_type", "must be an object", value))
    elif not value:
        seen.faults.append(Fault(loc, "empty", "is empty", value))
    elif what.shape is not None:
        _element(value, what.shape, loc, seen)
    elif what.datatype == "Resource" and "contained" in loc[-2:]:
        _contained(value, loc, seen)
    elif what.datatype == "Resource":
        _entry(value, loc, seen)


def _contained(value: Body, loc: Loc, seen: _Seen) -> None:
    shape = shape_of(str(value.get("resourceType")))
    if shape is not None:
        seen.contained.add(str(value.get("id", "")))
        _element(value, shape, loc, seen)
        _judge(value, OF_DATATYPE["contained"], loc, seen)


def _entry(value: Body, loc: Loc, seen: _Seen) -> None:
    """A resource in a Bundle or in Parameters stands by itself: what it contains is its own."""
    type_ = str(value.get("resourceType"))
    shape = shape_of(type_)
    if shape is not None:
        own = _Seen(marks=seen.marks)
        _element(value, shape, loc, own)
        seen.faults += [*own.faults, *_references(loc, value, own)]


def _primitive(value: Any, what: Element, loc: Loc, seen: _Seen) -> None:
    if value is None or (isinstance(value, str) and not value.strip()):
        seen.faults.append(Fault(loc, "empty", "is empty", value))
        return
    told = _JSON.get(what.datatype, _text)(value)
    if not told and what.codes is not None and value not in what.codes:
        seen.faults.append(Fault(loc, "code", _not_one_of(value, what.codes), value, codes=what.codes))
    elif told:
        seen.faults.append(Fault(loc, what.datatype, told, value))


def _not_one_of(value: str, codes: frozenset[str]) -> str:
    return f"{value[:60]!r} is not one of: {', '.join(sorted(codes))}"


def _modified(extensions: Any, loc: Loc, seen: _Seen) -> None:
    """What may turn the meaning of its element round must be understood, or the resource not used (R4 2.4.1)."""
    if extensions:
        urls = [str(one.get("url", "")) for one in extensions if isinstance(one, dict)]
        why = f"may change what this means, and is not understood here: {', '.join(urls)[:200]}"
        seen.faults.append(Fault((*loc, "modifierExtension"), "modifier", why, extensions))


def _judge(element: Body, invariants: tuple[Invariant, ...], loc: Loc, seen: _Seen) -> None:
    for one in invariants:
        if one.broken(element):
            seen.faults.append(Fault(loc, one.id, f"{one.id}: {one.says}", element, one))


def _note_local(element: Mapping[str, Any], loc: Loc, seen: _Seen) -> None:
    reference = element.get("reference")
    if isinstance(reference, str) and reference.startswith("#"):
        seen.local.append(((*loc, "reference"), reference[1:]))


def _references(within: Loc, body: Body, seen: _Seen) -> list[Fault]:
    """ref-1 and dom-3: what points inside finds something there, and what is inside is pointed at."""
    dangling, unused = OF_DATATYPE["Resource"]
    found = [
        Fault(loc, dangling.id, f"{dangling.id}: {dangling.says}", f"#{id_}", dangling)
        for loc, id_ in seen.local
        if id_ and id_ not in seen.contained
    ]
    if seen.contained - {id_ for _, id_ in seen.local} and not any(id_ == "" for _, id_ in seen.local):
        found.append(Fault(within, unused.id, f"{unused.id}: {unused.says}", body.get("contained"), unused))
    return found


# The JSON type and text of primitives: each gives what is wrong, in words, or nothing.


def _boolean(value: Any) -> str:
    return "" if value is True or value is False else "must be true or false"


def _integer(least: int) -> Callable[[Any], str]:
    def wrong(value: Any) -> str:
        if type(value) is not int:
            return "must be a whole number"
        return "" if least <= value <= 2_147_483_647 else f"must be from {least} to 2147483647"

    return wrong


_MOST_DIGITS = 1000  # FHIR asks for 18; a number past this is no measurement, and PostgreSQL can't read its JSON


def _decimal(value: Any) -> str:
    if not (isinstance(value, Decimal) or type(value) is int):
        return "must be a number"
    number = Decimal(value)
    held = number.is_finite() and abs(number.adjusted()) < _MOST_DIGITS and len(number.as_tuple().digits) < _MOST_DIGITS
    return "" if held else "must be a number that can be held"


def _text(value: Any) -> str:
    return "" if isinstance(value, str) else "must be text"


_SPACE = re.compile(r"\s")


def _uri(value: Any) -> str:
    return _text(value) or ("must not hold white space" if _SPACE.search(value) else "")


def _base64(value: Any) -> str:
    try:
        base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, AttributeError, ValueError):
        return "must be base64"
    return ""


_JSON: Mapping[str, Callable[[Any], str]] = {
    "boolean": _boolean,
    "integer": _integer(-2_147_483_648),
    "positiveint": _integer(1),
    "unsignedint": _integer(0),
    "decimal": _decimal,
    "uri": _uri,
    "url": _uri,
    "canonical": _uri,
    "oid": _uri,
    "encodedbytes": _base64,
}
_TEXTS = frozenset(_JSON)  # where being text is not enough to be right
