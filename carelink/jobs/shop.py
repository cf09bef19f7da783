"""What every worker process works with, opened once from its settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine

from carelink import clock, place_loader
from carelink.db.engine import engine_for
from carelink.errors import Invalid
from carelink.place import Place
from carelink.settings import Settings


@dataclass(frozen=True)
class Shop:
    """The database, the place, the settings and the clock."""

    engine: Engine
    place: Place
    settings: Settings
    clock: Callable[[], datetime] = clock.now


def open_shop(settings: Settings) -> Shop:
    """Raises `Invalid` for a pack that is wrong, or where no database is named."""
    if not settings.database_url:
        raise Invalid("CARELINK_DATABASE_URL", "must be set: a worker shares its database with the others")
    return Shop(engine_for(settings.database_url), place_loader.load(settings.place), settings)
