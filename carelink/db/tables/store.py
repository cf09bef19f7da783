"""The store: resources, their versions, and what they are searched by."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, Numeric, SmallInteger, Table, Text, Uuid, text

from carelink.db.tables.base import metadata, when


def _labelled() -> list[Column[object]]:
    return [
        Column("type", Text, nullable=False),
        Column("person", Uuid),
        Column("patient", Uuid),  # the source's Patient it is about: what moves when a link is undone
        Column("custodian", Text, nullable=False),  # ODS code of who answers for it
        Column("category", Text, nullable=False),
        Column("sensitivities", Integer, nullable=False, server_default=text("0")),  # bitmask, consent/labels.py
        when("last_updated", nullable=False),
        Column("body", Text, nullable=False),  # the canonical JSON text that is served
        Column("redacted", Text),  # the same without whatever tells where a person is; null: nothing in it does
        Column("for_person", Text),  # the same for the person's own page, without others; null: nothing tells of them
        Column("hash", LargeBinary, nullable=False),  # of the content less meta.versionId and meta.lastUpdated
        Column("deleted", Boolean, nullable=False, server_default=text("false")),
        when("clinical", nullable=True),  # when it happened, for the timeline; null: not said
    ]


resource = Table(
    "resource",
    metadata,
    Column("key", Uuid, primary_key=True),
    *_labelled(),
    Column("version", Integer, nullable=False),
    Column("source", Text, nullable=False),  # name in the place pack; `carelink` for what is made here
    Column("source_id", Text, nullable=False),
    Column("security", Text),  # meta.security as its source gave it: by that it is labelled anew
    Index("resource_person", "person", "type", "key"),
    Index("resource_patient", "patient"),
    Index("resource_type", "type", "last_updated", "key"),
    Index("resource_source", "source", "type", "source_id"),
)

resource_version = Table(
    "resource_version",
    metadata,
    Column("key", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    *_labelled(),
)


def _index(name: str, *values: Column[object]) -> Table:
    return Table(
        name,
        metadata,
        Column("parameter", SmallInteger, nullable=False),  # number in record/parameters.py
        Column("person", Uuid),
        *values,
        Column("key", Uuid, nullable=False),
    )


index_token = _index("index_token", Column("system", Text), Column("code", Text, nullable=False))
# Sorted bytewise whatever the database's own order, so that all that begins alike stands together.
index_string = _index("index_string", Column("value", Text(collation="C"), nullable=False))
index_date = _index("index_date", when("low", nullable=False), when("high", nullable=False))
index_reference = _index("index_reference", Column("target", Uuid), Column("literal", Text))
index_number = _index("index_number", Column("value", Numeric, nullable=False), Column("unit", Text))

for _table, _value in (
    (index_token, "code"),
    (index_string, "value"),
    (index_date, "low"),
    (index_reference, "target"),
    (index_number, "value"),
):
    Index(f"{_table.name}_person", "person", "parameter", _value, "key", _table=_table)
    Index(f"{_table.name}_key", "key", _table=_table)
Index(
    "index_token_global", "parameter", "code", "key", _table=index_token, postgresql_where=text("parameter < 100")
)  # parameters under 100 are asked without a person: identifiers
Index("index_date_global", "parameter", "low", "key", _table=index_date, postgresql_where=text("parameter < 100"))
Index("index_string_global", "parameter", "value", "key", _table=index_string, postgresql_where=text("parameter < 100"))
