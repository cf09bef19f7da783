"""Worth a look: signals of the audit as the page shows them, with who looked at whom and what is known of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from carelink.audit import signals
from carelink.audit.signals import ANSWERS, Signal
from carelink.cases.audit_people import Named, named
from carelink.consent.lens import Lens
from carelink.place import Place

__all__ = ["ANSWERS", "Shown", "answer", "one", "waiting"]


@dataclass(frozen=True)
class Shown:
    """One signal; `person` is None where it names nobody, or somebody whom the law keeps from being named."""

    signal: Signal
    worker: str
    role: str
    organisation: str
    person: Named | None

    @property
    def what(self) -> str:
        """What happened, in words."""
        number = self.signal.count
        if self.signal.minutes:
            return f"{number} people in {self.signal.minutes} minutes"
        return "opened once" if number == 1 else f"opened {number} times"


def waiting(conn: Connection, place: Place, lens: Lens) -> tuple[Shown, ...]:
    """Everything that nobody has answered. Raises `Forbidden` for who does not read the audit."""
    return _shown(conn, place, lens, signals.waiting(conn, lens))


def one(conn: Connection, place: Place, lens: Lens, id_: int) -> Shown:
    """One of them. Raises `NotFound` where it was answered meanwhile, `Forbidden`."""
    return _shown(conn, place, lens, (signals.one(conn, lens, id_),))[0]


def answer(conn: Connection, lens: Lens, id_: int, said: str, words: str) -> None:
    """Close it. Raises `Invalid` with the field, `Conflict`, `Forbidden`."""
    signals.answer(conn, lens, id_, said, words)


def _shown(conn: Connection, place: Place, lens: Lens, found: Iterable[Signal]) -> tuple[Shown, ...]:
    listed = tuple(found)
    people = named(conn, lens, (one.person for one in listed if one.person is not None))
    return tuple(_one(place, one, people.get(one.person) if one.person else None) for one in listed)


def _one(place: Place, signal: Signal, person: Named | None) -> Shown:
    worker, at = place.staff.get(signal.user), place.organisations.get(signal.organisation)
    return Shown(
        signal=signal,
        worker=worker.name if worker else signal.user,
        role=place.roles[worker.role].label if worker else "has left",
        organisation=at.name if at else signal.organisation,
        person=person,
    )
