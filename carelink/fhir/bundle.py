"""Search Bundles, assembled by joining the stored bytes: no resource is parsed on its way out (design decision 5)."""

from __future__ import annotations

from collections.abc import Iterable

from carelink.record.query import Row
from fhir_adapters import exact_json


def searchset(base: str, rows: Iterable[Row], self_url: str, next_url: str = "", total: int | None = None) -> bytes:
    """A `searchset` Bundle (FHIR R4 3.1.1.4) of rows that the requester may see."""
    links = [{"relation": "self", "url": self_url}]
    if next_url:
        links.append({"relation": "next", "url": next_url})
    head = {"resourceType": "Bundle", "type": "searchset", "link": links}
    if total is not None:
        head["total"] = total  # type: ignore[assignment]
    entries = b",".join(_entry(base, row) for row in rows)
    start = exact_json.dumps(head)
    return start[:-1] + b',"entry":[' + entries + b"]}" if entries else start


def _entry(base: str, row: Row) -> bytes:
    url = exact_json.dumps(f"{base}/{row.type}/{row.key}")
    return b'{"fullUrl":' + url + b',"resource":' + row.body.encode() + b',"search":{"mode":"match"}}'
