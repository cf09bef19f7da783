"""Every coding in a resource, however deep: a value, a reaction, an answer, a contained medicine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_NESTS = (dict, list)


def codings(value: Any) -> Iterator[tuple[str, str]]:
    """(system, code) of whatever has a code, "" where it says no system."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            code = one.get("code")
            if isinstance(code, str):
                yield (one.get("system", ""), code)
            left += [inner for inner in one.values() if isinstance(inner, _NESTS)]
        elif isinstance(one, list):
            left += [inner for inner in one if isinstance(inner, _NESTS)]
