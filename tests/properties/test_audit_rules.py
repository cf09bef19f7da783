"""The rules in a row of the audit are those by which the decision shows what was shown: no more, no fewer, no dearer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any
from uuid import UUID

from consent_builders import lens_of, store_item, store_person
from consent_random import requesters, world
from fhir_builders import statements
from sqlalchemy import Connection, Engine, select

from carelink.consent.facts import Facts, Labelled
from carelink.consent.lens import Lens
from carelink.consent.rules import Effect
from carelink.db.tables import audit_event
from carelink.ids import PersonKey, ResourceKey
from carelink.record import search, store
from carelink.record.query import Query, Row

PERSONS, EACH = 12, 30
BY_CONSENT_OR_IN_NEED = {"L6-consent-permit", "L7-overridden", "L7-break-glass", "L9-break-glass"}


def wanted(lens: Lens, items: dict[UUID, Labelled], people: dict[PersonKey, Facts], shown: Sequence[Row]) -> list[str]:
    """The rules by which the decision shows these."""
    whose = [(items[row.key], row.person) for row in shown]
    found = [lens.decide(one, people[person] if person else Facts()) for one, person in whose]
    assert all(one.effect is not Effect.DENY for one in found)
    return sorted({one.rule.id for one in found})


def kept(conn: Connection) -> Any:
    return conn.execute(select(audit_event).order_by(audit_event.c.id.desc()).limit(1)).one()


def looks(conn: Connection, lens: Lens, person: PersonKey) -> list[Callable[[], Sequence[Row]]]:
    """Every way to look at what is stored about a person."""

    def one() -> Sequence[Row]:
        row = next(iter(search.run(conn, lens, Query(person=person, count=1)).rows), None)
        return () if row is None else store.history(conn, lens, row.type, row.key)

    return [
        lambda: search.run(conn, lens, Query(person=person, count=500)).rows,
        lambda: search.run(conn, lens, Query(("Condition",), person=person, count=3)).rows,
        one,
    ]


def held(conn: Connection, seed: int) -> tuple[dict[PersonKey, Facts], dict[UUID, Labelled]]:
    people, items = world(seed, PERSONS, EACH)
    for key, known in people.items():
        store_person(conn, key, known)
    for one in items.values():
        store_item(conn, one)
    return people, items


def test_the_audit_names_the_very_rules_of_what_was_shown(conn: Connection) -> None:
    told: set[str] = set()
    for seed in range(3):
        (people, items), chance = held(conn, seed), Random(seed)
        for place, requester in requesters(chance, list(people)):
            lens = lens_of(requester, place)
            for look in (one for person in people for one in looks(conn, lens, person)):
                shown = look()
                rules = kept(conn).rules
                assert rules == wanted(lens, items, people, shown), (seed, requester)
                told.update(rules)
            named = search.by_keys(conn, lens, [ResourceKey(one) for one in chance.sample(list(items), 40)])
            assert kept(conn).rules == wanted(lens, items, people, named)
    assert told >= BY_CONSENT_OR_IN_NEED, "or the rules were hardly tried"


def test_a_look_is_two_statements_whatever_the_person_said_and_whoever_broke_the_glass(engine: Engine) -> None:
    with engine.connect() as conn:
        people, _ = held(conn, 0)
        for place, requester in requesters(Random(0), list(people)):
            lens = lens_of(requester, place)
            for person in people:
                with statements(engine) as said:
                    search.run(conn, lens, Query(person=person))
                assert said == ["with", "insert"]
