"""The pages of a FHIR search, and how half a page or the same page twice is noticed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fhir_adapters.http import Client, Params

SERIOUS = frozenset({"error", "fatal"})  # severities of an OperationOutcome beside matches that mean: not all is here


@dataclass(frozen=True)
class BundlePage:
    """One page: its entries as they came (without outcomes), and how many there are in all, where the source says."""

    entries: tuple[Any, ...]
    total: int | None
    last: bool


def pages(client: Client, type_: str, params: Params, optional: bool = False) -> Iterator[BundlePage]:
    """Every page of `GET [type]?params`, in order, following the next links.

    No page where the server does not serve an `optional` type (404 with an OperationOutcome).
    Raises SourceFailed at a page that is no searchset, came before, or ends before all that was promised came.
    """
    answer = client.get(type_, params, expect={404} if optional else ())
    if answer.status == 404 and isinstance(answer.json, dict) and answer.json.get("resourceType") == "OperationOutcome":
        return
    bundle = _bundle(client, type_, answer.json)
    asked: set[str] = set()
    contents: set[int] = set()
    matches = 0
    while True:
        following = _next(client, type_, bundle)
        page = _page(client, type_, bundle, last=not following)
        content = hash(tuple(_mark(entry) for entry in page.entries))
        if following in asked or (page.entries and content in contents):
            client.fail(f"{type_}: the same page came twice")
        asked.add(following)
        contents.add(content)
        matches += sum(1 for entry in bundle.get("entry", ()) if mode(entry) == "match")
        if page.last and page.total is not None and matches < page.total:
            client.fail(f"{type_}: half a page: {matches} came of the {page.total} that it says there are")
        yield page
        if page.last:
            return
        bundle = _bundle(client, type_, client.get(following).json)


def mode(entry: Any) -> str:
    """match, include or outcome; an entry that does not say is a match."""
    search = entry.get("search") if isinstance(entry, Mapping) else None
    said = search.get("mode") if isinstance(search, Mapping) else None
    return said if said in ("include", "outcome") else "match"


def _bundle(client: Client, type_: str, answer: Any) -> dict[str, Any]:
    if not isinstance(answer, dict) or answer.get("resourceType") != "Bundle":
        client.fail(f"{type_}: the answer is no Bundle")
    if answer.get("type") != "searchset":
        client.fail(f"{type_}: the answer is no Bundle of type searchset")
    if not isinstance(answer.get("entry", []), list) or not isinstance(answer.get("link", []), list):
        client.fail(f"{type_}: the Bundle's entry or link is no list")
    return answer


def _page(client: Client, type_: str, bundle: Mapping[str, Any], last: bool) -> BundlePage:
    entries = bundle.get("entry", [])
    for entry in entries:
        if mode(entry) == "outcome" and _severities(entry) & SERIOUS:
            client.fail(f"{type_}: it says that its answer is not complete")
    total = bundle.get("total")
    kept = tuple(entry for entry in entries if mode(entry) != "outcome")
    return BundlePage(kept, total if isinstance(total, int) else None, last)


def _severities(entry: Mapping[str, Any]) -> set[str]:
    resource = entry.get("resource")
    issues = resource.get("issue", []) if isinstance(resource, Mapping) else []
    return {issue.get("severity", "") for issue in issues if isinstance(issue, Mapping)}


def _next(client: Client, type_: str, bundle: Mapping[str, Any]) -> str:
    """The next link, or empty. A relative one counts from the source's URL."""
    links = [link for link in bundle.get("link", []) if isinstance(link, Mapping) and link.get("relation") == "next"]
    if not links:
        return ""
    url = links[0].get("url")
    if not isinstance(url, str) or not url:
        client.fail(f"{type_}: its next link has no URL")
    return url


def _mark(entry: Any) -> Any:
    """What makes an entry of a page the same entry: its type, id and version. An update in between is another."""
    resource = entry.get("resource") if isinstance(entry, Mapping) else None
    if not isinstance(resource, Mapping):
        return repr(entry)
    meta = resource.get("meta")
    version = meta.get("lastUpdated", meta.get("versionId")) if isinstance(meta, Mapping) else None
    return str(resource.get("resourceType")), str(resource.get("id")), str(version)
