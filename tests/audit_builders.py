"""Trails of audit events of every shape, sealed in small blocks, and what a verification says of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from conftest import NOW
from sqlalchemy import Connection, Engine, text

from carelink.audit.keys import SigningKey
from carelink.audit.seal import Sealed, seal
from carelink.audit.verify import Verified, one_look, verify
from carelink.audit.walk import Problem
from carelink.db.tables import audit_event

KEY = SigningKey.new()
MOST = 5  # events in a block of these tests
PERSON = UUID("7b1c1f0e-5a51-4f53-9d2f-0e1f6d5d3a10")

SHAPES: tuple[dict[str, Any], ...] = (
    {"action": "read", "user": "sam.okafor", "organisation": "RDV", "role": "nurse", "purpose": "TREAT", "person": PERSON, "query": "Patient", "count": 1, "rules": ["L8-agreement"]},
    {"action": "search", "user": "sam.okafor", "query": "Observation?code&date", "count": 0, "rules": ["L8-agreement", "L8-own-organisation"], "request": "7F3K-92QD"},
    {"action": "sign-in", "outcome": "refused", "user": "Zoë \\N\t\n\r\\ 'x'", "reason": ""},
    {"action": "explain", "user": "operator:ada", "detail": {"view_of": "sam", "n": [1, 2.50, None, True], "ü": {}}},
    {"action": "pull", "reason": "the schedule", "count": 2**31 - 1},
)  # fmt: skip


def happen(conn: Connection, number: int, start: int = 0) -> None:
    """So many events, of all shapes in turn."""
    for one in range(start, start + number):
        shape = SHAPES[one % len(SHAPES)]
        at = NOW + timedelta(seconds=one, microseconds=one)
        conn.execute(audit_event.insert().values(at=at, **{"rules": [], **shape}))


def rolled_back(conn: Connection, number: int = 1) -> None:
    """Ids that were taken by transactions which came to nothing."""
    for _ in range(number):
        conn.execute(text("select nextval('audit_event_id_seq')"))


def sealed(engine: Engine, key: SigningKey = KEY, most: int = MOST) -> Sealed:
    """What can be sealed is sealed, without waiting for anybody."""
    return seal(engine, key, lambda: NOW, patience=0, most=most)


@dataclass(frozen=True)
class Said:
    """What a verification told."""

    problems: tuple[Problem, ...]
    found: Verified

    @property
    def lines(self) -> list[str]:
        return [str(one) for one in self.problems]

    @property
    def blocks(self) -> set[int | None]:
        return {one.block for one in self.problems}

    @property
    def events(self) -> set[int | None]:
        return {one.event for one in self.problems} - {None}


def verified(engine: Engine, known: Iterable[SigningKey] = (KEY,), expected: Mapping[int, bytes] | None = None) -> Said:
    """As `carelink audit verify` does."""
    with one_look(engine) as conn:
        return said(conn, {one.public.fingerprint for one in known}, expected)


def said(conn: Connection, known: Collection[str], expected: Mapping[int, bytes] | None = None) -> Said:
    """On this connection."""
    problems: list[Problem] = []
    found = verify(conn, known, expected or {}, problems.append)
    assert found.problems == len(problems)
    return Said(tuple(problems), found)
