"""The words that invented people and records are made of: tables under `words/`."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

WORDS = Path(__file__).parent / "words"


@dataclass(frozen=True)
class Tradition:
    """Names that go together. `share` is how many of a thousand people have such a name."""

    share: int
    ethnicity: tuple[str, ...]
    language: str
    family: tuple[str, ...]
    female: tuple[str, ...]
    male: tuple[str, ...]


@dataclass(frozen=True)
class Problem:
    """A row of problems.csv: who has it, and which medicines it brings."""

    key: str
    code: str
    display: str
    from_age: int
    to_age: int
    per_mille: int
    sex: str
    medicines: tuple[str, ...]


@dataclass(frozen=True)
class Medicine:
    """A row of medicines.csv. `code` and `display` are the dm+d product, or the substance where only that is known."""

    key: str
    code: str
    display: str
    product: str
    dose: str
    quantity: str
    unit: str


@dataclass(frozen=True)
class Measurement:
    """A row of measurements.csv; what is measured of those who have one of the `problems`, or of everybody."""

    key: str
    code: str
    display: str
    low: float
    high: float
    decimals: int
    unit: str
    ucum: str
    problems: tuple[str, ...]


@cache
def traditions() -> tuple[Tradition, ...]:
    """The traditions of names.toml."""
    return tuple(
        Tradition(one["share"], *(tuple(one["ethnicity"]), one["language"]), *map(tuple, _three(one)))
        for one in _toml("names")["tradition"]
    )


def _three(one: Mapping[str, Any]) -> tuple[Sequence[str], ...]:
    return one["family"], one["female"], one["male"]


@cache
def called() -> Mapping[str, Sequence[str]]:
    """Given name -> what its bearer is also called, or how it is also spelt."""
    found: Mapping[str, Sequence[str]] = _toml("names")["called"]
    return found


@cache
def spelt() -> Mapping[str, Sequence[str]]:
    """Family name -> how it is also spelt."""
    found: Mapping[str, Sequence[str]] = _toml("names")["spelt"]
    return found


@cache
def places() -> Mapping[str, Any]:
    """Towns with their outward codes, and the parts of street names."""
    return _toml("places")


@cache
def problems() -> tuple[Problem, ...]:
    """What people have, in the order in which it is drawn."""
    return tuple(
        Problem(
            row["key"],
            row["code"],
            row["display"],
            int(row["from_age"]),
            int(row["to_age"]),
            int(row["per_mille"]),
            row["sex"],
            tuple(row["medicines"].split()),
        )
        for row in rows("problems")
    )


@cache
def problem(key: str) -> Problem:
    """The problem of that key."""
    return next(one for one in problems() if one.key == key)


@cache
def medicine(key: str) -> Medicine:
    """The medicine of that key."""
    return next(Medicine(**row) for row in rows("medicines") if row["key"] == key)


@cache
def measurements() -> Mapping[str, Measurement]:
    """What is measured, by key."""
    return {
        row["key"]: Measurement(
            row["key"],
            row["code"],
            row["display"],
            float(row["low"]),
            float(row["high"]),
            int(row["decimals"]),
            row["unit"],
            row["ucum"],
            tuple(row["problems"].split()),
        )
        for row in rows("measurements")
    }


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """The rows of a table."""
    with (WORDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((WORDS / f"{name}.toml").read_text("utf-8"))
