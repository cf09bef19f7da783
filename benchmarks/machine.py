"""The machine: what it is, what our processes cost it, and what others took of it meanwhile."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import psycopg

from carelink.db.embedded import Embedded

DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


@dataclass(frozen=True)
class Spent:
    """Seconds of one piece of work: on the clock on the wall, of CPU in our processes, of CPU in PostgreSQL."""

    wall: float
    python: float
    postgres: float

    @property
    def cpu(self) -> float:
        """All CPU seconds."""
        return self.python + self.postgres


class Meter:
    """Reads what this process (or `processes`) and the server spend: `mark()`, work, `spent()`."""

    def __init__(self, server: Embedded, processes: Iterable[psutil.Process] = ()) -> None:
        postmaster = server.server.get_pid()
        assert postmaster is not None, "the server runs"
        self._postgres = psutil.Process(postmaster)
        self._python = list(processes) or [psutil.Process()]
        self.mark()

    def mark(self) -> None:
        """From now on."""
        self._since = self._now()

    def spent(self) -> Spent:
        """Since the mark."""
        return Spent(*(now - then for now, then in zip(self._now(), self._since, strict=True)))

    def _now(self) -> tuple[float, float, float]:
        python = sum(_seconds(each) for one in self._python for each in (one, *one.children(recursive=True)))
        backends = self._postgres.children(recursive=True)
        ended = self._postgres.cpu_times()
        postgres = sum(_seconds(one) for one in (self._postgres, *backends))
        return time.perf_counter(), python, postgres + ended.children_user + ended.children_system


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


class Others:
    """What share of the machine programs other than ours took since it was made."""

    def __init__(self, server: Embedded) -> None:
        self._meter = Meter(server)
        self._since = self._look()

    def share(self) -> float:
        """From 0 (the machine was ours) to 1."""
        busy, whole, ended = (now - then for now, then in zip(self._look(), self._since, strict=True))
        ours = self._meter.spent().cpu + ended
        return max(0.0, min(1.0, (busy - ours) / whole)) if whole else 0.0

    @staticmethod
    def _look() -> tuple[float, float, float]:
        times, ours = psutil.cpu_times(), os.times()
        idle = times.idle + getattr(times, "iowait", 0.0)
        return sum(times) - idle, sum(times), ours.children_user + ours.children_system


def facts(server: Embedded) -> dict[str, Any]:
    """What the figures were measured on. Raises ValueError where the server would lose what it has committed."""
    with psycopg.connect(server.url) as conn:
        durable = {name: _setting(conn, name) for name in DURABLE}
        version = _setting(conn, "server_version")
    if lax := [name for name, value in durable.items() if value != "on"]:
        raise ValueError(f"figures of a server that may lose what it committed mean nothing: {', '.join(lax)} is off")
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "processor": _processor(),
        "memory_mb": round(psutil.virtual_memory().total / 2**20),
        "system": platform.platform(),
        "python": platform.python_version(),
        "postgresql": version,
        "durable": durable,
        "load_before": os.getloadavg(),
    }


def _setting(conn: psycopg.Connection, name: str) -> str:
    row = conn.execute("select current_setting(%s)", (name,)).fetchone()
    return str(row[0]) if row else ""


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
