"""Writes of clients as values: who writes, what is asked, what became of it, and how it is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from carelink.consent.lens import Lens
from carelink.errors import CareLinkError, Conflict, Invalid
from carelink.ids import Ods, ResourceKey
from carelink.place import Place, SourceEntry
from carelink.record.query import Row
from fhir_adapters.source import Reason, Repair

Body = dict[str, Any]
# The resources of a type that meet the criteria and that the client may see, at most a few; raises as a search does.
Find = Callable[[str, str], Sequence[Row]]


class Act(StrEnum):
    """What is asked; a transaction does them in this order (FHIR R4 3.1.0.11.2)."""

    DELETE = "delete"
    CREATE = "create"
    UPDATE = "update"


@dataclass(frozen=True)
class Pen:
    """Who writes: a client, for whose organisation, and under which source."""

    place: Place
    lens: Lens  # as whom it writes: what must be looked at to store something, nothing of which is shown
    organisation: Ods
    entry: SourceEntry
    find: Find  # for conditions: among what the client may change or meet
    refer: Find  # for references that are given by a search
    base: str  # the address of this server, as absolute references name it


@dataclass(frozen=True)
class Change:
    """One create, update or delete. `at` is where it stands in what was sent, as a FHIRPath."""

    act: Act
    type: str
    at: str
    body: Body | None = None
    key: ResourceKey | None = None  # by its address
    seen: int | None = None  # the version that the client has seen (If-Match)
    criteria: str | None = None  # by a condition instead of an address; of a create, what must not be there yet
    name: str = ""  # `fullUrl` of the entry: what others of the transaction call it


@dataclass(frozen=True)
class Written:
    """What became of one change. `status` is that of HTTP; without a `key` nothing was there to be deleted."""

    status: int
    type: str
    key: ResourceKey | None = None
    version: int = 0
    at: datetime | None = None
    repairs: tuple[Repair, ...] = ()


class Refused(Invalid):
    """What was sent is not FHIR as it can be stored: each `reason` with its place."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        super().__init__(reasons[0].place, reasons[0].why)
        self.reasons = tuple(reasons)


class Unprocessable(Refused):
    """It is FHIR, and a rule of this server keeps it from being stored."""


class VersionMoved(Conflict):
    """The version that the client has seen is not the current one any more."""


class Several(Conflict):
    """More than one resource meets the condition."""


class ChoosesNoId(CareLinkError):
    """There is nothing to update, and a client does not choose the id of something new here."""


class TooMuch(CareLinkError):
    """More than is done at once."""


@dataclass
class Reasons:
    """What is found wrong with the changes of one transaction, all of which is told at once."""

    bad: list[Reason] = field(default_factory=list)  # no valid FHIR
    against: list[Reason] = field(default_factory=list)  # against a rule

    def refuse(self) -> None:
        """Raises `Refused` or `Unprocessable` where there are any."""
        if self.bad:
            raise Refused([*self.bad, *self.against])
        if self.against:
            raise Unprocessable(self.against)


@contextmanager
def told_at(at: str) -> Iterator[None]:
    """An error of ours that does not say where it is about is about that place."""
    try:
        yield
    except CareLinkError as error:
        error.place = error.place or at
        raise


def place_in(type_: str, place: str, at: str) -> str:
    """`Observation.status` as it stands in what was sent: `Bundle.entry[3].resource.status`."""
    return at + place.removeprefix(type_) if place.startswith(type_) else at


Names = Mapping[str, str]  # what the entries of a transaction are called -> `Type/id`
