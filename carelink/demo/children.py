"""The one place where child processes are started, watched and ended. None of them outlives this process."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO

from carelink.errors import Conflict

READY = 60.0  # seconds until a child must be there
GRACE = 8.0  # seconds that a child has to end by itself
AGAIN = 5  # how often one that ended by itself is started again before we give up
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PDEATHSIG = 1  # prctl(2): the signal that a child gets when its parent is gone


@dataclass
class Child:
    """One running process. Its output goes to `log`; a first line that others need is `said`, and stays true."""

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    log: Path
    speaks: bool
    keep: bool
    process: subprocess.Popen[str]
    said: str = ""
    again: int = 0

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None


@dataclass
class Children:
    """A context: at its end, however it comes, every child is ended, the last one first."""

    logs: Path
    running: list[Child] = field(default_factory=list)

    def start(
        self,
        name: str,
        command: Sequence[str],
        environ: Mapping[str, str],
        *,
        ready: Callable[[], bool] | None = None,
        speaks: bool = False,
        keep: bool = False,
    ) -> Child:
        """Start it and wait until it is there: `speaks` by a first line on its output, else until `ready`.

        `keep`: it is started again where it ends by itself. Raises `Conflict` with the last line that it wrote where
        it does not come up.
        """
        self.logs.mkdir(parents=True, exist_ok=True)
        log = self.logs / f"{name}.log"
        log.write_text("")
        child = Child(name, command, environ, log, speaks, keep, _spawn(command, environ, log, speaks))
        self.running.append(child)
        if speaks:
            child.said = _first_line(child)
        elif ready is not None:
            _wait(child, ready)
        return child

    def look_after(self) -> list[str]:
        """Start again what ended by itself; gives their names. Raises `Conflict` for one that can't be kept up."""
        fallen = [child for child in self.running if child.ended]
        for child in fallen:
            if not child.keep or child.again >= AGAIN:
                raise Conflict(f"{child.name} ended: {_last_line(child)}")
            _start_again(child)
        return [child.name for child in fallen]

    def end(self) -> None:
        """End all, the last one first: asked to, then made to."""
        while self.running:
            _end(self.running.pop().process)

    def __enter__(self) -> Children:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A second Ctrl-C, or SIGTERM after it, must not leave half of them.
        before = {number: signal.signal(number, signal.SIG_IGN) for number in ENDING}
        try:
            self.end()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _start_again(child: Child) -> None:
    """In the same place: others were told what it said at first. Raises `Conflict` where it comes up elsewhere."""
    child.again += 1
    _close_pipes(child.process)
    child.process = _spawn(child.command, child.environ, child.log, child.speaks)
    if child.speaks and _first_line(child) != child.said:
        raise Conflict(f"{child.name} ended and came up in another place; start the demo again")


def _spawn(command: Sequence[str], environ: Mapping[str, str], log: Path, speaks: bool) -> subprocess.Popen[str]:
    """In a session of its own, so that Ctrl-C reaches it through us alone, in order.

    Its standard input is a pipe that nobody writes to: it ends when we do, for those who watch it.
    """
    with log.open("a") as written:
        output: IO[str] | int = subprocess.PIPE if speaks else written
        return subprocess.Popen(
            command,
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=written,
            text=True,
            start_new_session=True,
            preexec_fn=_dies_with(os.getpid()),
        )


_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _dies_with(parent: int) -> Callable[[], None] | None:
    """Linux tells a child that its parent is gone, even when that was killed."""
    if _libc is None:
        return None

    def before_exec() -> None:
        _libc.prctl(PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it was gone before we asked
            os._exit(1)

    return before_exec


def _first_line(child: Child) -> str:
    assert child.process.stdout is not None
    said = child.process.stdout.readline().strip()
    if not said:
        raise Conflict(f"{child.name} did not start: {_last_line(child)}")
    return said


def _wait(child: Child, ready: Callable[[], bool]) -> None:
    until = time.monotonic() + READY
    while not ready():
        if child.ended or time.monotonic() > until:
            raise Conflict(f"{child.name} did not start: {_last_line(child)}")
        time.sleep(0.05)


def _last_line(child: Child) -> str:
    lines = [line for line in child.log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else f"exit {child.process.poll()}; see {child.log}"


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    _close_pipes(process)


def _close_pipes(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
