"""Search Bundles, assembled by joining the stored bytes: no resource is parsed on its way out (design decision 5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from carelink.record.query import Row
from carelink.record.versions import Version
from fhir_adapters import exact_json

MATCH, INCLUDE = "match", "include"


def searchset(
    base: str, rows: Iterable[Row], self_url: str, next_url: str = "", total: int | None = None, notice: bytes = b""
) -> bytes:
    """A `searchset` Bundle (FHIR R4 3.1.1.4) of rows that the requester may see, and last what must be said of them.

    `notice` is an OperationOutcome. What belongs to nobody (the directory) is there because others name it.
    """
    entries = [entry(base, row.type, row.key, row.body, _mode(row)) for row in rows]
    if notice:
        entries.append('{"resource":' + notice.decode() + ',"search":{"mode":"outcome"}}')
    return joined(entries, self_url, next_url, total)


def joined(
    entries: Sequence[str], self_url: str, next_url: str = "", total: int | None = None, type_: str = "searchset"
) -> bytes:
    """A Bundle of entries that are made already."""
    start = exact_json.dumps(_head(self_url, next_url, total, type_))
    if not entries:
        return start  # FHIR knows no empty arrays
    return start[:-1] + f',"entry":[{",".join(entries)}]}}'.encode()


def matches(rows: Iterable[Row]) -> int:
    """How many are what was asked for: `Bundle.total` counts neither what is included nor a notice."""
    return sum(_mode(row) == MATCH for row in rows)


def history(entries: Sequence[str], self_url: str, next_url: str = "", total: int | None = None) -> bytes:
    """A `history` Bundle of such entries (R4 3.1.0.10)."""
    return joined(entries, self_url, next_url, total, "history")


def past_entry(base: str, version: Version) -> str:
    """One version: what it was, what made it so, and how that was answered; of a deletion there is nothing to show."""
    row, (method, status) = version.row, _made(version)
    name = f"{row.type}/{row.key}"
    resource = "" if version.deleted else f'"resource":{row.body},'
    where = row.type if method == "POST" else name
    when = row.last_updated.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return (
        f'{{"fullUrl":"{base}/{name}",{resource}"request":{{"method":"{method}","url":"{where}"}},'
        f'"response":{{"etag":"W/\\"{row.version}\\"","lastModified":"{when}","status":"{status}"}}}}'
    )


def _made(version: Version) -> tuple[str, str]:
    if version.deleted:
        return "DELETE", "204 No Content"
    return ("POST", "201 Created") if version.row.version == 1 else ("PUT", "200 OK")


def _head(self_url: str, next_url: str, total: int | None, type_: str = "searchset") -> dict[str, Any]:
    links = [{"relation": "self", "url": self_url}] + ([{"relation": "next", "url": next_url}] if next_url else [])
    head = {"resourceType": "Bundle", "type": type_, "link": links}
    return head if total is None else {**head, "total": total}


def _mode(row: Row) -> str:
    return MATCH if row.person is not None else INCLUDE


def entry(base: str, type_: str, key: object, body: str, mode: str = MATCH) -> str:
    """One entry: the text of a resource, where it is, and whether it is what was asked for."""
    url = f"{base}/{type_}/{key}"  # nothing in it needs escaping: our own address, a FHIR type, an id of ours
    return f'{{"fullUrl":"{url}","resource":{body},"search":{{"mode":"{mode}"}}}}'
