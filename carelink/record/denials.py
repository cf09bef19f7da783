"""Which sources' word on who they are a person keeps back: the golden Patient, which many see, is made without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, any_, or_, select

from carelink.db.among import among
from carelink.db.tables import directive
from carelink.ids import PersonKey

_D = directive.c
_ITEMS = _D["items"]  # `c.items` is a method


@dataclass(frozen=True)
class Denial:
    """Patients that the person denies, to whomever: of these organisations, or these very ones; None: of any."""

    custodians: frozenset[str] | None
    items: frozenset[UUID] | None

    def of(self, patient: Any) -> bool:
        """Whether it is about this row of `resource`."""
        return (self.custodians is None or patient.custodian in self.custodians) and (
            self.items is None or patient.key in self.items
        )


def denials(conn: Connection, persons: Sequence[PersonKey]) -> Mapping[UUID, tuple[Denial, ...]]:
    """Those of each person that say of which source, whenever they hold: there is one golden Patient for all and always.

    A denial that is about nothing in particular hides the golden Patient itself.
    """
    asked = select(_D.person, _D.custodians, _ITEMS).where(
        among(_D.person, persons),
        _D.effect == "deny",
        or_(_D.custodians.is_not(None), _ITEMS.is_not(None)),
        _any_or(_D.categories, "demographics"),
        _any_or(_D.types, "Patient"),
        _D.codes.is_(None),
        _D.sensitivities.is_(None),
    )
    found: dict[UUID, tuple[Denial, ...]] = {}
    for row in conn.execute(asked):
        found[row.person] = (*found.get(row.person, ()), Denial(_set(row.custodians), _set(row.items)))
    return found


def _any_or(column: ColumnElement[Any], value: str) -> ColumnElement[bool]:
    return or_(column.is_(None), any_(column) == value)


def _set(values: Any) -> Any:
    return None if values is None else frozenset(values)
