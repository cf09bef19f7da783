"""The whole system as `carelink demo` brings it up, for tests that look at it from outside."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from processes import free_port, run, until

from carelink.demo.environment import Folder, plain

PEOPLE = 60
LONGEST_START = 240.0  # seconds; it takes about 20 on two idle cores
LONGEST_END = 60.0
ADDRESS = re.compile(r"CareLink is at (http://\S+)")


@dataclass(frozen=True)
class RunningSystem:
    """`base` is the address of its pages."""

    base: str
    folder: Path

    def url(self, path: str) -> str:
        return self.base + path

    def fault(self, source: str, fault: str | None) -> None:
        """Break a simulated source, or mend it with None."""
        httpx.post(f"{self._server(source)}/_simulator/fault", json={"fault": fault}, timeout=10).raise_for_status()

    def pull(self, source: str) -> subprocess.CompletedProcess[str]:
        """Pull it now, as an operator would: exit 1 where it failed, or is being pulled already."""
        return run("pull", source, "--data", str(self.folder))

    @contextmanager
    def without(self, source: str) -> Iterator[None]:
        """The source is down, and its owner has been asked in vain; afterwards it is well and pulled again."""
        self.fault(source, "down")
        try:
            until(lambda: "; stopped: " in self.pull(source).stdout, f"{source} was asked in vain")
            yield
        finally:
            self.fault(source, None)
            until(lambda: self.pull(source).returncode == 0, f"{source} answers again")

    def _server(self, source: str) -> str:
        name = f"CARELINK_SOURCE_{source.upper().replace('-', '_')}_URL"
        parts = urlsplit(Folder(self.folder).environment()[name])
        return f"{parts.scheme}://{parts.netloc}"


@contextmanager
def running_system(folder: Path) -> Iterator[RunningSystem]:
    """`carelink demo` with invented people, from when it says its address until Ctrl-C has ended it."""
    asked = ["--data", str(folder), "--port", str(free_port()), "--people", str(PEOPLE)]
    command = [sys.executable, "-m", "carelink.cli", "demo", *asked]
    with subprocess.Popen(
        command,
        env=plain(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # Ctrl-C at the terminal of the tests reaches it through `_interrupt`, once
        preexec_fn=_hear_interrupts,
    ) as process:
        try:
            yield RunningSystem(_address(process), folder)
        finally:
            _interrupt(process)


def _hear_interrupts() -> None:
    """A shell in the background ignores Ctrl-C, and its children with it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    said = []
    too_late = threading.Timer(LONGEST_START, process.kill)
    too_late.start()
    try:
        for line in process.stdout:
            said.append(line)
            if found := ADDRESS.search(line):
                return found[1]
    finally:
        too_late.cancel()
    raise AssertionError(f"carelink demo did not come up: {''.join(said[-20:])}")


def _interrupt(process: subprocess.Popen[str]) -> None:
    """Ctrl-C, which must end it and all of its children in good time."""
    process.send_signal(signal.SIGINT)
    try:
        process.communicate(timeout=LONGEST_END)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
