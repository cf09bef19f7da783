"""What the lens costs: a search with it beside the same search without it, and one decision in process.

Over HTTP, as it is asked, and at the function that searches: there nothing else is in the figure.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from benchmarks import fhir
from benchmarks.figures import Figure, Floor, more, typical
from benchmarks.filled import WORKER, Filled, filled
from benchmarks.machine import Meter
from benchmarks.serving import Asked, Clients, served
from benchmarks.world import NOW, World
from carelink.consent.facts import Directed, Facts, Labelled
from carelink.consent.known import facts_of, items_of
from carelink.consent.lens import Lens
from carelink.identity import requesters
from carelink.record import search
from carelink.record.query import Query

ROUNDS, SEARCHES, WARM = 8, 100, 30
ASKINGS, ASKED = 15, 300  # rounds over HTTP, and requests in each
ADDS = 15  # per cent, at most
DECISION = 200  # microseconds, at most
SHOWN = 20


def figures(world: World) -> Iterator[Figure]:
    """Milliseconds of a search, what the lens adds to it, and microseconds of a decision."""
    here = filled(world)
    yield from _over_http(here)
    with here.database.engine.connect() as conn:
        lens = Lens.compile(world.place, requesters.requester(conn, world.place, WORKER), NOW)
        query = _query(conn, here, lens)
        asking = {"with": _asks(conn, lens, query), "without": _asks(conn, _without(lens), query)}
        wall, cpu = _measured(world, asking)
        yield from _told("the function that searches about one person", wall, cpu)
        yield _decision(conn, here, lens)


def _over_http(here: Filled) -> Iterator[Figure]:
    """Searches by a system, in turn of an application with the lens and of one whose lens hides nothing."""
    known = fhir.reads(here)
    asked = {"one person's observations": known.newest, "Patient by identifier": known.searches}
    with (
        served(here, "lens", "carelink.wsgi:create()", workers=1) as lens,
        served(here, "unlensed", "benchmarks.unlensed:create()", workers=1) as bare,
        Clients(1) as asking,
    ):
        for name, paths in asked.items():
            done: dict[str, list[Asked]] = {"with": [], "without": []}
            for _ in range(ASKINGS + 1):
                for which, server in (("with", lens), ("without", bare)):
                    done[which].append(asking.ask(here, server, paths, known.headers, ASKED))
            # In the first round each worker's statements are made and planned.
            wall = {which: [1000 / one.a_second for one in each[1:]] for which, each in done.items()}
            cpu = {which: [one.cpu * 1000 for one in each[1:]] for which, each in done.items()}
            yield from _told(f"{name}, over HTTP", wall, cpu, target=ADDS)


Spent = Mapping[str, Sequence[float]]


def _told(name: str, wall: Spent, cpu: Spent, target: float | None = None) -> Iterator[Figure]:
    """What it takes, and what the lens adds to it."""
    floor = Floor("the same search without the lens", typical(wall["without"]), typical(cpu["without"]))
    yield Figure(name, typical(wall["with"]), "ms", typical(cpu["with"]), floor)
    added, spent = more(wall["with"], wall["without"]), more(cpu["with"], cpu["without"])
    yield Figure("… the lens adds", typical(added), "%", typical(spent), target=target, rounds=tuple(added))


class _Bare(Lens):
    """The same requester, of whom nothing is asked: what the search costs but for the predicate."""

    where = Lens.system("", NOW).where
    body = Lens.system("", NOW).body
    ground = Lens.system("", NOW).ground


def _without(lens: Lens) -> Lens:
    return _Bare(lens.at, lens.standing, user=lens.user, may=lens.may)


def _query(conn: Connection, here: Filled, lens: Lens) -> Query:
    """What both see whole: else one would have less to fetch."""
    for category in ("medicines", "problems", "results"):
        query = Query(person=here.person, categories=(category,), count=SHOWN)
        seen, all_ = (search.run(conn, one, query).rows for one in (lens, _without(lens)))
        if len(seen) == SHOWN and [row.key for row in seen] == [row.key for row in all_]:
            return query
    raise AssertionError("there is nothing that the worker sees all of")


def _asks(conn: Connection, lens: Lens, query: Query) -> Callable[[], None]:
    def ask() -> None:
        search.run(conn, replace(lens), query)  # a lens anew, as each request makes one
        conn.commit()

    return ask


def _measured(
    world: World, asking: dict[str, Callable[[], None]]
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Milliseconds a search of each round, by the clock on the wall and by CPU time."""
    wall: dict[str, list[float]] = {name: [] for name in asking}
    cpu: dict[str, list[float]] = {name: [] for name in asking}
    for ask in asking.values():
        for _ in range(WARM):
            ask()
    meter = Meter(world.server)
    for _ in range(ROUNDS):
        for name, ask in asking.items():
            meter.mark()
            began = time.perf_counter()
            for _ in range(SEARCHES):
                ask()
            wall[name].append((time.perf_counter() - began) * 1000 / SEARCHES)
            cpu[name].append(meter.spent().cpu * 1000 / SEARCHES)
    return wall, cpu


def _decision(conn: Connection, here: Filled, lens: Lens) -> Figure:
    """Of everything that is held about the person, with a consent of some exceptions."""
    known = facts_of(conn, here.person)
    nested = (
        Directed("deny", categories=frozenset({"other"})),
        Directed("permit", depth=1, role="social-worker", categories=frozenset({"other"})),
        Directed("deny", depth=2, types=frozenset({"Flag"}), purposes=frozenset({"CAREMGT"})),
    )
    facts = replace(known, directed=(*known.directed, *nested))
    items = list(items_of(conn, here.person, facts))
    rounds = tuple(_each(lens, items, facts) for _ in range(ROUNDS))
    return Figure("one decision, in process", typical(rounds), "us", target=DECISION, rounds=rounds)


def _each(lens: Lens, items: list[Labelled], facts: Facts) -> float:
    began = time.perf_counter()
    for one in items:
        lens.decide(one, facts)
    return (time.perf_counter() - began) * 1_000_000 / len(items)
