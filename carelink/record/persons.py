"""The person index: which source Patients are one person. Links are made here; undone and decided in links.py.

This module is the way in for the rest of CareLink.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from carelink.ids import PersonKey, ResourceKey
from carelink.place import Place
from carelink.record import persons_rows as rows
from carelink.record.blocking import read_people
from carelink.record.golden_store import recompose
from carelink.record.links import decide, unlink
from carelink.record.links_merge import Merge, merge
from carelink.record.links_moves import refresh
from carelink.record.links_open import OpenDecision, open_count, open_decisions
from carelink.record.matching import Method
from carelink.record.persons_audit import linked
from carelink.record.persons_batch import LinkedBatch
from carelink.record.traits import Traits, traits

__all__ = [
    "Linked",
    "OpenDecision",
    "SourcePatient",
    "decide",
    "link_patients",
    "open_count",
    "open_decisions",
    "recompose",
    "unlink",
]

# These answer for one named person by NHS number: the number that they give is verified by that.
_ANSWER_BY_NHS_NUMBER = frozenset({"pds", "gp_connect"})


@dataclass(frozen=True)
class SourcePatient:
    """A Patient as a source sent it, under the key that it is stored by."""

    key: ResourceKey
    body: Mapping[str, Any]
    source: str


@dataclass(frozen=True)
class Linked:
    """The person that a Patient belongs to, and how it came to it (founder, nhs-number, weights, human)."""

    person: PersonKey
    method: str


def link_patients(
    conn: Connection, place: Place, patients: Sequence[SourcePatient], now: datetime
) -> dict[ResourceKey, Linked]:
    """The person of every one of these Patients, in the caller's transaction: links kept, made, or a person founded.

    One transaction at a time links. A link that stands is kept; where it has become unsafe, or another
    person looks the same, a decision is raised for a human. Persons whom a verified NHS number shows
    to be one are merged.
    """
    if not patients:
        return {}
    rows.lock(conn)
    arrived = {patient.key: traits(patient.body, _verified(place, patient.source)) for patient in patients}
    links = rows.current_links(conn, arrived)
    people = read_people(conn, list(arrived.values()), [known.person for known in links.values()])
    stood = {key: people.record(key) for key in arrived}
    apart = rows.kept_apart(conn, list(arrived), list(people.records))
    batch = LinkedBatch(place.linking, people, links, apart)
    for key, one in arrived.items():
        batch.take(key, one)
    _write(conn, batch, {key: one for key, one in arrived.items() if stood.get(key) != one}, now)
    return _final(conn, place, batch, now)


def _verified(place: Place, source: str) -> bool:
    return any(entry.name == source and entry.kind in _ANSWER_BY_NHS_NUMBER for entry in place.sources)


def _write(conn: Connection, batch: LinkedBatch, changed: Mapping[ResourceKey, Traits], now: datetime) -> None:
    founded = [made.person for made in batch.made if made.method == Method.FOUNDER]
    rows.found_persons(conn, founded, now)
    rows.put_traits(conn, {key: (batch.links[key].person, one) for key, one in changed.items()})
    rows.make_links(conn, batch.made, now)
    rows.ask(conn, batch.questions, now)
    linked(conn, batch.made, batch.questions, now)


def _final(conn: Connection, place: Place, batch: LinkedBatch, now: datetime) -> dict[ResourceKey, Linked]:
    """The links once merges are done: a merged person's Patients are the other's."""
    into: dict[PersonKey, PersonKey] = {}  # gone -> kept
    for wanted in batch.merges:
        one, other = _follow(into, wanted.one), _follow(into, wanted.other)
        if one != other:
            kept, gone = merge(conn, Merge(one, other, wanted.because_of), Method.NHS_NUMBER, rows.CARELINK, now)
            into[gone] = kept
    if into:
        recompose(conn, place, list(into), now)
        refresh(conn, place, [*into, *into.values()], now)
    return {key: Linked(_follow(into, made.person), str(made.method)) for key, made in batch.links.items()}


def _follow(into: Mapping[PersonKey, PersonKey], person: PersonKey) -> PersonKey:
    while person in into:
        person = into[person]
    return person
