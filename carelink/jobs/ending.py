"""A worker or relay that is asked to end does end, whatever else goes wrong at that moment."""

from __future__ import annotations

import signal

_asked: list[int] = []


def heed() -> None:
    """From now on SIGTERM and Ctrl-C arrive as an exception: what is in a transaction is rolled back.

    They are remembered, too: where the database is away, cleaning up may raise another exception over the first.
    """
    signal.signal(signal.SIGTERM, _end)
    signal.signal(signal.SIGINT, _end)


def asked() -> bool:
    """Whether somebody asked this process to end."""
    return bool(_asked)


def _end(number: int, frame: object) -> None:
    _asked.append(number)
    raise SystemExit(0)
