"""No answer depends on who asked before: nothing that was read for one is kept and given to another."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import lru_cache
from inspect import getattr_static
from random import Random
from typing import Any

import pytest
from worlds_asking import Answer, Ask, Site
from worlds_pairs import Asker, asked_in, askers, drawn, in_world
from worlds_records import world

from carelink.cases import person_page
from carelink.db.embedded import Embedded
from carelink.ids import PersonKey
from carelink.place import Place

WORLDS, ASKS = 6, 20
READS = ("dashboard.person", "dashboard.caseload", "consents.listed", "capacity.page", "portal.me", "fhir.everything", "fhir.find", "fhir.read")  # fmt: skip


@pytest.fixture(scope="module")
def site(postgres: Embedded, place: Place) -> Iterator[Site]:
    with asked_in(postgres, place, "order") as made:
        yield made


def forget() -> None:
    """Everything that a process remembers, as in one that starts."""
    ours = [module for name, module in sys.modules.items() if name.startswith("carelink.")]
    for one in [value for module in ours for value in list(vars(module).values())]:
        if getattr_static(one, "cache_clear", None) is not None:
            one.cache_clear()


def answers(site: Site, asker: Asker, asks: Sequence[Ask]) -> list[Answer]:
    found = []
    for ask in asks:
        with site.undone():
            found.append(site.ask(asker.who, ask))
    return found


def check(site: Site, place: Place, seed: int) -> int:
    """Gives how many answers are not the same where others asked before."""
    made, chance = world(seed), Random(seed)
    one, *others = chance.sample([one for one in askers(place) if one.who.user], 4)
    asks = [ask for ask, _ in drawn(seed, one, made, ASKS, READS)]
    with in_world(site, made, one):
        forget()
        alone = answers(site, one, asks)
        forget()
        for other in others:
            answers(site, other, asks)
        return sum(mine != again for mine, again in zip(alone, answers(site, one, asks), strict=True))


@pytest.mark.parametrize("seed", range(WORLDS))
def test_no_answer_depends_on_who_asked_before(seed: int, site: Site, place: Place) -> None:
    assert check(site, place, seed) == 0


def test_a_page_that_is_kept_for_the_next_who_asks_is_found(
    site: Site, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, asked = person_page.person_page, []

    @lru_cache
    def page_of(person: PersonKey) -> Any:
        return own(*asked.pop())

    def kept(*given: Any) -> Any:
        asked.append(given)
        return page_of(given[3])

    kept.cache_clear = page_of.cache_clear  # type: ignore[attr-defined]
    monkeypatch.setattr(person_page, "person_page", kept)
    assert any(check(site, place, seed) for seed in range(WORLDS))
