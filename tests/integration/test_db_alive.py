"""A pooled connection that the server ended is made anew before anybody notices."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text

from carelink.db import alive
from carelink.db.engine import engine_for

PID = text("select pg_backend_pid()")
END = text("select pg_terminate_backend(:pid, 5000)")  # and waits until it is gone


@pytest.fixture
def pooled(engine: Engine) -> Iterator[Engine]:
    made = engine_for(engine.url.render_as_string(hide_password=False).replace("+psycopg", ""), pool=2)
    yield made
    made.dispose()


def pid(engine: Engine) -> int:
    with engine.connect() as conn:
        return int(conn.execute(PID).scalar_one())


def test_a_connection_comes_back_from_the_pool_as_it_was(pooled: Engine) -> None:
    assert pid(pooled) == pid(pooled)


def test_connections_that_the_server_ended_are_made_anew(engine: Engine, pooled: Engine) -> None:
    with pooled.connect() as one, pooled.connect() as other:
        dead = {int(conn.execute(PID).scalar_one()) for conn in (one, other)}
    with engine.connect() as conn:
        assert all(conn.execute(END, {"pid": number}).scalar_one() for number in dead)
    with pooled.connect() as one, pooled.connect() as other:
        fresh = {int(conn.execute(PID).scalar_one()) for conn in (one, other)}
    assert len(fresh) == 2
    assert not fresh & dead


def test_one_that_lay_idle_for_long_is_asked(pooled: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    before = pid(pooled)
    monkeypatch.setattr(alive, "_answers", lambda engine, connection: False)
    assert pid(pooled) == before, "nobody asked it: it was just used"
    monkeypatch.setattr(alive, "IDLE", -1.0)
    monkeypatch.setattr(alive, "_answers", lambda engine, connection: connection.info.backend_pid != before)
    assert pid(pooled) != before
