"""Label rules that have changed: everything that is stored is labelled again, by a worker, part by part."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from carelink import outbox as notes
from carelink.audit.trail import looked
from carelink.consent.labels import CATEGORY
from carelink.consent.lens import Lens
from carelink.db.tables import outbox, resource
from carelink.errors import Conflict
from carelink.ids import ResourceKey
from carelink.jobs.shop import Shop
from carelink.place import LabelRule, Place
from carelink.record.relabelling import relabel

KIND = "labels.changed"
PART = 500  # resources a transaction
DERIVED = 1  # raised whenever the code labels the same resource otherwise


def fingerprint(place: Place) -> str:
    """What of the pack, and of the code, decides about labels; the order of the rules counts, that of their codes not."""
    rules = [_said(rule) for rule in place.labels]
    own = sorted((one.id, one.number) for one in place.sensitivities)
    return sha256(repr((DERIVED, sorted(CATEGORY.items()), rules, own)).encode()).hexdigest()[:16]


def _said(rule: LabelRule) -> tuple[Any, ...]:
    codes = (sorted(rule.codes), sorted(rule.documents))
    return (rule.id, rule.category, rule.sensitivities, rule.sources, rule.types, *codes, rule.text)


def note(conn: Connection, place: Place, now: datetime) -> bool:
    """Ask a worker for it where the rules differ from those last worked with; gives whether it was asked."""
    newest = select(outbox.c.payload).where(outbox.c.kind == KIND).order_by(outbox.c.id.desc()).limit(1)
    known, mine = conn.execute(newest).scalar(), fingerprint(place)
    if known is not None and known["fingerprint"] == mine:
        return False
    notes.add(conn, KIND, {"fingerprint": mine}, now, once=f"{KIND}:{mine}")
    return True


def work_out(shop: Shop, payload: Mapping[str, Any]) -> None:
    """Part by part, each in its transaction; a new version where the label differs; doing it twice changes nothing.

    Raises `Conflict` where this worker was started with another pack: one that knows the new one does it.
    """
    if payload["fingerprint"] != fingerprint(shop.place):
        raise Conflict("this worker was started with another place pack")
    after: UUID | None = None
    while True:
        now = shop.clock()
        lens = Lens.system("label what is stored by the rules of the place", now)
        with shop.engine.begin() as conn:
            part = _part(conn, lens, after)
            changed = relabel(conn, shop.place, lens, part, now)
            looked(conn, lens, "label", "stored resources", (), count=len(changed))
        if len(part) < PART:
            return
        after = part[-1]


def _part(conn: Connection, lens: Lens, after: UUID | None) -> list[ResourceKey]:
    t = resource.c
    asked = select(t.key).where(t.deleted.is_(False), lens.where(resource)).order_by(t.key).limit(PART)
    if after is not None:
        asked = asked.where(t.key > after)
    return [ResourceKey(key) for key in conn.execute(asked).scalars()]
