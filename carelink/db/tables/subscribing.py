"""Who is told of what, and what they were told."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Identity, Index, Integer, LargeBinary, Table, Text, UniqueConstraint, Uuid
from sqlalchemy import text as words
from sqlalchemy.dialects.postgresql import JSONB

from carelink.db.tables.base import metadata, when

# A Subscription of a client.
subscription = Table(
    "subscription",
    metadata,
    Column("key", Uuid, primary_key=True),
    Column("client", Text, nullable=False),  # id; only it sees this row
    Column("purpose", Text, nullable=False),  # for which it asked when it subscribed, and is told
    Column("scopes", Text, nullable=False),  # of the token by which it subscribed
    Column("status", Text, nullable=False),  # requested, active, error, off
    Column("topic", Text, nullable=False),  # id in cases/subscription_topics.py
    Column("endpoint", Text, nullable=False),
    Column("content", Text, nullable=False),  # empty, id-only, full-resource
    Column("filters", JSONB, nullable=False),  # [[type, [[parameter, [values], modifier]]]]
    Column("most", Integer, nullable=False),  # events in one notification
    Column("body", Text, nullable=False),  # the resource as it was sent, without what changes by itself
    Column("secret", LargeBinary, nullable=False),  # with which notifications are signed; sealed by the installation's
    Column("version", Integer, nullable=False),
    when("created_at", nullable=False),
    when("last_updated", nullable=False),
    when("ends"),
    Column("events", BigInteger, nullable=False, server_default=words("0")),  # told so far: the number of the last
    Column("failures", Integer, nullable=False, server_default=words("0")),  # one after the other
    Column("error", Text),  # why the last try failed
    when("told_at"),  # when it last took something
    when("deleted_at"),
    Index("subscription_client", "client", postgresql_where=words("deleted_at is null")),
    Index("subscription_topic", "topic", "status", postgresql_where=words("deleted_at is null")),
)

# One change that a subscriber is told of. It has a number from when it was first tried to tell it.
subscription_event = Table(
    "subscription_event",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("subscription", Uuid, nullable=False),
    Column("resource", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("version", Integer, nullable=False),
    when("at", nullable=False),  # of the change
    Column("number", BigInteger),
    when("done_at"),
    Column("outcome", Text),  # told, withheld, given-up
    UniqueConstraint("subscription", "resource", "version"),
    Index("subscription_event_number", "subscription", "number"),
    Index("subscription_event_open", "subscription", "id", postgresql_where=words("done_at is null")),
)
