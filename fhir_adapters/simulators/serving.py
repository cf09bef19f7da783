"""What every simulated server is: a real HTTP server on a thread, with faults that can be switched on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fhir_adapters import exact_json


class Fault(StrEnum):
    """How a server can break."""

    DOWN = "down"  # closes the connection without a word
    SLOW = "slow"  # answers after `delay` seconds
    FAILS = "500"
    MALFORMED = "malformed"  # the JSON ends in the middle
    HALF_PAGE = "half-page"  # half of the page's entries are missing; what is no page breaks off half-way
    WRONG_TYPE = "wrong-type"  # HTML with status 200, as a gateway sends it
    SAME_PAGE = "same-page"  # every page is the first one, and says that there is another


@dataclass(frozen=True)
class Asked:
    """One request. `path` is decoded and begins with `/`; header names are lower case."""

    method: str
    path: str
    params: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes = b""

    def param(self, name: str, otherwise: str = "") -> str:
        """The first value of a parameter."""
        return self.params.get(name, [otherwise])[0]


@dataclass(frozen=True)
class Answer:
    """What is answered, as JSON. `page` names the key of the list that is a page, where the answer is one."""

    value: Any
    status: int = 200
    kind: str = "application/json"
    page: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


Answering = Callable[[Asked], Answer]


class Simulated:
    """A running server. `url` is where the source is asked; setting `fault` breaks it until it is None again."""

    def __init__(self, answer: Answering, port: int = 0, base: str = "", delay: float = 30.0) -> None:
        self._answer = answer
        self._fault: Fault | None = None
        self.delay = delay
        self.asked = 0  # requests so far, those about faults left out
        self._closing = Event()
        self._first_pages: dict[str, Answer] = {}
        self._server = _Server(("127.0.0.1", port), self)
        self.root = f"http://127.0.0.1:{self._server.server_port}"
        self.url = self.root + base
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def fault(self) -> Fault | None:
        """How it is broken now."""
        return self._fault

    @fault.setter
    def fault(self, fault: str | None) -> None:
        """Raises ValueError for a fault that is not known."""
        self._fault = Fault(fault) if fault else None
        self._first_pages.clear()

    def close(self) -> None:
        """Stop answering and free the port."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def replace(self, answer: Answering) -> None:
        """Answer from another state from now on."""
        self._answer = answer

    def respond(self, asked: Asked) -> Answer | None:
        """The answer with the present fault in it; None closes the connection."""
        if asked.path == "/_simulator/fault":
            return self._switch(asked)
        self.asked += 1
        if self._fault is Fault.DOWN:
            return None
        if self._fault is Fault.FAILS:
            return Answer({"error": "internal server error"}, 500)
        if self._fault is Fault.SLOW and self._closing.wait(self.delay):
            return None
        answer = self._answer(asked)
        if answer.page and self._fault is Fault.HALF_PAGE:
            return _halved(answer)
        if answer.page and self._fault is Fault.SAME_PAGE:
            return self._again(asked, answer)
        return answer

    def _switch(self, asked: Asked) -> Answer:
        if asked.method == "GET":
            return Answer({"fault": self._fault})
        try:
            self.fault = json.loads(asked.body or b"{}").get("fault")
        except (ValueError, AttributeError):
            known = ", ".join(Fault)
            return Answer({"error": f'must be {{"fault": one of {known}, or null}}'}, 400)
        return Answer({"fault": self._fault})

    def _again(self, asked: Asked, answer: Answer) -> Answer:
        """The first page of that search, which always has a next link."""
        kind = asked.path
        if kind not in self._first_pages:
            if not _has_next(answer):
                return answer
            self._first_pages[kind] = answer
        return self._first_pages[kind]


def _halved(answer: Answer) -> Answer:
    """Half of the entries and no way to the rest; the total still tells the truth."""
    value = dict(answer.value)
    present = value.get(answer.page, [])
    value[answer.page] = present[: len(present) // 2]
    if "next" in value:
        value["next"] = None
    if "link" in value:
        value["link"] = [link for link in value["link"] if link["relation"] != "next"]
    return Answer(value, answer.status, answer.kind, answer.page)


def _has_next(answer: Answer) -> bool:
    links = answer.value.get("link", [])
    return bool(answer.value.get("next")) or any(link["relation"] == "next" for link in links)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], simulated: Simulated) -> None:
        self.simulated = simulated
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        at = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, at.path.replace("%24", "$"), parse_qs(at.query), headers, body)
        answer = self.server.simulated.respond(asked)
        if answer is None:
            self.close_connection = True
            return
        self._send(answer, asked)

    def _send(self, answer: Answer, asked: Asked) -> None:
        content, kind = exact_json.dumps(answer.value), answer.kind
        fault = None if asked.path == "/_simulator/fault" else self.server.simulated.fault
        if fault is Fault.MALFORMED:
            content = content[: len(content) // 2]
        elif fault is Fault.WRONG_TYPE:
            content, kind = b"<!doctype html><title>Gateway</title><p>Please sign in.</p>", "text/html"
        self.send_response(answer.status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if fault is Fault.HALF_PAGE and not answer.page:
            content = content[: len(content) // 2]
            self.close_connection = True
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: requests may hold personal data."""
