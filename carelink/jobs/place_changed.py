"""A place pack that has changed: who is involved with whom, and what consents come to, is worked out anew for everybody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from carelink import outbox as notes
from carelink.cases import consent_unclear
from carelink.consent import directives, relationships
from carelink.db.tables import outbox, person
from carelink.errors import Conflict
from carelink.ids import PersonKey
from carelink.jobs.shop import Shop
from carelink.place import Place

KIND = "place.changed"
PART = 500  # persons a transaction
DERIVED = 2  # raised whenever the code makes other rows of the same resources


def fingerprint(place: Place) -> str:
    """What of the pack decides who is involved and what a consent comes to: staff, teams, grace, whose practice is
    believed, and every name that a consent can say.
    """
    staff = sorted((one.id, one.organisation, one.team, sorted(one.identifiers)) for one in place.staff.values())
    grace = sorted((kind, rule.grace_days) for kind, rule in place.relationships.items())
    believed = [(one.element, one.sources, one.choose) for one in place.survivorship]
    types = sorted((one.ods, one.type) for one in place.organisations.values())
    said = (types, sorted(place.roles), sorted(place.categories), sorted((s.id, s.number) for s in place.sensitivities))
    return sha256(repr((DERIVED, staff, grace, believed, said)).encode()).hexdigest()[:16]


def note(conn: Connection, place: Place, now: datetime) -> bool:
    """Ask a worker for it where the pack differs from the one that was last worked with; gives whether it was asked."""
    newest = select(outbox.c.payload).where(outbox.c.kind == KIND).order_by(outbox.c.id.desc()).limit(1)
    known = conn.execute(newest).scalar()
    mine = fingerprint(place)
    if known is not None and known["fingerprint"] == mine:
        return False
    notes.add(conn, KIND, {"fingerprint": mine}, now, once=f"{KIND}:{mine}")
    return True


def work_out(shop: Shop, payload: Mapping[str, Any]) -> None:
    """Part by part, each in its transaction; doing it twice changes nothing.

    Raises `Conflict` where this worker was started with another pack: one that knows the new one does it.
    """
    if payload["fingerprint"] != fingerprint(shop.place):
        raise Conflict("this worker was started with another place pack")
    after: UUID | None = None
    while True:
        with shop.engine.begin() as conn:
            part = _part(conn, after)
            relationships.refresh(conn, shop.place, part, shop.clock())
            directives.refresh(conn, shop.place, part, shop.clock())
            consent_unclear.note(conn, shop.place, part, shop.clock())
        if len(part) < PART:
            return
        after = part[-1]


def _part(conn: Connection, after: UUID | None) -> list[PersonKey]:
    asked = select(person.c.key).order_by(person.c.key).limit(PART)
    if after is not None:
        asked = asked.where(person.c.key > after)
    return [PersonKey(key) for key in conn.execute(asked).scalars()]
