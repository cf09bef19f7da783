"""A subscriber hears of nothing that its client may not see, when it happens and when it is told; and can't tell that it was so.

Two worlds that differ only in what is withheld give deliveries that are equal to the byte, timestamps and signatures too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest
from fhir_builders import LONG_AGO, api, involve, people, read, system, trail
from flask.testing import FlaskClient
from ingest_builders import SNOMED, condition, item, key, take
from sqlalchemy import Engine, delete, select
from subscription_builders import (
    JSON,
    SCOPES,
    Clock,
    Server,
    Works,
    asking,
    events,
    lets,
    receiving,
    secret_of,
    status_of,
)

from carelink.cases import subscription_signing, subscriptions
from carelink.cases.subscription_topics import TOPICS
from carelink.db.embedded import Embedded
from carelink.db.engine import engine_for
from carelink.db.tables import directive, relationship, resource_version, subscription_event
from carelink.ids import PersonKey
from carelink.place import Place
from fhir_adapters import exact_json
from fhir_adapters.simulators.receiver import Receiver
from fhir_adapters.simulators.serving import Answer, Asked, Simulated
from fhir_adapters.source import Item

WHERE = "/fhir/R4/Subscription"
HIV = {"coding": [{"system": SNOMED, "code": "19030005", "display": "Human immunodeficiency virus"}]}
_numbers = count(1)


@dataclass
class Town:
    """A council that subscribes to what the hospital knows of Ann."""

    engine: Engine
    place: Place
    clock: Clock
    server: Server
    council: FlaskClient
    works: Works
    known: dict[str, PersonKey]
    set_now: Any

    def subscribe(self, topic: str = "record-changed", **more: Any) -> dict[str, Any]:
        made = self.council.post(WHERE, json=asking(self.server.url, topic, **more), content_type=JSON)
        assert made.status_code == 201, made.text
        body: dict[str, Any] = read(made)
        self.works.all()
        return body

    def later(self, **some: float) -> None:
        self.clock.later(**some)
        self.set_now(self.clock.now)

    def happens(self, *items: Item) -> None:
        """These change, a minute later."""
        self.later(minutes=1)
        with self.engine.begin() as conn:
            take(conn, self.place, items, self.clock.now)

    def objects(self) -> None:
        """Ann lets nobody see what others hold of her."""
        row = {"person": self.known["ann"], "consent": uuid4(), "rule": "L6-consent-deny", "effect": "deny"}
        with self.engine.begin() as conn:
            conn.execute(directive.insert().values(**row, made=LONG_AGO, starts=LONG_AGO))

    def numbers(self) -> list[int]:
        return [number for bundle in self.server.receiver.took for number, _ in events(bundle)]


@contextmanager
def town(postgres: Embedded, place: Place, now: datetime, set_now: Any) -> Iterator[Town]:
    name = f"subscribers_{next(_numbers)}"
    engine = engine_for(postgres.database(name, template="template_carelink"))
    clock = Clock(now)
    set_now(now)
    with receiving(clock) as server:
        here = lets(place, server.url, organisation="901")
        known, works = people(engine, here), Works(engine, here, clock)
        with engine.begin() as conn:
            involve(conn, known["ann"], "901")
        works.all()
        council = system(api(engine, here), here, "council", "901", "social-worker", SCOPES)
        made = Town(engine, here, clock, server, council, works, known, set_now)
        made.later(minutes=1)
        yield made
    engine.dispose()
    postgres.drop(name)


@pytest.fixture
def set_now(monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda now: monkeypatch.setenv("CARELINK_NOW", now.isoformat())


@pytest.fixture
def here(postgres: Embedded, place: Place, now: datetime, set_now: Any) -> Iterator[Town]:
    with town(postgres, place, now, set_now) as made:
        yield made


def sensitive(id_: str = "s1", **more: Any) -> Item:
    return condition(id_, "ann", **({"code": HIV} | more))


def changed(number: int = 0) -> Item:
    return condition("c1", "ann", code=("44054006", "195967001", "73211009")[number % 3])


# The moment of the event ----------------------------------------------------------------------------


def test_what_a_sensitivity_keeps_back_is_no_event(here: Town) -> None:
    here.subscribe()
    here.happens(sensitive())
    here.works.all()
    here.happens(changed())
    here.works.all()
    assert here.numbers() == [1]


def test_what_is_objected_to_when_it_happens_is_never_told_though_the_objection_ends(here: Town) -> None:
    here.subscribe()
    here.objects()
    here.happens(changed(1))
    here.works.all()
    with here.engine.begin() as conn:
        conn.execute(delete(directive))
        assert conn.execute(select(subscription_event)).all() == []
    here.happens(changed(2))
    here.works.all()
    assert here.numbers() == [1]


def test_what_was_withheld_before_is_new_to_whom_it_is_shown_now(here: Town) -> None:
    """Whether it was there before is nothing that may be told."""
    here.subscribe("new-referral")
    said = {"intent": "order", "status": "active", "subject": {"reference": "Patient/ann"}}
    here.happens(item("ServiceRequest", "r1", **said, code=HIV))
    here.works.all()
    assert here.numbers() == []
    here.happens(item("ServiceRequest", "r1", **said))
    here.works.all()
    assert here.numbers() == [1]


# Between the event and its delivery -----------------------------------------------------------------


def test_an_objection_after_the_event_stops_its_delivery_and_no_number_is_missing(here: Town) -> None:
    here.subscribe()
    here.happens(changed(1))
    here.works.kinds = ("record.changed",)
    here.works.all()  # the event is noted, and not delivered yet
    here.objects()
    here.works.kinds = ("record.changed", "subscription.deliver")
    here.works.all()
    assert here.numbers() == []
    with here.engine.begin() as conn:
        [row] = conn.execute(select(subscription_event)).all()
        assert (row.outcome, row.number) == ("withheld", None)
        conn.execute(delete(directive))
    here.happens(changed(2))
    here.works.all()
    assert here.numbers() == [1]


def test_what_is_withheld_between_leaves_no_room_empty(here: Town) -> None:
    """Nor do the sizes of notifications tell that something else was to be told."""
    here.subscribe()
    many = [condition(f"n{number}", "ann") for number in range(45)]
    here.happens(*many)
    here.works.kinds = ("record.changed",)
    here.works.all()
    row = {"person": here.known["ann"], "consent": uuid4(), "rule": "L6-consent-deny", "effect": "deny"}
    with here.engine.begin() as conn:
        items = [key(one) for one in many[::4]]  # 12 of them
        conn.execute(directive.insert().values(**row, items=items, made=LONG_AGO, starts=LONG_AGO))
    here.works.kinds = ("record.changed", "subscription.deliver")
    here.works.all()
    told = [events(bundle) for bundle in here.server.receiver.took if status_of(bundle, "type") != "handshake"]
    assert [len(one) for one in told] == [20, 13]
    assert here.numbers() == list(range(1, 34))


def test_what_certainly_never_left_gives_its_number_back(here: Town) -> None:
    """The receiver's machine was off: nothing of event 1 reached it, so it must not see that there was one."""
    here.subscribe()
    port = int(here.server.running.root.rpartition(":")[2])
    here.server.running.close()
    here.happens(changed(1))
    here.works.all()
    here.objects()
    here.later(hours=1)
    with receiving_at(here.clock, port) as again:
        here.works.all()
        assert again.receiver.took == []
        with here.engine.begin() as conn:
            conn.execute(delete(directive))
        here.happens(changed(2))
        here.works.all()
        assert [number for bundle in again.receiver.took for number, _ in events(bundle)] == [1]


