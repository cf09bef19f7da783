"""Bring a database to the newest schema, by Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

MIGRATIONS = Path(__file__).resolve().parent / "migrations"
FUNCTIONS = Path(__file__).resolve().parent / "functions"  # .sql: what statements of the code call, made anew each time
_LOCK = 0x0CA2E11  # one migration at a time, however many processes start at once


def config(engine: Engine) -> Config:
    """Alembic's configuration for this engine."""
    made = Config()
    made.set_main_option("script_location", str(MIGRATIONS))
    made.attributes["engine"] = engine
    return made


def upgrade(engine: Engine) -> None:
    """Run what migrations are missing. Safe to call from several processes at once."""
    with engine.begin() as conn:
        conn.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        made = config(engine)
        made.attributes["connection"] = conn
        command.upgrade(made, "head")
        for file in sorted(FUNCTIONS.glob("*.sql")):
            conn.exec_driver_sql(file.read_text("utf-8").replace("%", "%%"))  # a percent sign is psycopg's


def revision(engine: Engine) -> str | None:
    """The revision that the database is at; None before the first."""
    with engine.connect() as conn:
        return MigrationContext.configure(conn).get_current_revision()
