"""`make bench`: every benchmark, one table, one JSON file; ends with 1 where a bound is not kept."""

from __future__ import annotations

import importlib
import sys

from benchmarks.figures import show, write

MODULES = ("ingest", "linkage", "page")


def main(names: list[str]) -> int:
    figures = [
        figure for name in names or MODULES for figure in importlib.import_module(f"benchmarks.{name}").figures()
    ]
    show(figures)
    print(f"written to {write(figures)}")
    return 0 if all(figure.kept for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
