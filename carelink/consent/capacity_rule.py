"""One row of the table of who may consent."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from carelink.consent.capacity_case import Able, Basis, Case, Life
from carelink.consent.mind import Decision, Relation

YES, NO = True, False


@dataclass(frozen=True)
class CapacityRule:
    """One row: the answer, why, by which law, what to do instead, and when. A condition that is empty is always met."""

    id: str
    allowed: bool
    because: str
    source: str
    to_do: str = ""
    who: Collection[Relation] = ()
    life: Collection[Life] = ()
    able: Collection[Able] = ()
    basis: Collection[Basis] = ()
    decisions: Collection[Decision] = ()

    def fits(self, case: Case) -> bool:
        """Whether this row is about that case."""
        return (
            (not self.who or case.relation in self.who)
            and (not self.life or case.life in self.life)
            and (not self.able or case.able in self.able)
            and (not self.basis or case.basis in self.basis)
            and (not self.decisions or case.decision in self.decisions)
        )
