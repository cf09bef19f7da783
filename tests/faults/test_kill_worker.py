"""kill -9 of the workers in the middle of a pull, and pulling again: the same store, byte for byte.

What is compared, and what is not and why, stands in `jobs_builders.dump`.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from random import Random

import pytest
from jobs_builders import dump
from processes import command, free_port, redis_server, run, simulators, until
from sqlalchemy import Engine, func, select

from carelink.db import embedded, sync
from carelink.db.engine import engine_for
from carelink.db.tables import metadata, resource, source_state
from carelink.place import Place

PEOPLE = 40
FROZEN = "2026-11-24T12:00:00+00:00"
POINTS = 24 if os.environ.get("CARELINK_SOAK") else 3
Environ = dict[str, str]
Process = subprocess.Popen[str]
Carrier = Callable[[Environ, Path], AbstractContextManager[list[Process]]]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environ]:
    with simulators(tmp_path_factory.mktemp("sources"), PEOPLE) as told:
        yield {**told, "CARELINK_NOW": FROZEN}


@pytest.fixture(scope="module")
def fresh(postgres: embedded.Embedded, place: Place) -> Iterator[Callable[[str], tuple[Engine, str]]]:
    """Makes databases, each empty but for the organisations and staff."""
    made: list[tuple[Engine, str]] = []

    def make(name: str) -> tuple[Engine, str]:
        url = postgres.database(name, template="template_carelink")
        engine = engine_for(url)
        with engine.begin() as conn:
            sync.sync(conn, place)
        made.append((engine, name))
        return engine, url

    yield make
    for engine, name in made:
        engine.dispose()
        postgres.drop(name)


@pytest.fixture(scope="module")
def undisturbed(sources: Environ, fresh: Callable[[str], tuple[Engine, str]]) -> dict[str, list[str]]:
    """The store after a worker did all by itself, and after pulling everything again."""
    engine, url = fresh("undisturbed")
    with command("worker", **sources, CARELINK_DATABASE_URL=url):
        until(lambda: all_good(engine), "the worker has pulled every source")
    first = dump(engine)
    pull_all(sources, url)
    again = dump(engine)
    assert differences(again, first) == [], "pulling again changes nothing"
    return again


def all_good(engine: Engine) -> bool:
    with engine.connect() as conn:
        return list(conn.execute(select(source_state.c.status)).scalars()) == ["good"] * 5


def stored(engine: Engine) -> int:
    with engine.connect() as conn:
        return conn.execute(select(func.count()).select_from(resource)).scalar_one()


def pull_all(sources: Environ, url: str) -> None:
    done = run("pull", "--all", **sources, CARELINK_DATABASE_URL=url)
    assert (done.returncode, done.stderr) == (0, "")


@contextmanager
def from_the_table(environ: Environ, folder: Path) -> Iterator[list[Process]]:
    """One worker without Redis."""
    with command("worker", **environ) as worker:
        yield [worker]


@contextmanager
def over_rq(environ: Environ, folder: Path, workers: int = 1) -> Iterator[list[Process]]:
    """Redis, a relay, and a worker. (With two, sources come at the same time, and who came first names the person.)"""
    port = free_port()
    environ = {**environ, "CARELINK_REDIS_URL": f"redis://127.0.0.1:{port}/0"}
    with redis_server(folder, port), command("relay", **environ), ExitStack() as stack:
        yield [stack.enter_context(command("worker", **environ)) for _ in range(workers)]


CASES = [
    *(pytest.param(from_the_table, seed, id=f"from the table {seed}") for seed in range(POINTS)),
    *(pytest.param(over_rq, seed, id=f"over RQ {seed}", marks=pytest.mark.rq) for seed in range(POINTS - 1)),
]


@pytest.mark.parametrize(("carrier", "seed"), CASES)
def test_killed_workers_lose_nothing_and_double_nothing(
    carrier: Carrier,
    seed: int,
    sources: Environ,
    undisturbed: dict[str, list[str]],
    fresh: Callable[[str], tuple[Engine, str]],
    tmp_path: Path,
) -> None:
    engine, url = fresh(f"killed_{carrier.__name__}_{seed}")
    whole = len(undisturbed["resource"])
    point = int(whole * (seed + Random(seed).random()) / POINTS)
    with carrier({**sources, "CARELINK_DATABASE_URL": url}, tmp_path) as workers:
        until(lambda: stored(engine) >= min(point, whole - 1), f"{point} of {whole} are stored")
        for worker in workers:
            worker.kill()
        for worker in workers:
            worker.wait()
    broken_off = stored(engine) < whole
    pull_all(sources, url)
    assert broken_off or seed >= POINTS - 2, "it was killed in the middle"
    assert differences(dump(engine), undisturbed) == []


def differences(one: dict[str, list[str]], other: dict[str, list[str]]) -> list[str]:
    """The first lines in which each table differs."""
    return [
        f"{name}: {' and '.join(sorted(set(one[name]) ^ set(other[name]))[:2])[:1500] or 'one line more often'}"
        for name in other
        if one[name] != other[name]
    ]


@pytest.mark.rq
def test_sources_that_two_workers_pull_at_the_same_time_give_the_same_people(
    sources: Environ,
    undisturbed: dict[str, list[str]],
    fresh: Callable[[str], tuple[Engine, str]],
    tmp_path: Path,
) -> None:
    engine, url = fresh("at_the_same_time")
    with over_rq({**sources, "CARELINK_DATABASE_URL": url}, tmp_path, workers=2):
        until(lambda: all_good(engine), "both have pulled every source")
    pull_all(sources, url)  # whom the others named meanwhile, the per-person sources are asked about
    found = dump(engine)
    assert people(found) == people(undisturbed)
    for name in ("resource", "relationship", "directive", "quarantine"):
        assert len(found[name]) == len(undisturbed[name]), name


def people(dumped: dict[str, list[str]]) -> set[frozenset[str]]:
    """Which Patients are one person, whatever that person is called."""
    of: dict[str, set[str]] = defaultdict(set)
    for line in dumped["person_trait"]:
        patient, person = re.findall(r"UUID\('([^']+)'\)", line)[:2]
        of[person].add(patient)
    return {frozenset(patients) for patients in of.values()}


def test_the_dump_sees_what_it_should(undisturbed: dict[str, list[str]]) -> None:
    seen = {
        "resource",
        "resource_version",
        "person",
        "person_link",
        "person_trait",
        "quarantine",
        "source_state",
        "cursor",
    }
    assert seen <= set(undisturbed)
    assert {name for name in metadata.tables if name.startswith("index_")} <= set(undisturbed)
    assert len(undisturbed["resource"]) > 500
    assert all(undisturbed[name] for name in seen - {"quarantine"}), "none of them is empty"
