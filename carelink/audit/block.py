"""A block of the trail and its seal, as values: what is said of it, hashed, chained to the one before, and signed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from struct import Struct, error

from carelink.audit import merkle
from carelink.audit.keys import PublicKey, SigningKey
from carelink.audit.lines import Leaf

FORM = "carelink-audit-seal/1"
NOTHING_BEFORE = bytes(merkle.SIZE)  # in the first seal, in the place of the hash of the one before

_LEAF = Struct(f">q{merkle.SIZE}s")  # the id, and the hash


def packed(leaves: Sequence[Leaf]) -> bytes:
    """As they stand in the seal."""
    return b"".join([_LEAF.pack(*one) for one in leaves])


def unpacked(leaves: bytes) -> list[Leaf] | None:
    """The leaves that stand in a seal; None where it was changed so that it can't be read."""
    try:
        return [Leaf(*one) for one in _LEAF.iter_unpack(leaves)]
    except error:
        return None


@dataclass(frozen=True)
class Block:
    """Every event whose id is from `first` to `last`; ids that are not among `leaves` belong to no event."""

    number: int
    first: int
    last: int
    count: int
    leaves: bytes
    root: bytes
    previous: bytes
    sealed_at: datetime
    signed_by: str
    public_key: bytes

    @classmethod
    def of(cls, before: Seal | None, last: int, leaves: Sequence[Leaf], key: PublicKey, now: datetime) -> Block:
        """The block after `before`, up to the id `last`."""
        return cls(
            number=before.block.number + 1 if before else 1,
            first=before.block.last + 1 if before else 1,
            last=last,
            count=len(leaves),
            leaves=packed(leaves),
            root=merkle.root([one.hash for one in leaves]),
            previous=before.hash if before else NOTHING_BEFORE,
            sealed_at=now,
            signed_by=key.fingerprint,
            public_key=key.raw,
        )

    @property
    def said(self) -> bytes:
        """What is hashed and signed: lines of text, which somebody outside can write again and check with openssl."""
        lines = (
            FORM,
            f"number {self.number}",
            f"first {self.first}",
            f"last {self.last}",
            f"count {self.count}",
            f"leaves {sha256(self.leaves).hexdigest()}",
            f"root {self.root.hex()}",
            f"previous {self.previous.hex()}",
            f"sealed_at {self.sealed_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
            f"signed_by {self.signed_by}",
            f"public_key {self.public_key.hex()}",
        )
        return "".join(f"{line}\n" for line in lines).encode()

    def signed(self, key: SigningKey) -> Seal:
        """The seal of this block."""
        return Seal(self, sha256(self.said).digest(), key.sign(self.said))


@dataclass(frozen=True)
class Seal:
    """A block, the hash of what is said of it, and the signature of that."""

    block: Block
    hash: bytes
    signature: bytes

    @cached_property
    def whole(self) -> bool:
        """Whether its parts still fit each other: nothing of the block was changed by itself."""
        leaves = self.leaves
        return (
            sha256(self.block.said).digest() == self.hash
            and leaves is not None
            and len(leaves) == self.block.count
            and self.rooted
        )

    @cached_property
    def rooted(self) -> bool:
        """Whether the root is that of its leaves."""
        return self.leaves is not None and merkle.root([one.hash for one in self.leaves]) == self.block.root

    @cached_property
    def leaves(self) -> list[Leaf] | None:
        """The id and hash of each event as they were sealed."""
        return unpacked(self.block.leaves)

    @cached_property
    def vouched(self) -> bool:
        """Whether the key that it names signed it."""
        key = PublicKey(self.block.public_key)
        return key.fingerprint == self.block.signed_by and key.signed(self.signature, self.block.said)

    @property
    def anchor(self) -> str:
        """Its number and hash: kept outside the database, they prove later that the trail goes at least so far."""
        return f"{self.block.number}:{self.hash.hex()}"

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong with it by itself."""
        return self.whole and self.vouched
