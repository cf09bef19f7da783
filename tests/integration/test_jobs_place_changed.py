"""A place pack that changes: who is involved follows it, for what was pulled long before too."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from ingest_builders import patient, person_of, take
from page_builders import allocation, stay
from sqlalchemy import Engine, select

from carelink.db import sync
from carelink.db.tables import outbox, relationship
from carelink.ids import UserId
from carelink.jobs import handlers, place_changed
from carelink.jobs.shop import Shop
from carelink.place import Place
from carelink.settings import Settings

NEW = UserId("hannah.lister")


@pytest.fixture
def known(engine: Engine, place: Place, now: datetime) -> Engine:
    """Somebody is allocated to W003, whom the pack does not name yet, and was in hospital."""
    with engine.begin() as conn:
        sync.sync(conn, place)
        place_changed.note(conn, place, now)
        take(conn, place, [patient(), allocation("W003")], now, "council-a")
        ended = {"start": "2026-11-01T10:00:00Z", "end": "2026-11-10T10:00:00Z"}
        take(conn, place, [patient(), stay(status="finished", period=ended)], now)
    return engine


@pytest.fixture
def changed(place: Place) -> Place:
    """The pack with one worker more, and a longer grace after a stay."""
    worker = replace(
        place.staff[UserId("sam.okafor")], id=NEW, name="Hannah", identifiers=("https://northdale.example/worker|W003",)
    )
    stays = replace(place.relationships["encounter"], grace_days=90)
    return replace(place, staff={**place.staff, NEW: worker}, relationships={**place.relationships, "encounter": stays})


def asked(engine: Engine) -> list[int]:
    with engine.connect() as conn:
        t = outbox.c
        return list(conn.execute(select(t.id).where(t.kind == place_changed.KIND, t.done_at.is_(None))).scalars())


def test_involvement_follows_a_changed_pack_for_what_was_pulled_before(
    known: Engine, place: Place, changed: Place, now: datetime
) -> None:
    for id_ in asked(known):
        assert handlers.run(Shop(known, place, Settings(), lambda: now), id_)
    with known.begin() as conn:
        sync.sync(conn, changed)
        assert place_changed.note(conn, changed, now)
    [id_] = asked(known)
    assert handlers.run(Shop(known, changed, Settings(), lambda: now), id_)
    with known.connect() as conn:
        r = relationship.c
        mine = conn.execute(select(r.person).where(r.user == NEW, r.kind == "caseload")).scalar_one()
        assert mine == person_of(conn, patient(), "council-a")
        ends = conn.execute(select(r.ends).where(r.kind == "encounter")).scalar_one()
        assert ends == datetime.fromisoformat("2026-11-10T10:00:00Z") + timedelta(days=90)


def test_a_pack_is_worked_out_once(known: Engine, place: Place, changed: Place, now: datetime) -> None:
    with known.begin() as conn:
        assert not place_changed.note(conn, place, now)
        assert place_changed.note(conn, changed, now)
        assert not place_changed.note(conn, changed, now)


def test_a_worker_with_another_pack_leaves_it_to_one_that_knows_the_new(
    known: Engine, place: Place, changed: Place, now: datetime
) -> None:
    with known.begin() as conn:
        place_changed.note(conn, changed, now)
    id_ = asked(known)[-1]
    assert not handlers.run(Shop(known, place, Settings(), lambda: now), id_)
    assert id_ in asked(known)
    assert handlers.run(Shop(known, changed, Settings(), lambda: now), id_)


def test_many_people_are_worked_out_part_by_part(
    known: Engine, changed: Place, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place_changed, "PART", 2)
    with known.begin() as conn:
        for number in range(2, 7):
            subject = f"p{number}"
            take(conn, changed, [patient(subject), allocation("W003", f"al{number}", subject)], now, "council-a")
        conn.execute(relationship.delete())
    shop = Shop(known, changed, Settings(), lambda: now)
    place_changed.work_out(shop, {"fingerprint": place_changed.fingerprint(changed)})
    with known.connect() as conn:
        found = conn.execute(select(relationship.c.person).where(relationship.c.user == NEW)).scalars().all()
    assert len(set(found)) == 6
