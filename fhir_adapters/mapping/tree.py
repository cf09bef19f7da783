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


@dataclass(frozen=True)
class Constant:
    value: Any
    from_row = False

    def fill(self, row: Row) -> Any:
        """Always the same."""
        return self.value

    def columns(self) -> Iterator[str]:
        """None."""
        yield from ()


@dataclass(frozen=True)
class Cell:
    """One column and what is made of its text, in order."""

    column: str
    converts: tuple[Convert, ...] = ()

    def fill(self, row: Row) -> Any:
        """The value; None where the cell is empty or wrong (then the row knows)."""
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
    from_row = True

    def fill(self, row: Row) -> Any:
        """None where all its columns are empty."""
        if len(self.parts) == 1 and isinstance(self.parts[0], Cell):
            return self.parts[0].fill(row)
        filled = [part if isinstance(part, str) else part.fill(row) for part in self.parts]
        if all(value is None for part, value in zip(self.parts, filled, strict=True) if isinstance(part, Cell)):
            return None
        return " ".join("".join(str(value) for value in filled if value is not None).split())

    def columns(self) -> Iterator[str]:
        """The columns in its braces."""
        yield from (part.column for part in self.parts if isinstance(part, Cell))


@dataclass(frozen=True)
class Group:
    """A FHIR object."""

    fields: tuple[tuple[str, Node], ...]
    condition: Condition | None = None

    @cached_property
    def from_row(self) -> bool:
        """Whether the row decides if it is there."""
        return self.condition is not None or any(node.from_row for _, node in self.fields)

    def fill(self, row: Row) -> dict[str, Any] | None:
        """None where its condition does not hold, or where its columns are all empty."""
        if self.condition and not self.condition.holds(row):
            return None
        filled: dict[str, Any] = {}
        asked = answered = False
        for name, node in self.fields:
            value = node.fill(row)
            asked = asked or node.from_row
            if value is not None:
                filled[name] = value
                answered = answered or node.from_row
        return filled if filled and (answered or not asked) else None

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
    def from_row(self) -> bool:
        """Whether the row decides if it is there."""
        return any(node.from_row for node in self.nodes)

    def fill(self, row: Row) -> list[Any] | None:
        """None where nothing is left of it."""
        filled = [(node.from_row, node.fill(row)) for node in self.nodes]
        kept = [value for _, value in filled if value is not None]
        return kept or None

    def columns(self) -> Iterator[str]:
        """The columns of its elements."""
        for node in self.nodes:
            yield from node.columns()


@dataclass(frozen=True)
class Choice:
    """The first of several whose condition holds and that is not empty."""

    options: tuple[tuple[Condition | None, Node], ...]

    @cached_property
    def from_row(self) -> bool:
        """Whether a column gives the value; which of several constants it is does not count as one."""
        return any(node.from_row for _, node in self.options)

    def fill(self, row: Row) -> Any:
        """None where none holds."""
        meant = (node.fill(row) for condition, node in self.options if condition is None or condition.holds(row))
        return next((value for value in meant if value is not None), None)

    def columns(self) -> Iterator[str]:
        """The columns of all of them."""
        for condition, node in self.options:
            yield from condition.columns() if condition else ()
            yield from node.columns()


Node = Constant | Template | Group | Listed | Choice
