"""Non-interference of the search language: chains, `_has`, `:missing`, orders, totals and includes tell nothing withheld.

The routes are among those of test_non_interference; here nothing else is asked, so that each way comes often.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import Random

import pytest
from worlds_asking import Site
from worlds_changes import CHANGES
from worlds_pairs import Pair, Tally, asked_in, askers, run
from worlds_routes_searches import SEARCHES

from carelink.db.embedded import Embedded
from carelink.place import Place

PAIRS = 1000 if os.environ.get("CARELINK_SOAK") else 60
ASKS = 24


@pytest.fixture(scope="module")
def site(postgres: Embedded, place: Place) -> Iterator[Site]:
    with asked_in(postgres, place, "worlds_search") as made:
        yield made


def test_no_way_of_searching_tells_what_is_withheld(site: Site, place: Place) -> None:
    tally = Tally()
    who = [one for one in askers(place) if "system" in one.mostly]
    for seed in range(PAIRS):
        chance = Random(f"searches {seed}")
        changes = tuple(chance.sample(tuple(CHANGES), 5))
        run(site, Pair(seed, who[seed % len(who)], changes, ASKS, tuple(SEARCHES)), tally)
    assert tally.compared.total() >= PAIRS * ASKS // 3, tally
    assert all(tally.good[name] for name in SEARCHES), tally
