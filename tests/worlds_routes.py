"""Every route of the application, and how it is asked of an invented world; or why it tells nothing of anybody.

A route that is not in the table fails tests/properties/test_non_interference.py. To add one: docs/developers.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID

from worlds_asking import Ask, Who
from worlds_bodies import NUMBERS, Thing, born, key, person
from worlds_records import World
from worlds_rows import FIRST, WORKERS

UNKNOWN = UUID(int=77)


@dataclass(frozen=True)
class Drawing:
    """What a question is drawn from: chance, a world, and who asks."""

    chance: Random
    world: World
    who: Who

    def person(self) -> UUID:
        """Somebody; mostly one who is there."""
        if self.mine is not None and self.chance.random() < 0.5:
            return self.mine
        return person(self.number()) if self.chance.random() < 0.95 else UNKNOWN

    @property
    def mine(self) -> UUID | None:
        """Who asks themselves, where it is a person."""
        return person(int(self.who.user[-1])) if self.who.user.startswith("self-") else None

    def number(self) -> int:
        return self.chance.randrange(self.world.people)

    def key(self, *types: str, of: UUID | None = None) -> UUID:
        """The key of something of these types, seen or not; more often of what their own organisation holds."""
        found = self.thing(*types, of=of)
        return key(found) if found is not None and self.chance.random() < 0.95 else UNKNOWN

    def thing(self, *types: str, of: UUID | None = None, source: str = "") -> Thing | None:
        """Such a thing; of that person and from that source where there is one."""
        found = [one for one in self.world.things if not types or one.type in types]
        found = [one for one in found if one.of is not None and person(one.of) == of] or found
        found = [one for one in found if not source or one.source == source] or found
        own = [one for one in found if one.said[-1].label.custodian == self.own]
        if own and self.chance.random() < 0.6:
            found = own
        return self.chance.choice(found) if found else None

    @property
    def own(self) -> str:
        """The organisation of who asks."""
        if self.who.client is not None:
            return self.who.client.organisation
        return next((organisation for user, organisation, *_ in WORKERS if user == self.who.user), "")

    def row(self, table: str, **said: Any) -> int:
        """The number of a row of that table, of one that says so where there is one; or of none."""
        here = [one for one in self.world.rows if one.table == table]
        found = [one for one in here if all(one.values.get(name) == value for name, value in said.items())] or here
        return FIRST + self.chance.choice(found).id if found and self.chance.random() < 0.95 else 9

    def one(self, *choices: Any) -> Any:
        return self.chance.choice(choices)

    def nhs_number(self) -> str:
        return str(NUMBERS[self.chance.randrange(4)])

    def born(self, number: int, name: str = "born") -> dict[str, str]:
        year, month, day = born(number).split("-")
        return {f"{name}-day": day, f"{name}-month": month, f"{name}-year": year}

    def date(self, name: str, year: int = 2026) -> dict[str, str]:
        return {f"{name}-day": "3", f"{name}-month": "2", f"{name}-year": str(year)}


Asks = Callable[[Drawing], Ask]


@dataclass(frozen=True)
class Route:
    """`ask`: how; `good`: the status of an answer that did what was asked. Or `tells_nothing`: why it needs no asking."""

    ask: Asks | None = None
    good: int = 200
    tells_nothing: str = ""
    whose: str = "worker"  # who mostly asks it: worker, lead, person, system, anybody


def get(endpoint: str, **values: Callable[[Drawing], Any]) -> Asks:
    """A page whose address is drawn so."""

    def ask(draw: Drawing) -> Ask:
        return Ask(endpoint, {name: value(draw) for name, value in values.items()})

    return ask


def post(endpoint: str, form: Callable[[Drawing], Mapping[str, Any]], **values: Callable[[Drawing], Any]) -> Asks:
    """A form that is sent."""

    def ask(draw: Drawing) -> Ask:
        return Ask(endpoint, {name: value(draw) for name, value in values.items()}, "POST", form(draw))

    return ask


def either(*asks: Asks) -> Asks:
    """Now this, now that."""
    return lambda draw: draw.chance.choice(asks)(draw)


WHOSE = Drawing.person
