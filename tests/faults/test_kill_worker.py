"""kill -9 of the worker in the middle of a pull, and pulling again: the same store, byte for byte."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest
from jobs_builders import dump
from processes import command, run, simulators, until
from sqlalchemy import Engine, func, select

from carelink.db import embedded, sync
from carelink.db.engine import engine_for
from carelink.db.tables import resource, source_state
from carelink.place import Place

PEOPLE = 40
FROZEN = "2026-11-24T12:00:00+00:00"
POINTS = 24 if os.environ.get("CARELINK_SOAK") else 4
Environ = dict[str, str]


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
    assert again == first, "pulling again changes nothing"
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


@pytest.mark.parametrize("seed", range(POINTS))
def test_a_killed_worker_loses_nothing_and_doubles_nothing(
    seed: int, sources: Environ, undisturbed: dict[str, list[str]], fresh: Callable[[str], tuple[Engine, str]]
) -> None:
    engine, url = fresh(f"killed_{seed}")
    whole = len(undisturbed["resource"])
    point = int(whole * (seed + Random(seed).random()) / POINTS)
    with command("worker", **sources, CARELINK_DATABASE_URL=url) as worker:
        until(lambda: stored(engine) >= min(point, whole - 1), f"{point} of {whole} are stored")
        worker.kill()
        worker.wait()
    broken_off = stored(engine) < whole
    pull_all(sources, url)
    assert broken_off or seed == POINTS - 1, "it was killed in the middle"
    assert differences(dump(engine), undisturbed) == []


def differences(one: dict[str, list[str]], other: dict[str, list[str]]) -> list[str]:
    """The first line in which each table differs."""
    return [
        f"{name}: {next(iter(sorted(set(one[name]) ^ set(other[name]))), 'one line more often')[:600]}"
        for name in other
        if one[name] != other[name]
    ]


def test_the_dump_sees_what_it_should(undisturbed: dict[str, list[str]], tmp_path: Path) -> None:
    assert {"resource", "resource_version", "index_token", "person", "person_link", "quarantine"} <= set(undisturbed)
    assert len(undisturbed["resource"]) > 500
