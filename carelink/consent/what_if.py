"""What if this place pack were switched on: who would see more of whom, and who less. Pure, one person at a time.

Of everybody who asks, those are tried who are involved with the person, or named by a consent, under either pack; the
others see nothing of them under both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from carelink.consent.facts import Facts, Labelled
from carelink.consent.seats import OWN_ROLE, Asker, Seat, Seats
from carelink.consent.what_if_deciding import MORE, Both, Deciding, counting, likeness
from carelink.ids import PersonKey, UserId

EXAMPLES = 3  # people a row


@dataclass(frozen=True)
class Held:
    """So many items of a person that are decided alike, by their label of now and the one that is tried."""

    now: Labelled
    tried: Labelled
    items: int = 1


@dataclass(frozen=True)
class Record:
    """One person: what is known of them, under the pack of now and the one that is tried, and what is held."""

    person: PersonKey
    facts: tuple[Facts, Facts]
    held: Sequence[Held]


@dataclass(frozen=True, order=True)
class Group:
    """A row of the answer: what becomes of what, for whom."""

    change: str
    organisation: str
    role: str
    category: str


@dataclass
class Count:
    """How much changes: people, items of theirs, users for whom; some people by their keys."""

    people: int = 0
    items: int = 0
    users: set[UserId] = field(default_factory=set)
    examples: list[PersonKey] = field(default_factory=list)

    def add(self, record: Record, changed: Mapping[int, set[UserId]]) -> None:
        """One person more, of whom these items change for these users."""
        self.people += 1
        self.items += sum(record.held[number].items for number in changed)
        for users in changed.values():
            self.users |= users
        if len(self.examples) < EXAMPLES:
            self.examples.append(record.person)


Changed = dict[Group, dict[int, set[UserId]]]  # number of what is held -> for whom it changes


@dataclass
class Trial:
    """Counts, person by person, what would change. `whole` has each change over all organisations and categories."""

    seats: Seats
    own: Seat
    at: datetime
    people: int = 0
    items: int = 0
    groups: dict[Group, Count] = field(default_factory=lambda: defaultdict(Count))
    whole: dict[str, Count] = field(default_factory=lambda: defaultdict(Count))

    def __post_init__(self) -> None:
        self._deciding = Deciding(self.seats, self.own)

    def add(self, record: Record) -> None:
        """Try it on this person's record."""
        self.people += 1
        self.items += sum(one.items for one in record.held)
        both = (counting(record.facts[0], self.at), counting(record.facts[1], self.at))
        labels = [self._deciding.number((one.now, one.tried)) for one in record.held]
        changed: Changed = defaultdict(lambda: defaultdict(set))
        like = self._deciding.number(likeness(both))
        for asker in self._askers(both):
            self._try(asker, record, both, like, labels, changed)
        self._try_own(record, labels, changed)
        self._count(record, changed)

    def _askers(self, both: Both) -> list[Asker]:
        directed = [one for facts in both for one in facts.directed]
        named = {one.user for one in directed} | {one.user for facts in both for one in facts.kept_out}
        return self.seats.askers(
            (both[0].related, both[1].related),
            {user for user in named if user is not None},
            {one.organisation for one in directed if one.organisation is not None},
        )

    def _try(
        self, asker: Asker, record: Record, both: Both, like: int, labels: Sequence[int], changed: Changed
    ) -> None:
        for number, one in enumerate(record.held):
            change = self._deciding.change(asker, both, like, (one.now, one.tried), labels[number])
            if change:
                changed[self._group(change, asker, one)][number] |= asker.users

    def _group(self, change: str, asker: Asker, one: Held) -> Group:
        """Where they work when they see it, and what it is called then."""
        posts = self.seats.all[asker.seat].posts
        post = posts[1 if change in MORE else 0] or next(post for post in posts if post is not None)
        return Group(change, post.organisation, post.role, _seen(change, one).category)

    def _try_own(self, record: Record, labels: Sequence[int], changed: Changed) -> None:
        for number, one in enumerate(record.held):
            change = self._deciding.own_change((one.now, one.tried), labels[number])
            if change:
                group = Group(change, "", OWN_ROLE, _seen(change, one).category)
                changed[group][number].add(UserId(f"{OWN_ROLE} {record.person}"))

    def _count(self, record: Record, changed: Changed) -> None:
        whole: dict[str, dict[int, set[UserId]]] = defaultdict(lambda: defaultdict(set))
        for group, items in changed.items():
            self.groups[group].add(record, items)
            for number, users in items.items():
                whole[group.change][number] |= users
        for change, items in whole.items():
            self.whole[change].add(record, items)


def _seen(change: str, one: Held) -> Labelled:
    return one.tried if change in MORE else one.now
