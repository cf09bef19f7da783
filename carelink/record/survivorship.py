"""Which source's statement survives for an element of the golden record: rows of the place pack, walked (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from carelink.ids import ResourceKey
from carelink.place import Survivorship

ANY = "*"  # in a row: every source that it does not name


@dataclass(frozen=True)
class SourceRecord:
    """A source's Patient as stored: `seen` is when this version of it came, `kept_back` whether the person denies it."""

    key: ResourceKey
    source: str
    body: Mapping[str, Any]
    seen: datetime
    kept_back: bool = False


@dataclass(frozen=True)
class Survivor:
    """A value of an element, and the record that says so."""

    value: Any
    record: SourceRecord


def survivors(rule: Survivorship, element: Sequence[tuple[SourceRecord, Any]]) -> tuple[Survivor, ...]:
    """What survives of an element, given each record that has it with its value (a list, or one value).

    `latest`: all of the newest record of the first source that has any. `all`: what every record says, the
    most trusted source first, the newest record of a source first.
    """
    ranked = sorted(element, key=lambda stated: _trust(rule, stated[0]))
    chosen = ranked if rule.choose == "all" else ranked[:1]
    return tuple(Survivor(value, record) for record, stated in chosen for value in _each(stated))


def _trust(rule: Survivorship, record: SourceRecord) -> tuple[int, float, str]:
    """Order of the row's sources, then newest, then a fixed order."""
    known = rule.sources
    place = known.index(record.source) if record.source in known else len(known)
    if place == len(known) and ANY in known:
        place = known.index(ANY)
    return (place, -record.seen.timestamp(), str(record.key))


def _each(stated: Any) -> Iterator[Any]:
    yield from stated if isinstance(stated, list) else [stated]


def trusted(rule: Survivorship, record: SourceRecord) -> bool:
    """False where the row does not let this source speak at all."""
    return record.source in rule.sources or ANY in rule.sources
