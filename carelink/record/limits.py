"""How long a statement may take: what goes through the records of many people is ended before it holds others up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg.errors import QueryCanceled
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from carelink.errors import TooCostly


@contextmanager
def at_most(conn: Connection, seconds: float) -> Iterator[None]:
    """Each statement within it, and to the end of the transaction, is ended after so long: raises `TooCostly`."""
    conn.exec_driver_sql(f"set local statement_timeout = {int(seconds * 1000)}")
    try:
        yield
    except OperationalError as ended:
        if not isinstance(ended.orig, QueryCanceled):
            raise
        raise TooCostly("This goes through too many records: ask for one person, or narrow it otherwise") from ended
