"""How fast what the sources gave becomes stored, linked, indexed resources in one process; beside COPY of the same rows.

Every resource is repaired, validated by the models and by the second look, labelled, linked to a person, indexed and
written with its history, by `ingest` as a pull calls it: a durable transaction a batch, small batches joined. What is
measured does not include asking the sources and mapping their answers to R4; that is a figure of its own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import func, select

from benchmarks.figures import Figure, Floor, typical
from benchmarks.machine import Meter, Spent
from benchmarks.world import NOW, Database, World
from carelink.db import tables
from carelink.record.ingest import ingest
from carelink.record.validation import check
from carelink.record.validation_shapes import model_of
from fhir_adapters.source import Batch

ROUNDS = 3
TARGET = 1500  # resources/s
PEER = 244  # Medplum 5, transaction Bundles, on two cores
WARM = 12  # batches before the first round: models, statements and plans are made when they are first met
COPIED = (
    "resource",
    "resource_version",
    "index_token",
    "index_string",
    "index_date",
    "index_reference",
    "index_number",
)
Batches = Sequence[tuple[str, Batch]]


@dataclass
class Rounds:
    """What each round took, resources a second."""

    first: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    copied: list[float] = field(default_factory=list)
    cpu_copied: list[float] = field(default_factory=list)
    cpu_first: list[float] = field(default_factory=list)
    cpu_again: list[float] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)


def figures(world: World) -> Iterator[Figure]:
    """Resources a second for a first pull, for the same again, for the models alone, and for asking and mapping."""
    pulled = world.pulled
    batches, count, rounds = pulled.joined(), pulled.count, Rounds()
    _warm_up(world, batches)
    for number in range(ROUNDS):
        _round(world, batches, count, rounds, number)
    says = "COPY of the same rows into empty tables with the same indexes"
    floor = Floor(says, typical(rounds.copied), typical(rounds.cpu_copied))
    yield Figure(
        "ingest, first pull",
        *(typical(rounds.first), "resources/s", typical(rounds.cpu_first), floor, TARGET),
        at_least=True,
        rounds=tuple(rounds.first),
        peer=PEER,
        about={"resources": count, "transactions": len(batches)} | rounds.kept,
    )
    yield Figure(
        "ingest, the same again",
        *(typical(rounds.again), "resources/s", typical(rounds.cpu_again), floor),
        at_least=True,
        rounds=tuple(rounds.again),
    )
    yield Figure("validating by the models alone", _models_alone(batches), "resources/s", at_least=True)
    yield Figure("asking and mapping, five sources", count / pulled.seconds, "resources/s", at_least=True)


def _round(world: World, batches: Batches, count: int, rounds: Rounds, number: int) -> None:
    measured, empty = world.database(f"measured_{number}"), world.database(f"floor_{number}")
    first = pull(world, measured, batches)
    rounds.kept = _kept(measured)
    again = pull(world, measured, batches)
    if rounds.kept != _kept(measured):
        raise AssertionError("pulling again changed the record")
    rounds.first.append(count / first.wall)
    rounds.cpu_first.append(count / first.cpu)
    rounds.again.append(count / again.wall)
    rounds.cpu_again.append(count / again.cpu)
    copied = _copied(world, measured, empty, len(batches))
    rounds.copied.append(count / copied.wall)
    rounds.cpu_copied.append(count / copied.cpu)
    for one in (measured, empty):
        world.drop(one)


def pull(world: World, database: Database, batches: Batches) -> Spent:
    """What it takes to store all of them, each committed."""
    meter = Meter(world.server)
    for source, batch in batches:
        with database.engine.begin() as conn:
            ingest(conn, world.place, world.place.source(source), batch, NOW)
    return meter.spent()


def _warm_up(world: World, batches: Batches) -> None:
    for item in {item.type: item for _, batch in batches for item in batch.items}.values():
        check(item.type, item.body)
    scratch = world.database("scratch")
    pull(world, scratch, batches[:WARM])
    world.drop(scratch)


def _kept(database: Database) -> dict[str, Any]:
    """Rows of each table: that it was all really stored, indexed, linked, and refused where it should be."""
    told = (*COPIED, "person", "person_link", "quarantine", "relationship")
    with database.engine.connect() as conn:
        kept: dict[str, Any] = {name: _count(conn, tables.metadata.tables[name]) for name in told}
        repaired = select(func.count()).where(tables.resource.c.type == "Provenance")
        labelled = select(func.count()).where(tables.resource.c.sensitivities != 0)
        kept |= {"repaired": conn.execute(repaired).scalar(), "sensitive": conn.execute(labelled).scalar()}
    if empty := [name for name, rows in kept.items() if not rows and name != "quarantine"]:
        raise AssertionError(f"nothing was kept in {', '.join(empty)}: this is no ingest")
    return kept


def _count(conn: Any, table: Any) -> int:
    return int(conn.execute(select(func.count()).select_from(table)).scalar_one())


def _models_alone(batches: Batches) -> float:
    """Validations a second by `fhir.resources` and nothing else: what of the cost is theirs."""
    bodies = [(model_of(item.type), item.body) for _, batch in batches for item in batch.items]
    began = time.process_time()
    for model, body in bodies:
        try:
            if model is not None:
                model.model_validate(body)
        except ValueError:
            continue  # before repair, with the source's ids: invalid ones are looked at as thoroughly
    return len(bodies) / (time.process_time() - began)


def _copied(world: World, measured: Database, empty: Database, parts: int) -> Spent:
    """What it takes to COPY what was stored into an empty database of the same tables, in as many transactions."""
    with psycopg.connect(measured.url) as source:
        rows = {table: _split(_dumped(source, table), parts) for table in COPIED}
    with psycopg.connect(empty.url) as target:
        meter = Meter(world.server)
        for part in range(parts):
            for table in COPIED:
                with target.cursor() as cursor, cursor.copy(_command("copy {} from stdin", table)) as copy:
                    copy.write(b"".join(rows[table][part]))
            target.commit()
        return meter.spent()


def _dumped(conn: psycopg.Connection, table: str) -> list[bytes]:
    with conn.cursor() as cursor, cursor.copy(_command("copy {} to stdout", table)) as copy:
        return b"".join(bytes(block) for block in copy).splitlines(keepends=True)


def _split(lines: list[bytes], parts: int) -> list[list[bytes]]:
    size = -(-len(lines) // parts)
    return [lines[part * size : (part + 1) * size] for part in range(parts)]


def _command(text: str, table: str) -> sql.Composed:
    return sql.SQL(text).format(sql.Identifier(table))
