"""Whoever can write to the database changes one thing of the sealed trail, whatever it is: it is found, and placed.

Each example is one mutation of any column of any event or seal, a removal, an insertion or a swap, in a transaction that
is rolled back.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from audit_builders import KEY, MOST, Said, happen, rolled_back, said, sealed
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import JSON, Connection, Engine, Table, delete, insert, select, update

from carelink.audit import seals
from carelink.audit.block import Block
from carelink.audit.keys import SigningKey
from carelink.audit.lines import LOWEST
from carelink.audit.walk import What
from carelink.db.embedded import Embedded
from carelink.db.engine import engine_for
from carelink.db.tables import audit_event, audit_seal

EXAMPLES = 3000 if os.environ.get("CARELINK_SOAK") else 120
BLOCKS = 5
KNOWN = {KEY.public.fingerprint}
searching = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@dataclass(frozen=True, repr=False)
class Trail:
    """Blocks of five events with gaps between their ids, and events after the last that wait."""

    engine: Engine
    events: dict[int, dict[str, Any]]  # the sealed ones
    seals: dict[int, dict[str, Any]]
    last: int  # id of the last event of all

    def __repr__(self) -> str:
        return f"the trail of {BLOCKS} blocks"

    def block(self, event: int) -> int:
        """In which block an event of that id is, or would be."""
        return next(number for number, one in self.seals.items() if one["first"] <= event <= one["last"])

    @property
    def free(self) -> list[int]:
        """Ids of no event within the blocks."""
        return sorted(set(range(1, self.seals[BLOCKS]["last"] + 1)) - set(self.events))

    @contextmanager
    def changed(self) -> Iterator[Connection]:
        """What is done on it is undone."""
        with self.engine.connect() as conn, conn.begin() as transaction:
            yield conn
            transaction.rollback()


@pytest.fixture(scope="module")
def trail(postgres: Embedded) -> Iterator[Trail]:
    engine = engine_for(postgres.database("audit_tampering", template="template_carelink"))
    for part in range(BLOCKS):
        with engine.begin() as conn:
            happen(conn, 2, part)
            rolled_back(conn, 1 + part % 2)
            happen(conn, 3 if part == 0 else 2, part + 2)  # and that the block before was sealed
        assert sealed(engine).blocks == 1
    with engine.begin() as conn:
        happen(conn, 3)
        events = {row["id"]: dict(row) for row in conn.execute(select(audit_event).order_by("id")).mappings()}
        made = {row["number"]: dict(row) for row in conn.execute(select(audit_seal).order_by("number")).mappings()}
        whole = said(conn, KNOWN)
    assert (len(made), whole.lines) == (BLOCKS, [])
    assert (whole.found.events, whole.found.waiting) == (BLOCKS * MOST, 4)
    within = {id_: row for id_, row in events.items() if id_ <= made[BLOCKS]["last"]}
    yield Trail(engine, within, made, max(events))
    engine.dispose()
    postgres.drop("audit_tampering")


# What somebody may write into a column ----------------------------------------------------------------

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
times = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)).map(lambda at: at.astimezone())  # noqa: DTZ001
ids = st.integers(LOWEST, 2**63 - 1)
KINDS: dict[type, st.SearchStrategy[Any]] = {
    str: texts,
    datetime: times,
    UUID: st.uuids(),
    list: st.lists(texts, max_size=3),
    object: st.dictionaries(texts, json_values, max_size=3)
    | json_values.filter(lambda one: one is not None)
    | st.just(JSON.NULL),
    bytes: st.binary(max_size=64),
}
WHOLE_NUMBERS = {"count": st.integers(-(2**31), 2**31 - 1)}


def another(table: Table, column: str, old: Any) -> st.SearchStrategy[Any]:
    """Any other value that the column takes, near ones among them."""
    kind = table.c[column].type.python_type
    values = WHOLE_NUMBERS.get(column, ids) if kind is int else KINDS[kind]
    if table.c[column].nullable:
        values |= st.none()
    if isinstance(old, str) and old:
        values |= st.just(old[:-1]) | st.just(old + " ") | st.just(old.swapcase())
    if isinstance(old, int):
        values |= st.just(old - 1) | st.just(old // 2)
    if isinstance(old, datetime):
        values |= st.just(old + timedelta(microseconds=1))
    if isinstance(old, bytes):
        values |= st.tuples(st.integers(0, len(old) - 1), st.integers(1, 255)).map(lambda at: _flipped(old, *at))
    return values.filter(lambda new: new != old)


def _flipped(old: bytes, at: int, by: int) -> bytes:
    return old[:at] + bytes([old[at] ^ by]) + old[at + 1 :]


EVENT_COLUMNS = [column.name for column in audit_event.columns if column.name != "id"]
SEAL_COLUMNS = [column.name for column in audit_seal.columns if column.name != "number"]


def only(told: Said, *problems: tuple[What, int | None, int | None]) -> None:
    assert [(one.what, one.block, one.event) for one in told.problems] == list(problems)


# Events ---------------------------------------------------------------------------------------------


@searching
@given(data=st.data())
def test_an_event_of_which_any_column_was_changed_is_named_with_its_block(trail: Trail, data: st.DataObject) -> None:
    event = data.draw(st.sampled_from(sorted(trail.events)))
    column = data.draw(st.sampled_from(EVENT_COLUMNS))
    new = data.draw(another(audit_event, column, trail.events[event][column]))
    with trail.changed() as conn:
        conn.execute(update(audit_event).where(audit_event.c.id == event).values({column: new}))
        told = said(conn, KNOWN)
    only(told, (What.CHANGED, trail.block(event), event))
    assert told.found.events == (BLOCKS - 1) * MOST


@searching
@given(data=st.data())
def test_events_that_were_removed_are_named_with_their_blocks(trail: Trail, data: st.DataObject) -> None:
    gone = sorted(data.draw(st.sets(st.sampled_from(sorted(trail.events)), min_size=1, max_size=8)))
    with trail.changed() as conn:
        conn.execute(delete(audit_event).where(audit_event.c.id.in_(gone)))
        told = said(conn, KNOWN)
    only(told, *((What.GONE, trail.block(event), event) for event in gone))


@searching
@given(data=st.data())
def test_an_event_that_was_put_in_is_named_with_its_block(trail: Trail, data: st.DataObject) -> None:
    event = data.draw(st.sampled_from(trail.free) | st.integers(LOWEST, 0))
    like = trail.events[data.draw(st.sampled_from(sorted(trail.events)))]
    with trail.changed() as conn:
        conn.execute(insert(audit_event).values(**{**like, "id": event}))
        told = said(conn, KNOWN)
    only(told, (What.PUT_IN, trail.block(event), event) if event > 0 else (What.IN_NO_BLOCK, None, event))


@searching
@given(data=st.data())
def test_an_event_that_was_given_another_id_is_named_where_it_was_and_where_it_is(
    trail: Trail, data: st.DataObject
) -> None:
    event = data.draw(st.sampled_from(sorted(trail.events)))
    new = data.draw(st.sampled_from(trail.free) | st.integers(LOWEST, 0) | st.integers(trail.last + 1, 2**63 - 1))
    with trail.changed() as conn:
        conn.execute(update(audit_event).where(audit_event.c.id == event).values(id=new))
        told = said(conn, KNOWN)
    assert (What.GONE, trail.block(event), event) in [(one.what, one.block, one.event) for one in told.problems]
    assert told.events == {event} | ({new} if new <= trail.last else set())


@searching
@given(data=st.data())
def test_two_events_that_changed_places_are_named_with_their_blocks(trail: Trail, data: st.DataObject) -> None:
    pair = data.draw(st.sets(st.sampled_from(sorted(trail.events)), min_size=2, max_size=2))
    one, other = sorted(pair)
    first, second = ({**trail.events[which], "id": None} for which in (one, other))
    assume(first != second)
    with trail.changed() as conn:
        for id_, like in ((one, second), (other, first)):
            conn.execute(update(audit_event).where(audit_event.c.id == id_).values(**{**like, "id": id_}))
        told = said(conn, KNOWN)
    only(told, *((What.CHANGED, trail.block(event), event) for event in (one, other)))


# Seals ----------------------------------------------------------------------------------------------


@searching
@given(data=st.data())
def test_a_seal_of_which_any_column_was_changed_is_named_and_no_event_is_suspected(
    trail: Trail, data: st.DataObject
) -> None:
    number = data.draw(st.sampled_from(sorted(trail.seals)))
    column = data.draw(st.sampled_from(SEAL_COLUMNS))
    new = data.draw(another(audit_seal, column, trail.seals[number][column]))
    with trail.changed() as conn:
        conn.execute(update(audit_seal).where(audit_seal.c.number == number).values({column: new}))
        told = said(conn, KNOWN)
    assert told.blocks == {number}
    assert told.events == set()
    assert told.found.blocks == BLOCKS - 1


@searching
@given(data=st.data())
def test_seals_that_were_removed_are_named_also_the_last(trail: Trail, data: st.DataObject) -> None:
    """That a block was sealed is an event of the next, or of those that wait."""
    gone = sorted(data.draw(st.sets(st.sampled_from(sorted(trail.seals)), min_size=1)))
    with trail.changed() as conn:
        conn.execute(delete(audit_seal).where(audit_seal.c.number.in_(gone)))
        told = said(conn, KNOWN)
    only(told, *((What.SEAL_GONE, number, None) for number in gone))
    assert told.found.blocks == BLOCKS - len(gone)


@searching
@given(data=st.data())
def test_a_seal_that_was_given_another_number_is_named_where_it_was_and_where_it_is(
    trail: Trail, data: st.DataObject
) -> None:
    number = data.draw(st.sampled_from(sorted(trail.seals)))
    new = data.draw((ids | st.integers(-2, BLOCKS + 3)).filter(lambda one: one not in trail.seals))
    with trail.changed() as conn:
        conn.execute(update(audit_seal).where(audit_seal.c.number == number).values(number=new))
        told = said(conn, KNOWN)
    assert told.blocks == {number, new}
    assert told.events == set()


@searching
@given(data=st.data())
def test_two_seals_that_changed_places_are_named(trail: Trail, data: st.DataObject) -> None:
    one, other = sorted(data.draw(st.sets(st.sampled_from(sorted(trail.seals)), min_size=2, max_size=2)))
    with trail.changed() as conn:
        for old, new in ((one, -1), (other, one), (-1, other)):
            conn.execute(update(audit_seal).where(audit_seal.c.number == old).values(number=new))
        told = said(conn, KNOWN)
    assert told.blocks == {one, other}
    assert told.events == set()
    assert told.found.blocks == BLOCKS - 2


@searching
@given(data=st.data())
def test_a_seal_that_was_put_in_is_named_whoever_signed_it(trail: Trail, data: st.DataObject) -> None:
    like = data.draw(st.sampled_from(sorted(trail.seals)))
    copied = data.draw(st.booleans())
    number = BLOCKS + 1
    with trail.changed() as conn:
        if copied:
            conn.execute(insert(audit_seal).values(**{**trail.seals[like], "number": number}))
        else:
            before, forger = seals.newest(conn), SigningKey.new()
            assert before is not None
            block = Block.of(before, trail.last, [], forger.public, before.block.sealed_at)
            seals.add(conn, block.signed(forger))
        told = said(conn, KNOWN)
    assert told.blocks == {number}


def test_every_column_of_both_tables_is_changed_here() -> None:
    """A new one is, too: the columns are taken from the tables, and each of its kind has values."""
    for table in (audit_event, audit_seal):
        for column in table.columns:
            assert column.type.python_type in {*KINDS, int}, f"{table.name}.{column.name}"
