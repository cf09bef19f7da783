"""A real HTTP server that answers as a test tells it to, faults of the wire included."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    params: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes

    def param(self, name: str, default: str = "") -> str:
        return self.params.get(name, [default])[0]


@dataclass(frozen=True)
class Reply:
    """One answer. `claims` is a Content-Length that may differ from the truth; `hang` keeps the caller waiting."""

    body: bytes = b""
    status: int = 200
    content_type: str = "application/fhir+json"
    headers: Mapping[str, str] = field(default_factory=dict)
    claims: int | None = None
    hang: bool = False


def reply(value: Any, status: int = 200, content_type: str = "application/fhir+json", **headers: str) -> Reply:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return Reply(body, status, content_type, {name.replace("_", "-"): text for name, text in headers.items()})


@dataclass
class Scripted:
    """The server while it runs: its URL, what it was asked, and how it answers (which a test may change)."""

    url: str
    answer: Callable[[Asked], Reply]
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def scripted(answer: Callable[[Asked], Reply]) -> Iterator[Scripted]:
    """Serves `answer` on a free port of the loopback until the block ends."""
    ended = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet: in two, the second waits 40 ms for a delayed ACK

        def _serve(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            question = Asked(
                self.command,
                parts.path,
                parse_qs(parts.query, keep_blank_values=True),
                headers,
                self.rfile.read(length),
            )
            running.asked.append(question)
            self._send(running.answer(question))

        def _send(self, answer: Reply) -> None:
            if answer.hang:
                ended.wait(30)
                self.close_connection = True
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(answer.body) if answer.claims is None else answer.claims))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)
            self.close_connection = answer.claims is not None

        do_GET = do_POST = _serve

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: a test asserts on `asked`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    running = Scripted(f"http://127.0.0.1:{server.server_port}", answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
