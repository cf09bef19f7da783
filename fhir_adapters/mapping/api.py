"""How a JSON API pages and where its rows are: the section `[api]` of a mapping file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from fhir_adapters.mapping.problems import Problems


@dataclass(frozen=True)
class Api:
    """Names with dots lead into nested objects. An empty name: the API has no such thing."""

    rows: str = "items"  # where an answer keeps its rows; empty: the answer is the list of rows
    total: str = ""  # where it says how many there are on all pages
    next: str = ""  # where it gives the link of the next page; without it pages are counted
    page: str = "page"  # parameter: which page
    first_page: int = 1
    size: str = "page_size"  # parameter: how many rows a page
    since: str = ""  # parameter: only what changed at or after this instant
    updated: str = ""  # the column in which a row says when it changed
    omits_empty: bool = False  # a row may leave out what is empty; else a column that no row has is an error


def api_of(written: Any, problems: Problems) -> Api:
    """The section as a value; every mistake in it is noted."""
    if not isinstance(written, Mapping):
        problems.add(("api",), "must be a table")
        return Api()
    usual = {field.name: field.default for field in fields(Api)}
    for name, value in written.items():
        if name not in usual:
            problems.add(("api", name), f"is not known here; known are {', '.join(usual)}")
        elif type(value) is not type(usual[name]):
            problems.add(("api", name), f"must be like {usual[name]!r}")
    if bool(written.get("since")) != bool(written.get("updated")):
        problems.add(("api", "since"), "`since` and `updated` need each other")
    right: dict[str, Any] = {name: one for name, one in written.items() if type(one) is type(usual.get(name))}
    return Api(**right)
