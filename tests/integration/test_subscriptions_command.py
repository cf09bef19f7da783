"""`carelink subscriptions`: whoever runs the place sees how each stands, and switches one off."""

from __future__ import annotations

import uuid
from datetime import datetime

import pytest
from fhir_builders import api, people, read, system, trail
from ingest_builders import condition, take
from sqlalchemy import Engine
from subscription_builders import JSON, SCOPES, Clock, Works, asking, lets, receiving

from carelink import subscription_commands
from carelink.errors import Invalid, NotFound
from carelink.place import Place

WHERE = "/fhir/R4/Subscription"


def test_the_list_says_how_each_stands_and_names_nobody(
    engine: Engine, place: Place, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARELINK_NOW", now.isoformat())
    clock = Clock(now)
    with receiving(clock) as server:
        here = lets(place, server.url)
        people(engine, here)
        works = Works(engine, here, clock)
        assert subscription_commands.listed(works.shop) == ["Nobody has subscribed"]
        ward = system(api(engine, here), here, "ward", "RDV", "nurse", SCOPES)
        body = read(ward.post(WHERE, json=asking(server.url), content_type=JSON))
        works.all()
        [line] = subscription_commands.listed(works.shop)
        assert line.startswith(
            f"{body['id']} ward: record-changed to {server.url}; active; 0 events told, 0 waiting; last"
        )
        server.receiver.status = 503
        clock.later(minutes=1)
        with engine.begin() as conn:
            take(conn, here, [condition("c1", "ann", code="44054006")], clock.now)
        works.all()
        [line] = subscription_commands.listed(works.shop)
        assert line.endswith("; 1 tries failed; it answered 503")
        assert "1 events told, 1 waiting" in line


def test_one_that_is_switched_off_hears_nothing_and_its_client_reads_why(
    engine: Engine, place: Place, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARELINK_NOW", now.isoformat())
    clock = Clock(now)
    with receiving(clock) as server:
        here = lets(place, server.url)
        people(engine, here)
        works = Works(engine, here, clock)
        ward = system(api(engine, here), here, "ward", "RDV", "nurse", SCOPES)
        body = read(ward.post(WHERE, json=asking(server.url), content_type=JSON))
        works.all()
        key = uuid.UUID(body["id"])
        with pytest.raises(Invalid, match="--why"):
            subscription_commands.off(works.shop, key, " ")
        assert subscription_commands.off(works.shop, key, "The engine is moving") == f"{key} is off"
        clock.later(minutes=1)
        with engine.begin() as conn:
            take(conn, here, [condition("c1", "ann", code="44054006")], clock.now)
        works.all()
        assert len(server.receiver.took) == 1, "the handshake alone"
        kept = read(ward.get(f"{WHERE}/{key}"))
        assert (kept["status"], kept["error"]) == ("off", "The engine is moving")
        [row] = [one for one in trail(engine) if one.action == "update" and one.query == "Subscription"]
        assert (row.user.partition(":")[0], row.reason) == ("operator", "The engine is moving")
        with pytest.raises(NotFound):
            subscription_commands.off(works.shop, uuid.UUID(int=1), "nobody is there")
