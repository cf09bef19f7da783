"""A million events, sealed and verified: `make bench-audit`. Not in `make bench`, for the filling alone takes longer."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.audit import MILLION, trail
from benchmarks.figures import Figure
from benchmarks.world import World


def figures(world: World) -> Iterator[Figure]:
    """Microseconds to seal an event, seconds to verify the million."""
    yield from trail(world, MILLION)
