"""What a change of a person's consents does, before it is made: who of those involved loses or gains what. Pure.

It is the decision itself, asked about every kind of information that an organisation with a source may hold, with the
consents as they are and as they would be. Whether such an item exists is not looked at, so nothing is told of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from carelink.consent.decision import DIRECT_CARE, Standing, decide
from carelink.consent.facts import Directed, Facts, Labelled, Related
from carelink.consent.holders import a_kind
from carelink.consent.lens import Lens
from carelink.consent.requester import Requester
from carelink.consent.rules import Effect
from carelink.consent.sensitivity import sensitivities
from carelink.ids import Ods, PersonKey, UserId
from carelink.place import Place, Staff


@dataclass(frozen=True)
class Change:
    """What it does for one kind of worker at one organisation. The words are those of the place."""

    organisation: str
    role: str
    loses: tuple[str, ...]
    gains: tuple[str, ...]
    loses_all: bool = False  # of what others hold
    worker: str = ""  # where it is about one worker alone


@dataclass(frozen=True)
class Known:
    """What is known of the person, as far as whoever asks may know it: who is involved, and the consents."""

    person: PersonKey
    related: tuple[Related, ...]
    before: tuple[Directed, ...]
    after: tuple[Directed, ...]


def effect(place: Place, known: Known, at: Lens, *, hides: bool = False) -> tuple[Change, ...]:
    """The changes, by organisation and role; empty where nobody sees more or less by it. `at` gives the time.

    `hides`: who is involved tells where the person is, so of organisations that no consent names the kind alone is told.
    """
    items = list(_items(place, known))
    named = {one.user for one in (*known.before, *known.after)}
    sums: dict[tuple[Ods, str, UserId], _Sum] = {}
    for standing in _concerned(place, known, at):
        asks = standing.requester
        where = (asks.organisation, asks.role, asks.user if asks.user in named else UserId(""))
        before, after = (_seen(standing, items, known, one) for one in (known.before, known.after))
        sums.setdefault(where, _Sum()).take(asks.organisation, before, after)
    spoken_of = {one.organisation for one in (*known.before, *known.after)} | {
        at.requester and at.requester.organisation
    }
    found = (
        _change(place, where, one, hides=hides and where[0] not in spoken_of) for where, one in sorted(sums.items())
    )
    return _together(one for one in found if one.loses or one.gains)


def _together(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Roles of one organisation that lose and gain the same are one change; so are those that lose all that they had."""
    found: dict[Change, list[str]] = {}
    for one in changes:
        same = replace(one, role="", loses=("all",) if one.loses_all else one.loses)
        found.setdefault(same, []).append(one.role)
    return tuple(replace(one, role=", ".join(dict.fromkeys(roles))) for one, roles in found.items())


class _Sum:
    """What all workers of one role at one organisation see before and after."""

    def __init__(self) -> None:
        self.lost: set[Labelled] = set()
        self.gained: set[Labelled] = set()
        self.kept: set[Labelled] = set()

    def take(self, own: Ods, before: set[Labelled], after: set[Labelled]) -> None:
        self.lost |= before - after
        self.gained |= after - before
        self.kept |= {one for one in after if one.custodian != own}


def _change(place: Place, where: tuple[Ods, str, UserId], one: _Sum, *, hides: bool) -> Change:
    organisation, role, user = where
    known = place.organisations[organisation]
    return Change(
        organisation=a_kind(known.type) if hides else known.name,
        role=place.roles[role].label,
        loses=_words(place, one.lost),
        gains=_words(place, one.gained),
        loses_all=bool(one.lost) and not one.kept,
        worker=place.staff[user].name if user else "",
    )


def _words(place: Place, items: Iterable[Labelled]) -> tuple[str, ...]:
    """The kinds, in the order of the place; then what is sensitive of kinds that do not change as such."""
    found = list(items)
    plain = {one.category for one in found if not one.sensitivities}
    bits = {one.sensitivities for one in found if one.sensitivities and one.category not in plain}
    known = sensitivities(place)
    sensitive = [known.labels[name] for name, bit in known.flags.items() if bit in bits]
    return (*(label for id_, label in place.categories.items() if id_ in plain), *sensitive)


def _items(place: Place, known: Known) -> Iterator[Labelled]:
    """One of each kind that may be held anywhere, plain and with each sensitivity that the consents speak of."""
    named = 0
    for directed in (*known.before, *known.after):
        named |= directed.sensitivities or 0
    bits = [0, *(bit for bit in sensitivities(place).flags.values() if bit & named)]
    for custodian in sorted({entry.organisation for entry in place.sources}):
        for category in place.categories:
            if category != "directory":
                yield from (Labelled(known.person, custodian, category, bit) for bit in bits)


def _seen(standing: Standing, items: Sequence[Labelled], known: Known, directed: tuple[Directed, ...]) -> set[Labelled]:
    facts = Facts(known.related, directed)
    return {one for one in items if decide(standing, one, facts).effect is not Effect.DENY}


def _concerned(place: Place, known: Known, at: Lens) -> Iterator[Standing]:
    """A worker of each kind that the decision can tell apart, at every organisation that is involved or named."""
    directed = (*known.before, *known.after)
    where = {one.organisation for one in known.related} | {one.organisation for one in directed}
    users = {one.user for one in directed if one.user}
    met: set[tuple[object, ...]] = set()
    for worker in place.staff.values():
        if worker.organisation not in where and worker.id not in users:
            continue
        requester = _requester(place, worker)
        if requester is None:
            continue
        lens = Lens.compile(place, requester, at.at)
        assert lens.standing is not None
        kind = _kind(requester, known, lens.standing, users)
        if kind not in met:
            met.add(kind)
            yield lens.standing


def _kind(asks: Requester, known: Known, standing: Standing, users: set[UserId]) -> tuple[object, ...]:
    holds = tuple(one.holds(asks, standing.at, on_duty=standing.terms.on_duty) for one in known.related)
    return (asks.organisation, asks.role, asks.team, holds, asks.user if asks.user in users else None)


def _requester(place: Place, worker: Staff) -> Requester | None:
    role = place.roles[worker.role]
    purpose = next((one for one in role.purposes if one in DIRECT_CARE), None)
    if purpose is None:
        return None
    type_ = place.organisations[worker.organisation].type
    return Requester(worker.id, worker.name, worker.organisation, type_, worker.role, purpose, worker.team)


def in_words(change: Change) -> tuple[str, ...]:
    """The change in sentences."""
    who = f"{change.organisation} ({change.role.lower()})"
    who = f"{change.worker}, {who}" if change.worker else who
    said = []
    if change.loses_all:
        said.append(f"{who} will no longer see anything that others hold.")
    elif change.loses:
        said.append(f"{who} will no longer see, of what others hold: {_list(change.loses)}.")
    if change.gains:
        said.append(f"{who} will be able to see, of what others hold: {_list(change.gains)}.")
    return tuple(said)


def _list(words: Sequence[str]) -> str:
    return ", ".join(one if one[1:2].isupper() else one.lower() for one in words)
