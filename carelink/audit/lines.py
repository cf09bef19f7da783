"""The canonical bytes of an event: the line of text that PostgreSQL's COPY gives for all of its columns.

Anybody can make the same line with `psql` and hash it again. Trailing nulls are cut off, so that a column which is added
to the table later, and is null in the events of before, changes none of their lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from psycopg import sql
from sqlalchemy import Connection, text

from carelink.audit import merkle

# Every column, in the order in which it came to the table: one that comes later goes to the end, and is nullable.
COLUMNS = (
    "id",
    "at",
    "action",
    "outcome",
    "user",
    "organisation",
    "role",
    "purpose",
    "reason",
    "person",
    "query",
    "count",
    "rules",
    "request",
    "detail",
)
AT_ONCE = 8192  # events that are held in memory
LOWEST = -(2**63)  # an id; the sequence begins at 1, but somebody may have put in what they like

_NULL = b"\t\\N"
_FORMS = text("select set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO, MDY', true)")
_COPY = "copy (select {} from audit_event where id >= {} order by id limit {}) to stdout (encoding 'UTF8')"


def names(columns: Sequence[str]) -> sql.Composed:
    """As they stand in the statement."""
    return sql.SQL(", ").join(map(sql.Identifier, columns))


_COLUMNS = names(COLUMNS)


class Leaf(NamedTuple):
    """An event as its block knows it."""

    id: int
    hash: bytes


def leaves(conn: Connection, start: int, count: int = AT_ONCE) -> list[Leaf]:
    """The next events from that id on, in the order of their ids; fewer than `count` where there are no more."""
    return [Leaf(int(line[: line.index(b"\t")]), merkle.leaf(line)) for line in lines(conn, start, count)]


def lines(conn: Connection, start: int, count: int = AT_ONCE) -> list[bytes]:
    """The canonical bytes of these events."""
    conn.execute(_FORMS)  # how a time is written must not depend on who connects
    driver = conn.connection.driver_connection
    assert driver is not None
    asked = sql.SQL(_COPY).format(_COLUMNS, sql.Literal(str(start)), count)
    with driver.cursor() as cursor, cursor.copy(asked) as copy:
        said = b"".join(copy)
    return [_cut(line) for line in said.split(b"\n")[:-1]]


def stream(conn: Connection) -> Iterator[Leaf]:
    """All events, some at a time. Other statements may run on the connection between two of them."""
    part = leaves(conn, LOWEST)
    yield from part
    while len(part) == AT_ONCE:
        part = leaves(conn, part[-1].id + 1)
        yield from part


def _cut(line: bytes) -> bytes:
    while line.endswith(_NULL):
        line = line[: -len(_NULL)]
    return line
