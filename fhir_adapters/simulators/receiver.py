"""A system that is notified, as an integration engine is: `python -m fhir_adapters.simulators.receiver --port 8477`.

It believes a notification that is signed with its secret, is not old, and has a number that it has not had.
"""

from __future__ import annotations

import argparse
import hashlib
import hmac
import json
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event, Lock
from typing import Any

from fhir_adapters.simulators.serving import Answer, Asked, Simulated

PATH = "/notifications"
OLD = 300  # seconds


@dataclass
class Receiver:
    """What it was sent, in order. `secret` empty: it believes everybody, until it knows one."""

    secret: str = ""
    clock: Callable[[], float] = time.time
    status: int = 0  # instead of what it would answer; 0: that
    took: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    again: int = 0  # numbers that it had already
    numbers: set[tuple[str, int]] = field(default_factory=set)
    say: Callable[[str], object] = lambda _: None
    _lock: Lock = field(default_factory=Lock)

    def answer(self, asked: Asked) -> Answer:
        """What it answers to a notification."""
        if asked.path != PATH or asked.method != "POST":
            return Answer({"error": "nothing here"}, 404)
        with self._lock:
            if self.status:
                return Answer({"error": "not now"}, self.status)
            if why := self._disbelieved(asked):
                self.say(f"refused: {why}")
                return Answer({"error": why}, 401)
            self._take(json.loads(asked.body), asked.body)
            return Answer({"taken": len(self.took)})

    def _disbelieved(self, asked: Asked) -> str:
        if not self.secret:
            return ""
        at = asked.headers.get("x-carelink-timestamp", "")
        if not at.isdigit() or abs(self.clock() - int(at)) > OLD:
            return "it is old"
        made = hmac.new(self.secret.encode(), at.encode() + b"." + asked.body, hashlib.sha256).hexdigest()
        good = hmac.compare_digest(f"v1={made}", asked.headers.get("x-carelink-signature", ""))
        return "" if good else "it is not signed with our secret"

    def _take(self, bundle: dict[str, Any], body: bytes) -> None:
        status = bundle["entry"][0]["resource"]["parameter"]
        said = {one["name"]: one for one in status if one["name"] != "notificationEvent"}
        whose, kind = said["subscription"]["valueReference"]["reference"], said["type"]["valueCode"]
        told = [{part["name"]: part for part in one["part"]} for one in status if one["name"] == "notificationEvent"]
        numbers = {(whose, int(one["eventNumber"]["valueString"])) for one in told}
        self.again += len(numbers & self.numbers)
        self.numbers |= numbers
        self.took.append(bundle)
        self.bodies.append(body)
        focus = [
            one["focus"]["valueReference"]["reference"].rpartition("/fhir/R4/")[2] for one in told if "focus" in one
        ]
        self.say(f"{kind} {sorted(number for _, number in numbers)} {' '.join(focus)}".rstrip())


def main(arguments: list[str] | None = None) -> int:
    """Say what comes, a line a notification, until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m fhir_adapters.simulators.receiver", description=__doc__)
    parser.add_argument("--port", type=int, default=8477)
    parser.add_argument("--secret", default="", help="of the subscription; without it, everything is believed")
    asked, ended = parser.parse_args(arguments), Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    server = Simulated(Receiver(asked.secret, say=_print).answer, asked.port)
    _print(f"listening at {server.url}{PATH}")
    ended.wait()
    server.close()
    return 0


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
