"""Keeps the embedded PostgreSQL up for as long as its parent is there: `python -m carelink.demo.database FOLDER`.

Prints the URL of the database when it can be used. The server is stopped on SIGTERM, and when standard input ends:
so it is gone even where the parent was killed. Where the server ends by itself, so does this, and says so.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from pathlib import Path

from carelink.db import embedded, schema
from carelink.db.engine import engine_for

WATCH = 1.0  # seconds between two looks at the server


def main(folder: Path) -> None:
    """Start, bring the schema up to date, say where, watch, stop. Exits with 1 where the server ended by itself."""
    told = _heard_of_the_end()
    server = embedded.start(folder)
    try:
        engine = engine_for(server.url)
        schema.upgrade(engine)
        engine.dispose()
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        while not _to_end(told):
            if not server.running:
                sys.exit("the PostgreSQL server had ended by itself")
    finally:
        server.stop()


def _heard_of_the_end() -> int:
    """A descriptor that can be read once SIGTERM came.

    No exception: when a parent is killed its end and a SIGTERM come together, and the one must not break off the
    stopping for the other.
    """
    told, tell = os.pipe()
    signal.signal(signal.SIGTERM, lambda *_: os.write(tell, b"."))
    return told


def _to_end(told: int) -> bool:
    """Waits a little for SIGTERM or the end of standard input."""
    readable, _, _ = select.select([told, sys.stdin], [], [], WATCH)
    return told in readable or (sys.stdin in readable and sys.stdin.read(1) == "")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
