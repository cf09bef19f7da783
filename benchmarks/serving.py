"""Web servers over real HTTP, as in production, and clients in processes of their own that keep their connections."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from benchmarks.filled import Filled
from benchmarks.machine import Meter
from carelink.demo.ports import answers, any_port

WORKERS = 2
THREADS = 2  # of each: so many connections are kept and answered at once
CLIENTS = WORKERS * THREADS


@dataclass(frozen=True)
class Server:
    """A running gunicorn."""

    port: int
    process: psutil.Process

    @property
    def workers(self) -> list[psutil.Process]:
        """Its web processes."""
        return list(self.process.children())


@contextmanager
def served(here: Filled, name: str, application: str, workers: int = WORKERS) -> Iterator[Server]:
    """gunicorn with kept connections, over the filled database."""
    port = any_port()
    command = [
        *(sys.executable, "-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}"),
        *("--workers", str(workers), "--worker-class", "gthread", "--threads", str(THREADS), "--keep-alive", "30"),
        *("--preload", "--no-control-socket", "--log-level", "warning"),
    ]
    child = here.world.children.start(name, command, here.environ(), ready=lambda: answers(port))
    try:
        yield Server(port, psutil.Process(child.process.pid))
    finally:
        child.process.terminate()
        child.process.wait(10)


@dataclass(frozen=True)
class Asked:
    """So many requests, as many at a time as there are clients: how many a second, and the server's CPU seconds for each."""

    a_second: float
    cpu: float
    each: tuple[float, ...] = ()  # seconds that each took, as its client saw it


class Clients:
    """A context: processes that ask, made once and ended at the end.

    One that asks one server with one worker leaves a core to each, and to PostgreSQL what neither needs: two things that
    differ little are told apart so.
    """

    def __init__(self, number: int = CLIENTS) -> None:
        command = [sys.executable, "-m", "benchmarks.client"]
        self._clients = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(number)
        ]

    def __enter__(self) -> Clients:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._clients:
            one.communicate()  # it ends when nobody writes to it any more

    def ask(self, here: Filled, server: Server, paths: Sequence[str], headers: Mapping[str, str], count: int) -> Asked:
        """Ask for these paths in turn, each client from another of them. Raises AssertionError for anything but a 200."""
        number = len(self._clients)
        each = count // number
        for start in range(number):
            turned = [*paths[start:], *paths[:start]]
            self._tell(
                start, json.dumps({"port": server.port, "paths": turned, "headers": dict(headers), "count": each})
            )
        ready = [self._hear(one) for one in range(number)]
        assert ready == ["ready"] * number, "every client is connected"
        meter = Meter(here.world.server, [server.process])
        for one in range(number):
            self._tell(one, "go")
        told = [json.loads(self._hear(one)) for one in range(number)]
        spent = meter.spent()
        if wrong := next((said["why"] for said in told if said["why"]), ""):
            raise AssertionError(wrong)
        seconds = max(said["ended"] for said in told) - min(said["began"] for said in told)
        took = tuple(one for said in told for one in said["each"])
        return Asked(each * number / seconds, spent.cpu / (each * number), took)

    def _tell(self, number: int, line: str) -> None:
        stdin = self._clients[number].stdin
        assert stdin is not None, "it is a pipe"
        stdin.write(line + "\n")
        stdin.flush()

    def _hear(self, number: int) -> str:
        stdout = self._clients[number].stdout
        assert stdout is not None, "it is a pipe"
        return stdout.readline().strip()
