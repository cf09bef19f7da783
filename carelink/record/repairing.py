"""Putting something else at one place of a resource, in a copy: only what lies on the way there is copied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"
Loc = tuple[int | str, ...]


class _Drop:
    """The element goes; as `DROP_UNKNOWN` its absence is told by data-absent-reason `unknown`."""


DROP = _Drop()
DROP_UNKNOWN = _Drop()


def empty(value: Any) -> bool:
    """Whether it says nothing."""
    return value is None or (isinstance(value, str) and not value.strip()) or value in ([], {})


def stands_at(body: Any, loc: Loc, was: Any) -> bool:
    """Whether that is still what stands there: a repair before it may have changed it."""
    for part in loc:
        try:
            body = body[part]
        except (KeyError, IndexError, TypeError):
            return False
    return type(body) is type(was) and bool(body == was)


def put(body: Any, loc: Loc, new: Any) -> Any:
    """A copy of the body with `new` at that place; None where there is no such place. What becomes empty goes too."""
    if not loc:
        return new
    here, rest = loc[0], loc[1:]
    copy = _copy(body, here)
    if copy is None:
        return None
    if rest:
        inner = put(copy[here], rest, new)
        if inner is None:
            return None
        new = DROP if empty(inner) else inner
    if isinstance(new, _Drop):
        return _without(copy, here, told=new is DROP_UNKNOWN)
    copy[here] = new
    return copy


def _copy(body: Any, here: int | str) -> Any:
    if isinstance(body, Mapping) and here in body:
        return dict(body)
    if isinstance(body, list) and isinstance(here, int) and here < len(body):
        return list(body)
    return None


def _without(copy: Any, here: Any, *, told: bool) -> Any:
    if isinstance(copy, list):
        del copy[here]  # no null takes its place: extensions of a dropped one could not be told from another's
        return copy
    del copy[here]
    if told:
        beside = dict(copy.get(f"_{here}") or {})
        beside["extension"] = [*beside.get("extension", []), {"url": ABSENT, "valueCode": "unknown"}]
        copy[f"_{here}"] = beside
    return copy
