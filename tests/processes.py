"""Real processes of CareLink and of Redis, for tests that kill them."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conftest import absent

DEADLINE = 60.0
NOWHERE = Path(os.devnull)


def until(condition: Callable[[], Any], what: str, deadline: float = DEADLINE) -> Any:
    """What the condition gives once it is true; fails when it does not come true in time."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError(f"waited {deadline:.0f} s in vain: {what}")


@contextmanager
def command(*arguments: str, log: Path = NOWHERE, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """`carelink …` as a process of its own, killed at the end. What it says on stderr goes to `log`."""
    with (
        log.open("w") as said,
        _process([sys.executable, "-m", "carelink.cli", *arguments], environ, stderr=said) as process,
    ):
        yield process


@contextmanager
def python(file: str, log: Path = NOWHERE, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """A Python file as a process of its own, killed at the end. What it says on stderr goes to `log`."""
    with log.open("w") as said, _process([sys.executable, file], environ, stderr=said) as process:
        yield process


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """`carelink …` to its end."""
    told = [sys.executable, "-m", "carelink.cli", *arguments]
    return subprocess.run(told, env=_clean(environ), capture_output=True, text=True, timeout=DEADLINE, check=False)


@contextmanager
def redis_server(folder: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """A redis-server on that port of loopback; what it held is lost when it ends."""
    server = shutil.which("redis-server")
    if server is None:
        absent("a redis-server")
        raise AssertionError("absent() skips or fails")
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    with _process([server, *options], {}) as process:
        until(lambda: listens(port), "redis listens")
        yield process


@contextmanager
def simulators(folder: Path, people: int) -> Iterator[dict[str, str]]:
    """The simulated sources as a process; gives the environment that names them. Without the published examples."""
    chosen = ["--people", str(people), "--seed", "5", "--dir", str(folder), "--today", "2026-11-23"]
    command = [sys.executable, "-m", "fhir_adapters.simulators", *chosen, "--shared-data", str(folder)]
    with _process(command, {}, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        cohort = folder / "cohort.txt"
        cohort.write_text("\n".join(told["cohort"]))
        yield {"CARELINK_COHORT": str(cohort), **dict(_sources(told))}


def _sources(told: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ("council-a", "council-b", "hospital", "pds", "gp"):
        prefix = f"CARELINK_SOURCE_{name.upper().replace('-', '_')}"
        yield f"{prefix}_URL", told[name]
        yield f"{prefix}_SECRET", told["secrets"].get(name, "")


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def _clean(environ: Mapping[str, str]) -> dict[str, str]:
    kept = ("CARELINK_PLACE", "CARELINK_SHARED_DATA")
    here = {name: value for name, value in os.environ.items() if not name.startswith("CARELINK_") or name in kept}
    return here | dict(environ)


@contextmanager
def _process(told: list[str], environ: Mapping[str, str], **streams: Any) -> Iterator[subprocess.Popen[str]]:
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **streams}
    with subprocess.Popen(told, env=_clean(environ), text=True, **streams) as process:
        try:
            yield process
        finally:
            process.kill()
