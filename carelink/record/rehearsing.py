"""The live record as two place packs would have it decided: what is known of each person under both, and what is held."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from carelink.consent.capacity_facts import minds_of
from carelink.consent.coded import codings
from carelink.consent.effect import effect
from carelink.consent.facts import Directed, Facts, KeptOut, Labelled, Related
from carelink.consent.kept_out import kept_out
from carelink.consent.known import facts_of_all
from carelink.consent.labels import Label
from carelink.consent.lens import Lens
from carelink.consent.mind import Mind
from carelink.consent.relationships import RULES, involved_by
from carelink.consent.what_if import Held, Record
from carelink.consent.what_if_deciding import ANYBODY, specific
from carelink.db.among import among
from carelink.db.tables import person, resource
from carelink.ids import Ods, PersonKey
from carelink.place import Place
from carelink.record.rehearsing_labels import Relabelling
from fhir_adapters import exact_json

PART = 1000  # people that are read at a time
_T = resource.c
_DERIVES = (*RULES, "Consent")
Moved = Mapping[UUID, Label]  # resource -> the label that is tried, where it is another


def records(conn: Connection, lens: Lens, now: Place, tried: Place) -> Iterator[Record]:
    """Everybody, part by part, in the order of their keys."""
    relabelling = Relabelling(now, tried)
    derived = not _same_facts(now, tried)
    for part in _parts(conn):
        facts = facts_of_all(conn, part)
        then = _facts_tried(conn, lens, tried, facts) if derived else facts
        moved = relabelling.moved(conn, lens, part)
        held = _held(conn, lens, facts, then, moved)
        for key in part:
            yield Record(key, (facts[key], then[key]), held.get(key, ()))


def _parts(conn: Connection) -> Iterator[list[PersonKey]]:
    asked = select(person.c.key).where(person.c.merged_into.is_(None)).order_by(person.c.key).limit(PART)
    part = [PersonKey(key) for key in conn.execute(asked).scalars()]
    while part:
        yield part
        part = [PersonKey(key) for key in conn.execute(asked.where(person.c.key > part[-1])).scalars()]


def _same_facts(now: Place, tried: Place) -> bool:
    """Whether both packs make the same of the resources that say who is involved, kept out, or what is objected to."""
    return all(
        getattr(now, name) == getattr(tried, name)
        for name in ("staff", "relationships", "survivorship", "organisations", "roles", "categories", "sensitivities")
    )


def _facts_tried(conn: Connection, lens: Lens, tried: Place, facts: Mapping[UUID, Facts]) -> dict[UUID, Facts]:
    """What the tried pack makes of the same resources; a Consent that could not be stored hides all under both."""
    asked = select(_T.key, _T.type, _T.person, _T.source, _T.last_updated, _T.body).where(
        among(_T.person, facts), _T.type.in_(_DERIVES), _T.deleted.is_(False), lens.where(resource)
    )
    rows = conn.execute(asked.order_by(_T.person, _T.key)).all()
    related: dict[UUID, list[Related]] = defaultdict(list)
    for row, one in involved_by([row for row in rows if row.type in RULES], tried):
        related[row.person].append(Related(one.kind, one.organisation, one.starts, one.ends, one.team, one.user))
    directed, out, read = _said(rows, tried, minds_of(conn, lens, {PersonKey(key) for key in facts}))
    return {
        key: replace(
            known,
            related=tuple(related[key]),
            directed=(*directed[key], *(one for one in known.directed if one.consent not in read)),
            kept_out=tuple(out[key]),
        )
        for key, known in facts.items()
    }


def _said(
    rows: Sequence[Any], tried: Place, minds: Mapping[PersonKey, Mind]
) -> tuple[dict[UUID, list[Directed]], dict[UUID, list[KeptOut]], set[UUID | None]]:
    """By person: what Consents and CareTeams say; and which Consents were read."""
    directed: dict[UUID, list[Directed]] = defaultdict(list)
    out: dict[UUID, list[KeptOut]] = defaultdict(list)
    read: set[UUID | None] = set()
    for row in rows:
        if row.type == "Consent":
            read.add(row.key)
            said = effect(exact_json.loads(row.body), tried, minds[row.person], row.last_updated).directives
            directed[row.person] += [replace(one, consent=row.key) for one in said]
        elif row.type == "CareTeam":
            out[row.person] += kept_out(exact_json.loads(row.body), tried)
    return directed, out, read


def _held(
    conn: Connection, lens: Lens, facts: Mapping[UUID, Facts], then: Mapping[UUID, Facts], moved: Moved
) -> dict[UUID, list[Held]]:
    """What is held of each, taken together where it is decided alike."""
    single = {key for key in facts if specific((facts[key], then[key]))}
    held = _together(conn, lens, facts.keys() - single, moved)
    for key in single:
        coded = any(one.codes for known in (facts[key], then[key]) for one in known.directed)
        held[key] = _one_by_one(conn, lens, key, moved, coded)
    return held


def _together(conn: Connection, lens: Lens, keys: Collection[UUID], moved: Moved) -> dict[UUID, list[Held]]:
    kind = (_T.person, _T.custodian, _T.category, _T.sensitivities, _T.redacted.is_not(None).label("locating"))
    asked = select(*kind, func.count().label("items")).group_by(*kind)
    rows = conn.execute(asked.where(among(_T.person, keys), _T.deleted.is_(False), lens.where(resource)))
    counted = Counter({tuple(row[:5]): row.items for row in rows})
    held: dict[UUID, list[Held]] = defaultdict(list)
    for row in _rows(conn, lens, keys, moved):
        was = (row.person, row.custodian, row.category, row.sensitivities, row.locating)
        counted[was] -= 1
        held[row.person].append(_moved_to(Held(_label(*was[1:]), _label(*was[1:])), moved[row.key]))
    for (whose, *labels), items in counted.items():
        if items:
            one = _label(*labels)
            held[whose].append(Held(one, one, items))
    return held


def _rows(conn: Connection, lens: Lens, keys: Collection[UUID], moved: Moved) -> Sequence[Any]:
    """Those of these people whose label would be another."""
    if not moved:
        return ()
    labels = (_T.custodian, _T.category, _T.sensitivities, _T.redacted.is_not(None).label("locating"))
    asked = select(_T.key, _T.person, *labels).where(among(_T.key, moved), among(_T.person, keys), lens.where(resource))
    return conn.execute(asked).all()


def _one_by_one(conn: Connection, lens: Lens, key: UUID, moved: Moved, coded: bool) -> list[Held]:
    locating = _T.redacted.is_not(None).label("locating")
    columns = (_T.key, _T.type, _T.custodian, _T.category, _T.sensitivities, locating, _T.clinical, _T.body)
    rows = conn.execute(select(*columns).where(_T.person == key, _T.deleted.is_(False), lens.where(resource)))
    held = []
    for row in rows:
        codes = frozenset(codings(exact_json.loads(row.body))) if coded else frozenset()
        one = replace(
            _label(row.custodian, row.category, row.sensitivities, row.locating),
            type=row.type,
            key=row.key,
            clinical=row.clinical,
            codes=codes,
        )
        held.append(_moved_to(Held(one, one), moved[row.key]) if row.key in moved else Held(one, one))
    return held


def _label(custodian: Any, category: Any, sensitivities: Any, locating: Any) -> Labelled:
    return Labelled(ANYBODY, Ods(custodian), category, sensitivities, locating)


def _moved_to(one: Held, label: Label) -> Held:
    return replace(one, tried=replace(one.now, category=label.category, sensitivities=label.sensitivities))
