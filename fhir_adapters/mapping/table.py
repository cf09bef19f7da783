"""One table or endpoint of a source: its rows become resources, or are kept as rejected with the reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from fhir_adapters.mapping.cells import BadCell, as_id
from fhir_adapters.mapping.tree import Condition, Group, Row, Template
from fhir_adapters.source import Item, Reason, Rejected
from fhir_adapters.whole import Id, IdForm


@dataclass(frozen=True)
class Rule:
    """A resource that a row becomes."""

    type: str
    id: Template
    body: Group
    condition: Condition | None = None

    def columns(self) -> set[str]:
        """All columns that it needs."""
        asked = self.condition.columns() if self.condition else ()
        return {*self.id.columns(), *self.body.columns(), *asked}


@dataclass(frozen=True)
class Mapped:
    """What became of a row: resources, or the row kept whole; neither, where no rule meant it."""

    items: tuple[Item, ...] = ()
    rejected: Rejected | None = None


@dataclass(frozen=True)
class Table:
    """`place` is its file (CSV) or path (REST). `duplicates`: of rows with one id the last, the first or none counts."""

    name: str
    place: str
    rules: tuple[Rule, ...]
    blank: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()  # columns that an extract may leave out
    may_be_missing: bool = False  # the whole file may be
    duplicates: str = "last"
    refers_to: frozenset[str] = frozenset()  # names of the tables that its rows refer to
    rows: str | None = None  # where this endpoint's answers keep their rows, where it is not as [api] says

    @cached_property
    def required(self) -> frozenset[str]:
        """The columns without which the table can't be read."""
        return frozenset().union(*(rule.columns() for rule in self.rules)) - self.optional

    @cached_property
    def forms(self) -> tuple[IdForm, ...]:
        """How the ids of its resources look, so that they are told from those of other tables."""
        return tuple(_form(rule) for rule in self.rules)

    def ids(self, cells: Mapping[str, str]) -> Iterator[Id]:
        """The ids of all resources that a row may become, whatever its cells say otherwise; nothing of an empty id."""
        row = Row(cells, self.blank)
        for rule in self.rules:
            if id_ := _id(rule.id, row):
                yield rule.type, id_

    def key(self, cells: Mapping[str, str]) -> str:
        """What tells its rows apart: the id of the row's first resource, empty where a part of it is."""
        return _id(self.rules[0].id, Row(cells, self.blank)) or ""

    def map(self, cells: Mapping[str, str], at: str, raw: str) -> Mapped:
        """The row's resources. With one wrong cell the row is kept as `raw`; `at` (file and line) says where it stood."""
        row = Row(cells, self.blank)
        meant = [rule for rule in self.rules if rule.condition is None or rule.condition.holds(row)]
        items = [_item(rule, row) for rule in meant]
        if not row.problems:
            return Mapped(items=tuple(item for item in items if item))
        reasons = tuple(dict.fromkeys(Reason(f"{at}:{column}", why) for column, why in row.problems))
        return Mapped(rejected=self.reject(cells, raw, reasons))

    def reject(self, cells: Mapping[str, str], raw: str, reasons: tuple[Reason, ...]) -> Rejected:
        """The row kept whole, under the id that it would have had."""
        return Rejected(self.rules[0].type, self.key(cells) or reasons[0].place, raw, reasons)


def _form(rule: Rule) -> IdForm:
    first, last = rule.id.parts[0], rule.id.parts[-1]
    return IdForm(rule.type, first if isinstance(first, str) else "", last if isinstance(last, str) else "")


def _item(rule: Rule, row: Row) -> Item | None:
    id_ = _id(rule.id, row)
    empty = [column for column in rule.id.columns() if not row.cell(column)]
    row.problems += [(column, "is empty, and the id is made of it") for column in empty]
    body, _ = rule.body.elements(row)
    if not id_:
        return None
    try:
        as_id(id_)
    except BadCell as wrong:
        row.problems.append((next(rule.id.columns()), str(wrong)))
    return Item(rule.type, id_, {"resourceType": rule.type, "id": id_} | body)


def _id(template: Template, row: Row) -> str | None:
    """Made of all its columns, or not at all."""
    if not all(row.cell(column) for column in template.columns()):
        return None
    made, _ = template.fill(row)
    return None if made is None else str(made)
