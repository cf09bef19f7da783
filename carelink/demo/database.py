"""Keeps the embedded PostgreSQL up for as long as its parent is there: `python -m carelink.demo.database FOLDER`.

Prints the URL of the database when it can be used. The server is stopped on SIGTERM, and when standard input ends:
so it is gone even where the parent was killed.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from carelink.db import embedded, schema
from carelink.db.engine import engine_for


def main(folder: Path) -> None:
    """Start, bring the schema up to date, say where, wait, stop."""
    server = embedded.start(folder)
    try:
        engine = engine_for(server.url)
        schema.upgrade(engine)
        engine.dispose()
        sys.stdout.write(f"{server.url}\n")
        sys.stdout.flush()
        sys.stdin.read()
    finally:
        server.stop()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    main(Path(sys.argv[1]))
