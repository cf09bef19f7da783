"""`make bench`: every benchmark in one run, one table, one JSON file; ends with 1 where a target is missed.

`python -m benchmarks ingest page` runs some of them.
"""

from __future__ import annotations

import importlib
import sys
import time

from rich.console import Console

from benchmarks.figures import Figure, show, write
from benchmarks.machine import Others, facts
from benchmarks.world import PEOPLE, opened, published

MODULES = ("ingest", "page", "lens", "fhir", "writes", "audit", "memory", "scale")
ALONE = ("million",)  # by name only


def main(names: list[str]) -> int:
    """Run them; gives the exit code."""
    known = (*MODULES, *ALONE)
    if unknown := set(names) - set(known):
        print(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    console, found, began = Console(stderr=True), list[Figure](), time.monotonic()
    with opened() as world:
        about = facts(world.server)
        others = Others(world.server)
        for name in names or MODULES:
            with console.status(f"{name} …"):
                found += importlib.import_module(f"benchmarks.{name}").figures(world)
        about |= {"people": PEOPLE, "published_records": published(world), "others": round(others.share(), 3)}
    about["seconds"] = round(time.monotonic() - began, 1)
    show(found, about)
    print(f"written to {write(found, about)} after {about['seconds']:.0f} s")
    return 0 if all(figure.met for figure in found) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
