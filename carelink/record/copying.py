"""PostgreSQL COPY: many rows at the cost of few. The text is made here, because per-value adapters cost more than the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from psycopg import sql
from sqlalchemy import Connection, Table

# PostgreSQL's text holds no NUL; JSON text never has one, it says \\u0000.
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\ufffd"})


@dataclass(frozen=True)
class Rows:
    """Rows of one table, their values in the order of the columns: str, int, bool, UUID, Decimal, bytes, datetime, None."""

    table: Table
    columns: Sequence[str]
    rows: Iterable[Sequence[Any]]


def copy_rows(conn: Connection, parts: Iterable[Rows]) -> None:
    """Add the rows, table after table, on this connection's transaction.

    While PostgreSQL takes one table's in, on its own core, the next are made: give `parts` lazily.
    """
    driver = conn.connection.driver_connection
    assert driver is not None
    made = ((_command(one.table.name, tuple(one.columns)), text) for one in parts if (text := _text_of(one.rows)))
    upcoming = next(made, None)
    with driver.cursor() as cursor:
        while upcoming is not None:
            command, text = upcoming
            with cursor.copy(command) as copy:
                copy.write(text)
                upcoming = next(made, None)


def _text_of(rows: Iterable[Sequence[Any]]) -> bytes:
    return "".join(["\t".join([_cell(value) for value in row]) + "\n" for row in rows]).encode()


@cache
def _command(table: str, columns: tuple[str, ...]) -> sql.Composed:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("copy {} ({}) from stdin").format(sql.Identifier(table), names)


def _cell(value: Any) -> str:
    form = _FORMS.get(type(value))
    return form(value) if form is not None else _text(str(value))


def _text(value: str) -> str:
    """Nearly no text has anything to escape, and to look for it costs a tenth of translating."""
    if "\\" in value or "\n" in value or "\r" in value or "\t" in value or "\0" in value:
        return value.translate(_ESCAPES)
    return value


_FORMS: Mapping[type, Callable[[Any], str]] = {
    type(None): lambda value: "\\N",
    str: _text,
    bool: lambda value: "t" if value else "f",
    bytes: lambda value: f"\\\\x{value.hex()}",
    datetime: datetime.isoformat,
    UUID: UUID.__str__,
}
