"""What is asked for of all that is held, what may not be deleted, and what was."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Identity, Index, Integer, LargeBinary, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from carelink.db.tables.base import metadata, when

# What is asked for under UK GDPR Art 15.
subject_request = Table(
    "subject_request",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("person", Uuid, nullable=False),
    Column("status", Text, nullable=False),  # received, gathered, reviewed, released, refused, withdrawn
    Column("requested_by", Text, nullable=False),  # the person, or who acts for them
    Column("authority", Text, nullable=False),  # self, parent, attorney, ...: cases/subject_access.py
    when("asked_at", nullable=False),
    when("identity_at"),  # when it was seen who they are, and that they may ask: the clock starts with the later
    Column("complex", Boolean, nullable=False, server_default=text("false")),  # two months more
    Column("extension_why", Text, nullable=False, server_default=""),  # as it was told to who asked
    when("extended_at"),
    Column("handled_by", Text, nullable=False),
    when("gathered_at"),
    Column("package", JSONB(none_as_null=True)),  # what was gathered: an entry an item, with what the review says of it
    Column("reviewed_by", Text),
    when("reviewed_at"),
    when("released_at"),
    Column("released_by", Text),
    Column("printed", LargeBinary),  # exactly what was released, for people
    Column("printed_as", Text),  # its media type
    Column("fhir", LargeBinary),  # and for machines
    when("ended_at"),  # refused or withdrawn
    Column("ended_why", Text),
    Index("subject_request_person", "person"),
    Index(
        "subject_request_open",
        "asked_at",
        postgresql_where=text("released_at is null and ended_at is null"),
    ),
)

# Nothing of this person is deleted while one is open.
legal_hold = Table(
    "legal_hold",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("person", Uuid, nullable=False),
    Column("why", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    when("made_at", nullable=False),
    Column("ended_by", Text),
    when("ended_at"),
    Index("legal_hold_open", "person", postgresql_where=text("ended_at is null")),
)

# What retention took out: the body is gone, that it was there is not.
erasure = Table(
    "erasure",
    metadata,
    Column("resource", Uuid, primary_key=True),
    Column("person", Uuid),
    Column("type", Text, nullable=False),
    Column("custodian", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("versions", Integer, nullable=False),
    Column("schedule", Text, nullable=False),  # id in retention.toml
    when("erased_at", nullable=False),
    Column("erased_by", Text, nullable=False),
    Index("erasure_person", "person"),
)
