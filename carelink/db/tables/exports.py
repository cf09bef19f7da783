"""Bulk exports: who asked for which, and what was made of it."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from carelink.db.tables.base import metadata, when

# One Bulk Data export. The files lie beside the database, in a folder by the id of the row; the row goes with them.
export_job = Table(
    "export_job",
    metadata,
    Column("id", Uuid, primary_key=True),  # drawn: whoever does not know it can't ask for it
    Column("client", Text, nullable=False),
    Column(
        "organisation", Text, nullable=False
    ),  # as whom it asked; the lens is compiled of these when the work begins
    Column("role", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("scopes", Text, nullable=False),  # of the token, as one text
    Column("level", Text, nullable=False),  # system, patient
    Column("types", ARRAY(Text), nullable=False),  # asked for, and within the scopes of the token
    Column("patients", ARRAY(Uuid)),  # ids of Patients; null: of everybody
    when("since"),
    Column("asked", Text, nullable=False),  # the address, as far as it was understood
    Column("ignored", JSONB, nullable=False, server_default=text("'[]'")),  # [{place, why}] under handling=lenient
    Column("status", Text, nullable=False),  # waiting, done, failed, cancelled
    Column("why", Text),  # of one that failed
    when("asked_at", nullable=False),
    when("done_at"),
    when("transaction_at"),  # up to when changes are in it
    when("expires_at", nullable=False),
    Column("attempt", Uuid),  # the folder within that of the export
    Column("files", JSONB, nullable=False, server_default=text("'[]'")),  # [{id, kind, type, count}]
    Index("export_job_client", "client", "asked_at"),
)
