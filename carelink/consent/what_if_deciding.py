"""What would become of one item for some who ask, decided by both packs: once for all who are alike. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from carelink.consent.decision import Standing, decide
from carelink.consent.facts import Directed, Facts, KeptOut, Labelled, Related, within
from carelink.consent.periods import ALWAYS
from carelink.consent.rules import Effect
from carelink.consent.seats import NOBODY, SIDES, Asker, Seat, Seats
from carelink.ids import PersonKey

ANYBODY = PersonKey(UUID(int=1))  # stands for the person whose record it is
GAINS, LOSES, LOCATES, HIDES = "sees it", "no longer sees it", "learns where they are", "no longer where they are"
MORE = frozenset({GAINS, LOCATES})
# What becomes of an item, by what was decided under the pack of now and what is under the one that is tried.
CHANGES: Mapping[tuple[Effect, Effect], str] = {
    (Effect.DENY, Effect.PERMIT): GAINS,
    (Effect.DENY, Effect.REDACT): GAINS,
    (Effect.REDACT, Effect.PERMIT): LOCATES,
    (Effect.PERMIT, Effect.DENY): LOSES,
    (Effect.REDACT, Effect.DENY): LOSES,
    (Effect.PERMIT, Effect.REDACT): HIDES,
}
_BY_MUCH = (Effect.DENY, Effect.REDACT, Effect.PERMIT)
Both = tuple[Facts, Facts]
Labels = tuple[Labelled, Labelled]


class Deciding:
    """What was decided once for a label, a seat and what counts of the person is only looked up."""

    def __init__(self, seats: Seats, own: Seat) -> None:
        self._seats = seats
        self._own = own
        self._numbers: dict[object, int] = {}
        self._changes: dict[tuple[object, ...], str] = {}

    def number(self, value: object) -> int:
        """The same number for what is alike: cheaper to look up by than the value."""
        return self._numbers.setdefault(value, len(self._numbers))

    def change(self, asker: Asker, facts: Both, like: int, item: Labels, label: int) -> str:
        """What becomes of the item for them, empty for nothing; `like` and `label` are the numbers of facts and item."""
        key = (asker.seat, asker.user, asker.involved, like, label)
        if key not in self._changes:
            effects = [self._effect(side, asker, item[side], facts[side]) for side in SIDES]
            self._changes[key] = CHANGES.get((effects[0], effects[1]), "")
        return self._changes[key]

    def own_change(self, item: Labels, label: int) -> str:
        """What becomes of it on the person's own page."""
        key = ("own", label)
        if key not in self._changes:
            effects = [_most(self._own.standings[side], item[side], Facts()) for side in SIDES]
            self._changes[key] = CHANGES.get((effects[0], effects[1]), "")
        return self._changes[key]

    def _effect(self, side: int, asker: Asker, item: Labelled, facts: Facts) -> Effect:
        seat = self._seats.all[asker.seat]
        standings: Sequence[Standing] = seat.standings[side]
        if asker.user != NOBODY:
            standings = [replace(one, requester=replace(one.requester, user=asker.user)) for one in standings]
        return _most(standings, item, replace(facts, related=_involving(seat, side, asker.involved[side])))


def _most(standings: Sequence[Standing], item: Labelled, facts: Facts) -> Effect:
    """The most that any purpose of the role shows."""
    return max((decide(one, item, facts).effect for one in standings), key=_BY_MUCH.index, default=Effect.DENY)


def _involving(seat: Seat, side: int, involved: bool) -> tuple[Related, ...]:
    post = seat.posts[side]
    return (Related("", post.organisation, ALWAYS),) if involved and post is not None else ()


def counting(facts: Facts, at: datetime) -> Facts:
    """What holds now, without what tells people apart who are decided alike; broken glass is no policy."""
    return Facts(
        related=tuple(one for one in facts.related if within(one.starts, one.ends, at)),
        directed=_alike([one for one in facts.directed if one.in_force(at)]),
        restricted=facts.restricted,
        kept_out=tuple(
            KeptOut(one.kind, ALWAYS, None, one.organisation, one.user)
            for one in facts.kept_out
            if within(one.starts, one.ends, at)
        ),
    )


def likeness(facts: Both) -> object:
    """Equal for people who are decided alike but for who is involved with them."""
    return tuple((one.directed, one.restricted, one.kept_out) for one in facts)


def _alike(directed: Sequence[Directed]) -> tuple[Directed, ...]:
    """Equal where consents say the same: which one it was and when it was made is told by their order alone."""
    consents = {one: UUID(int=number) for number, one in enumerate(dict.fromkeys(one.consent for one in directed))}
    dates = sorted({one.made for one in directed if one.made is not None})
    made = {one: ALWAYS.replace(microsecond=number) for number, one in enumerate(dates)}
    return tuple(
        replace(one, consent=consents[one.consent], starts=ALWAYS, ends=None, made=one.made and made[one.made])
        for one in directed
    )


def specific(known: Iterable[Facts]) -> bool:
    """Whether a consent speaks of single items, types, codes or dates: then items are not taken together."""
    return any(
        one.types is not None
        or one.codes is not None
        or one.items is not None
        or one.since is not None
        or one.until is not None
        for facts in known
        for one in facts.directed
    )
