"""A JSON row as cells: `address.postcode` for what is nested, `phones.0` for what is in a list."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fhir_adapters.exact_json import ExactDecimal


def cells_of(row: Mapping[str, Any]) -> dict[str, str]:
    """The text of every value by its dotted name; null and nothing are empty, true and false are words."""
    return dict(_cells("", row))


def _cells(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, one in value.items():
            yield from _cells(f"{name}.{key}" if name else str(key), one)
    elif isinstance(value, list):
        yield name, ""
        for at, one in enumerate(value):
            yield from _cells(f"{name}.{at}", one)
    else:
        yield name, _text(value)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.text if isinstance(value, ExactDecimal) else str(value)
