"""Words in an item that make a human look whether it needs a label. A hint hides nothing and shows nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, update
from sqlalchemy.dialects.postgresql import insert

from carelink.consent import labels
from carelink.db.tables import label_hint
from carelink.ids import ResourceKey, UserId
from carelink.place import Place
from carelink.record.writing import Writable


def note(conn: Connection, place: Place, written: Iterable[Writable], now: datetime) -> None:
    """Raise a hint for each rule whose words are in one of these; once for each item, whatever was answered."""
    rows = [
        {"resource": one.key, "person": one.person, "custodian": one.custodian, "rule": rule, "raised_at": now}
        for one in written
        if one.person is not None and not one.deleted
        for rule in labels.hints(place, one.source, one.type, one.body, one.sensitivities)
    ]
    if rows:
        conn.execute(insert(label_hint).on_conflict_do_nothing(), rows)


def answer(conn: Connection, key: ResourceKey, rules: Iterable[str], said: str, by: UserId, now: datetime) -> int:
    """Close the open hints of those rules on that item: `labelled` or `not-needed`; gives how many were open."""
    t = label_hint.c
    mine = update(label_hint).where(t.resource == key, t.rule.in_(list(rules)), t.answer.is_(None))
    return conn.execute(mine.values(answer=said, answered_by=by, answered_at=now)).rowcount
