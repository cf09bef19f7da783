"""The audit trail, its seals, and what is worth a look in it."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
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
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from carelink.db.tables.base import metadata, when

audit_event = Table(
    "audit_event",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    when("at", nullable=False),
    Column("action", Text, nullable=False),  # read, search, sign-in, refusal, explain, link, ...
    Column("outcome", Text, nullable=False, server_default="success"),
    Column("user", Text),
    Column("organisation", Text),
    Column("role", Text),
    Column("purpose", Text),
    Column("reason", Text),  # of a system read
    Column("person", Uuid),
    Column("query", Text),  # what was asked, without values that tell who
    Column("count", Integer),
    Column("rules", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("request", Text),  # id of the request that it belongs to
    Column("detail", JSONB),
    Index("audit_event_person", "person", "at"),
    Index("audit_event_user", "user", "at"),
    Index("audit_event_at", "at"),
    # Of a look at several people the others are in `detail`; most rows are about one and cost this index nothing.
    Index(
        "audit_event_persons",
        "detail",
        postgresql_using="gin",
        postgresql_ops={"detail": "jsonb_path_ops"},
        postgresql_where=text("detail ? 'persons'"),
    ),
)

# Blocks of audit events in the order of their ids: each with a Merkle root, chained by the one before, and signed.
audit_seal = Table(
    "audit_seal",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("first", BigInteger, nullable=False),  # ids of events, from and to, both within
    Column("last", BigInteger, nullable=False),
    Column("count", Integer, nullable=False),
    Column("leaves", LargeBinary, nullable=False),  # id and hash of each event, so that what changed can be placed
    Column("root", LargeBinary, nullable=False),
    Column("previous", LargeBinary, nullable=False),  # hash of the seal before
    when("sealed_at", nullable=False),
    Column("signed_by", Text, nullable=False),  # fingerprint of the key
    Column("public_key", LargeBinary, nullable=False),  # itself, so that former keys are kept
    Column("hash", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)

# A pattern in the audit trail that is worth a look, until somebody has looked.
audit_signal = Table(
    "audit_signal",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("pattern", Text, nullable=False),  # own-record, same-surname, many-people, ...
    Column("user", Text, nullable=False),
    Column("organisation", Text, nullable=False),
    Column("person", Uuid),
    when("day", nullable=False),
    Column("count", Integer, nullable=False),
    Column("detail", JSONB),
    when("raised_at", nullable=False),
    Column("answer", Text),  # in-order, passed-on, breach
    Column("words", Text),  # of who answered it: what they found
    Column("answered_by", Text),
    when("answered_at"),
    UniqueConstraint("pattern", "user", "organisation", "person", "day", postgresql_nulls_not_distinct=True),
    Index("audit_signal_open", "raised_at", postgresql_where=text("answered_at is null")),
)
