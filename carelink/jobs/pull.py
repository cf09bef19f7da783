"""One pull of one source: batches, joined where they are small, each in its transaction with its cursor.

A failure says so and stops.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from psycopg.errors import DeadlockDetected
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from carelink.audit.trail import CARELINK, Event, append
from carelink.cases.reaching import source_settings
from carelink.db.alone import alone
from carelink.jobs.joined import joined
from carelink.jobs.wanted import GIVES_RECORDS, PER_PERSON, Asked, answered_about, asked_about, everybody
from carelink.place import Place, SourceEntry
from carelink.record import quarantine, source_state
from carelink.record.ingest import IngestReport, ingest, replay
from carelink.settings import Settings
from fhir_adapters import registry
from fhir_adapters.source import Batch, SourceFailed

log = structlog.get_logger()
TRIES = 3  # of a batch that PostgreSQL broke off because two waited for each other

Clock = Callable[[], datetime]
Watcher = Callable[[Batch], None]  # told after each batch is committed


@dataclass
class PullReport:
    """What one pull did; `why` is not empty where it stopped before its end."""

    source: str
    stored: int = 0
    unchanged: int = 0
    repaired: int = 0
    quarantined: int = 0
    links: Counter[str] = field(default_factory=Counter)
    why: str = ""
    busy: bool = False  # another pull of this source is under way
    ended: int = 0  # not told by the source any more
    doubts: tuple[str, ...] = ()  # parts of which too much was gone to be believed
    erased: int = 0  # not taken in: it was erased because its time was over
    findings: Counter[str] = field(default_factory=Counter)  # rule of UK Core -> how often it fails in what is stored

    def add(self, one: IngestReport) -> None:
        """Count a batch in."""
        self.stored += one.stored
        self.unchanged += one.unchanged
        self.repaired += one.repaired
        self.quarantined += one.quarantined
        self.links += one.links
        self.ended += one.ended
        self.doubts += one.doubts
        self.erased += one.erased
        self.findings += one.findings


@dataclass(frozen=True)
class _Pull:
    """What does not change while one pull runs."""

    engine: Engine
    place: Place
    settings: Settings
    entry: SourceEntry
    clock: Clock
    watcher: Watcher
    report: PullReport


def pull(
    engine: Engine,
    place: Place,
    settings: Settings,
    source: str,
    clock: Clock,
    watcher: Watcher = lambda batch: None,
) -> PullReport:
    """Pull what changed. Does not raise for a source that fails: its standing says so, its cursor stays.

    Only one pull of a source runs at a time, whatever the number of workers: the second gives up at once, `busy`.
    Raises KeyError for a source that the place has not.
    """
    one = _Pull(engine, place, settings, place.source(source), clock, watcher, PullReport(source))
    with alone(engine, f"pull:{source}") as free:
        one.report.busy = not free
        if free:
            _told(one)
    report = one.report
    for line in report.doubts:
        log.warning("not believed", source=source, why=line)
    told = {"stored": report.stored, "ended": report.ended, "quarantined": report.quarantined}
    log.info("pulled", source=source, why=report.why, **told)
    return one.report


def _told(one: _Pull) -> None:
    """Whatever stops it, the standing of the source says so. What is no fault of the source is raised after that."""
    try:
        _run(one)
    except SourceFailed as failed:
        _stopped(one, failed.why)
    except Exception as fault:
        _stopped(one, f"stopped by a fault in CareLink ({type(fault).__name__})")
        raise


def _stopped(one: _Pull, why: str) -> None:
    one.report.why = why
    with one.engine.begin() as conn:
        source_state.failing(conn, one.entry.name, why, one.clock())
        _audit(conn, one)


def _run(one: _Pull) -> None:
    asked: list[Asked] = []
    with one.engine.begin() as conn:
        source_state.started(conn, one.entry.name, one.clock())
        standing = source_state.standings(conn)[one.entry.name]
        if one.entry.kind in PER_PERSON:
            asked = everybody(conn, one.clock(), one.settings.cohort)
    adapter = registry.make(source_settings(one.entry))
    for batch in joined(adapter.pull(standing.cursor, [who.wanted for who in asked], one.clock())):
        one.report.add(_stored(one, batch))
        one.watcher(batch)
    _finish(one, asked)


def _stored(one: _Pull, batch: Batch) -> IngestReport:
    for left in reversed(range(TRIES)):
        try:
            with one.engine.begin() as conn:
                report = ingest(conn, one.place, one.entry, batch, one.clock())
                if one.entry.kind in GIVES_RECORDS:
                    answered_about(conn, one.entry.name, batch.items, one.clock())
                return report
        except OperationalError as wrong:
            if not left or not isinstance(wrong.orig, DeadlockDetected):
                raise
    raise AssertionError("the last try returns or raises")


def _finish(one: _Pull, asked: list[Asked]) -> None:
    """The end is reached: what waited in quarantine for something that has come since is tried again."""
    with one.engine.begin() as conn:
        waiting = len(quarantine.waiting(conn, one.entry.name))
        if waiting:
            again = replay(conn, one.place, one.entry, one.clock())
            one.report.stored += again.stored
            one.report.quarantined = max(0, one.report.quarantined - (waiting - again.quarantined))
        if one.entry.kind in PER_PERSON - GIVES_RECORDS:
            asked_about(conn, one.entry.name, asked, one.clock())
        source_state.good(conn, one.entry.name, one.clock())
        _audit(conn, one)


def _audit(conn: Connection, one: _Pull) -> None:
    """One row a pull, of what was written: whom it was about is in the versions and their Provenance."""
    did = one.report
    detail = {"unchanged": did.unchanged, "quarantined": did.quarantined, "ended": did.ended}
    outcome = "failure" if did.why else "success"
    event = Event(
        "pull", user=CARELINK, query=did.source, count=did.stored, outcome=outcome, reason=did.why, detail=detail
    )
    append(conn, event, one.clock())
