"""A question about the record, and its answer, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from carelink.ids import Ods, PersonKey, ResourceKey


@dataclass(frozen=True)
class Criterion:
    """One search parameter with the values that are tried by OR: `identifier`, `code`, `date` with `ge2026-01-01`, ...

    The values are as FHIR writes them (R4 3.1.1.4.1): a comma, `|`, `$` or backslash that belongs to one is escaped.
    """

    parameter: str
    values: tuple[str, ...] = ()
    modifier: str = ""  # also a type, of a reference
    # Chained (R4 3.1.1.4.13): what the resource that `parameter` refers to must meet; the values are there.
    chained: Criterion | None = None
    # `_has` (R4 3.1.1.4.14): the type of what refers to this one by `parameter`, and meets `chained`.
    referring: str = ""


@dataclass(frozen=True)
class Query:
    """Resources of these types (none: any) about this person (None: anyone), by all of the criteria (AND)."""

    types: tuple[str, ...] = ()
    person: PersonKey | None = None
    criteria: tuple[Criterion, ...] = ()
    # clinical, last_updated, key or a parameter; with a minus for the last first; several by commas; ties by key
    sort: str = "-clinical"
    count: int = 50
    after: str = ""  # the `next` of the page before
    sources: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    since: datetime | None = None  # clinical date at or after
    until: datetime | None = None
    care: tuple[datetime | None, datetime | None] | None = None  # going on between these, or without a date
    goldens: bool | None = None  # True: only golden Patients; False: only what sources sent; None: both


class Row(NamedTuple):
    """One current version, as it may be seen: `body` is the canonical JSON text, already redacted where it must be."""

    key: ResourceKey
    type: str
    person: PersonKey | None
    version: int
    last_updated: datetime
    clinical: datetime | None
    source: str
    custodian: Ods
    category: str
    body: str
    hidden: bool = False  # which organisation holds it may not be told: `source` and `custodian` are of a kind alone
    rule: str = ""  # by which it is shown


@dataclass(frozen=True)
class Page:
    rows: tuple[Row, ...]
    next: str = ""  # empty: there are no more
