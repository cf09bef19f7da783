"""What came out of trying a place pack: as values, as JSON, and as the lines of a terminal. Keys of people, no names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from carelink.consent.what_if import Count, Group, Trial
from carelink.consent.what_if_deciding import GAINS, HIDES, LOCATES, LOSES
from carelink.place import Place

ORDER = (GAINS, LOCATES, LOSES, HIDES)


@dataclass(frozen=True)
class Row:
    """What becomes of whose view of what: `organisation` empty is the person themselves."""

    change: str
    organisation: str
    role: str
    category: str
    people: int
    items: int
    users: int
    examples: tuple[str, ...]  # keys of people


@dataclass(frozen=True)
class Total:
    """A change over everybody."""

    change: str
    people: int
    items: int
    users: int


@dataclass(frozen=True)
class Report:
    """`people`, `items` and `users` are those that were looked at; `hashes` are of the pack of now and the one tried."""

    pack: str
    hashes: tuple[str, str]
    files: tuple[str, ...]  # that differ
    people: int
    items: int
    users: int
    seconds: float
    totals: tuple[Total, ...]
    rows: tuple[Row, ...]

    @property
    def kept(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Report:
        """What `kept` gave."""
        totals = tuple(Total(**one) for one in kept["totals"])
        rows = tuple(Row(**{**one, "examples": tuple(one["examples"])}) for one in kept["rows"])
        first, second = kept["hashes"]
        return cls(**{**kept, "hashes": (first, second), "files": tuple(kept["files"]), "totals": totals, "rows": rows})


def report_of(trial: Trial, *, pack: str, hashes: tuple[str, str], files: Iterable[str], seconds: float) -> Report:
    """The counts of a trial, what shows more first, the most people first."""
    groups = sorted(trial.groups.items(), key=lambda pair: (ORDER.index(pair[0].change), -pair[1].people, pair[0]))
    return Report(
        pack=pack,
        hashes=hashes,
        files=tuple(files),
        people=trial.people,
        items=trial.items,
        users=trial.seats.users,
        seconds=round(seconds, 1),
        totals=tuple(_total(change, trial.whole[change]) for change in ORDER if change in trial.whole),
        rows=tuple(_row(group, count) for group, count in groups),
    )


def _total(change: str, count: Count) -> Total:
    return Total(change, count.people, count.items, len(count.users))


def _row(group: Group, count: Count) -> Row:
    examples = tuple(str(key) for key in count.examples)
    named = (group.change, group.organisation, group.role, group.category)
    return Row(*named, count.people, count.items, len(count.users), examples)


def lines(report: Report, place: Place) -> list[str]:
    """What a terminal shows, by the names that the tried pack has for organisations, roles and categories."""
    files = ", ".join(report.files) or "no file"
    said = [
        f"Tried {report.pack} ({files} differs) on {report.people} people, {report.items} items and {report.users} users, "
        f"in {report.seconds} s"
    ]
    if not report.rows:
        return [*said, "Nobody would see more or less"]
    said += [f"{one.change}: {one.users} users, of {one.people} people, {one.items} items" for one in report.totals]
    return [*said, "", *_table([HEAD, *(_cells(one, place) for one in report.rows)])]


HEAD = ("change", "role", "organisation", "category", "people", "items", "users", "for example")


def named(row: Row, place: Place) -> tuple[str, str, str]:
    """Role, organisation and category in words."""
    role, at = (
        place.roles.get(row.role),
        next((one for one in place.organisations.values() if one.ods == row.organisation), None),
    )
    whose = role.label if role else row.role
    return (
        whose,
        at.name if at else row.organisation or "their own record",
        place.categories.get(row.category, row.category),
    )


def _cells(row: Row, place: Place) -> tuple[str, ...]:
    counts = (str(row.people), str(row.items), str(row.users))
    return (row.change, *named(row, place), *counts, row.examples[0] if row.examples else "")


def _table(cells: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]
