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
    Index("resource_version_type", "type", "last_updated", "key", "version"),  # the history of a type
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


def _place() -> Column[object]:
    """Which of several alike elements it stood in, from 1, so that a composite matches within one; null: of the whole."""
    return Column("place", SmallInteger)


# Codes, identifiers, URIs (without a system). Under the number's negative: identifiers by the type of their number.
index_token = _index("index_token", Column("system", Text), Column("code", Text, nullable=False), _place())
# `value` is folded and sorted bytewise whatever the database's own order, so that all that begins alike stands together.
index_string = _index(
    "index_string",
    Column("value", Text(collation="C"), nullable=False),
    Column("exact", Text),  # as it was written; null: as `value`
)
index_date = _index("index_date", when("low", nullable=False), when("high", nullable=False))
index_reference = _index(
    "index_reference",
    Column("target", Uuid),  # the id here, of what is kept here
    Column("literal", Text),  # as it was written, where it points elsewhere or to a version; a canonical's URL
    Column("type", Text),  # of what it points to, as it was written
    _place(),
)
index_number = _index(
    "index_number",
    Column("low", Numeric, nullable=False),
    Column("high", Numeric, nullable=False),  # the same as `low` but of a range; open ends are infinite
    Column("system", Text),
    Column("code", Text),
    Column("unit", Text),  # as people read it; null: as `code`
    _place(),
)

for _table, _value in (
    (index_token, "code"),
    (index_string, "value"),
    (index_date, "low"),
    (index_reference, "target"),
    (index_number, "low"),
):
    Index(f"{_table.name}_person", "person", "parameter", _value, "key", _table=_table)
    Index(f"{_table.name}_key", "key", _table=_table)
# Parameters under 100 are asked without a person: identifiers, names, the directory. Of numbers there are none.
for _table, _value in (
    (index_token, "code"),
    (index_date, "low"),
    (index_string, "value"),
    (index_reference, "target"),
):
    Index(f"{_table.name}_global", "parameter", _value, "key", _table=_table, postgresql_where=text("parameter < 100"))
