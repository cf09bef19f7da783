"""A statement that is run all the time, put into the driver's text once: SQLAlchemy then takes no part in each run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Insert
from sqlalchemy.dialects.postgresql import psycopg

_DIALECT = psycopg.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Text:
    """The text, and those of its values that never change."""

    statement: str
    constants: Mapping[str, Any]

    def execute(self, conn: Connection, values: Mapping[str, Any]) -> None:
        """Run it with these values as the driver takes them: JSON is text. Raises as `conn.execute` does."""
        conn.exec_driver_sql(self.statement, {**self.constants, **values})


def as_text(insert: Insert, columns: Sequence[str]) -> Text:
    """An INSERT that is given these columns, and gives nothing back."""
    compiled = insert.inline().compile(dialect=_DIALECT, column_keys=list(columns))
    constants = {name: value for name, value in compiled.params.items() if name not in columns and value is not None}
    return Text(str(compiled), constants)
