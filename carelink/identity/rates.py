"""How often anybody may ask for a token: so many a minute, counted in this process and for it alone."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime

MINUTE = 60.0  # seconds
MOST_KNOWN = 10_000  # who is counted at once: the longest silent are forgotten first


@dataclass
class Rates:
    """Counts in a window that slides: of the minute before, as much as still lies within the last 60 seconds."""

    most: int  # a minute
    _counts: OrderedDict[str, tuple[int, int, int]] = field(default_factory=OrderedDict)  # minute, now, before
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self, whose: str, now: datetime) -> int:
        """Counts one more request of theirs; gives the seconds that they must wait, 0 where they need not."""
        minute, passed = divmod(now.timestamp(), MINUTE)
        with self._lock:
            at, here, before = self._counts.pop(whose, (int(minute), 0, 0))
            if at != int(minute):
                here, before = 0, here if at == int(minute) - 1 else 0
            over = here + before * (1 - passed / MINUTE) >= self.most
            self._counts[whose] = (int(minute), here if over else here + 1, before)
            while len(self._counts) > MOST_KNOWN:
                self._counts.popitem(last=False)
        return max(1, int(MINUTE - passed)) if over else 0
