"""One client: a process of its own that keeps its connection. It imports little, so that it takes little of the cores.

A job comes as one line of JSON; it says `ready`, waits for a line, asks, and answers with one line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from http.client import HTTPConnection


def main() -> None:
    """Job after job until nobody writes any more."""
    for line in sys.stdin:
        job = json.loads(line)
        connection = HTTPConnection("127.0.0.1", job["port"], timeout=60)
        connection.connect()
        print("ready", flush=True)
        sys.stdin.readline()
        print(json.dumps(_ask(connection, job["paths"], job["headers"], job["count"])), flush=True)
        connection.close()


def _ask(connection: HTTPConnection, paths: list[str], headers: dict[str, str], count: int) -> dict[str, object]:
    """One request after the other; `why` says what was wrong, if anything."""
    began, why = time.perf_counter(), ""
    for number in range(count):
        path = paths[number % len(paths)]
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200 or not body:
            why = f"{path.partition('?')[0]} answered {answer.status}"
            break
    return {"began": began, "ended": time.perf_counter(), "why": why}


if __name__ == "__main__":
    main()
