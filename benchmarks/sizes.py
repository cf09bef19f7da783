"""How much room the record takes: `python -m benchmarks.sizes FOLDER`, a folder of `carelink demo --once --data FOLDER`.

Prints the tables of docs/scale.md in Markdown. Measured is what PostgreSQL has on its disk after the first pull, with
whatever room its pages still have; no table is rewritten for it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import psycopg

from carelink.db import embedded
from carelink.db.tables import metadata

FEW = 100  # rows: of smaller tables the first page alone decides the figure

TABLE = """
select pg_relation_size(c.oid) + coalesce(pg_total_relation_size(nullif(c.reltoastrelid, 0)), 0), pg_indexes_size(c.oid)
from pg_class c where c.oid = cast(%s as regclass)
"""
TYPES = """
select type, count(*), avg(octet_length(body)), avg(pg_column_size(body)), percentile_disc(0.99) within group
  (order by octet_length(body)) from resource where not deleted group by type order by count(*) desc, type
"""
PEOPLE = """
select count(*), avg(n), percentile_disc(array[0.5, 0.9, 1.0]) within group (order by n)
from (select count(*) as n from resource where person is not null and not deleted group by person) of_each
"""
SOURCES = """
select source, count(*), count(distinct person), avg(octet_length(body))
from resource where not deleted group by source order by count(*) desc
"""


def main(folder: Path) -> None:
    """Measure the demo of that folder; it must not be running."""
    server = embedded.start(folder.resolve() / "postgres")
    try:
        with psycopg.connect(server.url) as conn:
            _show(("table", "rows", "bytes a row", "index bytes a row"), _tables(conn))
            _show(("type", "resources", "bytes of text", "bytes stored", "99 % are below"), conn.execute(TYPES))
            _show(("source", "resources", "people", "bytes of text"), conn.execute(SOURCES))
            _show(("people", "resources each", "median, 90 %, most"), conn.execute(PEOPLE))
            size = conn.execute("select pg_database_size(current_database())").fetchone()
            print(f"\nThe whole database: {size[0]:,} bytes" if size else "")
    finally:
        server.stop()


def _tables(conn: psycopg.Connection) -> list[tuple[object, ...]]:
    """The largest first; those of a few rows are left out."""
    found = []
    for table in metadata.tables.values():
        name = f'public."{table.name}"'
        rows = conn.execute(f"select count(*) from {name}".encode()).fetchone()
        sizes = conn.execute(TABLE, (name,)).fetchone()
        assert rows is not None
        assert sizes is not None
        if rows[0] >= FEW:
            found.append((sum(sizes), table.name, rows[0], sizes[0] / rows[0], sizes[1] / rows[0]))
    return [row[1:] for row in sorted(found, reverse=True)]


def _show(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    print(f"\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(_said(value) for value in row)} |")


def _said(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_said, value))
    return str(value) if isinstance(value, str) or value is None else f"{round(float(str(value))):,}"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
