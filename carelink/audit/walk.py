"""Goes along the seals and the events side by side, in their order, and says what is not as it was sealed, and where.

Pure: seals and events come in, problems come out. It holds no more than one block at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from carelink.audit import merkle
from carelink.audit.block import NOTHING_BEFORE, Seal, packed
from carelink.audit.lines import LOWEST, Leaf


class What(StrEnum):
    """All that can be wrong."""

    CHANGED = "was changed after it was sealed"
    GONE = "is gone"
    PUT_IN = "was put in after it was sealed"
    IN_NO_BLOCK = "was put in: no block has it"
    SEAL_CHANGED = "the seal was changed"
    SEAL_GONE = "the seal is gone"
    SEAL_PUT_IN = "the seal was put in"
    SIGNATURE = "the signature is wrong"
    ORDER = "does not follow the block before it: one of the two was made anew"
    UNCHECKED = "its events can't be checked, as its seal is not what it was"
    STRANGER = "signed by a key that is not known, as all blocks after it"
    UNEXPECTED = "is another than the one that was expected"
    ABSENT = "is expected, and is not there"


@dataclass(frozen=True)
class Problem:
    """What is wrong, with which block, and with which event of it."""

    what: What
    block: int | None = None
    event: int | None = None

    def __str__(self) -> str:
        where = f"block {self.block}: " if self.block is not None else ""
        return f"{where}{f'event {self.event} ' if self.event is not None else ''}{self.what}"


class Walk:
    """One walk along the trail: `step` for each seal with the one that follows it, then `end`."""

    def __init__(self, events: Iterable[Leaf], known: Collection[str]) -> None:
        self.blocks = self.events = 0  # that are as they were sealed
        self.upto = LOWEST  # the id up to which events belong to the blocks so far
        self.before: Seal | None = None
        self._known = known  # fingerprints
        self._stranger: Seal | None = None  # the first of those that no known key vouches for
        self._loose = False  # whether events before the next block may belong to one that can't be told
        self._events = iter(events)
        self._head = next(self._events, None)

    @property
    def number(self) -> int:
        """Of the last block that was walked along; 0 before the first."""
        return self.before.block.number if self.before else 0

    def step(self, seal: Seal, following: Seal | None) -> list[Problem]:
        """What is wrong with this block."""
        block = seal.block
        if block.number <= self.number or (block.number > self.number + 1 and not seal.whole):
            return [Problem(What.SEAL_PUT_IN if seal.whole else What.SEAL_CHANGED, block.number)]
        gone = list(self._gone(block.number))
        found = [*self._of_the_seal(seal), *self._between(seal), *self._of_the_events(seal, following)]
        self._vouch(seal)
        self.before = seal
        if not found:
            self.blocks, self.events = self.blocks + 1, self.events + block.count
        return [*gone, *found]

    def end(self) -> Iterator[Problem]:
        """What can be told only after the last seal."""
        if self._stranger is not None:
            yield Problem(What.STRANGER, self._stranger.block.number)

    def rest(self) -> int:
        """How many events come after the last block."""
        return sum(1 for _ in self._until(None))

    def _gone(self, number: int) -> Iterator[Problem]:
        for missing in range(self.number + 1, number):
            self._loose = True
            yield Problem(What.SEAL_GONE, missing)

    def _of_the_seal(self, seal: Seal) -> Iterator[Problem]:
        if not seal.whole:
            yield Problem(What.SEAL_CHANGED, seal.block.number)
        elif not seal.vouched:
            yield Problem(What.SIGNATURE, seal.block.number)
        elif not self._follows(seal):
            yield Problem(What.ORDER, seal.block.number)

    def _follows(self, seal: Seal) -> bool:
        """Whether it is chained to the seal before, as far as that is there and sound."""
        if seal.block.number == 1:
            return seal.block.previous == NOTHING_BEFORE
        if self.before is None or self.number + 1 != seal.block.number or not self.before.sound:
            return True
        return seal.block.previous == self.before.hash

    def _between(self, seal: Seal) -> Iterator[Problem]:
        """Events before the block that are in none, unless the one that had them can't be told."""
        if seal.whole:
            for event in self._until(seal.block.first - 1):
                if not self._loose:
                    yield Problem(What.IN_NO_BLOCK, event=event.id)

    def _of_the_events(self, seal: Seal, following: Seal | None) -> Iterator[Problem]:
        self.upto = max(self.upto, _last(seal, following))
        there = list(self._until(self.upto))
        self._loose = not seal.whole
        if packed(there) == seal.block.leaves or merkle.root([one.hash for one in there]) == seal.block.root:
            return
        if seal.whole and seal.leaves is not None:
            for what, id_ in differences(seal.leaves, there):
                yield Problem(what, seal.block.number, id_)
        else:
            yield Problem(What.UNCHECKED, seal.block.number)

    def _vouch(self, seal: Seal) -> None:
        """A known key vouches for all that its seal is chained to, whoever signed that."""
        if seal.sound and seal.block.signed_by in self._known:
            self._stranger = None
        elif seal.sound and self._stranger is None:
            self._stranger = seal

    def _until(self, id_: int | None) -> Iterator[Leaf]:
        """The next events, up to that id; without one, all."""
        while self._head is not None and (id_ is None or self._head.id <= id_):
            yield self._head
            self._head = next(self._events, None)


def _last(seal: Seal, following: Seal | None) -> int:
    """The id up to which events are the block's: as the seal says where that can be believed, else as the next one says."""
    if seal.whole:
        return seal.block.last
    if following is not None and following.whole and following.block.number == seal.block.number + 1:
        return following.block.first - 1
    return seal.leaves[-1].id if seal.rooted and seal.leaves else seal.block.last


def differences(sealed: Sequence[Leaf], there: Sequence[Leaf]) -> Iterator[tuple[What, int]]:
    """How the events that are there differ from those that were sealed, in the order of their ids."""
    then, now = dict(sealed), dict(there)
    for id_ in sorted(then.keys() | now.keys()):
        if id_ not in now:
            yield What.GONE, id_
        elif id_ not in then:
            yield What.PUT_IN, id_
        elif then[id_] != now[id_]:
            yield What.CHANGED, id_
