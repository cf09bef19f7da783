"""The person index: which source Patients are one person. Links are made here, undone and decided in links.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from carelink.ids import PersonKey, ResourceKey, person_key
from carelink.place import Linking, Place
from carelink.record import persons_rows as rows
from carelink.record.blocking import People, read_people
from carelink.record.links_merge import Merge, merge
from carelink.record.matching import Candidate, Compared, Method, Verdict, assess, link
from carelink.record.persons_audit import linked
from carelink.record.persons_rows import Link, Question
from carelink.record.traits import Traits, traits

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
    apart = rows.kept_apart(conn, list(arrived), list(people.records))
    batch = _Batch(place.linking, people, links, apart)
    for key, one in arrived.items():
        batch.place(key, one)
    _write(conn, batch, arrived, now)
    return _final(conn, place, batch, now)


def _verified(place: Place, source: str) -> bool:
    return any(entry.name == source and entry.kind in _ANSWER_BY_NHS_NUMBER for entry in place.sources)


@dataclass
class _Batch:
    """What linking a batch comes to, gathered before anything is written."""

    linking: Linking
    people: People
    links: dict[ResourceKey, Link]  # those that stood, then also the new ones
    apart: Mapping[ResourceKey, set[PersonKey]]
    made: list[Link] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)

    def place(self, key: ResourceKey, one: Traits) -> None:
        """Keep, make or found: in the order in which they arrive."""
        standing = self.links.get(key)
        if standing is None:
            self._arrive(key, one)
        elif self.people.records[standing.person].get(key) != one:
            self._change(key, one, standing.person)

    def _arrive(self, key: ResourceKey, one: Traits) -> None:
        apart = self.apart.get(key, set())
        decision = link(one, self.people.near(one, apart), self.linking)
        person = decision.person or self._founded(key)
        self._make(Link(key, person, decision.method, decision.weight, decision.fields), one)
        self.questions += [Question(key, asked) for asked in decision.ask]
        self._prove(key, person, decision.proven)

    def _change(self, key: ResourceKey, one: Traits, person: PersonKey) -> None:
        """Demographics changed under a standing link: it stands, and a human is asked where it should not."""
        others = self.people.candidate(person, without=key)
        self.people.add(person, key, one)
        if others.records:
            now = assess(one, others, self.linking)
            if now.fields["nhs_number"]["level"] == "conflict":
                self.questions.append(Question(key, now))
        apart = {person, *self.apart.get(key, set())}
        decision = link(one, self.people.near(one, apart), self.linking)
        if decision.method is Method.NHS_NUMBER:
            self._prove(key, person, _proven(one, self.people.near(one, apart), self.linking))
        elif decision.method is Method.WEIGHTS and decision.person:
            self.questions.append(Question(key, assess(one, self.people.candidate(decision.person), self.linking)))
        else:
            self.questions += [Question(key, asked) for asked in decision.ask]

    def _founded(self, key: ResourceKey) -> PersonKey:
        return person_key(key)

    def _make(self, made: Link, one: Traits) -> None:
        self.made.append(made)
        self.links[made.patient] = made
        self.people.add(made.person, made.patient, one)

    def _prove(self, key: ResourceKey, person: PersonKey, proven: Sequence[Compared]) -> None:
        """One verified NHS number on two persons: they are one, unless something forbids it."""
        for other in proven:
            if self._may_merge(person, other.person):
                self.merges.append(Merge(person, other.person, key))
            else:
                self.questions.append(Question(key, other))

    def _may_merge(self, one: PersonKey, other: PersonKey) -> bool:
        mine, theirs = self.people.records[one], self.people.records[other]
        if any(other in self.apart.get(key, ()) for key in mine) or any(
            one in self.apart.get(key, ()) for key in theirs
        ):
            return False
        whole = Candidate(one, tuple(mine.values()))
        return not any(assess(record, whole, self.linking).rule for record in theirs.values())


def _proven(one: Traits, candidates: Sequence[Candidate], linking: Linking) -> list[Compared]:
    found = [assess(one, candidate, linking) for candidate in candidates]
    return [compared for compared in found if compared.verdict is Verdict.PROVEN]


def _write(conn: Connection, batch: _Batch, arrived: Mapping[ResourceKey, Traits], now: datetime) -> None:
    founded = [made.person for made in batch.made if made.method == Method.FOUNDER]
    rows.found_persons(conn, founded, now)
    rows.put_traits(conn, {key: (batch.links[key].person, one) for key, one in arrived.items()})
    rows.make_links(conn, batch.made, now)
    rows.ask(conn, batch.questions, now)
    linked(conn, batch.made, batch.questions, now)


def _final(conn: Connection, place: Place, batch: _Batch, now: datetime) -> dict[ResourceKey, Linked]:
    """The links once merges are done: a merged person's Patients are the other's."""
    into: dict[PersonKey, PersonKey] = {}
    for wanted in batch.merges:
        one, other = _follow(into, wanted.one), _follow(into, wanted.other)
        if one != other:
            kept, gone = merge(conn, Merge(one, other, wanted.because_of), Method.NHS_NUMBER, rows.CARELINK, now)
            into[gone] = kept
    return {key: Linked(_follow(into, made.person), str(made.method)) for key, made in batch.links.items()}


def _follow(into: Mapping[PersonKey, PersonKey], person: PersonKey) -> PersonKey:
    while person in into:
        person = into[person]
    return person
