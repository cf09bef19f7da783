"""What linking a batch comes to, gathered before anything is written (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from carelink.ids import PersonKey, ResourceKey, person_key
from carelink.place import Linking
from carelink.record.blocking import People
from carelink.record.links_merge import Merge
from carelink.record.matching import Candidate, Compared, Verdict, assess, link
from carelink.record.persons_rows import Link, Question
from carelink.record.traits import Traits


@dataclass
class LinkedBatch:
    """Patients taken one after the other: links that stand or are made, questions for a human, persons to merge."""

    linking: Linking
    people: People
    links: dict[ResourceKey, Link]  # those that stood, then also the new ones
    apart: Mapping[ResourceKey, set[PersonKey]]  # who a human said a Patient is not
    made: list[Link] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)

    def take(self, key: ResourceKey, one: Traits) -> None:
        """Keep the link that stands, make one, or found a person."""
        standing = self.links.get(key)
        if standing is None:
            self._arrive(key, one)
        elif self.people.records[standing.person].get(key) != one:
            self._change(key, one, standing.person)

    def _arrive(self, key: ResourceKey, one: Traits) -> None:
        decision = link(one, self.people.near(one, self.apart.get(key, ())), self.linking)
        person = decision.person or person_key(key)
        made = Link(key, person, decision.method, decision.weight, decision.fields)
        self.made.append(made)
        self.links[key] = made
        self.people.add(person, key, one)
        self._ask(key, decision.ask)
        self._prove(key, person, decision.proven)

    def _change(self, key: ResourceKey, one: Traits, person: PersonKey) -> None:
        """Demographics changed under a standing link: it stands, and a human is asked where it should not."""
        others = self.people.candidate(person, without=key)
        self.people.add(person, key, one)
        if others.records:
            with_others = assess(one, others, self.linking)
            self._ask(key, [with_others] if with_others.fields["nhs_number"]["level"] == "conflict" else [])
        near = self.people.near(one, {person, *self._kept_from(person)})
        found = sorted(
            (assess(one, candidate, self.linking) for candidate in near), key=lambda other: str(other.person)
        )
        self._prove(key, person, [other for other in found if other.verdict is Verdict.PROVEN])
        self._ask(key, [other for other in found if other.verdict in (Verdict.SAME, Verdict.ASK)])

    def _ask(self, key: ResourceKey, found: Sequence[Compared]) -> None:
        self.questions += [Question(key, compared) for compared in found]

    def _prove(self, key: ResourceKey, person: PersonKey, proven: Sequence[Compared]) -> None:
        """One verified NHS number on two persons: they are one, unless something forbids it."""
        for other in proven:
            if self._may_merge(person, other.person):
                self.merges.append(Merge(person, other.person, key))
            else:
                self._ask(key, [other])

    def _may_merge(self, one: PersonKey, other: PersonKey) -> bool:
        if other in self._kept_from(one):
            return False
        whole = Candidate(one, tuple(self.people.records[one].values()))
        return not any(assess(record, whole, self.linking).rule for record in self.people.records[other].values())

    def _kept_from(self, person: PersonKey) -> set[PersonKey]:
        """The persons that a human said this one is not, told from either side."""
        told = {other for patient in self.people.records.get(person, ()) for other in self.apart.get(patient, ())}
        people = self.people.person_of
        return told | {
            people[patient] for patient, others in self.apart.items() if person in others and patient in people
        }
