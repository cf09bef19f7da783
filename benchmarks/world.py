"""What the benchmarks of one run share: a real PostgreSQL, the five simulated sources, and what they have to give."""

from __future__ import annotations

import gc
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path

import structlog
from sqlalchemy import Engine

from carelink.cases.reaching import source_settings
from carelink.db import embedded, schema, sync
from carelink.db.engine import engine_for
from carelink.demo.children import Children
from carelink.demo.environment import Sources
from carelink.jobs.joined import joined
from carelink.jobs.wanted import read_cohort
from carelink.place import Place
from carelink.place_loader import load
from fhir_adapters import registry
from fhir_adapters.source import Batch

PEOPLE = 200
SEED = 1
TODAY = date(2026, 11, 23)  # the day on which the records end
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)  # when they are pulled and looked at
PLACE = Path(__file__).resolve().parent.parent / "config" / "places" / "example"
TEMPLATE = "template_carelink"


@dataclass(frozen=True)
class Database:
    name: str
    url: str
    engine: Engine


@dataclass
class World:
    """Made once a run. Nothing of it outlives the run."""

    folder: Path
    server: embedded.Embedded
    children: Children
    place: Place
    sources: Sources
    _databases: list[Database] = field(default_factory=list)

    def database(self, name: str) -> Database:
        """A new, migrated database that knows the place's organisations and staff."""
        url = self.server.database(name, template=TEMPLATE)
        made = Database(name, url, engine_for(url))
        with made.engine.begin() as conn:
            sync.sync(conn, self.place)
        self._databases.append(made)
        return made

    def drop(self, one: Database) -> None:
        """A round's database goes when the round is over."""
        one.engine.dispose()
        self._databases.remove(one)
        self.server.drop(one.name)

    @property
    def cohort(self) -> Path:
        """Whom the sources that answer about one person at a time are asked about."""
        return self.folder / "cohort.txt"

    @cached_property
    def pulled(self) -> Pulled:
        """All that the sources give, asked and mapped by the adapters over HTTP, source by source."""
        began, batches = time.perf_counter(), []
        wanted = [one.wanted for one in read_cohort(self.cohort)]
        for entry in self.place.sources:
            adapter = registry.make(source_settings(entry, self.sources.environ()))
            batches += [(entry.name, batch) for batch in adapter.pull(None, wanted, NOW)]
        made = Pulled(tuple(batches), time.perf_counter() - began)
        gc.collect()
        gc.freeze()  # a worker holds a batch at a time: Python need not go through all of them over and over
        return made

    def close(self) -> None:
        """Let go of every database."""
        for one in self._databases:
            one.engine.dispose()


@dataclass(frozen=True)
class Pulled:
    """Batches as the adapters gave them, each with the name of its source; `seconds` to ask and map them."""

    batches: tuple[tuple[str, Batch], ...]
    seconds: float

    def joined(self) -> list[tuple[str, Batch]]:
        """As a pull stores them: small ones together."""
        names = dict.fromkeys(name for name, _ in self.batches)
        return [(name, one) for name in names for one in joined(batch for of, batch in self.batches if of == name)]

    @property
    def count(self) -> int:
        """How many resources."""
        return sum(len(batch.items) for _, batch in self.batches)


@contextmanager
def opened() -> Iterator[World]:
    """The world, and its end: no process and no file stays behind."""
    folder = Path(tempfile.mkdtemp(prefix="carelink-bench-"))
    os.environ["CARELINK_NOW"] = NOW.isoformat()  # ages of records and sources are the same in every run
    server = embedded.start(folder / "postgres")
    try:
        with (folder / "log").open("w") as log, Children(folder / "logs") as children:
            structlog.configure(logger_factory=structlog.WriteLoggerFactory(file=log))  # written, but not in the table
            _template(server)
            world = World(folder, server, children, load(PLACE), _simulators(children, folder))
            world.cohort.write_text("".join(f"{line}\n" for line in world.sources.cohort))
            yield world
            world.close()
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _template(server: embedded.Embedded) -> None:
    engine = engine_for(server.database(TEMPLATE))
    schema.upgrade(engine)
    engine.dispose()


def _simulators(children: Children, folder: Path) -> Sources:
    """The published records are served beside the invented ones where they are at hand."""
    chosen = ("--people", str(PEOPLE), "--seed", str(SEED), "--today", TODAY.isoformat())
    command = [sys.executable, "-m", "fhir_adapters.simulators", *chosen, "--dir", str(folder / "sources")]
    return Sources.read(children.start("sources", command, os.environ, speaks=True).said)


def published(world: World) -> int:
    """How many published GP records are among those that are pulled."""
    return sum("," in line for line in world.sources.cohort[PEOPLE:])
