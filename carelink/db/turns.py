"""Whoever works out something about a person anew takes turns with others who do: none starts from what is half done."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Connection, select

from carelink.db.among import among
from carelink.db.tables import person


def take_turns(conn: Connection, persons: Iterable[UUID]) -> None:
    """Lock these persons until the transaction ends, in one order for all; what is read after it is up to date."""
    wanted = sorted(set(persons))
    if wanted:
        locked = select(person.c.key).where(among(person.c.key, wanted)).order_by(person.c.key)
        conn.execute(locked.with_for_update(key_share=True)).all()
