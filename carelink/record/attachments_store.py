"""Where the files of resources are at their sources: kept when the resource is stored, looked up when a file is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, and_, delete, not_, select
from sqlalchemy.dialects.postgresql import insert

from carelink.db.among import among
from carelink.db.tables import attachment
from carelink.ids import ResourceKey
from carelink.record.attachments import File
from carelink.record.writing import Writable


@dataclass(frozen=True)
class Whose:
    """The resource that names a file, and where that is at its source."""

    type: str
    key: ResourceKey
    source: str
    url: str


def keep(
    conn: Connection,
    written: Sequence[Writable],
    versions: Mapping[ResourceKey, int],
    files: Mapping[ResourceKey, Sequence[File]],
    *,
    pulled: bool = False,
) -> None:
    """Of each that was written: the files that it names now.

    Only what a source itself told when it was pulled is ever fetched there: a client that writes an address could
    otherwise have us ask its source for anything, with our key.
    """
    before = [one.key for one in written if versions[one.key] > 1]
    t, named = attachment.c, [file.key for one in written for file in files.get(one.key, ())]
    if before:
        still = among(t.key, named)
        conn.execute(delete(attachment).where(and_(among(t.resource, before), not_(still))))
    rows = [
        {
            "key": file.key,
            "resource": one.key,
            "type": one.type,
            "source": one.source,
            "url": file.url if pulled else "",
        }
        for one in written
        for file in files.get(one.key, ())
        if file.url is not None
    ]
    if rows:
        conn.execute(insert(attachment).on_conflict_do_nothing(), rows)


def whose(conn: Connection, key: UUID) -> Whose | None:
    """The resource that names that file, which must then be read under the requester's lens; None where none does."""
    t = attachment.c
    row = conn.execute(select(t.type, t.resource, t.source, t.url).where(t.key == key)).one_or_none()
    return Whose(row.type, ResourceKey(row.resource), row.source, row.url) if row is not None else None
