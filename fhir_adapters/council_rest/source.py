"""Pulls a JSON API endpoint by endpoint, in the order of the mapping file, one batch a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from fhir_adapters import exact_json
from fhir_adapters.auth import auth_of
from fhir_adapters.breaker import Breaker
from fhir_adapters.council_rest.flat import cells_of
from fhir_adapters.council_rest.paging import RowPage, row_pages
from fhir_adapters.entries import rejected
from fhir_adapters.http import Client
from fhir_adapters.mapping import Mapped, Table
from fhir_adapters.mapping.options import mapping_of
from fhir_adapters.marks import Mark, Reading
from fhir_adapters.source import Batch, Cursor, SourceFailed, SourceSettings, Wanted


class CouncilRest:
    """A source over a JSON API. Options: `mapping` (the mapping file), `page_size`, `auth`, `api_key_header`.

    The cursor is {mapping, marks: {table: {since, ids}}}: pages are counted anew from `since`, as rows that change
    move between the pages that were counted before.
    """

    def __init__(self, settings: SourceSettings) -> None:
        self.settings = settings
        self._mapping = mapping_of(settings)
        self._size = int(settings.options.get("page_size", 100))
        self._auth = auth_of(settings, usual="api-key")
        self._breaker = Breaker()

    def pull(self, cursor: Cursor | None, wanted: Sequence[Wanted], now: datetime) -> Iterator[Batch]:
        """The rows of all endpoints that changed since the cursor, mapped. Raises SourceFailed."""
        saved = cursor["marks"] if cursor and cursor["mapping"] == self._mapping.digest else {}
        marks = {name: Mark.of(one) for name, one in saved.items()}
        done = 0
        with Client(self.settings, auth=self._auth, breaker=self._breaker) as client:
            for table in self._mapping.tables:
                before = done
                for batch in self._table(client, table, marks):
                    done += batch.done
                    total = None if batch.total is None else max(done, before + batch.total)
                    yield Batch(batch.items, batch.cursor, batch.rejected, done, total)

    def _table(self, client: Client, table: Table, marks: dict[str, Mark]) -> Iterator[Batch]:
        """The pages with something new on them; `done` counts their rows."""
        start = marks.get(table.name, Mark())
        reading = Reading(start)
        for page in self._pages(client, table, start.since):
            self._check_columns(client, table, page)
            mapped = [self._map(table, row, reading) for row in page.rows]
            marks[table.name] = reading.mark(page.last)
            new = [one for one in mapped if one]
            if new or reading.disorder:
                cursor = {
                    "mapping": self._mapping.digest,
                    "marks": {name: mark.saved() for name, mark in marks.items()},
                }
                yield _batch(new, cursor, page.total)

    def _pages(self, client: Client, table: Table, since: str) -> Iterator[RowPage]:
        """The pages; a failure in the middle names the endpoint."""
        api = self._mapping.api if table.rows is None else replace(self._mapping.api, rows=table.rows)
        try:
            yield from row_pages(client, table.place, api, self._size, since)
        except SourceFailed as failed:
            if failed.why.startswith(f"{table.place}: "):
                raise
            raise SourceFailed(failed.source, f"{table.place}: {failed.why}") from failed

    def _check_columns(self, client: Client, table: Table, page: RowPage) -> None:
        """A column that no row of a page has was renamed or dropped: that must not read as if all were empty."""
        if self._mapping.api.omits_empty or not page.rows:
            return
        present = {name for row in page.rows if isinstance(row, Mapping) for name in cells_of(row)}
        missing = sorted(name for name in table.required if not _is_there(name, present))
        if missing:
            client.fail(f"{table.place}: column {', '.join(missing)} is missing")

    def _map(self, table: Table, row: Any, reading: Reading) -> Mapped | None:
        """None where the row was read before."""
        if not isinstance(row, Mapping):
            return Mapped(rejected=rejected(table.rules[0].type, row, table.place, "the row is no object"))
        cells = cells_of(row)
        key = table.key(cells)
        if not reading.is_new(key, cells.get(self._mapping.api.updated, "")):
            return None
        return table.map(cells, f"{table.place}:{key}", exact_json.dumps(row).decode())


def _batch(new: Sequence[Mapped], cursor: Cursor, total: int | None) -> Batch:
    items = tuple(item for one in new for item in one.items)
    return Batch(items, cursor, tuple(one.rejected for one in new if one.rejected), len(new), total)


def _is_there(name: str, present: set[str]) -> bool:
    """Itself, or empty as a whole: `address.postcode` is there where `address` is null."""
    parts = name.split(".")
    return any(".".join(parts[:length]) in present for length in range(1, len(parts) + 1))
