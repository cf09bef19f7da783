"""What the audit costs: a read with its row beside the same read without, sealing, and verifying the whole trail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sqlalchemy import text

from benchmarks import fhir
from benchmarks.figures import Figure, Floor, more, typical
from benchmarks.filled import Filled, filled
from benchmarks.machine import Meter
from benchmarks.serving import Asked, Clients, served
from benchmarks.world import NOW, Database, World
from carelink.audit.keys import SigningKey
from carelink.audit.seal import seal
from carelink.audit.verify import one_look, verify
from carelink.fhir.endpoint import ROOT

ROUNDS = 15
ADDS = 10  # per cent of a read, at most
EVENTS = 100_000
MILLION = 1_000_000
SECONDS = 60  # for a million events, at most

# Looks of workers as they come, with all that such a row has.
_FILL = text("""
insert into audit_event
  (at, action, "user", organisation, role, purpose, person, query, count, rules, request, detail)
select cast(:now as timestamptz) + make_interval(secs => n), 'search', 'sam.okafor', 'E09000099', 'social-worker',
  'CAREMGT', gen_random_uuid(), 'Observation?code&date', 17, array['L8-agreement', 'L8-own-organisation'],
  upper(substr(md5(cast(n as text)), 1, 4) || '-' || substr(md5(cast(n as text)), 5, 4)),
  '{"relationships": ["caseload"]}'
from generate_series(1, :count) n
""")


def figures(world: World) -> Iterator[Figure]:
    """The share of reads; microseconds to seal an event, and what it would take to verify a million."""
    yield from _of_reads(world)
    yield from trail(world, EVENTS)


@dataclass(frozen=True)
class Read:
    """A kind of read, and how often a round asks it; `held` where the target is about it."""

    name: str
    paths: list[str]
    headers: Mapping[str, str]
    count: int
    held: bool
    asked: dict[str, list[Asked]] = field(default_factory=lambda: {"with": [], "without": []})


def _of_reads(world: World) -> Iterator[Figure]:
    """Over HTTP, in turn of an application that keeps its reads and of one that does not."""
    here = filled(world)
    reads = _reads(here)
    with (
        served(here, "audited", "carelink.wsgi:create()", workers=1) as audited,
        served(here, "unaudited", "benchmarks.unaudited:create()", workers=1) as unaudited,
        Clients(1) as asking,
    ):
        for number in range(ROUNDS + 1):
            for one in reads:
                for name, server in (("with", audited), ("without", unaudited)):
                    done = asking.ask(here, server, one.paths, one.headers, one.count)
                    if number:  # in the first, each worker's statements are made and planned
                        one.asked[name].append(done)
    for one in reads:
        yield from _added(one)


def _reads(here: Filled) -> list[Read]:
    known = fhir.reads(here)
    bearer = known.headers
    page = Read("the person's page", [f"/people/{here.person}"], {"Cookie": here.cookie()}, 20, held=True)
    whole = Read("$everything", [f"{ROOT}/Patient/{here.person}/$everything"], bearer, 60, held=True)
    return [Read("Patient read", known.patients, bearer, 300, held=False), whole, page]


def _added(read: Read) -> Iterator[Figure]:
    """What it adds in CPU time, which the target is about, and by the clock: that also waits for the disk.

    The smallest read has no target: most of what the audit costs there is a commit that something was written in.
    """
    wall = {name: [1000 / one.a_second for one in each] for name, each in read.asked.items()}
    cpu = {name: [one.cpu * 1000 for one in each] for name, each in read.asked.items()}
    least = Floor("the same without audit rows", typical(wall["without"]), typical(cpu["without"]))
    yield Figure(f"{read.name}, audited", typical(wall["with"]), "ms", typical(cpu["with"]), least)
    by_cpu = more(cpu["with"], cpu["without"])
    yield Figure(
        "… the audit adds, CPU", typical(by_cpu), "%", target=ADDS if read.held else None, rounds=tuple(by_cpu)
    )
    by_clock = more(wall["with"], wall["without"])
    yield Figure("… the audit adds, clock", typical(by_clock), "%", rounds=tuple(by_clock))


def trail(world: World, count: int) -> Iterator[Figure]:
    """So many events are sealed, and verified; and the room that it takes."""
    database = world.database("audit")
    key = SigningKey.new()
    with database.engine.begin() as conn:
        conn.execute(_FILL, {"now": NOW, "count": count})
    with database.engine.connect() as conn:
        conn.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("vacuum analyze audit_event")
    meter = Meter(world.server)
    done = seal(database.engine, key, lambda: NOW)
    sealing = meter.spent()
    meter.mark()
    with one_look(database.engine) as conn:
        found = verify(conn, {key.public.fingerprint}, {}, lambda problem: None)
    verifying = meter.spent()
    assert (done.events, found.events, found.problems) == (count, count, 0)
    about = {"events": count, "blocks": done.blocks, "seconds": verifying.wall, **_room(database)}
    yield Figure("sealing an event", sealing.wall * 1e6 / count, "us", sealing.cpu * 1e6 / count, about=about)
    a_million = MILLION / count
    yield Figure(
        "verifying a million events" if count == MILLION else f"verifying a million events, by {count:,}",
        verifying.wall * a_million,
        "s",
        verifying.cpu * a_million,
        target=SECONDS,
        about=about,
    )
    world.drop(database)


def _room(database: Database) -> dict[str, float]:
    """Bytes an event, of the trail and of its seals, indexes included."""
    asked = (
        "select pg_total_relation_size('audit_event'), pg_total_relation_size('audit_seal'), count(*) from audit_event"
    )
    with database.engine.connect() as conn:
        events, seals, count = conn.exec_driver_sql(asked).one()
    return {"bytes_an_event": events / count, "bytes_of_seals_an_event": seals / count}
