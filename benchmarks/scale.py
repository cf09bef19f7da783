"""What systems ask of the FHIR API at 2,000 and at 20,000 people, each beside a floor of its own.

The floor sends the very rows of an answer, read by their keys in one prepared statement, from the smallest Flask view. One
server with one worker and one client, asked in turn: what differs is the work for one request.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from benchmarks import bare, fhir
from benchmarks.figures import Figure, Floor, slowest, typical
from benchmarks.filled import Filled, filled
from benchmarks.multiplied import multiplied
from benchmarks.serving import Asked, Clients, Server, served
from benchmarks.world import World

SIZES = (2_000, 20_000)
ROUNDS, ASKED = 9, 200
GROWS = 1.3  # from the smaller to the larger, at most
MANY, EACH = 16, 40  # clients at once, and requests of each
PATIENCE = 5.0  # medians that the slowest of a hundred may take
# name -> how many times the floor it may take
RATIOS: Mapping[str, float] = {
    "Patient read": 2.0,
    "one person's observations, sorted, 20 a page": 2.5,
    "Patient by identifier": 2.5,
    "$everything": 2.5,
}


@dataclass
class Question:
    """One kind of request and the same rows without it."""

    name: str
    paths: list[str]
    count: int
    asked: list[Asked] = field(default_factory=list)
    floor: list[Asked] = field(default_factory=list)

    @property
    def milliseconds(self) -> float:
        """Of one, as a client sees it."""
        return typical([1000 / one.a_second for one in self.asked])


def figures(world: World) -> Iterator[Figure]:
    """Milliseconds of a request, how many times its floor that is, and how much it grows with the number of people."""
    here = filled(world)
    medians: dict[str, list[float]] = {name: [] for name in RATIOS}
    for people in SIZES:
        larger = multiplied(world, here, people)
        for one in _measured(larger, world.folder):
            medians[one.name].append(one.milliseconds)
            yield from _told(one, people)
        yield from _crowd(larger, people)
        world.server.drop(_closed(larger))
    for name, (few, many) in medians.items():
        yield Figure(f"{name}: grows from {SIZES[0]:,} to {SIZES[1]:,} people", many / few, "times", target=GROWS)


def _closed(here: Filled) -> str:
    here.database.engine.dispose()
    return here.database.name


def _told(one: Question, people: int) -> Iterator[Figure]:
    floor = Floor(
        bare.SAME,
        typical([1000 / each.a_second for each in one.floor]),
        typical([each.cpu * 1000 for each in one.floor]),
    )
    cpu = typical([each.cpu * 1000 for each in one.asked])
    yield Figure(f"{one.name}, {people:,} people", one.milliseconds, "ms", cpu, floor)
    ratios = tuple(low.a_second / mine.a_second for mine, low in zip(one.asked, one.floor, strict=True))
    yield Figure("… times its floor", typical(ratios), "times", target=RATIOS[one.name], rounds=ratios)


def _questions(here: Filled) -> tuple[list[Question], dict[str, str]]:
    known = fhir.reads(here)
    paths = (known.patients, known.newest, known.searches, [f"{one}/$everything" for one in known.whole])
    counts = (ASKED, ASKED, ASKED, ASKED // 2)
    made = [Question(name, of, number) for name, of, number in zip(RATIOS, paths, counts, strict=True)]
    return made, known.headers


def _measured(here: Filled, folder: Path) -> list[Question]:
    """Each question and its floor, in turn."""
    questions, headers = _questions(here)
    with served(here, f"scale-{here.database.name}", "carelink.wsgi:create()", workers=1) as server:
        keys = [_keys(server, path, headers) for one in questions for path in one.paths]
        with (
            _same(folder, keys),
            served(here, f"same-{here.database.name}", "benchmarks.bare:create()", workers=1) as low,
        ):
            _ask(here, server, low, questions, headers)
    return questions


def _ask(here: Filled, server: Server, low: Server, questions: list[Question], headers: dict[str, str]) -> None:
    with Clients(1) as asking:
        for number in range(ROUNDS + 1):
            first = 0
            for one in questions:
                same = [f"/same/{first + at}" for at in range(len(one.paths))]
                first += len(one.paths)
                floor = asking.ask(here, low, same, {}, one.count)
                asked = asking.ask(here, server, one.paths, headers, one.count)
                if number:  # in the first round each worker's statements are made and planned
                    one.floor.append(floor)
                    one.asked.append(asked)


def _keys(server: Server, path: str, headers: dict[str, str]) -> list[str]:
    """The ids of what an answer holds."""
    try:
        with urlopen(Request(f"http://127.0.0.1:{server.port}{path}", headers=headers)) as answer:
            body = json.load(answer)
    except HTTPError as wrong:
        raise AssertionError(f"{path.partition('?')[0]}: {wrong.code}") from wrong
    found = [one["resource"] for one in body.get("entry", ())] if body["resourceType"] == "Bundle" else [body]
    return [one["id"] for one in found if "id" in one]


@contextmanager
def _same(folder: Path, keys: list[list[str]]) -> Iterator[None]:
    """The floor is told what it sends."""
    file = folder / "keys.json"
    file.write_text(json.dumps(keys), "utf-8")
    os.environ["CARELINK_BENCH_KEYS"] = str(file)
    try:
        yield
    finally:
        del os.environ["CARELINK_BENCH_KEYS"]


def _crowd(here: Filled, people: int) -> Iterator[Figure]:
    """How long the slowest of a hundred waits where many ask at once, by the median."""
    questions, headers = _questions(here)
    with served(here, f"crowd-{here.database.name}", "carelink.wsgi:create()") as server, Clients(MANY) as asking:
        for one in questions:
            asking.ask(here, server, one.paths, headers, MANY * EACH)
            waited = [asking.ask(here, server, one.paths, headers, MANY * EACH).each for _ in range(3)]
            ratios = tuple(slowest(each, 0.99) / typical(each) for each in waited)
            name = f"{one.name}, {people:,} people, {MANY} at once: p99"
            yield Figure(name, typical(ratios), "medians", target=PATIENCE, rounds=ratios)
