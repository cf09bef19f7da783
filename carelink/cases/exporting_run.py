"""Making an export: what its client may see now, written out line by line, and kept as one look at everybody in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from carelink.audit.trail import Event, append
from carelink.cases import exporting_files as files
from carelink.cases.exporting import Export
from carelink.consent.lens import Lens
from carelink.ids import PersonKey
from carelink.record import exporting
from carelink.record.exporting import Line, Wanted
from fhir_adapters import exact_json

LOOK_UP = 1000  # lines between two looks at whether it is still wanted
IN_A_ROW = 500  # people that one row of the audit names
LAG = timedelta(seconds=10)  # between a moment that a change bears and the beginning of its transaction, at most


class NotWanted(Exception):
    """It was cancelled meanwhile."""


@dataclass
class Made:
    """What was written."""

    of: datetime  # up to when changes are in it
    files: list[files.File] = field(default_factory=list)
    rules: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)  # type -> lines


def make(
    conn: Connection,
    lens: Lens,
    export: Export,
    folder: Path,
    wanted: Callable[[], bool] = lambda: True,
) -> Made:
    """Write the files of an export, as `conn` sees the record: one snapshot of it. Raises `NotWanted`.

    Nobody has seen anything yet: `keep` must be called before the files are told of, in the transaction that does.
    """
    made = Made(settled_at(conn, lens.at))
    asked = _wanted(conn, lens, export)
    with files.Writing(export.id, folder) as writing:
        _of_people(writing, made, exporting.of_people(conn, lens, asked), _output, wanted)
        if asked.since is not None:
            _of_people(writing, made, exporting.ended(conn, lens, asked), _deleted, wanted)
        for line in exporting.of_nobody(conn, lens, asked):
            _write(writing, made, line, _output)
        for one in export.asked.ignored:
            writing.line(files.ERROR, "OperationOutcome", _ignored(one["place"], one["why"]))
    made.files = writing.files
    return made


def settled_at(conn: Connection, now: datetime) -> datetime:
    """Up to when all changes are in what this transaction sees.

    A change bears the moment at which its transaction was under way. What is not committed yet bears none before the
    oldest transaction began: that is as far as this snapshot can vouch for. What is newer and in it comes again next time.
    """
    age: timedelta = conn.execute(_OLDEST).scalar_one()
    return now - max(age, timedelta(0)) - LAG


_OLDEST = text("""
select coalesce(max(clock_timestamp() - xact_start), interval '0')
from pg_stat_activity where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
  and xact_start is not null
""")


def _wanted(conn: Connection, lens: Lens, export: Export) -> Wanted:
    asked = export.asked
    types = lens.requester.types if lens.requester is not None else None
    persons = None if asked.patients is None else exporting.people_of(conn, lens, asked.patients)
    named = tuple(one for one in asked.types if types is None or one in types)
    return Wanted(named, asked.since, persons)


_Say = Callable[[Line], tuple[str, str, str]]  # kind of file, type of its lines, the line


def _output(line: Line) -> tuple[str, str, str]:
    return files.OUTPUT, line.type, line.body


def _deleted(line: Line) -> tuple[str, str, str]:
    """Bulk Data 2.0, `deleted`: a transaction that deletes it."""
    request = {"method": "DELETE", "url": f"{line.type}/{line.key}"}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [{"request": request}]}
    return files.DELETED, "Bundle", exact_json.dumps(bundle).decode()


def _of_people(
    writing: files.Writing, made: Made, lines: Iterator[Line], say: _Say, wanted: Callable[[], bool]
) -> None:
    for person, theirs in groupby(_watched(lines, wanted), key=lambda line: line.person):
        count = 0
        for line in theirs:
            _write(writing, made, line, say)
            count += 1
        if person is not None:
            writing.seen(person, count)


def _watched(lines: Iterator[Line], wanted: Callable[[], bool]) -> Iterator[Line]:
    for number, line in enumerate(lines):
        if number % LOOK_UP == 0 and not wanted():
            raise NotWanted
        yield line


def _write(writing: files.Writing, made: Made, line: Line, say: _Say) -> None:
    writing.line(*say(line))
    made.rules.add(line.rule)
    made.counts[line.type] += 1


def _ignored(place: str, why: str) -> str:
    issue = {"severity": "information", "code": "not-supported", "diagnostics": f"{place}: {why}"}
    return exact_json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}).decode()


def keep(conn: Connection, lens: Lens, export: Export, made: Made, folder: Path) -> None:
    """Audit it: one row of what it was, with counts by type, and rows that name everybody who is in it."""
    told = {"export": str(export.id)}
    rules, asked = tuple(sorted(made.rules)), lens.requester
    for people in files.everybody_seen(folder, IN_A_ROW):
        person, named = _named([key for key, _ in people])
        count = sum(number for _, number in people)
        append(conn, Event("export", asked, person, "$export, of people", count, rules, detail=told | named), lens.at)
    detail: dict[str, Any] = told | {"types": dict(sorted(made.counts.items())), "level": export.asked.level}
    event = Event("export", asked, query="$export", count=made.counts.total(), rules=rules, detail=detail)
    append(conn, event, lens.at)


def _named(people: list[PersonKey]) -> tuple[PersonKey | None, dict[str, list[str]]]:
    """As the audit keeps whom a look was at: one in its own column, several in the detail."""
    keys: list[UUID] = sorted(set(people), key=str)
    return (PersonKey(keys[0]), {}) if len(keys) == 1 else (None, {"persons": [str(one) for one in keys]})


__all__ = ["Made", "NotWanted", "keep", "make", "settled_at"]
