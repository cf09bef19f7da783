"""Labels under another pack: what would be labelled otherwise, worked out in memory from what is stored."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from operator import or_ as or_bits
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, or_, select, true

from carelink.consent.labels import Label
from carelink.consent.lens import Lens
from carelink.db.among import among, one_of
from carelink.db.tables import resource
from carelink.ids import ResourceKey
from carelink.place import LabelRule, Place
from carelink.record import corrections
from carelink.record.golden_store import MADE_HERE
from carelink.record.provenance import about
from carelink.record.relabelling import as_given, labelled, stored

_CODE = re.compile(r'"code":"([^"]*)"')
_T = resource.c


class Relabelling:
    """What differs between the label rules of two packs, so that only what it may touch is read and parsed."""

    def __init__(self, now: Place, tried: Place) -> None:
        self._now, self._tried = now, tried
        self._rules = differing(now, tried)
        self._codes = frozenset(code for rule in self._rules for _, code in (*rule.codes, *rule.documents))
        self._open = any(not (rule.codes or rule.documents) for rule in self._rules)

    def moved(self, conn: Connection, lens: Lens, people: Collection[UUID]) -> dict[UUID, Label]:
        """The label that is tried of each resource of these people that would have another than it has."""
        if not self._rules:
            return {}
        rows = stored(conn, lens, self._touched(conn, lens, people))
        known = corrections.current(conn, [ResourceKey(row.key) for row in rows])
        found: dict[UUID, Label] = {}
        for row in rows:
            given, correction = as_given(row), known.get(row.key)
            was, will = (labelled(place, given, correction) for place in (self._now, self._tried))
            label = Label(will.category, will.sensitivities)
            if label != Label(was.category, was.sensitivities) and label != Label(row.category, row.sensitivities):
                found[row.key] = label
        changed = [row for row in rows if row.key in found]
        return found | _repairs(conn, lens, changed, found) | _goldens(conn, lens, changed, found)

    def _touched(self, conn: Connection, lens: Lens, people: Collection[UUID]) -> list[ResourceKey]:
        """Those that a rule which differs may be about, by source, type and the codes that stand in them."""
        asked = select(_T.key, _T.body).where(
            among(_T.person, people),
            _T.deleted.is_(False),
            or_(*(_about(rule) for rule in self._rules)),
            lens.where(resource),
        )
        rows = conn.execute(asked.execution_options(yield_per=5000))
        return [
            ResourceKey(row.key) for row in rows if self._open or not self._codes.isdisjoint(_CODE.findall(row.body))
        ]


def _repairs(conn: Connection, lens: Lens, changed: Sequence[Any], found: Mapping[UUID, Label]) -> dict[UUID, Label]:
    """What tells of a repair or a correction is labelled as that of which it tells."""
    of = {key: found[row.key] for row in changed for key in about(row.type, row.key)}
    asked = select(_T.key).where(among(_T.key, of), _T.deleted.is_(False), lens.where(resource))
    return {key: of[key] for key in conn.execute(asked).scalars()} if of else {}


def _goldens(conn: Connection, lens: Lens, changed: Sequence[Any], found: Mapping[UUID, Label]) -> dict[UUID, Label]:
    """A golden Patient is sensitive where every Patient that it is made of is."""
    people = {row.person for row in changed if row.type == "Patient"}
    if not people:
        return {}
    asked = select(_T.key, _T.person, _T.category, _T.sensitivities, _T.source).where(
        among(_T.person, people), _T.type == "Patient", _T.deleted.is_(False), lens.where(resource)
    )
    patients: dict[UUID, list[Any]] = {}
    for row in conn.execute(asked):
        patients.setdefault(row.person, []).append(row)
    made = ((golden, rows) for rows in patients.values() for golden in rows if golden.key == golden.person)
    return {
        golden.key: Label(golden.category, will)
        for golden, rows in made
        if (will := _common(rows, found)) != _common(rows, {})
    }


def _common(patients: Iterable[Any], found: Mapping[UUID, Label]) -> int:
    """By the labels that are tried: nothing where one of them is plain, else all that they say together."""
    sources = (one for one in patients if one.source != MADE_HERE)
    bits = [found[one.key].sensitivities if one.key in found else one.sensitivities for one in sources]
    return reduce(or_bits, bits, 0) if all(bits) else 0


def differing(now: Place, tried: Place) -> tuple[LabelRule, ...]:
    """The rules that one pack has and the other has not; where their order differs, all that give a category.

    A sensitivity of the place's own that has another number is another sensitivity, for every rule that names it.
    """
    was, will = _labelling(now), _labelling(tried)
    if [(one.id, one.number) for one in now.sensitivities] != [(one.id, one.number) for one in tried.sensitivities]:
        return (*was, *will)
    changed = [rule for rule in was if rule not in will] + [rule for rule in will if rule not in was]
    if [rule for rule in was if rule in will] != [rule for rule in will if rule in was]:
        changed += [rule for rule in was if rule.category]
    return tuple(changed)


def _labelling(place: Place) -> list[LabelRule]:
    """The rules that put labels on, by what they do: a reason, and words that make a human look, change no label."""
    rules = (rule for rule in place.labels if rule.codes or rule.documents or not rule.text)
    return [replace(rule, because="", text=()) for rule in rules]


def _about(rule: LabelRule) -> ColumnElement[bool]:
    """Resources of its types and sources."""
    of_type = one_of(_T.type, rule.types) if rule.types else true()
    return and_(of_type, one_of(_T.source, rule.sources) if rule.sources else true())
