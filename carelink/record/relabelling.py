"""Labelling again what is stored: by rules of the place that changed, or by a custodian's correction of one item."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, not_, select

from carelink.consent import labels
from carelink.consent.lens import Lens
from carelink.consent.sensitivity import sensitivities
from carelink.db.among import among
from carelink.db.tables import resource
from carelink.db.turns import take_turns
from carelink.ids import PersonKey, ResourceKey
from carelink.place import Place
from carelink.record import corrections, hints, provenance
from carelink.record.corrections import Correction, corrected
from carelink.record.golden_store import MADE_HERE, recompose
from carelink.record.ingest_subjects import DIRECTORY
from carelink.record.references import unnamed
from carelink.record.writing import Writable, content, write
from fhir_adapters import exact_json

_T = resource.c
_ITS = (_T.key, _T.type, _T.source, _T.source_id, _T.custodian, _T.category, _T.sensitivities, _T.person, _T.patient)
# What is made of other resources gets its label from those.
DERIVED = frozenset({"Patient", "Provenance"})
_OWN_LABEL = not_(and_(_T.source == MADE_HERE, _T.type.in_(DERIVED)))


def labelled(place: Place, one: Writable, correction: Correction | None) -> Writable:
    """With the label that the rules of the place give it, as its custodian corrected that."""
    label = corrected(labels.label(place, one.source, one.type, one.body), correction)
    public = one.person is None and one.type in DIRECTORY
    category = "directory" if public else label.category
    return replace(one, category=category, sensitivities=label.sensitivities)


def stored(conn: Connection, lens: Lens, keys: Collection[ResourceKey], lock: bool = False) -> list[Any]:
    """The rows of those of these that this requester may see and that have a label of their own, in order."""
    asked = select(*_ITS, _T.body, _T.security).where(
        among(_T.key, keys), not_(_T.deleted), _OWN_LABEL, lens.where(resource)
    )
    asked = asked.order_by(_T.key)
    return list(conn.execute(asked.with_for_update() if lock else asked)) if keys else []


def as_given(row: Any) -> Writable:
    """A row of `stored` as its source gave it: without what CareLink wrote into its meta."""
    body = exact_json.loads(row.body)
    written = body.pop("meta")
    meta = {name: written[name] for name in ("profile", "tag") if name in written}
    if row.security:
        meta["security"] = exact_json.loads(row.security)
    known = {column.name: getattr(row, column.name) for column in _ITS}
    return Writable(body=unnamed({**body, "meta": meta} if meta else body), **known)


def relabel(
    conn: Connection, place: Place, lens: Lens, keys: Collection[ResourceKey], now: datetime
) -> tuple[ResourceKey, ...]:
    """Label these again, in the caller's transaction; gives those that have a new version, because their label differs.

    What hangs on them follows: the Provenance of a repair or correction, and the golden Patient. Nothing is locked that
    does not change.
    """
    found = list(_anew(conn, place, stored(conn, lens, keys)))
    hints.note(conn, place, [one for _, one in found], now)
    differing = [one.key for row, one in found if _differs(place, row, one)]
    wanted = [one for _, one in _anew(conn, place, stored(conn, lens, differing, lock=True))]
    changed = write(conn, wanted, now, sensitivities(place))
    _follow(conn, place, [one for one in wanted if one.key in changed], now)
    return tuple(sorted(changed))


def _anew(conn: Connection, place: Place, rows: Sequence[Any]) -> Iterator[tuple[Any, Writable]]:
    known = corrections.current(conn, [ResourceKey(row.key) for row in rows])
    for row in rows:
        yield row, labelled(place, as_given(row), known.get(row.key))


def _differs(place: Place, row: Any, one: Writable) -> bool:
    if (one.category, one.sensitivities) != (row.category, row.sensitivities):
        return True
    there = exact_json.loads(row.body)
    there["meta"] = {name: value for name, value in there["meta"].items() if name not in ("versionId", "lastUpdated")}
    return bool(content(one, sensitivities(place)) != there)


def _follow(conn: Connection, place: Place, changed: Sequence[Writable], now: datetime) -> None:
    provenance.follow(conn, place, changed, now)
    persons = {PersonKey(one.person) for one in changed if one.type == "Patient" and one.person is not None}
    take_turns(conn, persons)
    recompose(conn, place, persons, now)
