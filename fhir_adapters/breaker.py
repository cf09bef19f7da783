"""A circuit breaker: a source that keeps failing is left alone for a while, so that it can recover and we don't wait."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Breaker:
    """Counts failures in a row. Times are seconds of a monotonic clock that the caller reads."""

    failures_to_open: int = 5
    rest: float = 30.0  # seconds that it stays open; then one call may try
    failures: int = 0
    opened_at: float | None = None

    def wait(self, at: float) -> float:
        """Seconds until a call may be tried; 0 when it may be tried now."""
        if self.opened_at is None:
            return 0.0
        return max(0.0, self.opened_at + self.rest - at)

    def succeeded(self) -> None:
        """The source answered: forget what failed before."""
        self.failures = 0
        self.opened_at = None

    def failed(self, at: float) -> None:
        """One more call failed for good; after enough of them in a row the circuit opens (again)."""
        self.failures += 1
        if self.failures >= self.failures_to_open:
            self.opened_at = at
