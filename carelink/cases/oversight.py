"""What an information governance lead watches over: refused resources, and what fails in those that were stored."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, func, select

from carelink.audit.trail import looked
from carelink.consent.lens import Lens
from carelink.db.tables import quarantine
from carelink.errors import Forbidden
from carelink.place import Place
from carelink.record import findings
from carelink.record.findings import Counted

MAY_SEE = "see-quarantine"
MOST = 200


@dataclass(frozen=True)
class Refused:
    """One resource in quarantine: where it came from and why it was not stored, never what it says."""

    id: int
    source: str
    type: str
    reasons: tuple[tuple[str, str], ...]  # (where in it, why)
    seen_at: datetime


@dataclass(frozen=True)
class Quarantine:
    refused: tuple[Refused, ...]
    counts: Mapping[str, int]  # by label of the source
    total: int
    found: tuple[Counted, ...] = ()  # in what is stored: how many fail where, by label of the source


def quarantined(conn: Connection, place: Place, lens: Lens) -> Quarantine:
    """What waits in quarantine, the newest first. Raises `Forbidden` for a role that does not watch over it."""
    if MAY_SEE not in lens.may:
        raise Forbidden("Your role does not watch over the quarantine", rule=MAY_SEE)
    q = quarantine.c
    labels = {entry.name: entry.label for entry in place.sources}
    counts = {
        labels.get(source, source): number
        for source, number in conn.execute(
            select(q.source, func.count()).where(q.resolved_at.is_(None)).group_by(q.source).order_by(q.source)
        )
    }
    rows = conn.execute(
        select(q.id, q.source, q.type, q.reasons, q.seen_at)
        .where(q.resolved_at.is_(None))
        .order_by(q.seen_at.desc(), q.id.desc())
        .limit(MOST)
    )
    refused = tuple(
        Refused(
            row.id,
            labels.get(row.source, row.source),
            row.type,
            tuple((str(one.get("place", "")), str(one.get("why", ""))) for one in row.reasons),
            row.seen_at,
        )
        for row in rows
    )
    looked(conn, lens, "search", "quarantine", (), count=len(refused))
    found = tuple(_on_a_page(one, labels) for one in findings.counts(conn))
    return Quarantine(refused, counts, sum(counts.values()), found)


_ADDRESS = re.compile(r"https?://[^\s'\"(),;]*?([^/\s'\"(),;]+)(?=[.]?(?:[\s'\"(),;]|$))")
_NAMESPACE = re.compile(r"urn:(?:ietf:)?(\w+):(?=\w)")  # urn:ietf:bcp:47 is BCP 47


def _on_a_page(one: Counted, labels: Mapping[str, str]) -> Counted:
    """By the label of its source; a code system or extension by its name and not its address."""
    return replace(one, source=labels.get(one.source, one.source), place=in_words(one.place), says=in_words(one.says))


def in_words(text: str) -> str:
    """The text with the name of each code system or extension in the place of its address."""
    return _NAMESPACE.sub(lambda found: f"{found[1].upper()} ", _ADDRESS.sub(r"\1", text))
