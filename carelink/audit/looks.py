"""Rows of the audit put together to what people did: one request is one look, whatever it had to ask. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from carelink.audit.acts import FOUND, LISTED, OPENED, ORDER, Act, act_of, main_act
from carelink.audit.reading import Kept
from carelink.clock import LONDON
from carelink.ids import Ods, PersonKey, UserId
from carelink.place import Place

SYSTEM, OPERATOR = "client:", "operator:"  # how systems and who runs the server are named among users
CARELINK = ("", "carelink")
PERSON = "person"  # the role of who looks at their own record


@dataclass(frozen=True)
class Who:
    """Somebody who looked. `kind` is worker, person, system, operator or carelink."""

    kind: str
    user: str = ""
    name: str = ""
    role: str = ""  # in words
    organisation: str = ""  # by its name


@dataclass(frozen=True)
class Look:
    """One act of somebody; `act` is the weightiest of all that the request did."""

    at: datetime
    who: Who
    act: Act
    relationships: tuple[str, ...]
    purposes: tuple[str, ...]
    rules: tuple[str, ...]
    queries: tuple[str, ...]
    persons: frozenset[PersonKey]
    reasons: tuple[str, ...]
    viewed_as: str = ""
    in_need: bool = False  # they had broken the glass of the person

    @property
    def day(self) -> date:
        """The day in London."""
        return self.at.astimezone(LONDON).date()


@dataclass(frozen=True)
class Line:
    """What one of those who looked did on one day, of one kind: when, from the first to the last."""

    who: Who
    act: Act
    times: tuple[datetime, ...]
    relationships: frozenset[str]
    rules: frozenset[str]
    in_need: bool


@dataclass(frozen=True)
class Day:
    on: date
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Known:
    """What names are made of: the place, and the users that it knows or knew."""

    place: Place
    names: Mapping[str, str]  # user or client -> name

    def who(self, kept: Kept) -> Who:
        """Whoever did it."""
        user = kept.user or ""
        if user in CARELINK:
            return Who("carelink")
        if user.startswith(OPERATOR):
            return Who("operator", user)
        at = self.place.organisations.get(Ods(kept.organisation or self._home(user)))
        name, organisation = self.names.get(user, ""), at.name if at else kept.organisation or ""
        if user.startswith(SYSTEM):
            return Who("system", user, user.removeprefix(SYSTEM), self._role(kept), organisation)
        kind = PERSON if kept.role == PERSON else "worker"
        return Who(kind, user, name, self._role(kept), organisation)

    def _home(self, user: str) -> str:
        """Of what was done on somebody's behalf only the user is kept."""
        worker = self.place.staff.get(UserId(user))
        return worker.organisation if worker else ""

    def _role(self, kept: Kept) -> str:
        worker = self.place.staff.get(UserId(kept.user or ""))
        id_ = kept.role or (worker.role if worker else "")
        known = self.place.roles.get(id_)
        return known.label if known else id_


def looks_of(rows: Sequence[Kept], known: Known, about: PersonKey | None = None) -> tuple[Look, ...]:
    """The acts that these rows are, in their order (newest first); rows of one request stand together."""
    return tuple(_look(list(group), known, about) for _, group in groupby(rows, key=_of_one_act))


def _of_one_act(kept: Kept) -> tuple[str, str, str]:
    return kept.request or f"row {kept.id}", kept.user or "", kept.role or ""


def _look(rows: Sequence[Kept], known: Known, about: PersonKey | None) -> Look:
    def told(values: Iterable[str | None]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one for one in values if one))

    return Look(
        at=rows[-1].at,
        who=known.who(rows[-1]),
        act=main_act([act_of(row, about) for row in rows]),
        relationships=told(one for row in rows for one in row.detail.get("relationships", ())),
        purposes=told(row.purpose for row in rows),
        rules=told(sorted(rule for row in rows for rule in row.rules)),
        queries=told(row.query for row in reversed(rows)),
        persons=frozenset(key for row in rows for key in row.persons),
        reasons=told(row.reason for row in rows),
        viewed_as=next((row.viewed_as for row in rows if row.viewed_as), ""),
        in_need=any("glass" in row.detail for row in rows),
    )


def days_of(looks: Sequence[Look]) -> tuple[Day, ...]:
    """The looks of people by day, the newest first, and within it by who looked; what jobs did is not among them."""
    by_people = [look for look in looks if look.who.kind != "carelink"]
    return tuple(Day(on, _lines(list(group))) for on, group in groupby(by_people, key=lambda look: look.day))


def _lines(looks: Sequence[Look]) -> tuple[Line, ...]:
    grouped: dict[tuple[Who, Act], list[Look]] = {}
    for look in looks:
        grouped.setdefault((look.who, look.act), []).append(look)
    told = [_line(who, act, of) for (who, act), of in grouped.items() if not _goes_without_saying(who, act, grouped)]
    # What matters first, what they did themselves last; among equals the latest first.
    return tuple(sorted(told, key=lambda line: (line.who.kind == PERSON, ORDER.index(line.act))))


def _goes_without_saying(who: Who, act: Act, grouped: Mapping[tuple[Who, Act], object]) -> bool:
    """Whoever opened the record that day also looked the person up, or saw them in a list."""
    return act in (FOUND, LISTED) and (who, OPENED) in grouped


def _line(who: Who, act: Act, looks: Sequence[Look]) -> Line:
    return Line(
        who=who,
        act=act,
        times=tuple(sorted(look.at for look in looks)),
        relationships=frozenset(one for look in looks for one in look.relationships),
        rules=frozenset(one for look in looks for one in look.rules),
        in_need=any(look.in_need for look in looks),
    )
