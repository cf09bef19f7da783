"""The SQLAlchemy engine: one way to reach PostgreSQL."""

from __future__ import annotations

from sqlalchemy import Engine, create_engine


def engine_for(url: str, pool: int = 5) -> Engine:
    """An engine over psycopg 3 that speaks UTC and checks a pooled connection before use."""
    plain = url.removeprefix("postgresql+psycopg://").removeprefix("postgresql://")
    return create_engine(
        f"postgresql+psycopg://{plain}",
        pool_size=pool,
        max_overflow=pool,
        pool_pre_ping=True,
        connect_args={"options": "-c timezone=UTC", "application_name": "carelink"},
    )
