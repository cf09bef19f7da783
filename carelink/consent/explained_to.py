"""An explanation as it may be told to whoever reads it: of somebody whose whereabouts they may not know, without which
organisations hold the record (PDS 'S' flag guidance).
"""

from __future__ import annotations

from dataclasses import replace

from carelink.consent.explain import Explanation, Line
from carelink.consent.facts import COURT_ORDER, Directed, Facts, Related
from carelink.consent.holders import KIND, OTHER, kinds_of
from carelink.consent.lens import Lens
from carelink.ids import Ods
from carelink.place import Place


def hides_holders(facts: Facts, reader: Lens | None) -> bool:
    """Whether whoever reads it may not know which organisations hold the person's record; None: nobody in particular."""
    if reader is None or reader.requester is None:
        return facts.restricted
    asks = reader.requester
    if facts.restricted and not reader.may_locate:
        return True
    return any(one.kind == COURT_ORDER and one.holds(asks, reader.at) for one in facts.kept_out)


def as_told(explanation: Explanation, place: Place, reader: Lens | None) -> Explanation:
    """The same; where it is hidden who holds the record, with the kind of organisation in the place of each."""
    if not hides_holders(explanation.facts, reader):
        return explanation
    kinds, facts, asks = _Kinds(place), explanation.facts, explanation.lens.requester
    told = replace(
        facts,
        related=tuple(one if asks and one.involves(asks) else kinds.related(one) for one in facts.related),
        directed=tuple(kinds.directed(one) for one in facts.directed),
    )
    lines = _together([kinds.line(one) for one in explanation.lines])
    return replace(explanation, told=told, lines=tuple(lines))


def _together(lines: list[Line]) -> list[Line]:
    """How many organisations of one kind hold the same is not told either."""
    found: dict[Line, int] = {}
    for one in lines:
        same = replace(one, items=0)
        found[same] = found.get(same, 0) + one.items
    return [replace(one, items=items) for one, items in found.items()]


class _Kinds:
    """The kind of each organisation of a place, to stand in its place."""

    def __init__(self, place: Place) -> None:
        self._types = kinds_of(place)
        self._one_party = {one.id for one in place.agreements if one.custodian in self._types}

    def of(self, ods: Ods) -> Ods:
        return Ods(f"{KIND}{self._types.get(ods, OTHER)}")

    def line(self, one: Line) -> Line:
        """An agreement with one custodian tells which one it is."""
        first, _, rest = one.decision.detail.partition("; ")
        agreed = ", ".join(id_ for id_ in first.split(", ") if id_ not in self._one_party)
        detail = "; ".join(part for part in (agreed, rest) if part)
        return replace(one, custodian=self.of(one.custodian), decision=replace(one.decision, detail=detail))

    def related(self, one: Related) -> Related:
        """A worker or a team is of an organisation that everybody knows. Whoever is explained is named in any case."""
        return replace(one, organisation=self.of(one.organisation), user=None, team=None)

    def directed(self, one: Directed) -> Directed:
        return replace(
            one,
            organisation=self.of(one.organisation) if one.organisation else None,
            custodians=frozenset(map(self.of, one.custodians)) if one.custodians is not None else None,
            user=None,
        )
