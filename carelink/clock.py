"""The one place that reads the clock. Everything inside takes `now` as a value."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def now() -> datetime:
    """The time, aware and in UTC. `CARELINK_NOW` (an ISO date-time with offset) freezes it, for tests."""
    frozen = os.environ.get("CARELINK_NOW")
    return datetime.fromisoformat(frozen).astimezone(UTC) if frozen else datetime.now(UTC)
