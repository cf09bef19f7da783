"""JSON Patch (RFC 6902), with JSON Pointers (RFC 6901); numbers are never written anew. Pure.

Ours rather than a library's: the one that there is takes 1 for true in a test, and does not say which operation failed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from decimal import Decimal
from typing import Any

from carelink.errors import Conflict, Invalid

MOST = 1000  # operations
MOST_COPIED = 200_000  # values that all copies together make: each may double what is there
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}")
_POINTER = re.compile(r"(/([^~/]|~[01])*)*")


class _Copied:
    """How much was copied so far."""

    def __init__(self) -> None:
        self.values = 0


def applied(document: Any, patch: Any) -> Any:
    """The document after all operations, one after the other; it may be changed meanwhile. Raises `Invalid`, `Conflict`."""
    if not isinstance(patch, list):
        raise Invalid("patch", "must be an array of operations (RFC 6902)")
    if len(patch) > MOST:
        raise Invalid("patch", f"has more than {MOST} operations")
    copied = _Copied()
    for number, operation in enumerate(patch):
        document = _one(document, operation, f"patch[{number}]", copied)
    return document


def _one(document: Any, operation: Any, place: str, copied: _Copied) -> Any:
    if not isinstance(operation, Mapping):
        raise Invalid(place, "must be an object")
    act = _ACTS.get(str(operation.get("op")))
    if act is None:
        raise Invalid(f"{place}.op", f"must be one of {', '.join(_ACTS)}")
    return act(document, operation, place, copied)


def _add(document: Any, operation: Mapping[str, Any], place: str, _: _Copied) -> Any:
    return _put(document, _pointer(operation, "path", place), _value(operation, place), f"{place}.path")


def _remove(document: Any, operation: Mapping[str, Any], place: str, _: _Copied) -> Any:
    return _without(document, _pointer(operation, "path", place), f"{place}.path")


def _replace(document: Any, operation: Mapping[str, Any], place: str, _: _Copied) -> Any:
    path, value = _pointer(operation, "path", place), _value(operation, place)
    if not path:
        return value
    parent, name = _parent(document, path, f"{place}.path")
    _child(parent, name, f"{place}.path")
    parent[_key(parent, name)] = value
    return document


def _move(document: Any, operation: Mapping[str, Any], place: str, _: _Copied) -> Any:
    path, source = _pointer(operation, "path", place), _pointer(operation, "from", place)
    value = _at(document, source, f"{place}.from")
    if path[: len(source)] == source:
        if path == source:
            return document
        raise Invalid(f"{place}.path", "lies within what is to be moved")
    return _put(_without(document, source, f"{place}.from"), path, value, f"{place}.path")


def _copy(document: Any, operation: Mapping[str, Any], place: str, copied: _Copied) -> Any:
    path, source = _pointer(operation, "path", place), _pointer(operation, "from", place)
    value = deepcopy(_at(document, source, f"{place}.from"))
    copied.values += _size(value)
    if copied.values > MOST_COPIED:
        raise Invalid(place, "copies too much")
    return _put(document, path, value, f"{place}.path")


def _test(document: Any, operation: Mapping[str, Any], place: str, _: _Copied) -> Any:
    found = _at(document, _pointer(operation, "path", place), f"{place}.path")
    if not same(found, _value(operation, place)):
        raise Conflict(f"{place}: the test fails, so nothing is changed")
    return document


_ACTS: Mapping[str, Callable[[Any, Mapping[str, Any], str, _Copied], Any]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "move": _move,
    "copy": _copy,
    "test": _test,
}


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal (RFC 6902 4.6): numbers by what they come to, and true is no number."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if _is_number(one) and _is_number(other):
        return bool(one == other)
    return type(one) is type(other) and bool(one == other)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def _size(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(_size, inner))


# Pointers -------------------------------------------------------------------------------------------


def _pointer(operation: Mapping[str, Any], name: str, place: str) -> tuple[str, ...]:
    text = operation.get(name)
    if not isinstance(text, str) or not _POINTER.fullmatch(text):
        raise Invalid(f"{place}.{name}", "must be a JSON Pointer such as /status (RFC 6901)")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:])


def _value(operation: Mapping[str, Any], place: str) -> Any:
    if "value" not in operation:
        raise Invalid(f"{place}.value", "is missing")
    return deepcopy(operation["value"])


def _at(document: Any, path: tuple[str, ...], place: str) -> Any:
    for name in path:
        document = _child(document, name, place)
    return document


def _child(parent: Any, name: str, place: str) -> Any:
    """Raises `Invalid` where there is none."""
    try:
        return parent[_key(parent, name)]
    except (KeyError, IndexError):
        raise Invalid(place, f"there is nothing at {name[:100]}") from None


def _key(parent: Any, name: str) -> str | int:
    """As Python names it. Raises KeyError for what an array or a plain value has not."""
    if isinstance(parent, dict):
        return name
    if isinstance(parent, list) and _INDEX.fullmatch(name):
        return int(name)
    raise KeyError(name)


def _parent(document: Any, path: tuple[str, ...], place: str) -> tuple[Any, str]:
    return _at(document, path[:-1], place), path[-1]


def _put(document: Any, path: tuple[str, ...], value: Any, place: str) -> Any:
    if not path:
        return value
    parent, name = _parent(document, path, place)
    if isinstance(parent, dict):
        parent[name] = value
    elif isinstance(parent, list):
        parent.insert(_room(parent, name, place), value)
    else:
        raise Invalid(place, f"there is nothing that could hold {name[:100]}")
    return document


def _room(parent: list[Any], name: str, place: str) -> int:
    """Where in an array something is put in; `-` is behind its last."""
    if name == "-":
        return len(parent)
    if not _INDEX.fullmatch(name) or int(name) > len(parent):
        raise Invalid(place, f"{name[:100]} is no place in an array of {len(parent)}")
    return int(name)


def _without(document: Any, path: tuple[str, ...], place: str) -> Any:
    if not path:
        raise Invalid(place, "is all of the resource, which no patch takes away")
    parent, name = _parent(document, path, place)
    _child(parent, name, place)
    del parent[_key(parent, name)]
    return document
