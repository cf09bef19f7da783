"""The rows of audit_seal as values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, select

from carelink.audit.block import Block, Seal
from carelink.db.tables import audit_seal

AT_ONCE = 16  # seals that are held in memory: each may have 330 kB of leaves

_OF_BLOCK = tuple(one.name for one in fields(Block))
_ASKED = select(*(audit_seal.c[name] for name in _OF_BLOCK), audit_seal.c.hash, audit_seal.c.signature)


def newest(conn: Connection) -> Seal | None:
    """The last seal; None before the first."""
    row = conn.execute(_ASKED.order_by(audit_seal.c.number.desc()).limit(1)).one_or_none()
    return _seal(row) if row is not None else None


def stream(conn: Connection) -> Iterator[Seal]:
    """All of them in their order, some at a time. Other statements may run on the connection between two of them."""
    asked, number = _ASKED.order_by(audit_seal.c.number).limit(AT_ONCE), audit_seal.c.number
    rows = conn.execute(asked).all()
    while rows:
        yield from map(_seal, rows)
        rows = conn.execute(asked.where(number > rows[-1].number)).all()


def add(conn: Connection, seal: Seal) -> None:
    """Keep it."""
    row: dict[str, Any] = {name: getattr(seal.block, name) for name in _OF_BLOCK}
    conn.execute(audit_seal.insert().values(**row, hash=seal.hash, signature=seal.signature))


def _seal(row: Sequence[Any]) -> Seal:
    *block, hash_, signature = row
    return Seal(Block(*block), hash_, signature)
