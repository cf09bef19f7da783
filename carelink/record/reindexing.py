"""Indexing again what is stored: where there are more search parameters than when it was written."""

from __future__ import annotations

from hashlib import sha256
from uuid import UUID

from sqlalchemy import Connection, select

from carelink.audit.trail import looked
from carelink.consent.lens import Lens
from carelink.db.tables import resource
from carelink.record.copying import copy_rows
from carelink.record.index_writing import index_rows_of, unindex
from carelink.record.parameters import PARAMETERS
from fhir_adapters import exact_json

PART = 500  # resources a transaction
ROWS = 1  # raised whenever the code makes other rows of the same parameters


def fingerprint() -> str:
    """What decides about the rows: the table of parameters, and how a value of each becomes rows."""
    said = [(one.number, one.code, one.kind.value, sorted(one.paths.items()), one.solid) for one in PARAMETERS]
    return sha256(repr((ROWS, said)).encode()).hexdigest()[:16]


def reindex(conn: Connection, lens: Lens, after: UUID | None = None) -> UUID | None:
    """Index the next part after that key anew, in the caller's transaction; gives its last key, None where it was the last.

    What is written meanwhile waits for this part, or this for it: the rows are those of the version that stands.
    """
    t = resource.c
    asked = select(t.key, t.person, t.type, t.body).where(t.deleted.is_(False), lens.where(resource))
    if after is not None:
        asked = asked.where(t.key > after)
    found = conn.execute(asked.order_by(t.key).limit(PART).with_for_update(of=resource)).all()
    looked(conn, lens, "read", "stored resources, to index them", (), count=len(found))
    if not found:
        return None
    unindex(conn, [row.key for row in found])
    copy_rows(conn, index_rows_of((row.key, row.person, row.type, exact_json.loads(row.body or "{}")) for row in found))
    return found[-1].key if len(found) == PART else None
