"""Server time of the pages that people look at all day, through the whole application, beside a bare Flask view.

A request is all that the server does for it: session, lens, the questions, the template, the audit rows, their commit.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from sqlalchemy import Engine, event
from werkzeug.test import EnvironBuilder, run_wsgi_app

from benchmarks import bare
from benchmarks.figures import Figure, Floor, slowest, typical
from benchmarks.filled import Filled, filled
from benchmarks.machine import Meter
from benchmarks.world import World

ROUNDS = 4
PAGES = 25  # requests of each page a round
FLOORS = 250
WARM = 5
TARGET = 80  # milliseconds
ITEMS = 200


@dataclass
class Times:
    """Milliseconds of each request; CPU milliseconds a request of each round; statements of one request."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    statements: int = 0


def figures(world: World) -> Iterator[Figure]:
    """The person's page, the caseload, one refreshed timeline; the median and the slowest of twenty."""
    here = filled(world)
    asked = {
        "the person's page": _signed_in(here, f"/people/{here.person}"),
        "its timeline alone": _signed_in(here, f"/people/{here.person}", HTTP_HX_REQUEST="true"),
        "the caseload": _signed_in(here, "/caseload"),
    }
    shown = _shown(here.app, asked["the person's page"])
    if shown < ITEMS:
        raise AssertionError(f"the page shows {shown} items, not {ITEMS}")
    times, floor = _measured(world, here, asked)
    for name, one in times.items():
        of_page = name == "the person's page"
        yield Figure(
            f"{name} ({shown} items)" if of_page else name,
            *(typical(one.wall), "ms", typical(one.cpu), floor),
            target=TARGET if of_page else None,
            about={"statements": one.statements, "requests": len(one.wall)},
        )
        if of_page:
            yield Figure(f"{name}, 95 of 100", slowest(one.wall), "ms", None, floor)
    for name, one in times.items():
        yield Figure(f"{name}: SQL statements", one.statements, "a request")


def _measured(world: World, here: Filled, asked: dict[str, Any]) -> tuple[dict[str, Times], Floor]:
    """Round by round, the floor in each: whatever else the machine does meets all of them."""
    plain = bare.bare(here.engine)
    floor, least = EnvironBuilder(path=f"/row/{here.person}").get_environ(), Times()
    times = {name: Times() for name in asked}
    for _ in range(WARM):
        for environ in asked.values():
            answer(here.app, environ)
        answer(plain, floor)
    for name, environ in asked.items():
        times[name].statements = _statements(here.engine, here.app, environ)
    meter = Meter(world.server)
    for _ in range(ROUNDS):
        meter.mark()
        least.wall += [answer(plain, floor)[0] for _ in range(FLOORS)]
        least.cpu.append(meter.spent().cpu * 1000 / FLOORS)
        for name, environ in asked.items():
            meter.mark()
            times[name].wall += [answer(here.app, environ)[0] for _ in range(PAGES)]
            times[name].cpu.append(meter.spent().cpu * 1000 / PAGES)
    return times, Floor(bare.IS, typical(least.wall), typical(least.cpu))


def _signed_in(here: Filled, path: str, **more: str) -> dict[str, Any]:
    return EnvironBuilder(path=path).get_environ() | {"HTTP_COOKIE": here.cookie(), **more}


def answer(app: Flask, environ: dict[str, Any]) -> tuple[float, bytes]:
    """Milliseconds until the last byte of the answer, and the answer. Raises AssertionError for anything but a 200."""
    began = time.perf_counter()
    body, status, _ = run_wsgi_app(app.wsgi_app, dict(environ), buffered=True)
    told = b"".join(body)
    spent = (time.perf_counter() - began) * 1000
    if not status.startswith("200"):
        raise AssertionError(f"{environ['PATH_INFO']} answered {status}")
    return spent, told


def _shown(app: Flask, environ: dict[str, Any]) -> int:
    """How many items of the timeline the page says that it shows."""
    said = re.search(rb'data-says-count="(\d+) item', answer(app, environ)[1])
    return int(said[1]) if said else 0


def _statements(engine: Engine, app: Flask, environ: dict[str, Any]) -> int:
    """How many statements one request sends, beside begin, commit and the pool's ping."""
    sent: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        answer(app, environ)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len(sent)
