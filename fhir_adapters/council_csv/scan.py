"""Goes once through a file before any of it is used: is it whole and readable, did it change, which rows count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fhir_adapters.council_csv.reading import FileWrong, Form, Line, read
from fhir_adapters.mapping import Table


@dataclass(frozen=True)
class Scan:
    """What is known of one file, and from which row it is to be read."""

    table: Table
    path: Path
    form: Form
    stamp: Mapping[str, Any]  # size and time of change
    digest: str
    rows: int
    start: int
    passed_over: frozenset[int] = frozenset()  # rows that another row with the same id replaces
    clashes: Mapping[int, int] | None = None  # row -> line of the first row with the same id, where none may be twice

    def saved(self, rows: int) -> Mapping[str, Any]:
        """The file's part of the cursor after so many rows."""
        return {**self.stamp, "sha256": self.digest, "rows": rows, "of": self.rows}


def scan(table: Table, path: Path, form: Form, before: Mapping[str, Any] | None) -> Scan | None:
    """None where the file is as it was when it was read to its end. Raises FileWrong."""
    stamp = _stamp(path)
    if before and before["rows"] == before["of"] and all(before[name] == value for name, value in stamp.items()):
        return None
    lines, digest = read(path, form)
    seen: dict[str, tuple[int, int]] = {}
    passed_over: set[int] = set()
    clashes: dict[int, int] = {}
    rows = 0
    for line in lines:
        rows += 1
        _note(table, line, seen, passed_over, clashes)
    start = int(before["rows"]) if before and before["sha256"] == digest.text() else 0
    return Scan(table, path, form, stamp, digest.text(), rows, start, frozenset(passed_over), clashes)


def _note(
    table: Table, line: Line, seen: dict[str, tuple[int, int]], passed_over: set[int], clashes: dict[int, int]
) -> None:
    """Of rows with the same id: which are passed over, or clash, by the table's rule."""
    key = "" if line.odd else table.key(line.cells)
    if not key:
        return
    if key not in seen:
        seen[key] = (line.number, line.at)
    elif table.duplicates == "reject":
        clashes[line.number] = seen[key][1]
    elif table.duplicates == "first":
        passed_over.add(line.number)
    else:
        passed_over.add(seen[key][0])
        seen[key] = (line.number, line.at)


def _stamp(path: Path) -> Mapping[str, Any]:
    try:
        found = path.stat()
    except OSError as wrong:
        raise FileWrong(f"{path.name}: is not there") from wrong
    return {"size": found.st_size, "mtime_ns": found.st_mtime_ns}
