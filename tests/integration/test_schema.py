"""The migrations give the tables that the code speaks of."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, select

from carelink.db import schema, sync
from carelink.db.tables import metadata, role_assignment, user
from carelink.place import Place


def test_the_migrations_and_the_tables_in_code_are_the_same(engine: Engine) -> None:
    with engine.connect() as conn:
        assert compare_metadata(MigrationContext.configure(conn), metadata) == []


def test_upgrading_again_changes_nothing(engine: Engine) -> None:
    before = schema.revision(engine)
    schema.upgrade(engine)
    assert before is not None
    assert schema.revision(engine) == before


def test_a_user_whom_the_pack_no_longer_names_is_inactive_and_the_others_stay(conn: Connection, place: Place) -> None:
    conn.execute(user.insert().values(id="left.behind", name="Left Behind"))
    sync.sync(conn, place)
    active = {row.id: row.active for row in conn.execute(select(user.c.id, user.c.active))}
    assert active.pop("left.behind") is False
    assert all(active.values())
    assert set(active) == set(place.staff)


def test_syncing_twice_gives_each_user_one_role(conn: Connection, place: Place) -> None:
    sync.sync(conn, place)
    roles = conn.execute(select(role_assignment.c.user, role_assignment.c.role)).all()
    assert sorted(roles) == sorted((staff.id, staff.role) for staff in place.staff.values())
