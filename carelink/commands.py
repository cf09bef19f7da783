"""What the commands of `carelink` do, each as a function that gives its lines: the command only prints them."""

from __future__ import annotations

import getpass
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast
from uuid import UUID

from rich.console import Console
from sqlalchemy.exc import DBAPIError

from carelink import client_commands, place_loader, settings
from carelink.audit import keys, seal, verify
from carelink.cases import looking_back, rehearsal, rehearsal_print, rehearsal_report
from carelink.cases.naming import person_named
from carelink.consent import as_it_was as asking_the_past
from carelink.consent import explain as explaining
from carelink.consent import policies
from carelink.consent.as_it_was import Asked
from carelink.consent.explained_to import as_told
from carelink.consent.lens import Lens
from carelink.db import embedded, schema, sync
from carelink.db.engine import engine_for
from carelink.demo import running
from carelink.demo.environment import Folder
from carelink.errors import CareLinkError, Conflict, Invalid, NotFound
from carelink.identity.requesters import requester
from carelink.ids import PersonKey, ResourceKey, UserId
from carelink.jobs import index_changed, labels_changed, place_changed, redis_queue, sealing, watch
from carelink.jobs import relay as relaying
from carelink.jobs import worker as working
from carelink.jobs.pull import PullReport
from carelink.jobs.pull import pull as pull_source
from carelink.jobs.shop import Shop
from carelink.record import ingest, persons, quarantine
from carelink.record.links import Answer


def demo(people: int, port: int | None, data: Path, seed: int, once: bool) -> None:
    """The whole system with invented people."""
    running.run(running.Asked(people, port, data, seed, once), Console(soft_wrap=True))


@contextmanager
def opened(data: Path) -> Iterator[Shop]:
    """What a command works with: the database that the environment names, else that of the demo in `data`.

    Raises `Invalid` where there is neither.
    """
    here = _settings(data)
    server = None
    if not here.database_url:
        if not Folder(data.resolve()).postgres.is_dir():
            raise Invalid("CARELINK_DATABASE_URL", f"is not set, and there is no demo in {data}")
        server = embedded.start(Folder(data.resolve()).postgres)
    engine = engine_for(server.url if server else here.database_url)
    try:
        yield Shop(engine, place_loader.load(here.place), here)
    finally:
        engine.dispose()
        if server is not None:
            server.stop()


def _settings(data: Path) -> settings.Settings:
    if "CARELINK_DATABASE_URL" not in os.environ:
        folder = Folder(data.resolve())
        os.environ.update({**folder.environment(), **folder.sealing()})
    return settings.load()


def upgrade(shop: Shop) -> str:
    """The newest schema, and the organisations and staff of the place."""
    schema.upgrade(shop.engine)
    with shop.engine.begin() as conn:
        sync.sync(conn, shop.place)
        place_changed.note(conn, shop.place, shop.clock())
        watch.begin(conn, shop.clock())
        index_changed.note(conn, shop.clock())
        labels_changed.note(conn, shop.place, shop.clock())
        policies.note(conn, shop.place, shop.clock(), _operator())
    return f"The database is at {schema.revision(shop.engine)}; {shop.place.words.place_name} is in it"


def reindex(shop: Shop) -> str:
    """Everything that is stored, indexed anew at once, whatever a worker has done of it."""
    index_changed.everything(shop)
    return "All that is stored is found by the search parameters of this release"


def pull(shop: Shop, source: str | None, say: Callable[[str], None]) -> bool:
    """Says a line a source when it is done; gives whether one failed. A fault in one of all does not stop the others.

    Raises `NotFound` for a source that the place has not.
    """
    failed = False
    for name in _sources(shop, source):
        try:
            report = pull_source(shop.engine, shop.place, shop.settings, name, shop.clock)
        except Exception as fault:
            if source is not None or isinstance(fault, (CareLinkError, DBAPIError)):
                raise
            report = PullReport(name, why=f"a fault in CareLink ({type(fault).__name__})")
        failed = failed or bool(report.why or report.doubts) or report.busy
        for line in _told(report):
            say(line)
    return failed


