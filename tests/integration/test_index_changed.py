"""Search parameters that are new: what was stored before is found by them too, as if it had come in today."""

from __future__ import annotations

from datetime import datetime

import pytest
from ingest_builders import condition, observation, patient, take
from page_builders import allocation
from sqlalchemy import Engine, delete, func, insert, select, update

from carelink import commands
from carelink.db import sync
from carelink.db.tables import audit_event, index_token, outbox, resource
from carelink.errors import Conflict
from carelink.jobs import handlers, index_changed
from carelink.jobs.shop import Shop
from carelink.place import Place
from carelink.record import reindexing
from carelink.record.index_writing import INDEXES
from carelink.settings import Settings

Rows = dict[str, list[str]]


@pytest.fixture
def shop(engine: Engine, place: Place, now: datetime) -> Shop:
    """Somebody with an allocation, a problem and a result, from two sources."""
    with engine.begin() as conn:
        sync.sync(conn, place)
        take(conn, place, [patient(), allocation()], now, "council-a")
        take(conn, place, [patient(), condition(), observation()], now)
    return Shop(engine, place, Settings(), lambda: now)


def rows(engine: Engine) -> Rows:
    """All that the index tables hold, in an order of its own."""
    with engine.connect() as conn:
        return {table.name: sorted(map(repr, conn.execute(select(table)).all())) for table in INDEXES}


def older(engine: Engine) -> None:
    """As a release left it that knew fewer parameters, and others."""
    with engine.begin() as conn:
        for table in INDEXES:
            conn.execute(delete(table).where(table.c.parameter > 8))
        key = conn.execute(select(resource.c.key).limit(1)).scalar_one()
        conn.execute(insert(index_token).values(parameter=999, code="gone", key=key))


def note(shop: Shop) -> bool:
    with shop.engine.begin() as conn:
        return index_changed.note(conn, shop.clock())


def work(shop: Shop) -> None:
    t = outbox.c
    with shop.engine.connect() as conn:
        asked = select(t.id).where(t.kind == index_changed.KIND, t.done_at.is_(None))
        open_ = list(conn.execute(asked).scalars())
    for id_ in open_:
        assert handlers.run(shop, id_)


@pytest.mark.parametrize("part", [2, 500])
def test_what_is_stored_is_indexed_as_if_it_had_come_in_today(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    monkeypatch.setattr(reindexing, "PART", part)
    before = rows(shop.engine)
    assert all(before[name] for name in ("index_token", "index_string", "index_date", "index_reference"))
    older(shop.engine)
    assert rows(shop.engine) != before
    assert note(shop)
    work(shop)
    assert rows(shop.engine) == before


def test_the_command_does_it_at_once(shop: Shop) -> None:
    before = rows(shop.engine)
    older(shop.engine)
    assert "found by" in commands.reindex(shop)
    assert rows(shop.engine) == before


def test_what_has_ended_is_found_by_nothing(shop: Shop) -> None:
    with shop.engine.begin() as conn:
        conn.execute(update(resource).where(resource.c.type == "Condition").values(deleted=True))
        gone = set(conn.execute(select(resource.c.key).where(resource.c.deleted)).scalars())
        for table in INDEXES:
            conn.execute(delete(table).where(table.c.key.in_(gone)))
    before = rows(shop.engine)
    commands.reindex(shop)
    assert rows(shop.engine) == before


def test_that_it_was_read_and_why_is_in_the_audit(shop: Shop) -> None:
    commands.reindex(shop)
    a = audit_event.c
    with shop.engine.connect() as conn:
        last = conn.execute(select(a.action, a.query, a.count, a.person).order_by(a.id.desc()).limit(1)).one()
        number = conn.execute(select(func.count()).select_from(resource)).scalar_one()
    assert tuple(last) == ("read", "stored resources, to index them", number, None)


def test_it_is_asked_for_once_a_release(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    assert note(shop)
    assert not note(shop)
    monkeypatch.setattr(reindexing, "ROWS", reindexing.ROWS + 1)
    assert note(shop)


def test_a_worker_of_another_release_leaves_it_to_one_that_knows_the_parameters(shop: Shop) -> None:
    before = rows(shop.engine)
    with pytest.raises(Conflict):
        index_changed.work_out(shop, {"fingerprint": "another"})
    assert rows(shop.engine) == before
