"""The stored Consents of people -> their rows of `directive`; it takes effect on the next request, everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, delete, insert, select

from carelink.consent.capacity_facts import minds_of, on_all_that_is_known
from carelink.consent.compiling import HIDES_ALL
from carelink.consent.effect import effect
from carelink.consent.facts import Directed
from carelink.consent.known import row_of
from carelink.db.among import among
from carelink.db.tables import directive, quarantine, resource
from carelink.db.turns import take_turns
from carelink.ids import PersonKey, resource_key
from carelink.place import Place
from fhir_adapters import exact_json

# What a Consent comes to changes with these: it itself, who decides for the person, and how old they are.
MADE_OF = frozenset({"Consent", "Flag", "Observation", "Patient", "RelatedPerson"})


def refresh(conn: Connection, place: Place, persons: Sequence[PersonKey], now: datetime) -> None:
    """Compile the Consents of these people anew; what somebody permitted who might not has no effect.

    One that could not be stored may be an objection: until it can be read, it hides the whole record.
    """
    wanted = sorted(set(persons))
    if not wanted:
        return
    take_turns(conn, wanted)
    t = resource.c
    stored = conn.execute(
        select(t.key, t.person, t.body, t.last_updated)
        .where(among(t.person, wanted), t.type == "Consent", t.deleted.is_(False))
        .order_by(t.person, t.key)
    ).all()
    minds = minds_of(conn, on_all_that_is_known(now), {PersonKey(row.person) for row in stored})
    rows = [
        _row(one, row.person, row.key)
        for row in stored
        for one in effect(exact_json.loads(row.body), place, minds[row.person], row.last_updated).directives
    ]
    rows += [_row(HIDES_ALL, row.person, _key(row)) for row in conn.execute(_refused(wanted))]
    conn.execute(delete(directive).where(among(directive.c.person, wanted)))
    if rows:
        conn.execute(insert(directive), rows)


def _refused(persons: Sequence[PersonKey]) -> Select[Any]:
    q = quarantine.c
    open_ = (q.type == "Consent", q.resolved_at.is_(None), among(q.person, persons))
    return select(q.source, q.namespace, q.source_id, q.person).where(*open_).order_by(q.id)


def _key(row: Any) -> UUID:
    """The key that it would be stored under."""
    return resource_key(row.source, row.namespace, "Consent", row.source_id)


def _row(one: Directed, person: UUID, consent: UUID) -> dict[str, Any]:
    return row_of(one) | {"person": person, "consent": consent}
