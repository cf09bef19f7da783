"""The filled database many times over: the same records of so many more people, with ids and NHS numbers of their own.

Multiplied in the database: to pull 20,000 people takes an hour. Whatever is an id ends in the number of its copy, in
columns and in bodies alike, so that every reference leads to the copy beside it.
"""

from __future__ import annotations

from collections.abc import Iterable

import psycopg
from sqlalchemy import Column, Connection, Integer, Table, Uuid, text

from benchmarks.filled import Filled
from benchmarks.world import Database, World
from carelink.db.engine import engine_for
from carelink.db.tables import (
    directive,
    index_date,
    index_number,
    index_reference,
    index_string,
    index_token,
    person,
    relationship,
    resource,
)
from carelink.ids import NHS_NUMBER
from carelink.record.parameters import of_type

TABLES = (
    *(person, relationship, directive, resource),
    *(index_token, index_string, index_date, index_reference, index_number),
)
_BODIES = frozenset({"body", "redacted", "for_person"})
_ID = "([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{6})[0-9a-f]{6}"
_COPY = "lpad(to_hex(copy), 6, '0')"
_IDENTIFIER = of_type("Patient")["identifier"].number
# A number of its own, that no other copy has; in the index alone, for nobody looks at the digits.
_NUMBER = f"case when parameter = {_IDENTIFIER} and system = '{NHS_NUMBER}' then code || '-' || copy else code end"


def multiplied(world: World, here: Filled, people: int) -> Filled:
    """A database of about so many people, made of the one that is filled."""
    name = f"people_{people}"
    _left(world, here)
    url = world.server.database(name, template=here.database.name)
    made = Database(name, url, engine_for(url))
    with made.engine.begin() as conn:
        there = conn.execute(text("select count(*) from person where merged_into is null")).scalar_one()
        indexes = list(_dropped(conn))
        for table in TABLES:
            conn.execute(text(_copied(table)), {"copies": round(people / there) - 1})
        for one in indexes:
            conn.exec_driver_sql(one)
    with made.engine.connect() as conn:
        conn.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("vacuum analyze")
    return Filled(world, made, here.person)


def _left(world: World, here: Filled) -> None:
    """Nobody is connected any more: else it can't be copied."""
    for engine in (here.engine, here.database.engine):
        engine.dispose()
    with psycopg.connect(world.server.url, autocommit=True) as conn:
        ended = "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s"
        conn.execute(ended, (here.database.name,))


def _dropped(conn: Connection) -> Iterable[str]:
    """The indexes of these tables, dropped, as the statements that make them again."""
    asked = text(
        "select i.indexname, i.indexdef from pg_indexes i join pg_class c on c.relname = i.indexname"
        " join pg_index x on x.indexrelid = c.oid"
        " where i.tablename = any(:tables) and not x.indisprimary and not x.indisunique"
    )
    for name, made in list(conn.execute(asked, {"tables": [one.name for one in TABLES]})):
        conn.exec_driver_sql(f'drop index "{name}"')
        yield made


def _copied(table: Table) -> str:
    columns = [one for one in table.columns if not one.identity and not (one.primary_key and _counts(one))]
    names = ", ".join(f'"{one.name}"' for one in columns)
    values = ", ".join(_of_copy(one) for one in columns)
    return f'insert into "{table.name}" ({names}) select {values} from "{table.name}", generate_series(1, :copies) copy'


def _counts(one: Column[object]) -> bool:
    return isinstance(one.type, Integer)


def _of_copy(one: Column[object]) -> str:
    if isinstance(one.type, Uuid):
        return f'(left("{one.name}"::text, 30) || {_COPY})::uuid'
    if one.name in _BODIES:
        return f"regexp_replace(\"{one.name}\", '{_ID}', '\\1' || {_COPY}, 'g')"
    if one.name == "source_id":
        return "source_id || '-' || copy"
    return _NUMBER if one.table.name == "index_token" and one.name == "code" else f'"{one.name}"'
