"""A measured figure beside the floor measured in the same run; a machine's mood cancels out in the ratio."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True)
class Floor:
    """The least that such a thing can cost, measured in the same run: by the clock on the wall, and by CPU time."""

    says: str
    value: float
    cpu: float


@dataclass(frozen=True)
class Figure:
    """One measure: `value` in `unit`, what it cost in CPU time, the floor in the same unit, and the target to keep.

    `cpu` is the same measure with CPU time (Python's and PostgreSQL's together) in the place of the wall clock's: about
    what the wall clock would show where nothing else ran and nothing waited for a disk. None: there is none.
    """

    name: str
    value: float
    unit: str
    cpu: float | None = None
    floor: Floor | None = None
    target: float | None = None
    at_least: bool = False  # more is better, and the target is a minimum
    rounds: tuple[float, ...] = ()  # of which `value` is the median
    peer: float | None = None  # Medplum 5 on a machine with as many cores
    about: Mapping[str, Any] = field(default_factory=dict)  # what else was seen, for the JSON

    @property
    def ratio(self) -> float | None:
        """How many times worse than the floor; 1 is as good."""
        return self._times_worse(self.value, self.floor.value) if self.floor else None

    @property
    def cpu_ratio(self) -> float | None:
        """The same by CPU time, which other programs on the machine change little."""
        return self._times_worse(self.cpu, self.floor.cpu) if self.floor and self.cpu else None

    def _times_worse(self, value: float, floor: float) -> float:
        return floor / value if self.at_least else value / floor

    @property
    def met(self) -> bool:
        """Whether the target is met; True where there is none."""
        if self.target is None:
            return True
        return self.value >= self.target if self.at_least else self.value <= self.target


def typical(values: Sequence[float]) -> float:
    """The median."""
    return float(median(values))


def more(with_: Sequence[float], without: Sequence[float]) -> list[float]:
    """Per cent that something adds in each round."""
    return [(mine / base - 1) * 100 for mine, base in zip(with_, without, strict=True)]


def slowest(values: Sequence[float], of: float = 0.95) -> float:
    """The 95th percentile: of a hundred, the fifth slowest."""
    return sorted(values)[min(len(values) - 1, int(len(values) * of))]


COLUMNS = ("figure", "value", "unit", "by CPU", "floor", "ratio", "by CPU", "peer", "target", "met")


def show(figures: Sequence[Figure], facts: Mapping[str, Any]) -> None:
    """Print the table."""
    table = Table(title="CareLink benchmarks")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column in ("figure", "unit", "met") else "right")
    for figure in figures:
        table.add_row(*_cells(figure))
    console = Console(width=150, highlight=False)
    console.print(table)
    for floor in dict.fromkeys(f"{one.unit}: {one.floor.says}" for one in figures if one.floor):
        console.print(f"floor, {floor}", style="dim")
    console.print(f"{facts['cores']} cores, Python {facts['python']}, PostgreSQL {facts['postgresql']}", style="dim")
    if facts["others"] > 0.2:
        console.print(
            f"Other programs used {facts['others']:.0%} of the machine meanwhile: go by the ratios and CPU time"
        )


def _cells(figure: Figure) -> tuple[str, ...]:
    met = "yes" if figure.met else "NO"
    return (
        figure.name,
        _said(figure.value),
        figure.unit,
        _said(figure.cpu),
        _said(figure.floor.value if figure.floor else None),
        _said(figure.ratio),
        _said(figure.cpu_ratio),
        _said(figure.peer),
        f"{'≥' if figure.at_least else '≤'} {_said(figure.target)}" if figure.target is not None else "",
        met if figure.target is not None else "",
    )


def _said(number: float | None) -> str:
    if number is None:
        return ""
    return f"{number:,.0f}" if abs(number) >= 100 else f"{number:,.3g}"


def write(figures: Sequence[Figure], facts: Mapping[str, Any], name: str = "latest") -> Path:
    """Write the figures and the facts of the machine as JSON; gives the path."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    rows = [asdict(one) | {"ratio": one.ratio, "cpu_ratio": one.cpu_ratio, "met": one.met} for one in figures]
    path.write_text(json.dumps({**facts, "figures": rows}, indent=1, default=str) + "\n")
    return path
