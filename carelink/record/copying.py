"""PostgreSQL COPY: many rows at the cost of few. The text is made here, because per-value adapters cost more than the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from psycopg import sql
from sqlalchemy import Connection, Table

# PostgreSQL's text holds no NUL; JSON text never has one, it says \\u0000.
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\ufffd"})


def copy_rows(conn: Connection, table: Table, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Add the rows, on this connection's transaction. Values: str, int, bool, UUID, Decimal, bytes, datetime, None."""
    text = "".join(["\t".join([_cell(value) for value in row]) + "\n" for row in rows])
    if not text:
        return
    command = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    driver = conn.connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor, cursor.copy(command) as copy:
        copy.write(text.encode())


def _cell(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.translate(_ESCAPES)
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, bytes):
        return f"\\\\x{value.hex()}"
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
