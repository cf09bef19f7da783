"""Everybody who asks, by seat: those who sit in the same seat under both packs may see the same, but for who is theirs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from carelink.consent.decision import Standing
from carelink.consent.facts import ON_DUTY_FOR, Related
from carelink.consent.lens import Lens
from carelink.consent.requester import Requester
from carelink.ids import Ods, PersonKey, UserId
from carelink.place import Place

NOBODY = UserId("")  # stands for everybody in a seat whom nothing names
OWN_ROLE = "person"
SIDES = (0, 1)  # the pack of now, and the pack that is tried


@dataclass(frozen=True)
class Post:
    """Where somebody works: what of a worker (or a system) a pack decides by."""

    organisation: Ods
    role: str
    team: str = ""


@dataclass(frozen=True)
class Seat:
    """A post under each pack (None: they have none there), and who holds it."""

    posts: tuple[Post | None, Post | None]
    standings: tuple[tuple[Standing, ...], tuple[Standing, ...]]  # one for each purpose of the role
    users: frozenset[UserId]

    def on_duty(self, side: int) -> bool:
        """Whether their team stands in for the others of its organisation at some hour."""
        return any(one.terms.on_duty for one in self.standings[side])


@dataclass(frozen=True)
class Asker:
    """Some in a seat who may see the same of one person: one user who is named, or all others."""

    seat: int
    user: UserId
    users: frozenset[UserId]
    involved: tuple[bool, bool]


class Seats:
    """Everybody of two packs, and who of them is involved with a person."""

    def __init__(self, seats: Iterable[Seat]) -> None:
        self.all = tuple(seats)
        self.of_user = {user: number for number, seat in enumerate(self.all) for user in seat.users}
        self._at: tuple[dict[Ods, list[int]], dict[Ods, list[int]]] = (defaultdict(list), defaultdict(list))
        for number, seat in enumerate(self.all):
            for side in SIDES:
                post = seat.posts[side]
                if post is not None:
                    self._at[side][post.organisation].append(number)

    @property
    def users(self) -> int:
        """How many ask."""
        return len(self.of_user)

    def askers(
        self,
        related: tuple[Iterable[Related], Iterable[Related]],
        named: Iterable[UserId] = (),
        organisations: Iterable[Ods] = (),
    ) -> list[Asker]:
        """Who is involved with the person under either pack, or is named, or works where it is named."""
        whole: tuple[set[int], set[int]] = (set(), set())
        single: tuple[dict[int, set[UserId]], dict[int, set[UserId]]] = (defaultdict(set), defaultdict(set))
        for side in SIDES:
            for one in related[side]:
                self._involve(side, one, whole[side], single[side])
        apart: dict[int, set[UserId]] = defaultdict(set)
        for users in (*(self._seated(named)), *single[0].items(), *single[1].items()):
            apart[users[0]] |= users[1]
        seats = {
            *whole[0],
            *whole[1],
            *apart,
            *(n for ods in organisations for side in SIDES for n in self._at[side][ods]),
        }
        return [asker for seat in sorted(seats) for asker in self._in_seat(seat, apart.get(seat, set()), whole, single)]

    def _seated(self, named: Iterable[UserId]) -> list[tuple[int, set[UserId]]]:
        return [(self.of_user[user], {user}) for user in named if user in self.of_user]

    def _involve(self, side: int, one: Related, whole: set[int], single: dict[int, set[UserId]]) -> None:
        for number in self._at[side].get(one.organisation, ()):
            seat = self.all[number]
            post = seat.posts[side]
            assert post is not None
            if one.kind == ON_DUTY_FOR and seat.on_duty(side):
                whole.add(number)
            elif one.user is not None:
                if one.user in seat.users:
                    single[number].add(one.user)
            elif one.team in (None, post.team):
                whole.add(number)

    def _in_seat(
        self,
        number: int,
        apart: set[UserId],
        whole: tuple[set[int], set[int]],
        single: tuple[Mapping[int, set[UserId]], Mapping[int, set[UserId]]],
    ) -> Iterable[Asker]:
        everybody = (number in whole[0], number in whole[1])
        rest = self.all[number].users - apart
        if rest:
            yield Asker(number, NOBODY, rest, everybody)
        for user in sorted(apart):
            mine = [everybody[side] or user in single[side].get(number, ()) for side in SIDES]
            yield Asker(number, user, frozenset({user}), (mine[0], mine[1]))


def seats(now: Place, tried: Place, systems: Mapping[UserId, Post], at: datetime) -> Seats:
    """Everybody of either pack, and the systems that are registered."""
    posts = [_posts(place) | dict(systems) for place in (now, tried)]
    held: dict[tuple[Post | None, Post | None], set[UserId]] = defaultdict(set)
    for user in posts[0].keys() | posts[1].keys():
        held[posts[0].get(user), posts[1].get(user)].add(user)
    return Seats(
        Seat(pair, (_standings(now, pair[0], at), _standings(tried, pair[1], at)), frozenset(users))
        for pair, users in sorted(held.items(), key=lambda one: min(one[1]))
    )


def themselves(now: Place, tried: Place, key: PersonKey, at: datetime) -> Seat:
    """Whoever looks at their own record, under the key that stands for any person."""
    post = Post(Ods(""), OWN_ROLE)
    both = (_standings(now, post, at, key), _standings(tried, post, at, key))
    return Seat((post, post), both, frozenset())


def _posts(place: Place) -> dict[UserId, Post]:
    return {one.id: Post(one.organisation, one.role, one.team) for one in place.staff.values()}


def _standings(place: Place, post: Post | None, at: datetime, key: PersonKey | None = None) -> tuple[Standing, ...]:
    role = place.roles.get(post.role) if post else None
    organisation = place.organisations.get(post.organisation) if post else None
    if post is None or role is None or (organisation is None and key is None):
        return ()
    type_ = organisation.type if organisation else ""
    asks = [
        Requester(NOBODY, "", post.organisation, type_, post.role, purpose, post.team, key) for purpose in role.purposes
    ]
    return tuple(_at_any_hour(place, one, at) for one in asks)


def _at_any_hour(place: Place, requester: Requester, at: datetime) -> Standing:
    """A team that stands in at some hours counts as on duty: a change is not to depend on when it is tried."""
    standing = Lens.compile(place, requester, at).standing
    assert standing is not None
    duty = any((one.organisation, one.team) == (requester.organisation, requester.team) for one in place.on_duty)
    return replace(standing, terms=replace(standing.terms, on_duty=duty))
