"""A database that holds what the sources gave, as a worker pulls it, and one person with a long record."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property

from flask import Flask
from sqlalchemy import Connection, Engine, func, select

from benchmarks.world import NOW, Database, World
from carelink.app import create_app
from carelink.consent.lens import Lens
from carelink.db.engine import engine_for
from carelink.db.tables import relationship, resource, source_person
from carelink.identity import requesters
from carelink.ids import PersonKey, UserId
from carelink.jobs.pull import pull
from carelink.record import source_state
from carelink.record.ingest import ingest
from carelink.settings import Settings
from fhir_adapters import exact_json
from fhir_adapters.source import Batch, Item

WORKER = UserId("sam.okafor")  # a social worker of the example place
ITEMS = 240  # that the worker may see of the person, so that a page of 200 is full
SECRET = "only for the benchmarks"
BASE = "http://127.0.0.1"
_ASIDE = frozenset({"Patient", "Practitioner", "PractitionerRole", "Organization", "Location"})


@dataclass(frozen=True)
class Filled:
    """The database, and whose page is looked at."""

    world: World
    database: Database
    person: PersonKey

    @cached_property
    def settings(self) -> Settings:
        """Those of the web processes."""
        return Settings(
            place=self.world.place.folder,
            database_url=self.database.url,
            secret_key=SECRET,
            base_url=BASE,
            oidc_issuer=f"{BASE}:9",
        )

    @cached_property
    def app(self) -> Flask:
        """The real application over it."""
        return create_app(self.settings, self.world.place, self.engine)

    @cached_property
    def engine(self) -> Engine:
        """As a web process has it."""
        return engine_for(self.database.url, keeps_plans=True)

    def cookie(self) -> str:
        """The header of a browser in which the social worker signed in a minute ago."""
        signer = self.app.session_interface.get_signing_serializer(self.app)  # type: ignore[attr-defined]
        began = NOW.timestamp() - 60
        said = {"user": WORKER, "assignment": "", "began": began, "seen": began, "_permanent": True}
        return f"{self.app.config['SESSION_COOKIE_NAME']}={signer.dumps(said)}"

    def environ(self) -> dict[str, str]:
        """What a web process is told."""
        return {
            **os.environ,
            "CARELINK_DATABASE_URL": self.settings.database_url,
            "CARELINK_SECRET_KEY": SECRET,
            "CARELINK_BASE_URL": BASE,
            "CARELINK_OIDC_ISSUER": self.settings.oidc_issuer,
        }


_filled: dict[int, Filled] = {}


def filled(world: World) -> Filled:
    """The one of this run, made when it is first asked for."""
    if id(world) not in _filled:
        database = world.database("filled")
        with _told(world):
            for entry in world.place.sources:
                settings = Settings(cohort=world.cohort)
                report = pull(database.engine, world.place, settings, entry.name, lambda: NOW)
                if report.why:
                    raise AssertionError(f"{entry.name}: {report.why}")
        with database.engine.begin() as conn:
            person = _lengthened(conn, world)
            _stands(conn, world, person)
        with database.engine.connect() as conn:
            conn.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("vacuum analyze")
        _filled[id(world)] = Filled(world, database, person)
        gc.collect()
        gc.freeze()  # what only this program holds is not gone through at every request
    return _filled[id(world)]


@contextmanager
def _told(world: World) -> Iterator[None]:
    """A pull reads from the environment where each source is."""
    before = dict(os.environ)
    os.environ.update(world.sources.environ())
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def seen(conn: Connection, world: World, person: PersonKey) -> int:
    """How many items of this person the social worker may see."""
    lens = Lens.compile(world.place, requesters.requester(conn, world.place, WORKER), NOW)
    t = resource.c
    asked = select(func.count()).where(t.person == person, t.type.not_in(["Patient", "Provenance"]), lens.where())
    return int(conn.execute(asked).scalar_one())


def _lengthened(conn: Connection, world: World) -> PersonKey:
    """Somebody on the worker's caseload whose GP record also gets what stands in the records of other people."""
    person, patient, record = _somebody(conn)
    others = [batch for name, batch in world.pulled.batches if name == "gp" and len(batch.items) < 200]
    entry = world.place.source("gp")
    for batch in others:
        items = tuple(_theirs(batch, patient, record))
        ingest(conn, world.place, entry, Batch(items, {}), NOW)
        if seen(conn, world, person) >= ITEMS:
            return person
    raise AssertionError("the invented records do not suffice for a long one")


def _somebody(conn: Connection) -> tuple[PersonKey, str, str]:
    """The first, by their key: the person, the id of their Patient at the practice, and the record's namespace."""
    r, t = relationship.c, resource.c
    mine = select(r.person).where(r.kind == "caseload", r.user == WORKER)
    asked = select(t.person, t.source_id).where(t.type == "Patient", t.source == "gp", t.person.in_(mine))
    found = conn.execute(asked.order_by(t.person).limit(1)).one()
    record, _, id_ = found.source_id.rpartition("/")
    return PersonKey(found.person), id_, record


def _theirs(batch: Batch, patient: str, record: str) -> Iterator[Item]:
    """The clinical items of somebody else's record, as if they were of this one."""
    whose = next((one.source_id for one in batch.items if one.type == "Patient"), "")
    for one in batch.items:
        if one.type not in _ASIDE and one.namespace != record:
            text = exact_json.dumps(one.body).replace(f'"Patient/{whose}"'.encode(), f'"Patient/{patient}"'.encode())
            yield replace(one, body=exact_json.loads(text), namespace=record, custodian="")


def _stands(conn: Connection, world: World, person: PersonKey) -> None:
    """Every source answered four minutes ago, so that a page asks for no pull."""
    then = NOW - timedelta(minutes=4)
    for entry in world.place.sources:
        source_state.good(conn, entry.name, then)
        conn.execute(source_person.update().where(source_person.c.source == entry.name).values(good_at=then))
