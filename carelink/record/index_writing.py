"""What searches look resources up by, into the index tables and out of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, text

from carelink.db import tables
from carelink.record.copying import Rows
from carelink.record.indexing import Indexed, index

INDEXES: tuple[Table, ...] = (
    tables.index_token,
    tables.index_string,
    tables.index_date,
    tables.index_reference,
    tables.index_number,
)
_Values = tuple[Any, ...]  # of one row
Stored = tuple[UUID, UUID | None, str, Mapping[str, Any]]  # key, person, type, and the body with its meta


def index_rows_of(stored: Iterable[Stored]) -> Iterator[Rows]:
    """The rows of each index table, for `copy_rows`."""
    rows: dict[str, list[_Values]] = {table.name: [] for table in INDEXES}
    for key, person, type_, body in stored:
        _gather(rows, str(key), str(person) if person is not None else None, index(type_, body))
    for table in INDEXES:
        yield Rows(table, [column.name for column in table.columns], rows[table.name])


def _gather(rows: dict[str, list[_Values]], key: str, person: str | None, made: Indexed) -> None:
    for table, values in made.tables():
        rows[table] += [(value[0], person, *value[1:], key) for value in values]


def unindex(conn: Connection, keys: Sequence[UUID]) -> None:
    """Nothing finds these resources by what they say any more, in the caller's transaction."""
    conn.execute(_UNINDEX, {"keys": list(keys)})


_ENDED = ", ".join(
    f"{one.name}_ended as (delete from {one.name} where key = any(cast(:keys as uuid[])))" for one in INDEXES
)
_UNINDEX = text(f"with {_ENDED} select")
