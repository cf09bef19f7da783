"""The resource that a row becomes, as a tree of constants, templates, groups and lists that is filled row by row.

What is left with only constants, because its columns are empty in this row, is left out: no identifier without
its value, no address that is only a country.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from fhir_adapters.mapping.cells import BadCell, Convert

ANYTHING = "*"  # in a condition: whatever, but not empty


@dataclass
class Row:
    """The cells of one row, and what was wrong with them while it was mapped: (column, why)."""

    cells: Mapping[str, str]
    blank: frozenset[str] = frozenset()  # texts that mean: nothing here
    problems: list[tuple[str, str]] = field(default_factory=list)

    def cell(self, column: str) -> str:
        """The cell's text without white space around it; empty where there is nothing."""
        text = self.cells.get(column, "").strip()
        return "" if text in self.blank else text


@dataclass(frozen=True)
class Condition:
    """Holds where each column of `when` has one of its words, and none of `unless` has."""

    when: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unless: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def holds(self, row: Row) -> bool:
        """Whether the row is meant."""
        return all(_is_one(row, *one) for one in self.when.items()) and not any(
            _is_one(row, *one) for one in self.unless.items()
        )

    def columns(self) -> Iterator[str]:
        """The columns that it looks at."""
        yield from (*self.when, *self.unless)


def _is_one(row: Row, column: str, words: frozenset[str]) -> bool:
    text = row.cell(column).casefold()
    return text in words or (ANYTHING in words and text != "")


# What a node makes of a row: the value (None: nothing), and whether the row gave any of it, or constants all.
Filled = tuple[Any, bool]
NOTHING: Filled = (None, False)


@dataclass(frozen=True)
class Constant:
    value: Any
    asks_row = False

    def fill(self, row: Row) -> Filled:
        """Always the same."""
        return self.value, False

    def columns(self) -> Iterator[str]:
        """None."""
        yield from ()


@dataclass(frozen=True)
class Cell:
    """One column and what is made of its text, in order."""

    column: str
    converts: tuple[Convert, ...] = ()

    def value(self, row: Row) -> Any:
        """None where the cell is empty or wrong (then the row knows)."""
        value: Any = row.cell(self.column)
        if value == "":
            return None
        try:
            for convert in self.converts:
                value = convert(value)
        except BadCell as wrong:
            row.problems.append((self.column, str(wrong)))
            return None
        return value


@dataclass(frozen=True)
class Template:
    """Text with columns in it. Just one column gives that column's value as it is, be it text, number or concept."""

    parts: tuple[str | Cell, ...]
    asks_row = True

    def fill(self, row: Row) -> Filled:
        """Nothing where all its columns are empty."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Cell):
            value = self.parts[0].value(row)
            return value, value is not None
        values = [part if isinstance(part, str) else part.value(row) for part in self.parts]
        if all(value is None for part, value in zip(self.parts, values, strict=True) if isinstance(part, Cell)):
            return NOTHING
        return " ".join("".join(str(value) for value in values if value is not None).split()), True

    def columns(self) -> Iterator[str]:
        """The columns in its braces."""
        yield from (part.column for part in self.parts if isinstance(part, Cell))


@dataclass(frozen=True)
class Group:
    """A FHIR object."""

    fields: tuple[tuple[str, Node], ...]
    condition: Condition | None = None

    @cached_property
    def asks_row(self) -> bool:
        """Whether the row decides what is in it, or if it is there."""
        return self.condition is not None or self._needs_cells

    @cached_property
    def _needs_cells(self) -> bool:
        return any(node.asks_row for _, node in self.fields)

    def elements(self, row: Row) -> tuple[dict[str, Any], bool]:
        """What is not empty of it, be it constants all, and whether the row gave any."""
        made = {name: node.fill(row) for name, node in self.fields}
        kept = {name: value for name, (value, _) in made.items() if value is not None}
        return kept, any(from_row for _, from_row in made.values())

    def fill(self, row: Row) -> Filled:
        """Nothing where its condition does not hold, or where it asks the row and the row has nothing."""
        if self.condition and not self.condition.holds(row):
            return NOTHING
        kept, answered = self.elements(row)
        if not kept or (self._needs_cells and not answered):
            return NOTHING
        return kept, answered or self.condition is not None

    def columns(self) -> Iterator[str]:
        """The columns of its elements and its condition."""
        if self.condition:
            yield from self.condition.columns()
        for _, node in self.fields:
            yield from node.columns()


@dataclass(frozen=True)
class Listed:
    """A FHIR list; what is empty in it is left out, and so is an empty list."""

    nodes: Sequence[Node]

    @cached_property
    def asks_row(self) -> bool:
        """Whether any of it comes from the row."""
        return any(node.asks_row for node in self.nodes)

    def fill(self, row: Row) -> Filled:
        """Nothing where nothing is left of it."""
        made = [node.fill(row) for node in self.nodes]
        kept = [value for value, _ in made if value is not None]
        return kept or None, any(from_row for _, from_row in made)

    def columns(self) -> Iterator[str]:
        """The columns of its elements."""
        for node in self.nodes:
            yield from node.columns()


@dataclass(frozen=True)
class Choice:
    """The first of several whose condition holds and that is not empty."""

    options: tuple[tuple[Condition | None, Node], ...]

    @cached_property
    def asks_row(self) -> bool:
        """Whether a column may give the value; which of several constants it is does not count."""
        return any(node.asks_row for _, node in self.options)

    def fill(self, row: Row) -> Filled:
        """Nothing where none holds."""
        made = (node.fill(row) for condition, node in self.options if condition is None or condition.holds(row))
        return next((filled for filled in made if filled[0] is not None), NOTHING)

    def columns(self) -> Iterator[str]:
        """The columns of all of them."""
        for condition, node in self.options:
            yield from condition.columns() if condition else ()
            yield from node.columns()


Node = Constant | Template | Group | Listed | Choice
