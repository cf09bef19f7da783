"""The published GP records entry by entry, and what became of each: stored, in quarantine with a reason, or a duplicate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from carelink.db.tables import quarantine, resource
from fhir_adapters import exact_json
from fhir_adapters.simulators.gp_published import EXAMPLES, published_records

R4_TYPE = {"ProcedureRequest": "ServiceRequest", "ReferralRequest": "ServiceRequest"}


class Became(StrEnum):
    STORED = "stored"
    QUARANTINED = "quarantined"
    DUPLICATE = "duplicate"


@dataclass(frozen=True)
class Entry:
    """One entry as it was published. `name` is what it goes by: its own id, else what list it is."""

    file: str
    namespace: str
    type: str
    name: str
    raw: str
    first: bool = True  # of its type and name in the record
    same: bool = False  # as the first

    @property
    def source_id(self) -> str:
        return f"{self.type}.{self.name}" if self.type in R4_TYPE else self.name


def published_entries(folder: Path) -> Iterator[Entry]:
    """Every entry of every record, in the order in which they were published."""
    for practice, number, path in published_records(folder):
        yield from _of_record(path.name, f"{practice}/{number}", _entries(path))


def example_entries(folder: Path) -> list[Entry]:
    """Every entry of the specification's examples, which are parts of one record."""
    parts = sorted((folder / EXAMPLES).glob("*_response*.json"))
    return list(_of_record(EXAMPLES, "O001/9999999999", [entry for path in parts for entry in _entries(path)]))


def _entries(path: Path) -> list[Any]:
    entries = exact_json.loads(path.read_bytes())["entry"]
    assert isinstance(entries, list)
    return entries


def _of_record(file: str, namespace: str, entries: Iterable[Mapping[str, Any]]) -> Iterator[Entry]:
    firsts: dict[tuple[str, str], str] = {}
    nameless: Counter[str] = Counter()
    for entry in entries:
        one = entry["resource"]
        type_, name, raw = one["resourceType"], one.get("id"), exact_json.dumps(one).decode()
        if name is None:
            code = one["code"]["coding"][0]["code"]
            nameless[code] += 1
            name = f"list-{code}" + (f"-{nameless[code]}" if nameless[code] > 1 else "")
        first = firsts.setdefault((type_, name), raw)
        seen = (type_, name) in firsts and first is not raw
        yield Entry(file, namespace, type_, name, raw, not seen, seen and first == raw)


@dataclass(frozen=True)
class Found:
    """What is in the store and in quarantine of the GP source, by what it goes by there."""

    stored: Mapping[tuple[str, str], Any]  # (type, namespace/id) -> key
    refused: Mapping[tuple[str, str, str], list[tuple[str, list[Any]]]]  # (namespace, type, id) -> raw, reasons

    def became(self, entry: Entry) -> Became:
        """The one thing that it became. Fails where it became nothing, or two things."""
        there = (R4_TYPE.get(entry.type, entry.type), f"{entry.namespace}/{entry.source_id}") in self.stored
        if not entry.first:
            assert there, "the first of them is kept"
            if entry.same:
                return Became.DUPLICATE
        refused = [reasons for raw, reasons in self._rows(entry) if raw == entry.raw or entry.first]
        assert there is not bool(refused) or not entry.first, f"{entry.type}/{entry.name} is in both, or in neither"
        if entry.first and there:
            return Became.STORED
        assert refused, f"{entry.type}/{entry.name} is nowhere"
        assert all(reason["place"] and reason["why"] for reasons in refused for reason in reasons)
        assert all(refused)
        return Became.QUARANTINED

    def _rows(self, entry: Entry) -> list[tuple[str, list[Any]]]:
        """What is of a type that is not mapped goes by its content."""
        rows = self.refused.get((entry.namespace, entry.type, entry.source_id), [])
        if not rows:
            of_type = (found for key, found in self.refused.items() if key[:2] == (entry.namespace, entry.type))
            rows = [row for found in of_type for row in found if row[0] == entry.raw]
        if not entry.first:
            return rows
        return [row for row in rows if row[1][0]["why"] != "duplicate id: the first of them was kept"]


def found(conn: Connection) -> Found:
    t, q = resource.c, quarantine.c
    stored = {
        (row.type, row.source_id): row.key
        for row in conn.execute(select(t.type, t.source_id, t.key).where(t.source == "gp", t.deleted.is_(False)))
    }
    refused: dict[tuple[str, str, str], list[tuple[str, list[Any]]]] = {}
    asked = select(q.namespace, q.type, q.source_id, q.raw, q.reasons).where(q.source == "gp", q.resolved_at.is_(None))
    for row in conn.execute(asked):
        refused.setdefault((row.namespace, row.type, row.source_id), []).append((row.raw, row.reasons))
    return Found(stored, refused)


def table(became: Iterable[tuple[Entry, Became]]) -> str:
    """Counts a record, for whoever runs the test with `-s`."""
    counts: dict[str, Counter[Became]] = {}
    for entry, one in became:
        counts.setdefault(entry.file, Counter())[one] += 1
    rows = [
        f"{file:55} {n.total():5} {n[Became.STORED]:7} {n[Became.QUARANTINED]:12} {n[Became.DUPLICATE]:11}"
        for file, n in sorted(counts.items())
    ]
    return "\n".join([f"{'record':55} {'all':>5} {'stored':>7} {'quarantined':>12} {'duplicates':>11}", *rows, ""])
