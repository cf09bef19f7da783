"""A measured figure beside the floor measured in the same run; a machine's mood cancels out in the ratio."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True)
class Figure:
    """One measure: `value` in `unit`, the floor in the same unit (None: there is none), and the bound to keep."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    floor_is: str = ""
    bound: float | None = None
    at_least: bool = False  # the bound is a minimum

    @property
    def ratio(self) -> float | None:
        """How many times worse than the floor; 1 is as good."""
        if not self.floor or not self.value:
            return None
        return self.floor / self.value if self.at_least else self.value / self.floor

    @property
    def kept(self) -> bool:
        """Whether the bound is kept; True where there is none."""
        if self.bound is None:
            return True
        return self.value >= self.bound if self.at_least else self.value <= self.bound


def show(figures: Sequence[Figure]) -> None:
    """Print the table."""
    table = Table(title="CareLink benchmarks")
    for column in ("measure", "value", "floor of this run", "ratio", "bound", ""):
        table.add_column(column, justify="right" if column in ("value", "ratio") else "left")
    for figure in figures:
        table.add_row(*_cells(figure))
    Console(width=140).print(table)


def _cells(figure: Figure) -> tuple[str, ...]:
    sign = "at least" if figure.at_least else "at most"
    return (
        figure.name,
        f"{figure.value:,.4g} {figure.unit}",
        f"{figure.floor:,.4g} {figure.unit}: {figure.floor_is}" if figure.floor is not None else "",
        f"{figure.ratio:.2f}" if figure.ratio is not None else "",
        f"{sign} {figure.bound:g} {figure.unit}" if figure.bound is not None else "",
        "kept" if figure.bound is not None and figure.kept else "" if figure.kept else "NOT KEPT",
    )


def write(figures: Sequence[Figure], name: str = "latest") -> Path:
    """Write the figures as JSON; gives the path."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    rows = [asdict(figure) | {"ratio": figure.ratio, "kept": figure.kept} for figure in figures]
    about = {"at": datetime.now(UTC).isoformat(), "python": platform.python_version(), "machine": platform.machine()}
    path.write_text(json.dumps(about | {"figures": rows}, indent=1))
    return path