@contextmanager
def receiving_at(clock: Clock, port: int) -> Iterator[Server]:
    receiver = Receiver(clock=lambda: clock.now.timestamp())
    running = Simulated(receiver.answer, port)
    yield Server(receiver, running)
    running.close()


def test_what_may_have_arrived_keeps_its_number_and_is_not_sent_again_once_it_is_objected_to(here: Town) -> None:
    here.subscribe()
    here.server.receiver.status = 500
    here.happens(changed(1))
    here.works.all()
    here.objects()
    here.server.receiver.status = 0
    here.later(hours=1)
    here.works.all()
    assert here.numbers() == []
    with here.engine.begin() as conn:
        conn.execute(delete(directive))
    here.happens(changed(2))
    here.works.all()
    assert here.numbers() == [2]


def test_leaving_a_caseload_stops_what_is_told(here: Town) -> None:
    here.subscribe()
    here.happens(changed(1))
    here.works.all()
    with here.engine.begin() as conn:
        conn.execute(delete(relationship).where(relationship.c.organisation == "901"))
    here.happens(changed(2))
    here.works.all()
    assert here.numbers() == [1]


def test_events_that_were_told_are_told_again_only_as_long_as_they_may_be_seen(here: Town) -> None:
    body = here.subscribe(content="full-resource")
    here.happens(changed(1))
    here.works.all()
    where = f"{WHERE}/{body['id']}/$events"
    assert [number for number, _ in events(read(here.council.get(where)))] == [1]
    here.objects()
    assert events(read(here.council.get(where))) == []


