"""Search Bundles, assembled by joining the stored bytes: no resource is parsed on its way out (design decision 5)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from carelink.record.query import Row
from fhir_adapters import exact_json

MATCH, INCLUDE = "match", "include"


def searchset(
    base: str, rows: Iterable[Row], self_url: str, next_url: str = "", total: int | None = None, notice: bytes = b""
) -> bytes:
    """A `searchset` Bundle (FHIR R4 3.1.1.4) of rows that the requester may see, and last what must be said of them.

    `notice` is an OperationOutcome. What belongs to nobody (the directory) is there because others name it.
    """
    entries = [_entry(base, row) for row in rows]
    if notice:
        entries.append('{"resource":' + notice.decode() + ',"search":{"mode":"outcome"}}')
    start = exact_json.dumps(_head(self_url, next_url, total))
    if not entries:
        return start  # FHIR knows no empty arrays
    return start[:-1] + f',"entry":[{",".join(entries)}]}}'.encode()


def matches(rows: Iterable[Row]) -> int:
    """How many are what was asked for: `Bundle.total` counts neither what is included nor a notice."""
    return sum(_mode(row) == MATCH for row in rows)


def _head(self_url: str, next_url: str, total: int | None) -> dict[str, Any]:
    links = [{"relation": "self", "url": self_url}] + ([{"relation": "next", "url": next_url}] if next_url else [])
    head = {"resourceType": "Bundle", "type": "searchset", "link": links}
    return head if total is None else {**head, "total": total}


def _mode(row: Row) -> str:
    return MATCH if row.person is not None else INCLUDE


def _entry(base: str, row: Row) -> str:
    url = f"{base}/{row.type}/{row.key}"  # nothing in it needs escaping: our own address, a FHIR type, a UUID
    return f'{{"fullUrl":"{url}","resource":{row.body},"search":{{"mode":"{_mode(row)}"}}}}'
