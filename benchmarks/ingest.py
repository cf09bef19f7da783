"""How fast a source's batches become stored, linked, indexed resources in one process, beside the same rows by COPY alone."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import Engine

from benchmarks.figures import Figure
from carelink.db import embedded, schema, sync
from carelink.db.engine import engine_for
from carelink.place import Place
from carelink.place_loader import load
from carelink.record.ingest import ingest
from carelink.record.validation import check
from fhir_adapters import exact_json
from fhir_adapters.simulators.hospital_resources import resources
from fhir_adapters.simulators.population import people
from fhir_adapters.source import Batch, Item

PEOPLE = 3000
BATCH = 500
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
PLACE = Path(__file__).resolve().parent.parent / "config" / "places" / "example"
TABLES = (
    "resource",
    "resource_version",
    "index_token",
    "index_string",
    "index_date",
    "index_reference",
    "index_number",
)


@dataclass(frozen=True)
class Database:
    engine: Engine
    url: str


def figures() -> Iterator[Figure]:
    """Resources a second for a first pull and for the same pull again."""
    place = load(PLACE)
    batches = _batches()
    count = sum(len(batch.items) for batch in batches)
    _warm_up(batches)
    folder = Path(tempfile.mkdtemp(prefix="carelink-bench-"))
    server = embedded.start(folder / "postgres")
    try:
        measured, floor = (_database(server, name, place) for name in ("measured", "floor"))
        first = _pull(measured, place, batches)
        again = _pull(measured, place, batches)
        copied = _copied(measured, floor, len(batches))
        measured.engine.dispose()
        floor.engine.dispose()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    alone = "the same rows by COPY alone"
    yield Figure("ingest, first pull", count / first, "resources/s", count / copied, alone, 1500, at_least=True)
    yield Figure("ingest, nothing changed", count / again, "resources/s", count / copied, alone, at_least=True)


def _database(server: embedded.Embedded, name: str, place: Place) -> Database:
    url = server.database(name)
    engine = engine_for(url)
    schema.upgrade(engine)
    with engine.begin() as conn:
        sync.sync(conn, place)
    return Database(engine, url)


def _batches() -> list[Batch]:
    """The hospital of the demo as its adapter yields it: type by type, Patients first, a page a batch."""
    found = [exact_json.loads(exact_json.dumps(one)) for one in resources(people(1, PEOPLE))]
    found.sort(key=lambda one: (one["resourceType"] != "Patient", one["resourceType"]))
    items = [Item(one["resourceType"], one["id"], one) for one in found]
    pages = [tuple(items[start : start + BATCH]) for start in range(0, len(items), BATCH)]
    return [Batch(page, {"page": number}) for number, page in enumerate(pages)]


def _warm_up(batches: Sequence[Batch]) -> None:
    """The model of each type is built when it is first met: once a process, so it is not counted."""
    for item in {item.type: item for batch in batches for item in batch.items}.values():
        check(item.type, item.body)


def _pull(database: Database, place: Place, batches: Sequence[Batch]) -> float:
    """Seconds for all of them, each committed."""
    started = time.perf_counter()
    for batch in batches:
        with database.engine.begin() as conn:
            ingest(conn, place, place.source("hospital"), batch, NOW)
    return time.perf_counter() - started


def _copied(measured: Database, floor: Database, parts: int) -> float:
    """Seconds to COPY what was stored into an empty database of the same tables, in as many transactions."""
    with psycopg.connect(measured.url) as source:
        rows = {table: _split(_dumped(source, table), parts) for table in TABLES}
    with psycopg.connect(floor.url) as target:
        started = time.perf_counter()
        for part in range(parts):
            for table in TABLES:
                with target.cursor() as cursor, cursor.copy(_command("copy {} from stdin", table)) as copy:
                    copy.write(b"".join(rows[table][part]))
            target.commit()
        return time.perf_counter() - started


def _dumped(conn: psycopg.Connection, table: str) -> list[bytes]:
    with conn.cursor() as cursor, cursor.copy(_command("copy {} to stdout", table)) as copy:
        return b"".join(bytes(block) for block in copy).splitlines(keepends=True)


def _split(lines: list[bytes], parts: int) -> list[list[bytes]]:
    size = -(-len(lines) // parts)
    return [lines[part * size : (part + 1) * size] for part in range(parts)]


def _command(text: str, table: str) -> sql.Composed:
    return sql.SQL(text).format(sql.Identifier(table))
