"""What was gathered for a subject access request: an item of it, what is proposed for it, and what was decided. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from hashlib import sha256
from typing import Any


class Answer(Enum):
    """What becomes of an item."""

    INCLUDE = "include"
    REDACT = "redact"
    LEAVE_OUT = "leave-out"


@dataclass(frozen=True)
class Proposal:
    """What an item may hold that is not the person's to have, and what is proposed to be done; a human decides."""

    answer: Answer
    rules: tuple[str, ...]  # ids in subject_access_rules.py
    words: tuple[str, ...] = ()  # to be taken out


@dataclass(frozen=True)
class Decided:
    """What a human decided for an item, and why."""

    answer: Answer
    words: tuple[str, ...]
    why: str
    by: str
    at: str


@dataclass(frozen=True)
class Item:
    """One thing that is held. For a resource, what it says stays in the store; `key` and `version` find it."""

    id: str
    part: str  # id of the part that it stands in
    title: str
    lines: tuple[str, ...] = ()
    kind: str = ""
    when: str = ""  # a FHIR date
    source: str = ""
    custodian: str = ""
    sensitivities: tuple[str, ...] = ()
    type: str = ""
    key: str = ""
    version: int = 0
    earlier: tuple[str, ...] = ()  # what its earlier versions said otherwise, in words
    fingerprint: str = ""  # of all that it says: a decision holds as long as this is the same
    proposal: Proposal | None = None
    decided: Decided | None = None

    @property
    def open(self) -> bool:
        """Whether somebody must still decide."""
        return self.proposal is not None and self.decided is None

    @property
    def answer(self) -> Answer:
        """What becomes of it. What nobody proposed anything for is included."""
        return self.decided.answer if self.decided else Answer.INCLUDE

    @property
    def redacted(self) -> tuple[str, ...]:
        """The words that are taken out of it."""
        return self.decided.words if self.decided and self.decided.answer is Answer.REDACT else ()


@dataclass(frozen=True)
class Part:
    """A part of the package, as its contents name it."""

    id: str
    heading: str
    intro: str = ""


@dataclass(frozen=True)
class Package:
    """All that was gathered, in parts and in the order of them."""

    parts: tuple[Part, ...] = ()
    items: tuple[Item, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)  # name, born, nhs_number: whom it is about

    @property
    def open(self) -> tuple[Item, ...]:
        """Those that somebody must still decide."""
        return tuple(one for one in self.items if one.open)

    @property
    def proposed(self) -> tuple[Item, ...]:
        """Those for which something is proposed."""
        return tuple(one for one in self.items if one.proposal is not None)

    def of(self, part: Part) -> tuple[Item, ...]:
        """The items of a part."""
        return tuple(one for one in self.items if one.part == part.id)

    def item(self, id_: str) -> Item | None:
        """The item of that id."""
        return next((one for one in self.items if one.id == id_), None)

    def with_item(self, changed: Item) -> Package:
        """The same, with this item in the place of the one of its id."""
        return replace(self, items=tuple(changed if one.id == changed.id else one for one in self.items))

    def keeping(self, before: Package) -> Package:
        """Decisions that were made before hold for what still says the same."""
        made = {one.id: one for one in before.items if one.decided is not None}

        def kept(one: Item) -> Item:
            known = made.get(one.id)
            return replace(one, decided=known.decided) if known and known.fingerprint == one.fingerprint else one

        return replace(self, items=tuple(kept(one) for one in self.items))


def fingerprint_of(*texts: str) -> str:
    """What two items have in common that say the same."""
    return sha256("\0".join(texts).encode()).hexdigest()[:16]


def to_json(package: Package) -> dict[str, Any]:
    """As the table keeps it."""
    return {
        "parts": [asdict(one) for one in package.parts],
        "items": [_told(one) for one in package.items],
        "facts": dict(package.facts),
    }


def _told(item: Item) -> dict[str, Any]:
    """Without what is empty: most items have no proposal and no decision."""
    told = {name: value for name, value in asdict(item).items() if value}
    for name in ("proposal", "decided"):
        if name in told:
            told[name] = told[name] | {"answer": told[name]["answer"].value}
    return told


def from_json(kept: Mapping[str, Any] | None) -> Package:
    """What the table kept; nothing where it was not gathered yet."""
    if not kept:
        return Package()
    return Package(
        tuple(Part(**one) for one in kept["parts"]), tuple(_item(one) for one in kept["items"]), kept["facts"]
    )


def _item(kept: Mapping[str, Any]) -> Item:
    read: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()}
    if "proposal" in read:
        read["proposal"] = Proposal(**_answered(read["proposal"], ("rules", "words")))
    if "decided" in read:
        read["decided"] = Decided(**_answered(read["decided"], ("words",)))
    return Item(**read)


def _answered(kept: Mapping[str, Any], tuples: Sequence[str]) -> dict[str, Any]:
    return dict(kept) | {name: tuple(kept[name]) for name in tuples} | {"answer": Answer(kept["answer"])}
