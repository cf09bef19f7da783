"""Pulling, and work to be done."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from carelink.db.tables.base import metadata, when

source_state = Table(
    "source_state",
    metadata,
    Column("source", Text, primary_key=True),
    Column("cursor", JSONB),
    Column("status", Text, nullable=False, server_default="never"),  # never, pulling, good, failing
    when("started_at"),
    when("good_at"),  # when the last pull reached its end
    when("failing_since"),
    Column("why", Text),
    Column("done", Integer, nullable=False, server_default=text("0")),
    Column("total", Integer),
)

# When each person was last asked about at a source that answers about one person at a time.
source_person = Table(
    "source_person",
    metadata,
    Column("source", Text, primary_key=True),
    Column("person", Uuid, primary_key=True),
    when("good_at", nullable=False),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("source", Text, nullable=False),
    Column("namespace", Text, nullable=False, server_default=""),
    Column("custodian", Text, nullable=False, server_default=""),
    Column("type", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("person", Uuid),
    Column("raw", Text, nullable=False),
    Column("mapped", Boolean, nullable=False, server_default=text("false")),  # `raw` is R4, so it can be tried again
    Column("reasons", JSONB, nullable=False),  # [{place, why}]
    Column("repairs", JSONB, nullable=False, server_default=text("'[]'")),  # [{rule, path, was, why}] made before
    Column("hash", LargeBinary, nullable=False),
    when("seen_at", nullable=False),
    when("resolved_at"),
    Column("resolution", Text),
    UniqueConstraint("source", "namespace", "type", "source_id", "hash"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("payload", JSONB, nullable=False),
    when("created_at", nullable=False),
    when("due_at", nullable=False),
    when("handed_at"),  # last handed to RQ or taken by a worker; after a while without done_at it is handed again
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    when("done_at"),
    Column("error", Text),
    Column("once", Text),  # two open rows never share this: a pull is asked for once
    Index("outbox_open", "due_at", postgresql_where=text("done_at is null")),
    Index("outbox_once", "once", unique=True, postgresql_where=text("done_at is null")),
)

job_receipt = Table(
    "job_receipt",
    metadata,
    Column("outbox", BigInteger, primary_key=True),
    Column("step", Text, primary_key=True),
    when("done_at", nullable=False),
    Column("result", JSONB),
)
