"""Merkle trees as in RFC 6962, section 2.1: one hash stands for many entries in their order.

Leaves and nodes are hashed in different domains (0x00 and 0x01), so that none can be passed off as the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

SIZE = 32  # bytes of a hash


def leaf(entry: bytes) -> bytes:
    """The hash of one entry."""
    return sha256(b"\x00" + entry).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The hash of the tree over these hashes of entries; of no entries that of the empty string.

    Pairs are joined level by level and an odd last one is passed on, which is the tree of the RFC: it splits at the
    largest power of two.
    """
    level = list(leaves)
    if not level:
        return sha256(b"").digest()
    while len(level) > 1:
        joined = [sha256(b"\x01" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)]
        level = joined + level[2 * len(joined) :]
    return level[0]
