"""What a custodian corrected of the labels of single items: kept apart from them, so that it outlives the next pull."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from carelink.consent.labels import Label
from carelink.db.among import among
from carelink.db.tables import label_correction
from carelink.ids import Ods, ResourceKey, UserId


@dataclass(frozen=True)
class Correction:
    """The difference to what the rules of the place say, who made it, when and why."""

    category: str | None  # None: as the rules say
    added: int  # sensitivities
    removed: int
    why: str
    made_by: UserId
    organisation: Ods
    made_at: datetime

    def same(self, other: Correction | None) -> bool:
        """Whether it comes to the same label."""
        mine = (self.category, self.added, self.removed)
        return mine == ((other.category, other.added, other.removed) if other else (None, 0, 0))


_T = label_correction.c
_COLUMNS = (_T.category, _T.added, _T.removed, _T.why, _T.made_by, _T.organisation, _T.made_at)


def current(conn: Connection, keys: Collection[ResourceKey]) -> dict[ResourceKey, Correction]:
    """The correction in force of each of these that has one."""
    if not keys:
        return {}
    asked = select(_T.resource, *_COLUMNS).where(among(_T.resource, keys), _T.undone_at.is_(None))
    return {ResourceKey(row[0]): Correction(*row[1:]) for row in conn.execute(asked)}


def corrected(label: Label, correction: Correction | None) -> Label:
    """The label that the rules gave, as the custodian corrected it."""
    if correction is None:
        return label
    bits = (label.sensitivities | correction.added) & ~correction.removed
    return replace(label, category=correction.category or label.category, sensitivities=bits)


def keep(conn: Connection, key: ResourceKey, correction: Correction) -> None:
    """Put it in force, in the place of the one that was."""
    undo(conn, key, correction.made_by, correction.made_at)
    conn.execute(insert(label_correction).values(resource=key, **vars(correction)))


def undo(conn: Connection, key: ResourceKey, by: UserId, now: datetime) -> bool:
    """The item is labelled by the rules again; gives whether there was a correction."""
    ended = update(label_correction).where(_T.resource == key, _T.undone_at.is_(None))
    return conn.execute(ended.values(undone_by=by, undone_at=now)).rowcount > 0
