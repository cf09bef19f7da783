"""What a web process holds in memory after it has served pages for a while."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.figures import Figure
from benchmarks.filled import filled
from benchmarks.serving import Clients, served
from benchmarks.world import World

PAGES = 200
TARGET = 250  # megabytes
PEER = 890


def figures(world: World) -> Iterator[Figure]:
    """Of the largest web process: all that it maps, what is its own, and its own with its share of what is shared."""
    here = filled(world)
    with served(here, "web", "carelink.wsgi:create()") as server, Clients() as asking:
        paths = [f"/people/{here.person}", "/caseload"]
        asking.ask(here, server, paths, {"Cookie": here.cookie()}, 2 * PAGES)
        held = [one.memory_full_info() for one in server.workers]
    about = {"workers": len(held), "pages": PAGES}
    yield Figure(
        "memory of a web process (RSS)", _mb(max(one.rss for one in held)), "MB", target=TARGET, peer=PEER, about=about
    )
    yield Figure("… that is its own (USS)", _mb(max(one.uss for one in held)), "MB")
    yield Figure("… with its share of the rest (PSS)", _mb(max(one.pss for one in held)), "MB")


def _mb(size: int) -> float:
    return size / 2**20
