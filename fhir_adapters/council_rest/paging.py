"""The pages of one endpoint of a JSON API, and how half a page or the same page twice is noticed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fhir_adapters import exact_json
from fhir_adapters.http import Client
from fhir_adapters.mapping.api import Api


@dataclass(frozen=True)
class RowPage:
    rows: tuple[Any, ...]
    total: int | None
    last: bool


def row_pages(client: Client, endpoint: str, api: Api, size: int, since: str) -> Iterator[RowPage]:
    """Every page of the endpoint, in order. Raises SourceFailed, which names the endpoint."""
    seen: set[int] = set()
    came, number, link = 0, api.first_page, ""
    while True:
        answer = client.get(link).json if link else client.get(endpoint, _params(api, size, since, number)).json
        rows, total = _rows(client, endpoint, api, answer), _total(client, endpoint, api, answer)
        came += len(rows)
        link = _link(client, endpoint, api, answer)
        last = _is_last(api, link, came, len(rows), size, total)
        content = hash(exact_json.dumps(rows))
        if rows and content in seen:
            client.fail(f"{endpoint}: the same page came twice")
        seen.add(content)
        if last and total is not None and came < total:
            client.fail(f"{endpoint}: half a page: {came} rows came of the {total} that it says there are")
        yield RowPage(tuple(rows), total, last)
        if last:
            return
        number += 1


def _params(api: Api, size: int, since: str, number: int) -> dict[str, str | int | list[str]]:
    asked: dict[str, str | int | list[str]] = {}
    asked |= {api.page: number} if api.page and not api.next else {}
    asked |= {api.size: size} if api.size else {}
    asked |= {api.since: since} if api.since and since else {}
    return asked


def _is_last(api: Api, link: str, came: int, rows: int, size: int, total: int | None) -> bool:
    """By the next link where there are links; else by how many came."""
    if api.next:
        return not link
    if not api.page or not rows:
        return True
    return came >= total if total is not None else rows < size


def _rows(client: Client, endpoint: str, api: Api, answer: Any) -> list[Any]:
    rows = inside(answer, api.rows)
    if not isinstance(rows, list):
        client.fail(f"{endpoint}: the answer has no list {api.rows!r}" if api.rows else f"{endpoint}: it is no list")
    return rows


def _total(client: Client, endpoint: str, api: Api, answer: Any) -> int | None:
    if not api.total:
        return None
    total = inside(answer, api.total)
    if not isinstance(total, int):
        client.fail(f"{endpoint}: the answer does not say {api.total!r}, how many rows there are")
    return total


def _link(client: Client, endpoint: str, api: Api, answer: Any) -> str:
    link = inside(answer, api.next) if api.next else None
    if link is not None and not isinstance(link, str):
        client.fail(f"{endpoint}: {api.next!r} is no link")
    return link or ""


def inside(answer: Any, name: str) -> Any:
    """What a dotted name leads to; None where it leads nowhere."""
    for part in name.split(".") if name else ():
        answer = answer.get(part) if isinstance(answer, Mapping) else None
    return answer
