"""What of a count may leave: none under five, the others to the nearest five, and none that another count gives away.

NHS ISB 1523 (anonymisation standard for publishing health and social care data); UK GDPR Art 89. Why it suffices stands
in docs/decisions/033-a-count-is-shown-from-a-number-that-nobody-knows.md. Pure.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

FEWEST = 5  # under which no count is shown
NEAREST = 5  # to which the others are rounded
SPREAD = 5  # from how many thresholds each cell has one: 5 to 9


@dataclass(frozen=True)
class Disclosure:
    """The thresholds of one installation. Whoever knew them could undo what they hide, so they hang on its secret."""

    secret: bytes

    @classmethod
    def of(cls, secret_key: str) -> Disclosure:
        """From the installation's secret, with a key of its own."""
        return cls(hashlib.sha256(b"carelink counts|" + secret_key.encode()).digest())

    def threshold(self, *cell: str) -> int:
        """From which count on this cell is shown: always the same, and known to nobody who reads the table."""
        drawn = hmac.digest(self.secret, "\n".join(cell).encode(), "sha256")
        return FEWEST + int.from_bytes(drawn[:8], "big") % SPREAD

    def shown(self, people: int, *cell: str) -> int | None:
        """The count of that cell as it may leave; None where it may not."""
        return shown(people, self.threshold(*cell))


def shown(people: int, threshold: int) -> int | None:
    """A count to the nearest five from its threshold on; None below."""
    if people < max(threshold, FEWEST):
        return None
    return NEAREST * ((people + NEAREST // 2) // NEAREST)
