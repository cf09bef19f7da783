"""Keeps the embedded PostgreSQL up for as long as its parent is there: `python -m carelink.demo.database FOLDER`.

Prints the URL of the database when it can be used. The server is stopped on SIGTERM, and when standard input ends:
so it is gone even where the parent was killed. Where the server ends by itself, so does this, and says so.
"""

from __future__ import annotations

import select
import signal
import sys
from pathlib import Path

from carelink.db import embedded, schema
from carelink.db.engine import engine_for

WATCH = 1.0  # seconds between two looks at the server


def main(folder: Path) -> None:
    """Start, bring the schema up to date, say where, watch, stop. Exits with 1 where the server ended by itself."""
    server = embedded.start(folder)
    try:
        engine = engine_for(server.url)
        schema.upgrade(engine)
        engine.dispose()
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        while not _parent_gone():
            if not server.running:
                sys.exit("the PostgreSQL server had ended by itself")
    finally:
        server.stop()


def _parent_gone() -> bool:
    """Waits a little for the end of standard input."""
    readable, _, _ = select.select([sys.stdin], [], [], WATCH)
    return bool(readable) and sys.stdin.read(1) == ""


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    main(Path(sys.argv[1]))
