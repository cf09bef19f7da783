"""The decision as a value and the decision as SQL are one: on 100,000 random cases, seeded so that each can be run again."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from random import Random, SystemRandom
from uuid import UUID

import pytest
from conftest import NOW
from consent_builders import lens_of, store_item, store_person
from consent_random import PLACES, requesters, world
from sqlalchemy import Connection, Engine, select

from carelink.consent.facts import Facts, Grant, Labelled
from carelink.consent.known import facts_of
from carelink.consent.lens import Lens
from carelink.consent.rules import BY_ID, Decision, Effect
from carelink.db.tables import resource
from carelink.ids import PersonKey

SOAK = bool(os.environ.get("CARELINK_SOAK"))
WORLDS = 80 if SOAK else 8
PERSONS, EACH = 45, 17  # in a world; 20 ask in each
FIRST = SystemRandom().randrange(10**6) if SOAK else 0
NOT_ABOUT_AN_ITEM = {"L6-consent-exception", "L0-system", "L0-identity", "L10-opt-out", "L10-counted"}


def decided(lens: Lens, items: dict[UUID, Labelled], people: dict[PersonKey, Facts]) -> dict[UUID, Decision]:
    return {key: lens.decide(one, people[one.person] if one.person else Facts()) for key, one in items.items()}


def asked(conn: Connection, lens: Lens) -> dict[UUID, Effect]:
    rows = conn.execute(select(resource.c.key, lens.body().label("sent")).where(lens.where()))
    return {row.key: Effect.PERMIT if "FULL" in row.sent else Effect.REDACT for row in rows}


def grounds(conn: Connection, lens: Lens) -> dict[UUID, str]:
    """By which rule each row is shown, as the audit keeps it."""
    rows = conn.execute(select(resource.c.key, lens.ground().label("ground")).where(lens.where()))
    return {row.key: lens.shown_by(row.ground).rule for row in rows}


def with_glass(lens: Lens, known: Facts) -> Facts:
    assert lens.standing is not None
    asks = lens.standing.requester
    return replace(known, grants=(*known.grants, Grant(asks.user, asks.organisation, NOW, NOW.replace(year=2027))))


def breakable(lens: Lens, key: PersonKey, items: dict[UUID, Labelled], known: Facts) -> bool:
    """Glass would open an item."""
    assert lens.standing is not None
    asks, on = lens.standing.requester, lens.standing.terms
    if not lens.standing.cares or not on.glass or any(one.holds(asks, NOW) for one in known.grants):
        return False
    after = with_glass(lens, known)
    return any(
        lens.decide(one, known).effect is Effect.DENY and lens.decide(one, after).effect is not Effect.DENY
        for one in items.values()
        if one.person == key
    )


@pytest.mark.parametrize("seed", range(FIRST, FIRST + WORLDS))
def test_both_forms_of_the_decision_give_every_requester_the_same(engine: Engine, seed: int) -> None:
    people, items = world(seed, PERSONS, EACH)
    compared = 0
    told: Counter[str] = Counter()
    with engine.connect() as conn:
        for key, known in people.items():
            store_person(conn, key, known)
            assert facts_of(conn, key) == known, "the tables hold what was told"
        for one in items.values():
            store_item(conn, one)
        for place, requester in requesters(Random(seed), list(people)):
            lens = lens_of(requester, place)
            answers = decided(lens, items, people)
            permitted = {key: one.effect for key, one in answers.items() if one.effect is not Effect.DENY}
            assert asked(conn, lens) == permitted, (seed, PLACES.index(place), requester)
            by_rule = {key: one.rule.id for key, one in answers.items() if one.effect is not Effect.DENY}
            assert grounds(conn, lens) == by_rule, (seed, PLACES.index(place), requester)
            told.update(one.rule.id for one in answers.values())
            compared += len(answers)
            for key, known in people.items():
                assert lens.breakable(conn, key) is breakable(lens, key, items, known), (seed, key, requester)
    assert compared >= 100_000 / 8, "eight worlds are 100,000 cases"
    assert len(told) > 15, "or the rules were hardly tried"


def test_in_all_worlds_together_every_rule_decides_something() -> None:
    told: Counter[str] = Counter()
    for seed in range(8):
        people, items = world(seed, PERSONS, EACH)
        for place, requester in requesters(Random(seed), list(people)):
            told.update(one.rule.id for one in decided(lens_of(requester, place), items, people).values())
    assert set(BY_ID) - set(told) == NOT_ABOUT_AN_ITEM
