"""One client: a process of its own with one kept connection. It does little itself, so that it takes little of the cores.

A job comes as one line of JSON; it says `ready`, waits for a line, asks, and answers with one line of JSON.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from typing import BinaryIO

LENGTH = b"content-length:"


def main() -> None:
    """Job after job until nobody writes any more."""
    for line in sys.stdin:
        job = json.loads(line)
        with socket.create_connection(("127.0.0.1", job["port"]), timeout=60) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            print("ready", flush=True)
            sys.stdin.readline()
            print(json.dumps(_ask(connection, job["paths"], job["headers"], job["count"])), flush=True)


def _ask(connection: socket.socket, paths: list[str], headers: dict[str, str], count: int) -> dict[str, object]:
    """One request after the other; `why` says what was wrong, if anything."""
    said = "".join(f"{name}: {value}\r\n" for name, value in {"Host": "127.0.0.1", **headers}.items())
    requests = [f"GET {path} HTTP/1.1\r\n{said}\r\n".encode() for path in paths]
    began, why, each = time.perf_counter(), "", list[float]()
    with connection.makefile("rb") as answers:
        for number in range(count):
            sent = time.perf_counter()
            connection.sendall(requests[number % len(requests)])
            if wrong := _wrong(answers):
                why = f"{paths[number % len(paths)].partition('?')[0]}: {wrong}"
                break
            each.append(time.perf_counter() - sent)
    return {"began": began, "ended": time.perf_counter(), "why": why, "each": each}


def _wrong(answers: BinaryIO) -> str:
    """Reads one answer to its end; gives what is wrong with it, if anything."""
    status, length = answers.readline(), 0
    while (line := answers.readline()) not in (b"\r\n", b""):
        if line[: len(LENGTH)].lower() == LENGTH:
            length = int(line[len(LENGTH) :])
    whole = len(answers.read(length)) == length > 0
    return "" if whole and b" 200 " in status else f"answered {status.decode(errors='replace').strip() or 'nothing'}"


if __name__ == "__main__":
    main()
