"""What all tables have in common."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, MetaData

metadata = MetaData()


def when(name: str, **options: object) -> Column[object]:
    """A column of moments: aware, in UTC."""
    return Column(name, DateTime(timezone=True), **options)  # type: ignore[arg-type]
