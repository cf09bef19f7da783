"""Rows go in by COPY as they are: no text is taken for PostgreSQL's own signs, no value changes its type."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import Connection, select

from carelink.db.tables import index_number, index_token, resource_version
from carelink.record.copying import Rows, copy_rows

KEY, PERSON = UUID(int=1), UUID(int=2)
UCUM = "http://unitsofmeasure.org"
TOKENS = [column.name for column in index_token.columns]


def codes(conn: Connection) -> list[tuple[str | None, str]]:
    asked = select(index_token.c.system, index_token.c.code).where(index_token.c.key == KEY)
    return [(row.system, row.code) for row in conn.execute(asked.order_by(index_token.c.parameter))]


@pytest.mark.parametrize(
    "text", ["", "\\N", "\\.", "a\tb", "a\nb", "a\r\nb", "C:\\new", "tab\\t", "naïve ☂", "\u2028", '{"a":"\\"b\\""}']
)
def test_every_text_comes_back_as_it_was(conn: Connection, text: str) -> None:
    copy_rows(conn, [Rows(index_token, TOKENS, [(1, PERSON, text, text, None, KEY), (2, None, None, "after", 1, KEY)])])
    assert codes(conn) == [(text, text), (None, "after")]


def test_a_character_that_postgresql_has_not_is_told_as_lost(conn: Connection) -> None:
    copy_rows(conn, [Rows(index_token, TOKENS, [(1, None, None, "a\0b", None, KEY)])])
    assert codes(conn) == [(None, "a\ufffdb")]


def test_every_type_of_value_comes_back_as_it_was(conn: Connection, now: datetime) -> None:
    version: dict[str, object] = {
        "key": KEY,
        "version": 7,
        "type": "Observation",
        "person": PERSON,
        "patient": None,
        "custodian": "RDV",
        "category": "results",
        "sensitivities": 0,
        "last_updated": datetime(2026, 3, 29, 1, 30, 0, 123456, UTC),
        "body": "{}",
        "redacted": None,
        "for_person": None,
        "hash": bytes(range(256)),
        "deleted": True,
        "clinical": None,
    }
    low, high = Decimal("1.0"), Decimal("Infinity")
    number = [
        (130, PERSON, low, high, UCUM, "mmol/L", None, 1, KEY),
        (130, PERSON, Decimal("-1E+3"), Decimal("-1E+3"), None, None, None, None, KEY),
    ]
    columns = [column.name for column in index_number.columns]
    copy_rows(
        conn, [Rows(resource_version, list(version), [tuple(version.values())]), Rows(index_number, columns, number)]
    )
    kept = conn.execute(select(resource_version).where(resource_version.c.key == KEY)).one()
    assert dict(kept._mapping) == version
    n = index_number.c
    asked = select(n.low, n.high, n.place).where(n.key == KEY).order_by(n.low)
    assert [tuple(map(str, row)) for row in conn.execute(asked)] == [
        ("-1000", "-1000", "None"),
        ("1.0", "Infinity", "1"),
    ]


def test_a_table_without_rows_is_passed_over_and_the_next_is_made_while_one_is_taken_in(conn: Connection) -> None:
    made: list[str] = []

    def parts() -> Iterator[Rows]:
        for number, code in enumerate(("first", "second")):
            yield Rows(index_number, ["parameter", "low", "key"], [])
            made.append(code)
            yield Rows(index_token, TOKENS, [(number, None, None, code, None, KEY)])

    copy_rows(conn, parts())
    assert made == ["first", "second"]
    assert codes(conn) == [(None, "first"), (None, "second")]
    copy_rows(conn, [])
