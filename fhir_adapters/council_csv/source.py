"""Pulls a folder of CSV extracts: the files that changed, in the order of the mapping file, some hundred rows a batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from fhir_adapters import exact_json
from fhir_adapters.council_csv.reading import FileWrong, Form, Line, read
from fhir_adapters.council_csv.scan import Scan, scan
from fhir_adapters.council_csv.told import Told
from fhir_adapters.mapping import Mapped, Table
from fhir_adapters.mapping.options import mapping_of
from fhir_adapters.source import Batch, Cursor, Reason, SourceFailed, SourceSettings, Wanted
from fhir_adapters.whole import IdForm

ROWS = 500  # rows a batch


class CouncilCsv:
    """A source that is a folder (`url`) of CSV files. Options: `mapping` (the mapping file), `batch_rows`.

    A file that can't be read stops itself and the files that refer to it; the others are read, and then the pull
    fails with a line for each. The cursor is {mapping, files: {table: {size, mtime_ns, sha256, rows, of}}}.
    """

    def __init__(self, settings: SourceSettings) -> None:
        self.settings = settings
        self._mapping = mapping_of(settings)
        self._rows = int(settings.options.get("batch_rows", ROWS))

    def pull(self, cursor: Cursor | None, wanted: Sequence[Wanted], now: datetime) -> Iterator[Batch]:
        """The rows of all files that changed since the cursor, mapped. Raises SourceFailed."""
        folder = Path(self.settings.url)
        if not self.settings.url or not folder.is_dir():
            raise SourceFailed(self.settings.name, "the folder of its extracts is not there")
        files = dict(cursor["files"]) if cursor and cursor["mapping"] == self._mapping.digest else {}
        scans, failed = self._scans(folder, files)
        yield from self._batches(scans, files, failed)
        if failed:
            raise SourceFailed(self.settings.name, "; ".join(failed.values()))

    def _scans(self, folder: Path, files: Mapping[str, Any]) -> tuple[list[Scan], dict[str, str]]:
        """The files to read, and for each table that can't be: its line."""
        scans: list[Scan] = []
        failed: dict[str, str] = {}
        for table in self._mapping.tables:
            path = folder / table.place
            if table.may_be_missing and not path.exists():
                continue
            try:
                one = scan(table, path, self._form(table), files.get(table.name))
            except FileWrong as wrong:
                failed[table.name] = str(wrong)
                continue
            scans += [one] if one else []
        return scans, failed

    def _form(self, table: Table) -> Form:
        return Form(self._mapping.encoding, self._mapping.separator, table.required)

    def _batches(self, scans: Sequence[Scan], files: dict[str, Any], failed: dict[str, str]) -> Iterator[Batch]:
        total = sum(one.rows - one.start for one in scans)
        done = 0
        for one in scans:
            if one.table.refers_to & failed.keys():
                failed[one.table.name] = f"{one.path.name}: not read, as it refers to what could not be"
                continue
            try:
                for batch, rows in _read(one, self._rows):
                    done += rows
                    files[one.table.name] = one.saved(batch.done)
                    saved = {"mapping": self._mapping.digest, "files": dict(files)}
                    whole = tuple(replace(part, others=self._others(one.table)) for part in batch.whole)
                    yield Batch(batch.items, saved, batch.rejected, done, total, whole)
            except FileWrong as wrong:
                failed[one.table.name] = str(wrong)

    def _others(self, table: Table) -> tuple[IdForm, ...]:
        return tuple(form for other in self._mapping.tables if other is not table for form in other.forms)


def _read(one: Scan, size: int) -> Iterator[tuple[Batch, int]]:
    """The batches of a file with how many rows each took; `done` counts the rows of the file.

    Raises FileWrong where the file is another than the one that was scanned.
    """
    lines, digest = read(one.path, one.form)
    told = Told(one)
    for line in islice(lines, one.start):  # read by an earlier pull
        told.add(line, _map(one, line))
    rest = iter(lines)
    done = one.start
    while chunk := list(islice(rest, size)):
        mapped = [_map(one, line) for line in chunk if line.number not in one.passed_over]
        for line, each in zip((line for line in chunk if line.number not in one.passed_over), mapped, strict=True):
            told.add(line, each)
        done += len(chunk)
        if done >= one.rows and (next(rest, None) is not None or digest.text() != one.digest):
            break
        items = tuple(item for each in mapped for item in each.items)
        whole = told.whole() if done >= one.rows else ()
        yield Batch(items, {}, tuple(each.rejected for each in mapped if each.rejected), done, whole=whole), len(chunk)
    if digest.text() != one.digest:
        raise FileWrong(f"{one.path.name}: changed while it was read")
    if one.start == one.rows:
        yield Batch((), {}, (), done, whole=told.whole()), 0  # nothing new in it: the cursor learns its time of change


def _map(one: Scan, line: Line) -> Mapped:
    at = f"{one.path.name}:{line.at}"
    raw = exact_json.dumps(line.cells).decode()
    if line.odd:
        return Mapped(rejected=one.table.reject({}, raw, (Reason(at, line.odd),)))
    if one.clashes and line.number in one.clashes:
        why = f"its id is that of line {one.clashes[line.number]}"
        return Mapped(rejected=one.table.reject(line.cells, raw, (Reason(at, why),)))
    return one.table.map(line.cells, at, raw)
