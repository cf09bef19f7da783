"""What a source does not tell any more, though it told all of that part: its last version says so, its history stays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func

from carelink.db.among import among
from carelink.db.tables import resource
from carelink.ids import resource_key
from carelink.record.writing import Writable, ended_row, stored_labels
from fhir_adapters.source import Item
from fhir_adapters.whole import Id, Whole

# A table that has lost more than this at once was cut off on its way rather than emptied by people at work.
MOST_SHARE = 0.1
ALWAYS_BELIEVED = 20


@dataclass(frozen=True)
class Vanished:
    """What is to be ended, and a line for each part of which too much would be."""

    gone: tuple[Writable, ...] = ()
    doubts: tuple[str, ...] = ()


def vanished(conn: Connection, source: str, wholes: Iterable[Whole], items: Sequence[Item]) -> Vanished:
    """Of what is stored of these parts, what the batch that told all of them does not tell."""
    gone: list[Writable] = []
    doubts: list[str] = []
    for whole in wholes:
        held = _held(conn, source, whole, items)
        missing = whole.gone(held)
        if whole.forms and _too_many(len(missing), sum(map(whole.covers, held))):
            doubts.append(f"{whole.name}: {len(missing)} of {len(held)} are not in it any more; nothing was ended")
        else:
            gone += [ended_row(held[one]) for one in missing]
    return Vanished(tuple(gone), tuple(doubts))


def _too_many(missing: int, held: int) -> bool:
    return missing > max(ALWAYS_BELIEVED, MOST_SHARE * held)


def _held(conn: Connection, source: str, whole: Whole, items: Sequence[Item]) -> dict[Id, Any]:
    """What is stored of that part and more, by type and the source's own id."""
    t = resource.c
    asked = stored_labels().where(t.source == source, t.deleted.is_(False))
    asked = _of_record(asked, source, whole, items) if whole.namespace else _of_table(asked, whole)
    start = len(whole.namespace) + 1 if whole.namespace else 0
    return {(row.type, row.source_id[start:]): row for row in conn.execute(asked)}


def _of_record(asked: Select[Any], source: str, whole: Whole, items: Sequence[Item]) -> Select[Any]:
    """Of the Patients of that record: what is about nobody, such as its workers, tells nothing by being left out."""
    patients = [
        resource_key(source, one.namespace, "Patient", one.source_id)
        for one in items
        if one.type == "Patient" and one.namespace == whole.namespace
    ]
    t = resource.c
    return asked.where(among(t.patient, patients), func.starts_with(t.source_id, f"{whole.namespace}/"))


def _of_table(asked: Select[Any], whole: Whole) -> Select[Any]:
    return asked.where(resource.c.type.in_(sorted({form.type for form in whole.forms})))
