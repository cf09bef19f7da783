"""The one place that reads the clock. Everything inside takes `now` as a value."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from carelink.errors import Invalid

LONDON = ZoneInfo("Europe/London")


def now() -> datetime:
    """The time, aware and in UTC. `CARELINK_NOW` (an ISO date-time with offset) freezes it, for tests.

    Raises `Invalid` where that is set to something else.
    """
    frozen = os.environ.get("CARELINK_NOW")
    return _read(frozen) if frozen else datetime.now(UTC)


def _read(frozen: str) -> datetime:
    try:
        read = datetime.fromisoformat(frozen)
    except ValueError as wrong:
        raise Invalid("CARELINK_NOW", "must be a date-time with its offset, as 2026-11-24T12:00:00+00:00") from wrong
    if read.tzinfo is None:
        raise Invalid("CARELINK_NOW", "must say its offset from UTC, as 2026-11-24T12:00:00+00:00")
    return read.astimezone(UTC)
