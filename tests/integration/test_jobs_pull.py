"""One pull: batches committed with their cursor, a failure that is told, and never two pulls of one source."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from ingest_builders import NHS, condition, patient
from jobs_builders import ScriptedSource
from sqlalchemy import Engine, select, text

from carelink.cases.reaching import source_settings
from carelink.db import sync
from carelink.db.alone import alone
from carelink.db.tables import outbox, resource, source_person
from carelink.errors import Invalid
from carelink.jobs import handlers
from carelink.jobs import pull as pulling
from carelink.jobs.pull import PullReport, pull
from carelink.jobs.shop import Shop
from carelink.jobs.wanted import read_cohort
from carelink.place import Place
from carelink.record import source_state
from carelink.record.source_state import Standing
from carelink.settings import Settings
from fhir_adapters import registry
from fhir_adapters.source import Batch, Item, SourceSettings, Wanted

SETTINGS = SourceSettings("hospital", "fhir_r4", "RDV")


def batch(at: int, *items: Item) -> Batch:
    return Batch(items, {"at": at}, done=at, total=3)


THREE = (batch(1, patient("p1")), batch(2, condition("c1")), batch(3, patient("p2")))


@pytest.fixture
def known(engine: Engine, place: Place) -> Engine:
    with engine.begin() as conn:
        sync.sync(conn, place)
    return engine


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., ScriptedSource]:
    """Let every source be this one."""

    def script(*batches: Batch, why: str = "") -> ScriptedSource:
        source = ScriptedSource(batches, SETTINGS, why)
        monkeypatch.setattr(registry, "make", lambda settings: source)
        return source

    return script


def pulled(engine: Engine, place: Place, now: datetime, source: str = "hospital", **settings: object) -> PullReport:
    return pull(engine, place, Settings(**settings), source, lambda: now)  # type: ignore[arg-type]


def standing(engine: Engine, source: str = "hospital") -> Standing:
    with engine.connect() as conn:
        return source_state.standings(conn)[source]


def stored(engine: Engine) -> list[str]:
    with engine.connect() as conn:
        asked = select(resource.c.source_id).where(resource.c.source == "hospital").order_by(resource.c.source_id)
        return list(conn.execute(asked).scalars())


def test_a_pull_stores_its_batches_and_says_how_it_ended(
    known: Engine, place: Place, now: datetime, scripted: Callable[..., ScriptedSource]
) -> None:
    scripted(*THREE)
    report = pulled(known, place, now)
    assert (report.stored, report.why, report.busy) == (3, "", False)
    assert stored(known) == ["c1", "p1", "p2"]
    stands = standing(known)
    assert (stands.status, stands.good_at, stands.cursor, stands.done, stands.total) == ("good", now, {"at": 3}, 3, 3)


def test_a_source_that_fails_keeps_what_came_and_goes_on_from_there(
    known: Engine, place: Place, now: datetime, scripted: Callable[..., ScriptedSource]
) -> None:
    scripted(*THREE[:2], why="no answer in 10 s")
    assert pulled(known, place, now).why == "no answer in 10 s"
    stands = standing(known)
    assert (stands.status, stands.failing_since, stands.why) == ("failing", now, "no answer in 10 s")
    assert stands.cursor == {"at": 2}
    later = now + timedelta(minutes=5)
    assert pulled(known, place, later).why == "no answer in 10 s"
    assert standing(known).failing_since == now, "since the first failure, not the last"
    scripted(*THREE)
    assert pulled(known, place, later).stored == 1
    assert (standing(known).status, standing(known).failing_since, standing(known).why) == ("good", None, "")


def test_one_failing_source_does_not_stop_another(
    known: Engine, place: Place, now: datetime, scripted: Callable[..., ScriptedSource]
) -> None:
    scripted(why="answered 500")
    pulled(known, place, now, "council-a")
    scripted(*THREE)
    assert pulled(known, place, now).stored == 3
    assert standing(known, "council-a").status == "failing"


def test_a_fault_of_ours_is_told_on_the_source_too_and_does_not_stay_hidden(
    known: Engine, place: Place, now: datetime, scripted: Callable[..., ScriptedSource], monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted(*THREE)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(pulling, "ingest", broken)
    with pytest.raises(ZeroDivisionError):
        pulled(known, place, now)
    assert standing(known).why == "stopped by a fault in CareLink (ZeroDivisionError)"
    assert stored(known) == []


def test_two_pulls_of_one_source_never_run_at_once(
    known: Engine, place: Place, now: datetime, scripted: Callable[..., ScriptedSource]
) -> None:
    scripted(*THREE)
    inner: list[PullReport] = []
    pull(known, place, Settings(), "hospital", lambda: now, lambda _: inner.append(pulled(known, place, now)))
    assert [(one.busy, one.stored) for one in inner] == [(True, 0)]
    with known.connect() as conn:
        held = conn.execute(text("select count(*) from pg_locks where locktype = 'advisory'")).scalar()
    assert held == 0


def test_a_pull_that_finds_another_under_way_is_put_off_and_not_forgotten(
    known: Engine, place: Place, now: datetime, scripted: Callable[..., ScriptedSource]
) -> None:
    scripted(*THREE)
    shop = Shop(known, place, Settings(), lambda: now)
    with known.begin() as conn:
        id_ = conn.execute(
            outbox.insert().values(kind="source.pull", payload={"source": "hospital"}, created_at=now, due_at=now)
        ).inserted_primary_key[0]
    with alone(known, "pull:hospital"):
        assert not handlers.run(shop, id_)
    assert handlers.run(shop, id_)
    assert stored(known) == ["c1", "p1", "p2"]


def test_per_person_sources_are_asked_about_everybody_known_and_the_cohort_in_one_order(
    known: Engine, place: Place, now: datetime, scripted: Callable[..., ScriptedSource], tmp_path: Path
) -> None:
    number = {"system": NHS, "value": "9990000018"}
    scripted(batch(1, *(patient(f"p{at}") for at in range(1, 6)), patient("p6", identifier=[number])))
    pulled(known, place, now)
    cohort = tmp_path / "cohort.txt"
    cohort.write_text("999 000 0026\n9990000018\n\n9726908671,A82038\n")
    source = scripted()
    pulled(known, place, now, "pds", cohort=cohort)
    first = list(source.asked)
    assert len(first) == 8
    assert first[-2:] == [Wanted(nhs_number="9990000026"), Wanted(nhs_number="9726908671", practice="A82038")]
    assert sum(one.nhs_number == "9990000018" for one in first) == 1
    assert all(one.family and one.birth_date for one in first[:-2])
    pulled(known, place, now, "pds", cohort=cohort)
    assert list(source.asked) == first
    with known.connect() as conn:
        asked = conn.execute(select(source_person.c.person).where(source_person.c.source == "pds")).all()
    assert len(asked) == 6


def test_news_of_somebody_new_has_the_per_person_sources_asked_soon_and_once(
    known: Engine, place: Place, now: datetime, scripted: Callable[..., ScriptedSource]
) -> None:
    scripted(*THREE)
    pulled(known, place, now)
    shop = Shop(known, place, Settings(), lambda: now)
    with known.connect() as conn:
        news = list(conn.execute(select(outbox.c.id).where(outbox.c.kind == "record.changed")).scalars())
    assert [handlers.run(shop, id_) for id_ in news] == [True] * len(news)
    with known.connect() as conn:
        asked = select(outbox.c.payload, outbox.c.due_at).where(outbox.c.kind == "source.pull").order_by(outbox.c.id)
        pulls = [(row.payload["source"], row.due_at) for row in conn.execute(asked)]
    assert pulls == [("pds", now + handlers.GATHER), ("gp", now + handlers.GATHER)]


def test_a_cohort_that_is_wrong_names_its_line(tmp_path: Path) -> None:
    cohort = tmp_path / "cohort.txt"
    cohort.write_text("9990000018\nJoyce\n")
    with pytest.raises(Invalid, match=r"cohort\.txt:2: must start with an NHS number"):
        read_cohort(cohort)


def test_url_and_secret_of_a_source_come_from_the_environment(place: Place) -> None:
    told = {"CARELINK_SOURCE_COUNCIL_B_URL": "https://b.example/api", "CARELINK_SOURCE_COUNCIL_B_SECRET": "key"}
    made = source_settings(place.source("council-b"), told)
    assert (made.url, made.secret, made.organisation) == ("https://b.example/api", "key", "902")


def test_keys_in_news_are_those_of_persons(
    known: Engine, place: Place, now: datetime, scripted: Callable[..., ScriptedSource]
) -> None:
    scripted(*THREE)
    pulled(known, place, now)
    with known.connect() as conn:
        payloads = conn.execute(select(outbox.c.payload).where(outbox.c.kind == "record.changed")).scalars().all()
    assert all(UUID(key) for payload in payloads for key in payload["persons"])