def _told(report: PullReport) -> list[str]:
    ended = f", {report.ended} ended" if report.ended else ""
    erased = f", {report.erased} not taken in: they were erased because their time was over" if report.erased else ""
    did = f"{report.stored} stored, {report.unchanged} unchanged{ended}, {report.quarantined} quarantined{erased}"
    why = "another pull of it is under way" if report.busy else report.why
    found = ", ".join(f"{rule} {number}" for rule, number in report.findings.most_common(5))
    right = (f"stored, but to be put right: {found}",) if found else ()
    return [
        f"{report.source}: {line}" for line in (f"{did}{'; stopped: ' + why if why else ''}", *report.doubts, *right)
    ]


def _sources(shop: Shop, source: str | None) -> list[str]:
    names = [entry.name for entry in shop.place.sources]
    if source is not None and source not in names:
        raise NotFound(f"There is no source {source!r}; there are {', '.join(names)}")
    return names if source is None else [source]


def worker(data: Path) -> None:
    """Until the process is ended."""
    with opened(data) as shop:
        sealing.check(shop.settings)
        policies.note_start(shop.engine, shop.place, shop.clock(), "start of a worker")
        if shop.settings.redis_url:
            redis_queue.work(shop)
        else:
            working.forever(shop)


def relay(shop: Shop) -> None:
    """Until the process is ended. Raises `Invalid` where there is no Redis to hand anything to."""
    if not shop.settings.redis_url:
        raise Invalid("CARELINK_REDIS_URL", "must be set; without Redis, `carelink worker` alone does it all")
    sealing.check(shop.settings)
    relaying.forever(shop)


def check_place(folder: Path) -> list[str]:
    """Everything that is wrong with the pack."""
    return [str(problem) for problem in place_loader.check(folder)]


def explain(shop: Shop, user: str, person: str, purpose: str) -> list[str]:
    """What they see of the person and the rule for each, in words. Audited as asked by whoever runs this."""
    with shop.engine.begin() as conn:
        now = shop.clock()
        asks = requester(conn, shop.place, UserId(user), purpose)
        lens = Lens.compile(shop.place, asks, now)
        key = _person(shop, person)
        found = explaining.explain(conn, lens, key, _operator())
        return explaining.lines(as_told(found, shop.place, None), shop.place)


def _person(shop: Shop, named: str, asks: str = "explain") -> PersonKey:
    """The person of that key or NHS number. Raises `Invalid`, `NotFound`."""
    with shop.engine.begin() as conn:
        return person_named(conn, _operators_lens(shop, f"{asks}: whose NHS number it is"), named, "--person")


def as_it_was(shop: Shop, user: str, person: str, at: str, purpose: str, items: bool) -> Iterator[str]:
    """What a worker could see of a person at a time, and the rule for each kind; with `items` each that was shown."""
    key, moment = _person(shop, person, "as it was"), looking_back.at_moment(at)
    with shop.engine.begin() as conn:
        asked = Asked(UserId(user), key, moment, purpose)
        found = asking_the_past.as_it_was(conn, asked, shop.clock(), _operator())
    answer = looking_back.told(found, None)
    yield from (*answer.lines, *answer.doubts)
    for one in found.shown if items else ():
        yield f"{one.version.type}/{one.version.key} version {one.version.version}: {one.decision.rule.id}"


def what_if(shop: Shop, folder: Path, report: Path | None) -> list[str]:
    """Who would see more and who less if that pack were switched on. `report`: a file that ends in .html or .json.

    Raises `Invalid` for a pack that is wrong, and for another kind of file.
    """
    if report is not None and report.suffix not in (".html", ".json"):
        raise Invalid("--report", "must end in .html or .json")
    tried, now = place_loader.load(folder), shop.clock()
    with shop.engine.begin() as conn:
        found = rehearsal.what_if(conn, shop.place, tried, now, _operator())
    if report is not None:
        html = report.suffix == ".html"
        report.write_text(
            rehearsal_print.page(found, tried, now) if html else json.dumps(found.kept, indent=2), "utf-8"
        )
    return rehearsal_report.lines(found, tried)


