"""Quarantine: what could not be stored safely is kept whole with its reasons, shown, and can be replayed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Connection, Text, and_, func, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from carelink.audit.trail import Event, append, looked
from carelink.consent import directives
from carelink.consent.lens import Lens
from carelink.db.tables import quarantine
from carelink.errors import Forbidden, NotFound
from carelink.ids import PersonKey
from carelink.place import Place, SourceEntry
from fhir_adapters import exact_json
from fhir_adapters.source import Item, Reason, Rejected, Repair

LONGEST_ID = 200  # characters of a source's id; FHIR allows 64, sources write more


def raw_of(item: Item) -> str:
    """The item as it is kept, with what is needed to try it again."""
    return exact_json.dumps(item.body).decode()


@dataclass(frozen=True)
class Refused:
    """What is not stored now, with all that is needed to try it again; `patient` is whom it says it is about."""

    what: Rejected
    custodian: str = ""
    repairs: tuple[Repair, ...] = ()  # made by the adapter, before the raw text
    patient: UUID | None = None
    mapped: bool = False  # False: an adapter rejected it, and only that adapter can read it


def keep(
    conn: Connection, entry: SourceEntry, refused: Sequence[Refused], persons: Mapping[UUID, PersonKey], now: datetime
) -> None:
    """Keep each whole, once: the same again is the same row, open again and with the reasons of today."""
    if not refused:
        return
    rows = {tuple(row[name] for name in _SAME): row for row in (_row(entry, one, persons, now) for one in refused)}
    statement = insert(quarantine).values(list(rows.values()))
    today = {name: statement.excluded[name] for name in ("mapped", "reasons", "repairs", "custodian", "person")}
    again = {**today, "resolved_at": None, "resolution": None}
    conn.execute(statement.on_conflict_do_update(index_elements=list(_SAME), set_=again))


_SAME = ("source", "namespace", "type", "source_id", "hash")


def _row(entry: SourceEntry, one: Refused, persons: Mapping[UUID, PersonKey], now: datetime) -> dict[str, Any]:
    what = one.what
    return {
        "source": entry.name,
        "namespace": storable(what.namespace),
        "custodian": one.custodian or entry.organisation,
        "type": what.type,
        "source_id": storable(what.source_id),
        "person": persons.get(one.patient) if one.patient else None,
        "raw": _plain(what.raw),
        "mapped": one.mapped,
        "reasons": [_told(reason) for reason in what.reasons],
        "repairs": [_told(repair) for repair in one.repairs],
        "hash": hashlib.blake2b(what.raw.encode(), digest_size=16).digest(),
        "seen_at": now,
    }


def storable(id_: str) -> str:
    """An id as it can be kept and compared: one of endless length by its beginning and a hash, still too long to store."""
    id_ = _plain(id_)
    if len(id_) <= LONGEST_ID:
        return id_
    return f"{id_[:LONGEST_ID]}-{hashlib.blake2b(id_.encode(), digest_size=8).hexdigest()}"


def _told(one: Reason | Repair) -> dict[str, str]:
    return {name: _plain(text) for name, text in asdict(one).items()}


def _plain(text: str) -> str:
    return text.replace("\0", "\ufffd")  # PostgreSQL's text holds no NUL


_TEXTS = ARRAY(Text)


def resolve_stored(conn: Connection, source: str, items: Sequence[Item], now: datetime) -> None:
    """What is stored now is no longer in question."""
    if not items:
        return
    t = quarantine.c
    columns = (
        literal([one.namespace for one in items], _TEXTS),
        literal([one.type for one in items], _TEXTS),
        literal([one.source_id for one in items], _TEXTS),
    )
    stored = func.unnest(*columns).table_valued("namespace", "type", "source_id").render_derived()
    same = tuple_(t.namespace, t.type, t.source_id).in_(select(stored.c.namespace, stored.c.type, stored.c.source_id))
    open_ = and_(t.source == source, t.resolved_at.is_(None))
    conn.execute(update(quarantine).where(open_, same).values(resolved_at=now, resolution="stored"))


def waiting(conn: Connection, source: str) -> tuple[Item, ...]:
    """What of this source might be stored by now, oldest first: to be given to ingest again.

    What its adapter rejected is not among it: that is in the source's own form, or about somebody else.
    """
    t = quarantine.c
    asked = select(t.type, t.source_id, t.raw, t.namespace, t.custodian, t.repairs)
    open_ = and_(t.source == source, t.mapped, t.resolved_at.is_(None))
    return tuple(
        Item(
            row.type,
            row.source_id,
            exact_json.loads(row.raw),
            row.namespace,
            row.custodian,
            tuple(Repair(**one) for one in row.repairs),
        )
        for row in conn.execute(asked.where(open_).order_by(t.id))
    )


def resolve(conn: Connection, place: Place, lens: Lens, id_: int, why: str) -> None:
    """A human says that this needs nothing more, and why. Raises `Forbidden` for other roles, `NotFound`.

    A Consent that is so set aside hides nothing any more.
    """
    _must_watch(lens)
    t = quarantine.c
    ended = update(quarantine).where(t.id == id_, t.resolved_at.is_(None)).values(resolved_at=lens.at, resolution=why)
    row = conn.execute(ended.returning(t.person, t.type)).one_or_none()
    if row is None:
        raise NotFound("There is no such open row")
    if row.type == "Consent" and row.person is not None:
        directives.refresh(conn, place, [PersonKey(row.person)], lens.at)
    append(conn, Event("resolve", lens.requester, row.person, query="quarantine", reason=why, user=lens.user), lens.at)


def _must_watch(lens: Lens) -> None:
    if lens.requester is not None and "see-quarantine" not in lens.may:
        raise Forbidden("Your role does not include the data-quality worklist", rule="see-quarantine")


def listed(conn: Connection, lens: Lens, count: int = 100) -> list[dict[str, Any]]:
    """The open rows with their reasons, for the data-quality worklist. Raises `Forbidden` for roles that may not."""
    _must_watch(lens)
    t = quarantine.c
    asked = select(t.id, t.source, t.type, t.source_id, t.reasons, t.seen_at).where(t.resolved_at.is_(None))
    rows = [dict(row._mapping) for row in conn.execute(asked.order_by(t.id).limit(count))]
    looked(conn, lens, "search", "quarantine", (), count=len(rows))
    return rows


def counts(conn: Connection) -> list[tuple[str, str, str, int]]:
    """(source, type, first reason, how many) of the open rows; about sources, not people."""
    t = quarantine.c
    why = t.reasons[0]["why"].astext
    asked = select(t.source, t.type, why, func.count()).where(t.resolved_at.is_(None)).group_by(t.source, t.type, why)
    return [(row[0], row[1], row[2], row[3]) for row in conn.execute(asked.order_by(t.source, t.type, why))]