def test_each_notification_is_a_look_of_that_client_at_those_people(here: Town) -> None:
    here.subscribe(content="full-resource")
    here.happens(changed(1), sensitive())
    here.works.all()
    looks = [
        (one.user, one.organisation, one.person, one.count, one.rules)
        for one in trail(here.engine)
        if one.action == "notify"
    ]
    assert looks == [("client:council", "901", here.known["ann"], 1, ["L8-agreement"])]


# Two worlds -----------------------------------------------------------------------------------------


Step = tuple[Sequence[Item], Sequence[Item]]  # what happens in both worlds, and what is withheld and only there


def steps(seed: int) -> list[Step]:
    """Changes that may be seen; beside some of them others that may not."""
    chance = Random(seed)
    return [(_seen(chance, turn), _hidden(chance, turn)) for turn in range(6)]


def _seen(chance: Random, turn: int) -> list[Item]:
    said = {"intent": "order", "status": "active", "subject": {"reference": "Patient/ann"}}
    choices: list[Item] = [
        changed(turn),
        item("ServiceRequest", f"r{chance.randrange(3)}", **said, priority=chance.choice(("urgent", "routine"))),
        condition(f"n{turn}", "ann"),
    ]
    return chance.sample(choices, chance.randrange(len(choices) + 1))


def _hidden(chance: Random, turn: int) -> list[Item]:
    said = {"intent": "order", "subject": {"reference": "Patient/ann"}, "code": HIV}
    choices: list[Item] = [
        sensitive(f"s{chance.randrange(2)}", note=[{"text": f"turn {turn}"}]),
        condition("c2", "bob", code=chance.choice(("44054006", "195967001"))),
        item("ServiceRequest", f"r{turn + 10}", **said, status=chance.choice(("draft", "active"))),
        item("Observation", f"o{turn}", status="final", subject={"reference": "Patient/ann"}, code=HIV),
    ]
    return chance.sample(choices, chance.randrange(1, len(choices) + 1))


_LATE = {"intent": "order", "status": "active", "subject": {"reference": "Patient/ann"}}


def told(made: Town, all_: Sequence[Step], hidden: bool) -> list[tuple[bytes, str, str]]:
    """Every delivery of every topic, whole; `hidden`: in the world that has what is withheld, too."""
    made.server.running.replace(_keeping(kept := []))
    for topic in TOPICS:
        made.subscribe(topic, content="full-resource")
    made.happens(item("ServiceRequest", "late", **_LATE | {"code": HIV, "status": "active" if hidden else "draft"}))
    for seen, withheld in all_:
        made.happens(*seen, *(withheld if hidden else ()))
        made.works.all()
    made.happens(item("ServiceRequest", "late", **_LATE))  # and what it was before may not tell either
    made.works.all()
    return kept


def _whose(delivery: tuple[bytes, str, str]) -> str:
    """Each subscriber's in their order: who of several is told first, is left to chance."""
    return status_of(exact_json.loads(delivery[0]), "subscription")


def _keeping(kept: list[tuple[bytes, str, str]]) -> Any:
    def answer(asked: Asked) -> Answer:
        kept.append((asked.body, asked.headers["x-carelink-timestamp"], asked.headers["x-carelink-signature"]))
        return Answer({})

    return answer


@pytest.mark.parametrize("seed", range(4))
def test_two_worlds_that_differ_in_what_is_withheld_give_equal_deliveries(
    seed: int, postgres: Embedded, place: Place, now: datetime, set_now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliveries, stored = [], list[int]()
    for hidden in (False, True):
        drawn = count(1)
        monkeypatch.setattr(subscriptions, "uuid4", lambda drawn=drawn: UUID(int=next(drawn)))
        monkeypatch.setattr(subscription_signing, "drawn", lambda: "a secret of forty characters, always the same")
        with town(postgres, place, now, set_now) as made:
            deliveries.append(sorted(told(made, steps(seed), hidden), key=_whose))
            with made.engine.connect() as conn:
                stored.append(len(conn.execute(select(resource_version.c.key)).all()))
                kept = conn.execute(select(subscription_event.c.resource).distinct()).scalars().all()
            assert not {key(sensitive(f"s{number}")) for number in range(2)} & set(kept)
    assert stored[1] > stored[0] + 3, "there is more in one of them"
    without, with_hidden = deliveries
    assert with_hidden == without
    assert len(without) > len(TOPICS) + 2, "something is told beside the handshakes"
    assert status_of_all(without) >= {"handshake", "event-notification"}


def status_of_all(deliveries: Sequence[tuple[bytes, ...]]) -> set[str]:
    return {status_of(exact_json.loads(body), "type") for body, *_ in deliveries}


def test_a_secret_is_shown_to_its_client_alone(here: Town) -> None:
    body = here.subscribe()
    assert len(secret_of(body)) > 40
    assert secret_of(body) not in here.council.get(f"{WHERE}/{body['id']}").text