def quarantined(shop: Shop) -> list[str]:
    """A line for each reason of each row."""
    with shop.engine.begin() as conn:
        rows = quarantine.listed(conn, _operators_lens(shop, "the data-quality worklist"), count=1000)
        return [
            f"{row['id']} {row['source']} {row['type']} {row['source_id']}: {reason['place']}: {reason['why']}"
            for row in rows
            for reason in row["reasons"]
        ]


def replay(shop: Shop, source: str | None) -> list[str]:
    """Try again what waits; a line a source."""
    lines = []
    for name in _sources(shop, source):
        with shop.engine.begin() as conn:
            report = ingest.replay(conn, shop.place, shop.place.source(name), shop.clock())
        lines.append(f"{name}: {report.stored} stored, {report.quarantined} still in quarantine")
    return lines


def questions(shop: Shop) -> Sequence[str]:
    """The open link decisions, without anything that tells who they are about."""
    with shop.engine.begin() as conn:
        lens = _operators_lens(shop, "the link worklist")
        return [
            f"{one.id}: Patient {one.patient} and person {one.candidate}: weight {one.weight:.1f}"
            for one in persons.open_decisions(conn, lens, count=1000)
        ]


def decide(shop: Shop, decision: int, answer: str) -> str:
    """A human's answer; says whose the Patient is after it."""
    with shop.engine.begin() as conn:
        key = persons.decide(conn, shop.place, decision, cast(Answer, answer), _operator(), shop.clock())
    return f"Decided: {answer}; the record is of person {key}"


def undo(shop: Shop, patient: str, why: str) -> str:
    """Undo a link; says whose the Patient is after it."""
    with shop.engine.begin() as conn:
        key = persons.unlink(conn, shop.place, ResourceKey(UUID(patient)), _operator(), why, shop.clock())
    return f"Undone; the record is of person {key}"


def add_client(shop: Shop, name: str, organisation: str, role: str, scopes: str, secret: str) -> list[str]:
    """Register a system with a secret. Raises `Invalid`, `NotFound`."""
    return client_commands.add(shop, name, organisation, role, scopes, client_commands.Keys(secret=secret), ())


def seal_audit(shop: Shop) -> str:
    """Seal what waits, now; says how much. Raises `Invalid` without a key, `Conflict` where it must wait."""
    done = seal.seal(shop.engine, keys.SigningKey.read(shop.settings.audit_key), shop.clock)
    if done.waits_for:
        processes = ", ".join(map(str, done.waits_for))
        raise Conflict(f"Nothing was sealed: transactions that add events don't end; server processes {processes}")
    if done.newest is None:
        return "Nothing waits to be sealed"
    return f"sealed: {done.events} events in {done.blocks} blocks; newest seal: {done.newest.anchor}"


def verify_audit(shop: Shop, trusted: Sequence[Path], expected: Sequence[str], say: Callable[[str], None]) -> bool:
    """Says a line for everything that is wrong, then what is right; gives whether all is. Raises `Invalid`."""
    known = {keys.read_public(str(file), file.read_bytes()).fingerprint for file in trusted}
    if shop.settings.audit_key:
        known.add(keys.SigningKey.read(shop.settings.audit_key).public.fingerprint)
    if not known:
        raise Invalid(keys.SETTING, "must be set, or --key name a file with the public key")
    with verify.one_look(shop.engine) as conn:
        found = verify.verify(conn, known, dict(map(verify.anchor, expected)), lambda one: say(str(one)))
    for line in found.lines:
        say(line)
    return found.problems == 0


def public_key(data: Path) -> str:
    """The public key of the audit in PEM, with its fingerprint above. Raises `Invalid`."""
    public = keys.SigningKey.read(_settings(data).audit_key).public
    return f"{public.fingerprint}\n{public.pem}".rstrip()


def new_key() -> list[str]:
    """A new key for the setting, which is told nowhere else, and what it will be called."""
    made = keys.SigningKey.new()
    return [f"{keys.SETTING}={made.text}", f"fingerprint: {made.public.fingerprint}"]


def _operator() -> str:
    """Who runs the command, for the audit."""
    return f"operator:{getpass.getuser()}"


def _operators_lens(shop: Shop, reason: str) -> Lens:
    return Lens.system(reason, shop.clock(), _operator())
