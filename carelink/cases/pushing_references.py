"""References in what a client sends: to what it may see, to others of the same transaction, by a search, or elsewhere.

A reference to what the client may not see is refused with the words of one to what does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, not_, select

from carelink.cases.pushing_terms import Body, Names, Pen, Reasons
from carelink.consent.lens import Lens
from carelink.db.among import among
from carelink.db.tables import resource
from carelink.ids import PersonKey, ResourceKey
from carelink.record import search
from carelink.record.query import Row
from carelink.record.references import resolved
from fhir_adapters import exact_json
from fhir_adapters.source import Reason

UNKNOWN = "names nothing that is here and that you may see"
_HERE = re.compile(r"([A-Z][A-Za-z]{1,40})/([^/|#?\s]{1,64})(?:/_history/[^/|#?\s]{1,64})?")
_BY_SEARCH = re.compile(r"([A-Z][A-Za-z]{1,40})\?(.+)", re.DOTALL)
_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.+", re.DOTALL)  # RFC 3986: it begins with a scheme
_URL = re.compile(r"(https?://.+/)([A-Z][A-Za-z]{1,40}/[^/|#?\s]{1,64})")


class Target(NamedTuple):
    """What a reference names, as far as that must be known."""

    key: UUID
    type: str
    person: PersonKey | None
    source: str


def named(body: Any) -> set[str]:
    """All literal references in it, as they are written."""
    found: set[str] = set()
    _gather(body, found)
    return found


def _gather(body: Any, found: set[str]) -> None:
    for name, value in body.items() if type(body) is dict else enumerate(body):
        kind = type(value)
        if kind is dict or kind is list:
            _gather(value, found)
        elif name == "reference" and kind is str:
            found.add(value)


def place_of(body: Any, reference: str, at: str) -> str:
    """Where in the body the reference stands first."""
    return next(_places(body, reference, at), at)


def _places(body: Any, reference: str, at: str) -> Iterator[str]:
    for name, value in body.items() if isinstance(body, dict) else enumerate(body):
        here = f"{at}.{name}" if isinstance(name, str) else f"{at}[{name}]"
        if isinstance(value, (dict, list)):
            yield from _places(value, reference, here)
        elif name == "reference" and value == reference:
            yield here


def put(body: Body, said: Mapping[str, str]) -> Body:
    """The body with these references in the place of those, and without the names of others' items beside any."""
    made: Body = resolved(body, lambda reference: said.get(reference, reference))
    return made


def within(said_in: Iterable[str], names: Names, name: str, base: str) -> dict[str, str]:
    """Those references of an entry of that name that mean others of its transaction, or this server by its address."""
    root = found[1] if (found := _URL.fullmatch(name)) else ""
    said: dict[str, str] = {}
    for reference in said_in:
        bare, _, _ = reference.partition("/_history/")
        local = names.get(bare) or (names.get(root + bare) if root else None)
        if local is not None:
            said[reference] = local
        elif reference.startswith(f"{base}/"):
            said[reference] = reference.removeprefix(f"{base}/")
    return said


def by_search(pen: Pen, references: Iterable[str], meant: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Conditional references (R4 3.1.0.11.3): each as what it finds. Those that find none, or several, are left out.

    `meant` is what this transaction itself makes, by `Type|identifier`: it is found too.
    """
    said: dict[str, str] = {}
    for reference in sorted(references):
        asked = _BY_SEARCH.fullmatch(reference)
        if asked is not None:
            found = {f"{row.type}/{row.key}" for row in pen.refer(asked[1], asked[2])}
            found |= set(_made(asked[1], asked[2], meant))
            if len(found) == 1:
                said[reference] = found.pop()
    return said


def _made(type_: str, criteria: str, meant: Mapping[str, Sequence[str]]) -> Sequence[str]:
    name, _, value = criteria.partition("=")
    return meant.get(f"{type_}|{value}", ()) if name == "identifier" and "&" not in value else ()


def identifiers(type_: str, body: Body) -> Iterator[str]:
    """By what conditional references may mean it: `Type|system|value` and `Type|value` of each identifier."""
    said = body.get("identifier")
    for one in said if isinstance(said, list) else [said]:
        if isinstance(one, dict) and isinstance(one.get("value"), str):
            yield f"{type_}|{one['value']}"
            yield f"{type_}|{one.get('system', '')}|{one['value']}"


def is_by_search(reference: str) -> bool:
    """Whether it is a conditional reference."""
    return _BY_SEARCH.fullmatch(reference) is not None


def here(reference: str) -> tuple[str, ResourceKey | None] | None:
    """The type and the key of a reference to this server; a key of None is no id of ours. None for one to elsewhere."""
    found = _HERE.fullmatch(reference)
    if found is None:
        return None
    try:
        return found[1], ResourceKey(UUID(found[2])) if len(found[2]) == 36 else None
    except ValueError:
        return found[1], None


def is_elsewhere(reference: str) -> bool:
    """Whether it is inside the resource, or names another server or something without one."""
    return reference.startswith("#") or (
        _ELSEWHERE.fullmatch(reference) is not None and not _of_a_transaction(reference)
    )


def _of_a_transaction(reference: str) -> bool:
    return reference.startswith(("urn:uuid:", "urn:oid:"))


def seen(conn: Connection, pen: Pen, keys: Iterable[ResourceKey]) -> dict[ResourceKey, Row]:
    """Those of them that the client may see. What it writes is kept in the audit; nothing of these is shown."""
    return {row.key: row for row in search.unkept_by_keys(conn, pen.lens, keys)}


def there(conn: Connection, lens: Lens, keys: Iterable[ResourceKey]) -> dict[ResourceKey, Target]:
    """The same without what they say: what is referred to must only be there."""
    wanted = sorted(set(keys))
    if not wanted:
        return {}
    t = resource.c
    asked = select(t.key, t.type, t.person, t.source).where(among(t.key, wanted), not_(t.deleted), lens.where())
    return {ResourceKey(row[0]): Target(*row) for row in conn.execute(asked)}


def known_before(row: Row | None) -> set[str]:
    """The references in what is to be replaced, as the client sees it: those it may keep."""
    return named(exact_json.loads(row.body)) if row is not None else set()


def unknown(body: Body, said: Iterable[str], at: str, there: Mapping[ResourceKey, str], reasons: Reasons) -> bool:
    """Note what of that the body names nothing by, and whether there is any.

    `there` are the types of what the client may see, and of what is made at the same time.
    """
    found = False
    for reference in said:
        if is_elsewhere(reference):
            continue
        target = here(reference)
        if target is None or target[1] is None or there.get(target[1]) != target[0]:
            reasons.against.append(Reason(place_of(body, reference, at), UNKNOWN))
            found = True
    return found
