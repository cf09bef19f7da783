"""The entries of a batch or transaction, as what each of them asks. Pure; raises with the place of what is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from carelink.cases.pushing_terms import TooMuch
from carelink.errors import Invalid

MOST = 500  # entries
BATCH, TRANSACTION = "batch", "transaction"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
# Element of `request` -> the header that it stands for (R4 3.1.0.11.1).
_HEADERS: Mapping[str, str] = {
    "ifMatch": "If-Match",
    "ifNoneMatch": "If-None-Match",
    "ifModifiedSince": "If-Modified-Since",
    "ifNoneExist": "If-None-Exist",
}
_URL = re.compile(r"[\x21-\x7e\u00a0-\uffff]{1,4000}")

Body = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """One request of a Bundle. `path` begins below the address of the server: `Patient/1`, `Patient?name=x`."""

    number: int
    method: str
    path: str
    resource: Body | None = None
    name: str = ""  # fullUrl
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def at(self) -> str:
        """Where it stands, as a FHIRPath."""
        return f"Bundle.entry[{self.number}]"


def kind_of(bundle: Body) -> str:
    """`batch` or `transaction`. Raises `Invalid` for another Bundle."""
    kind = bundle.get("type")
    if kind not in (BATCH, TRANSACTION):
        raise Invalid("Bundle.type", f"must be {BATCH} or {TRANSACTION}")
    return str(kind)


def listed(bundle: Body) -> Sequence[Any]:
    """The entries as they were sent. Raises `Invalid` where they are no list, `TooMuch` where they are too many."""
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise Invalid("Bundle.entry", "must be a list")
    if len(entries) > MOST:
        error = TooMuch(f"A Bundle has at most {MOST} entries; this one has {len(entries)}")
        error.place = "Bundle.entry"
        raise error
    return entries


def entry(number: int, said: Any, base: str) -> Entry:
    """What one entry asks. Raises `Invalid`."""
    at = f"Bundle.entry[{number}]"
    if not isinstance(said, dict):
        raise Invalid(at, "must be an object")
    asked = said.get("request")
    if not isinstance(asked, dict):
        raise Invalid(f"{at}.request", "must say the method and the url")
    resource = said.get("resource")
    if resource is not None and not isinstance(resource, dict):
        raise Invalid(f"{at}.resource", "must be an object")
    if asked.get("method") not in METHODS:
        raise Invalid(f"{at}.request.method", f"must be one of {', '.join(METHODS)}")
    name = said.get("fullUrl", "")
    if not isinstance(name, str) or len(name) > 2000:
        raise Invalid(f"{at}.fullUrl", "must be an address")
    path = _path(asked.get("url"), base, f"{at}.request.url")
    return Entry(number, asked["method"], path, resource, name, _headers(asked, at))


def _path(url: Any, base: str, at: str) -> str:
    if not isinstance(url, str) or _URL.fullmatch(url) is None:
        raise Invalid(at, "must be an address, with what can't stand in one escaped")
    path = url.removeprefix(f"{base}/") if url.startswith(f"{base}/") else url.removeprefix("/")
    if ":" in path.partition("?")[0] or path.startswith((".", "/")) or "/../" in path or path.partition("?")[0] == "":
        raise Invalid(at, "must be an address below that of this server, as Type, Type/id or Type?criteria")
    return path


def _headers(asked: Body, at: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for name, header in _HEADERS.items():
        value = asked.get(name)
        if value is None:
            continue
        if not isinstance(value, str) or "\n" in value or "\r" in value or len(value) > 4000:
            raise Invalid(f"{at}.request.{name}", "must be text")
        found[header] = value
    return found


def named_once(entries: Sequence[Entry]) -> None:
    """Raises `Invalid` where two entries have one `fullUrl`: a reference to it would mean two things (bdl-7).

    And where two change what is at one address (R4 3.1.0.11.2).
    """
    names: dict[str, Entry] = {}
    changed: dict[str, Entry] = {}
    for one in entries:
        if one.name and names.setdefault(one.name, one) is not one:
            raise Invalid(f"{one.at}.fullUrl", f"is that of {names[one.name].at} too")
        changes = one.method in ("PUT", "PATCH", "DELETE") and "?" not in one.path
        if changes and changed.setdefault(one.path, one) is not one:
            raise Invalid(one.at, f"is the same resource as {changed[one.path].at}")
