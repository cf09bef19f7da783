"""`carelink demo` as a process, what it prints, and what of it is still there after it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from processes import until


@dataclass
class Demo:
    """A demo that was started on `data`; what it prints goes to a file beside it."""

    process: subprocess.Popen[str]
    data: Path
    output: Path

    def said(self, text: str) -> bool:
        return text in self.output.read_text()

    def wait_for(self, text: str) -> None:
        until(lambda: self.said(text) or self.process.poll() is not None, f"the demo says {text!r}")
        assert self.said(text), self.output.read_text()

    def child(self, *words: str) -> psutil.Process:
        """Its one child with these words in the command."""
        found = [one for one in children(self.process.pid) if all(word in command(one) for word in words)]
        assert found, words
        return found[0]

    def ends(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(30)


@contextmanager
def demo(data: Path, *more: str, path: str | None = None) -> Iterator[Demo]:
    """`carelink demo` on that folder with 15 people; killed at the end, were it still there."""
    output = data.parent / f"{data.name}.out"
    with output.open("w") as written:
        told = [sys.executable, "-m", "carelink.cli", "demo", "--people", "15", "--data", str(data), *more]
        process = subprocess.Popen(
            told, env=environ(data, path), stdout=written, stderr=written, text=True, preexec_fn=_hears_ctrl_c
        )
    try:
        yield Demo(process, data, output)
    finally:
        process.kill()
        process.wait()


def environ(data: Path, path: str | None = None) -> dict[str, str]:
    """The environment without another CareLink's; without the published examples, which take a while."""
    here = {name: value for name, value in os.environ.items() if not name.startswith("CARELINK_")}
    return here | {"CARELINK_SHARED_DATA": str(data.parent / "nothing"), "PATH": path or os.environ["PATH"]}


def _hears_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a test run in the background of a shell ignores it


def children(pid: int) -> list[psutil.Process]:
    """All processes that descend from it."""
    return psutil.Process(pid).children(recursive=True)


def command(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def of(data: Path) -> list[str]:
    """The commands of all running processes that know of this folder: whoever their parent is by now."""
    return [command(one) or str(one) for one in psutil.process_iter() if _knows(one, str(data))]


def _knows(process: psutil.Process, path: str) -> bool:
    with suppress(psutil.Error):
        return path in command(process) or any(path in value for value in process.environ().values())
    return False


def ports(pids: Sequence[psutil.Process]) -> set[int]:
    """Where they listen."""
    found = set()
    for one in pids:
        with suppress(psutil.Error):
            found |= {conn.laddr.port for conn in one.net_connections("tcp") if conn.status == psutil.CONN_LISTEN}
    return found


def left_in(data: Path) -> list[str]:
    """Files that should be there only while a demo runs."""
    kinds = [file.name for file in data.rglob("*") if file.is_socket()]
    return kinds + [file.name for file in data.rglob("*") if file.name in ("environment.json", "postmaster.pid")]
