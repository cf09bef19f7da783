"""Non-interference: two worlds that differ only in what somebody may not see answer them byte for byte the same.

On every route of the application, taken from its own URL map: status, headers and body, the pages that follow, the
version that a client has, and what a form leads to. What may differ nevertheless is the list of notices that policy
allows (tests/worlds_notices.py), each with its rule.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from random import Random

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import create_engine
from worlds_asking import STILL, Site
from worlds_changes import CHANGES
from worlds_notices import NOTICES
from worlds_pairs import ROUTES, Pair, Tally, asked_in, askers, run

from carelink.app import create_app
from carelink.db.embedded import Embedded
from carelink.place import Place
from carelink.settings import Settings

SOAK = bool(os.environ.get("CARELINK_SOAK"))
PAIRS, ASKS = (2000, 40) if SOAK else (115, 30)
CASES = 60_000 if SOAK else 2_000
A_ROUTE, TURNS = 2, 60  # compared answers of each route, at least; pairs of worlds in which it must have been asked


@pytest.fixture(scope="module")
def site(postgres: Embedded, place: Place) -> Iterator[Site]:
    with asked_in(postgres, place, "worlds") as made:
        yield made


@pytest.fixture(scope="module")
def tally() -> Tally:
    """What all tests of this module asked."""
    return Tally()


def pairs(place: Place) -> st.SearchStrategy[Pair]:
    changes = st.lists(st.sampled_from(tuple(CHANGES)), min_size=3, max_size=8).map(tuple)
    return st.builds(Pair, st.integers(0, 2**32), st.sampled_from(askers(place)), changes, st.just(ASKS))


def test_worlds_that_differ_in_what_somebody_may_not_see_answer_them_byte_for_byte_the_same(
    site: Site, place: Place, tally: Tally
) -> None:
    @settings(
        max_examples=PAIRS,
        derandomize=not SOAK,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    @given(pairs(place))
    def alike(pair: Pair) -> None:
        run(site, pair, tally)

    alike()
    assert tally.compared.total() >= CASES, tally


def test_every_route_is_compared_and_did_what_was_asked_of_it(site: Site, place: Place, tally: Tally) -> None:
    """What chance left out is asked by who mostly asks it, with one change at a time."""
    asked = [name for name, route in ROUTES.items() if route.ask]
    for name in asked:
        for pair in itertools.takewhile(lambda _: lacking(tally, name), _of_route(place, name)):  # noqa: B023  used at once
            run(site, pair, tally)
    assert [name for name in asked if lacking(tally, name)] == []


def lacking(tally: Tally, name: str) -> bool:
    return tally.compared[name] < A_ROUTE or not tally.good[name]


def _of_route(place: Place, name: str) -> Iterator[Pair]:
    who = [one for one in askers(place) if ROUTES[name].whose in one.mostly]
    for seed in range(TURNS):
        change = Random(f"{name} {seed}").choice(tuple(CHANGES))
        yield Pair(seed, who[seed % len(who)], (change,), 8, (name,))


# The table ------------------------------------------------------------------------------------------


def application(place: Place) -> Flask:
    """One that nobody asks anything."""
    settings_ = Settings(place=place.folder, secret_key="x" * 40, base_url="http://localhost")
    return create_app(settings_, place, create_engine("postgresql+psycopg://nowhere/none"))


def unknown(app: Flask) -> set[str]:
    """Routes that the table doesn't know, and those of the table that the application doesn't have."""
    return {rule.endpoint for rule in app.url_map.iter_rules()} ^ set(ROUTES)


def test_every_route_of_the_application_is_asked_or_tells_nothing_of_anybody(place: Place) -> None:
    assert unknown(application(place)) == set()
    assert [name for name, route in ROUTES.items() if (route.ask is None) != bool(route.tells_nothing)] == []


def test_a_route_that_is_added_must_be_asked_too(place: Place) -> None:
    app = application(place)
    app.add_url_rule("/people/export", "dashboard.export", lambda: "")
    assert unknown(app) == {"dashboard.export"}


def test_every_notice_has_its_rule_and_a_route_that_gives_it() -> None:
    assert [one.name for one in NOTICES if not one.because or not any(map(one.endpoints.fullmatch, ROUTES))] == []
    assert [name for name, why in STILL.items() if not why] == []
