"""Where each source stands for one person: how old what we show is, and whether the source can be reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, select

from carelink.consent.holders import hidden_labels
from carelink.consent.lens import Lens
from carelink.db.tables import source_person, source_state
from carelink.ids import PersonKey
from carelink.place import Place, SourceEntry
from carelink.record.golden_store import MADE_HERE

PER_PERSON = frozenset({"gp_connect", "pds"})  # kinds that answer about one named person at a time
ONLY_WHO = frozenset({"pds"})  # kinds that say who somebody is, and nothing of their care


@dataclass(frozen=True)
class Standing:
    """One source: `as_of` is when it last answered completely; none where it never did. `asked_at`: last asked."""

    source: str
    label: str
    as_of: datetime | None
    failing_since: datetime | None
    why: str
    stale: bool
    asked_at: datetime | None = None
    tells_of_care: bool = True

    @property
    def sure(self) -> bool:
        """Whether what it says may be read as all there is."""
        return self.as_of is not None and self.failing_since is None and not self.stale


def labels(place: Place) -> dict[str, str]:
    """How pages name each source, a source that is hidden, and what is made here."""
    named = {entry.name: entry.label for entry in place.sources}
    return named | hidden_labels(place) | {MADE_HERE: place.words.service_name}


def standings(conn: Connection, place: Place, person: PersonKey, now: datetime) -> tuple[Standing, ...]:
    """Every source of the place, in the pack's order."""
    statement = select(
        source_state.c.source,
        source_state.c.status,
        source_state.c.good_at,
        source_state.c.failing_since,
        source_state.c.why,
        source_state.c.started_at,
        source_person.c.good_at.label("answered_at"),
    ).select_from(
        source_state.outerjoin(
            source_person, and_(source_person.c.source == source_state.c.source, source_person.c.person == person)
        )
    )
    found: dict[str, Any] = {row.source: row for row in conn.execute(statement)}
    return tuple(_standing(entry, found, now) for entry in sorted(place.sources, key=lambda one: one.order))


def told(found: Iterable[Standing], place: Place, lens: Lens, *, hidden: bool) -> tuple[Standing, ...]:
    """As they may be told: where it is hidden which organisations hold a person's record, those of one kind together.

    Of several the worst is told, so that nothing is taken for all there is. The requester's own is no secret to them.
    """
    if not hidden:
        return tuple(found)
    by_name: dict[str, list[Standing]] = {}
    for one in found:
        name, _ = lens.holder(one.source, place.source(one.source).organisation, hidden=True)
        by_name.setdefault(name, []).append(one)
    named = labels(place)
    return tuple(_together(name, named[name], alike) for name, alike in by_name.items())


def unsure(one: Standing) -> str:
    """What must be said of a source that is not `sure`, in words."""
    if one.as_of is None:
        return f"{one.label}: has not answered about this person; nothing of it is known here"
    shown = f"what is given is as of {one.as_of:%Y-%m-%dT%H:%M:%SZ}"
    if one.failing_since is not None:
        return f"{one.label}: not reachable since {one.failing_since:%Y-%m-%dT%H:%M:%SZ}; {shown}"
    return f"{one.label}: not asked lately; {shown}"


def _together(name: str, label: str, alike: Sequence[Standing]) -> Standing:
    answered = [one.as_of for one in alike if one.as_of is not None]
    away = [one.failing_since for one in alike if one.failing_since is not None]
    return Standing(
        source=name,
        label=label,
        as_of=min(answered) if len(answered) == len(alike) else None,
        failing_since=min(away, default=None),
        why="",
        stale=any(one.stale for one in alike),
        tells_of_care=any(one.tells_of_care for one in alike),
    )


def _standing(entry: SourceEntry, found: Mapping[str, Any], now: datetime) -> Standing:
    row, tells = found.get(entry.name), entry.kind not in ONLY_WHO
    if row is None:
        return Standing(entry.name, entry.label, None, None, "", stale=True, tells_of_care=tells)
    as_of = row.answered_at if entry.kind in PER_PERSON else row.good_at
    late = as_of is None or now - as_of > timedelta(minutes=entry.stale_after_minutes)
    return Standing(entry.name, entry.label, as_of, row.failing_since, row.why or "", late, row.started_at, tells)
