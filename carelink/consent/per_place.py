"""What is worked out once for a place pack and then only looked up."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from carelink.place import Place

T = TypeVar("T")
_KEPT = 8  # a server has one place; tests have a few


class PerPlace(Generic[T]):
    """Calls `make` once for each place. A `Place` holds mappings and so has no hash: it is known by its identity."""

    def __init__(self, make: Callable[[Place], T]) -> None:
        self._make = make
        self._made: OrderedDict[int, tuple[Place, T]] = OrderedDict()

    def __call__(self, place: Place) -> T:
        """What `make` gave for this very place."""
        found = self._made.get(id(place))
        if found is not None and found[0] is place:
            return found[1]
        made = self._make(place)
        self._made[id(place)] = (place, made)
        if len(self._made) > _KEPT:
            self._made.popitem(last=False)
        return made
