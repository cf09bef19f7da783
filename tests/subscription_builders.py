"""Subscribers of tests: a place that lets them be told, a receiver that is told, and workers that tell it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from fhir_builders import SECRET_KEY
from sqlalchemy import Engine, select

from carelink.cases.subscription_asked import CONTENT, FILTER
from carelink.cases.subscription_topics import CANONICAL
from carelink.cases.subscriptions import SECRET
from carelink.db.tables import outbox as table
from carelink.ids import Ods
from carelink.jobs import apart, handlers
from carelink.jobs.shop import Shop
from carelink.place import Place, Subscriber
from carelink.settings import Settings
from fhir_adapters.simulators.receiver import PATH, Receiver
from fhir_adapters.simulators.serving import Simulated

JSON = "application/fhir+json"
SCOPES = "system/*.rs system/Subscription.cruds"


@dataclass
class Clock:
    """A time that a test moves."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    def later(self, **some: float) -> None:
        self.now += timedelta(**some)


@dataclass(frozen=True)
class Server:
    """A receiver that listens."""

    receiver: Receiver
    running: Simulated

    @property
    def url(self) -> str:
        return self.running.root + PATH


@contextmanager
def receiving(clock: Clock) -> Iterator[Server]:
    receiver = Receiver(clock=lambda: clock.now.timestamp())
    running = Simulated(receiver.answer, delay=30.0)
    try:
        yield Server(receiver, running)
    finally:
        running.close()


def lets(place: Place, *urls: str, organisation: str = "RDV") -> Place:
    """The place with those on its list."""
    listed = tuple(Subscriber(url, Ods(organisation), "for a test") for url in urls)
    return replace(place, subscribers=listed)


def asking(
    url: str, topic: str = "record-changed", content: str = "id-only", filters: Sequence[str] = (), **more: Any
) -> dict[str, Any]:
    """A Subscription as a client sends it."""
    narrowed = {"_criteria": {"extension": [{"url": FILTER, "valueString": one} for one in filters]}} if filters else {}
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "Our own record must not be old",
        "criteria": CANONICAL + topic,
        **narrowed,
        "channel": {
            "type": "rest-hook",
            "endpoint": url,
            "payload": JSON,
            "_payload": {"extension": [{"url": CONTENT, "valueCode": content}]},
        },
        **more,
    }


def secret_of(body: dict[str, Any]) -> str:
    return next(str(one["valueString"]) for one in body["extension"] if one["url"] == SECRET)


@dataclass
class Works:
    """Does what is due in the outbox, by the real handlers, at the time of the clock."""

    engine: Engine
    place: Place
    clock: Clock
    kinds: tuple[str, ...] = ("record.changed", "subscription.deliver")
    done: list[str] = field(default_factory=list)

    @property
    def shop(self) -> Shop:
        settings = Settings(place=self.place.folder, secret_key=SECRET_KEY, base_url="http://localhost")
        return Shop(self.engine, self.place, settings, self.clock)

    def all(self, most: int = 20) -> int:
        """Until nothing of these kinds is due; gives how many rows were run."""
        ran = 0
        while (ids := self._due()) and ran < most:
            for id_ in ids:
                handlers.run(self.shop, id_)
                ran += 1
            apart.settled()
        return ran

    def waits(self) -> datetime | None:
        """When the next delivery is due."""
        t = table.c
        with self.engine.connect() as conn:
            asked = select(t.due_at).where(t.done_at.is_(None), t.kind == "subscription.deliver").order_by(t.due_at)
            return conn.execute(asked.limit(1)).scalar()

    def _due(self) -> list[int]:
        t = table.c
        with self.engine.connect() as conn:
            due = select(t.id).where(t.done_at.is_(None), t.kind.in_(self.kinds), t.due_at <= self.clock.now)
            return list(conn.execute(due.order_by(t.id)).scalars())


def events(bundle: dict[str, Any]) -> list[tuple[int, str]]:
    """Number and focus of each event in a notification."""
    parts = [
        {part["name"]: part for part in one["part"]}
        for one in bundle["entry"][0]["resource"]["parameter"]
        if one["name"] == "notificationEvent"
    ]
    return [
        (int(one["eventNumber"]["valueString"]), one.get("focus", {}).get("valueReference", {}).get("reference", ""))
        for one in parts
    ]


def status_of(bundle: dict[str, Any], name: str) -> str:
    """A value of the SubscriptionStatus."""
    found = next(one for one in bundle["entry"][0]["resource"]["parameter"] if one["name"] == name)
    return str(next(value for key, value in found.items() if key.startswith("value")))
