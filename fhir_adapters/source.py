"""What every kind of source keeps to: settings and a cursor in, batches of FHIR R4 resources out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from fhir_adapters.whole import Whole

Cursor = Mapping[str, Any]  # JSON; opaque to everyone but the adapter that made it


@dataclass(frozen=True)
class SourceSettings:
    """How to reach one source. `options` is what only its kind understands, straight from the place pack."""

    name: str
    kind: str
    organisation: str  # ODS code of the custodian
    url: str = ""  # or a folder's path, for the kinds that read one
    secret: str = ""  # API key, signing key: from the environment, never from the pack
    timeout: float = 10.0  # seconds for one answer
    attempts: int = 3
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """One person to ask about, for sources that answer only about a named person."""

    nhs_number: str = ""
    family: str = ""
    given: str = ""
    birth_date: str = ""  # FHIR date
    gender: str = ""
    postcode: str = ""
    practice: str = ""  # ODS code of the registered practice, where it is known


@dataclass(frozen=True)
class Repair:
    """One change made to what a source sent, so that it could be kept."""

    rule: str  # id in the table of repair rules
    path: str  # FHIRPath of the element
    was: str  # what the source sent
    why: str


@dataclass(frozen=True)
class Reason:
    """Why something was refused, and where in it."""

    place: str  # FHIRPath, or file:line:column
    why: str


@dataclass(frozen=True)
class Item:
    """One resource from a source, as FHIR R4.

    `body` holds the source's own id and references of the form `Type/id`; ids are only unique within
    `namespace` (a GP record is its own: practice and NHS number). Decimals are `exact_json.ExactDecimal`.
    """

    type: str
    source_id: str
    body: dict[str, Any]
    namespace: str = ""
    custodian: str = ""  # ODS code of who answers for it; empty: the source's organisation
    repairs: tuple[Repair, ...] = ()


@dataclass(frozen=True)
class Rejected:
    """Something a source sent that could not become a resource: kept whole."""

    type: str
    source_id: str
    raw: str
    reasons: tuple[Reason, ...]
    namespace: str = ""


@dataclass(frozen=True)
class Batch:
    """What is stored together, in one transaction, with the cursor to go on from after it."""

    items: tuple[Item, ...]
    cursor: Cursor
    rejected: tuple[Rejected, ...] = ()
    done: int = 0  # how far: rows, people or resources so far
    total: int | None = None  # of how many, where the source says
    whole: tuple[Whole, ...] = ()  # parts of the source that are told in full by the end of this batch


class Source(Protocol):
    """A source of one kind. Stops with `SourceFailed` where it can't go on; batches yielded before then count."""

    settings: SourceSettings

    def pull(self, cursor: Cursor | None, wanted: Sequence[Wanted], now: datetime) -> Iterator[Batch]:
        """Batches of all that changed since `cursor` (None: from the start), in the same order every time."""
        ...


@runtime_checkable
class GivesFiles(Protocol):
    """A source that gives the files which its resources name by an address."""

    def file(self, url: str) -> Any:
        """The file: `content` and `content_type`. Stops with `SourceFailed`."""
        ...


class SourceFailed(Exception):
    """A source that is down, slow, or answered nonsense: one clear line, fit for a page, without personal data."""

    def __init__(self, source: str, why: str) -> None:
        super().__init__(f"{source}: {why}")
        self.source = source
        self.why = why
