"""What is kept beside resources as they came: what fails of UK Core in them, and where their files are at the source."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text, Uuid

from carelink.db.tables.base import metadata, when

# What a stored resource does not hold to: for who looks after data, never what the resource says.
finding = Table(
    "finding",
    metadata,
    Column("resource", Uuid, primary_key=True),
    Column("rule", Text, primary_key=True),
    Column("place", Text, primary_key=True),  # FHIRPath
    Column("severity", Text, nullable=False),  # error, warning
    Column("says", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("type", Text, nullable=False),
    when("found_at", nullable=False),
)

# Files that resources of sources name: each is served here as Binary/[key], and no address of a source is.
attachment = Table(
    "attachment",
    metadata,
    Column("key", Uuid, primary_key=True),
    Column("resource", Uuid, nullable=False),
    Column("type", Text, nullable=False),  # of that resource
    Column("source", Text, nullable=False),
    Column("url", Text, nullable=False),  # as the source gave it
    Index("attachment_resource", "resource"),
)
