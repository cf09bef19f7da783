"""Subscribers that are slow, away or at the wrong address; workers that are killed between an effect and its delivery."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any

import pytest
from fhir_builders import SECRET_KEY, api, people, read, system
from flask.testing import FlaskClient
from ingest_builders import condition, take
from processes import command, until
from sqlalchemy import Engine, select, update
from subscription_builders import JSON, SCOPES, Clock, Server, Works, asking, events, lets, receiving, secret_of

from carelink.db.tables import outbox, subscription, subscription_event
from carelink.ids import Ods
from carelink.jobs import posting
from carelink.jobs.posting import may_go, post
from carelink.place import Place, Subscriber

WHERE = "/fhir/R4/Subscription"
ENTRY = '[[subscriber]]\nurl = "{url}"\norganisation = "RDV"\nbecause = "for a test"\n'


@pytest.fixture
def clock(now: datetime, monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setenv("CARELINK_NOW", now.isoformat())
    return Clock(now)


@pytest.fixture
def servers(clock: Clock) -> Iterator[tuple[Server, Server]]:
    with receiving(clock) as one, receiving(clock) as other:
        yield one, other


def active(ward: FlaskClient, server: Server, works: Works) -> dict[str, Any]:
    made: dict[str, Any] = read(ward.post(WHERE, json=asking(server.url), content_type=JSON))
    server.receiver.secret = secret_of(made)
    works.all()
    server.receiver.took.clear()
    return made


def test_one_slow_subscriber_holds_up_no_other(
    engine: Engine, place: Place, clock: Clock, servers: tuple[Server, Server]
) -> None:
    slow, quick = servers
    here = lets(place, slow.url, quick.url)
    people(engine, here)
    works = Works(engine, here, clock)
    ward = system(api(engine, here), here, "ward", "RDV", "nurse", SCOPES)
    for server in servers:
        active(ward, server, works)
    let_go, answer = Event(), slow.receiver.answer
    slow.running.replace(lambda asked: (let_go.wait(20), answer(asked))[1])
    clock.later(minutes=1)
    with engine.begin() as conn:
        take(conn, here, [condition("c1", "ann", code="44054006")], clock.now)
    doing = Thread(target=works.all)
    doing.start()
    until(lambda: quick.receiver.took, "the quick one is told while the slow one is still being told")
    assert (slow.receiver.took, let_go.is_set()) == ([], False)
    let_go.set()
    doing.join(30)
    assert [number for number, _ in events(slow.receiver.took[0])] == [1]


# Killed ---------------------------------------------------------------------------------------------


@contextmanager
def worker(url: str, place: Path, now: datetime, log: Path) -> Iterator[Any]:
    environ = {
        "CARELINK_DATABASE_URL": url,
        "CARELINK_PLACE": str(place),
        "CARELINK_SECRET_KEY": SECRET_KEY,
        "CARELINK_BASE_URL": "http://localhost",
        "CARELINK_NOW": now.isoformat(),
    }
    with command("worker", log=log, **environ) as process:
        yield process


def test_a_worker_that_is_killed_while_it_tells_somebody_tells_it_again_with_the_same_number(
    engine: Engine,
    database_url: str,
    place: Place,
    clock: Clock,
    servers: tuple[Server, Server],
    tmp_path: Path,
    pack: Callable[[str], Path],
) -> None:
    server = servers[0]
    here, folder = lets(place, server.url), pack(server.url)
    people(engine, here)
    works = Works(engine, here, clock)
    active(system(api(engine, here), here, "ward", "RDV", "nurse", SCOPES), server, works)
    _only_deliveries(engine)
    arrived, answer = Event(), server.receiver.answer

    def never(asked: Any) -> Any:
        answer(asked)
        arrived.set()
        server.running._closing.wait(60)
        return answer(asked)

    server.running.replace(never)
    clock.later(minutes=1)
    with engine.begin() as conn:
        take(conn, here, [condition("c1", "ann", code="44054006")], clock.now)
    with worker(database_url, folder, clock.now, tmp_path / "first.log") as process:
        assert arrived.wait(60), (tmp_path / "first.log").read_text()
        process.kill()
        process.wait()
    assert not _done(engine)
    server.running.replace(answer)
    clock.later(minutes=11)  # what a dead worker held is handed over again
    with worker(database_url, folder, clock.now, tmp_path / "second.log"):
        until(lambda: _done(engine), "the event is told")
    told = [events(bundle) for bundle in server.receiver.took]
    assert [number for one in told for number, _ in one] == [1, 1]
    assert told[0] == told[1]
    assert server.receiver.again == 1, "by its number the receiver knows that it has it"


def test_a_worker_that_is_killed_before_it_tells_loses_nothing(
    engine: Engine,
    database_url: str,
    place: Place,
    clock: Clock,
    servers: tuple[Server, Server],
    tmp_path: Path,
    pack: Callable[[str], Path],
) -> None:
    """The change is committed with its note, and nobody has worked since."""
    server = servers[0]
    here, folder = lets(place, server.url), pack(server.url)
    people(engine, here)
    works = Works(engine, here, clock)
    active(system(api(engine, here), here, "ward", "RDV", "nurse", SCOPES), server, works)
    _only_deliveries(engine)
    clock.later(minutes=1)
    with engine.begin() as conn:
        take(conn, here, [condition("c1", "ann", code="44054006")], clock.now)
        conn.execute(update(outbox).where(outbox.c.done_at.is_(None)).values(handed_at=clock.now, attempts=1))
    clock.later(minutes=11)
    with worker(database_url, folder, clock.now, tmp_path / "worker.log"):
        until(lambda: server.receiver.took, "it is told")
    assert [number for number, _ in events(server.receiver.took[0])] == [1]


@pytest.fixture
def pack(place: Place, tmp_path: Path) -> Callable[[str], Path]:
    """The example on disk, with that address on its list."""

    def made(url: str) -> Path:
        folder = Path(shutil.copytree(place.folder, tmp_path / "example"))
        (folder / "systems.toml").write_text(ENTRY.format(url=url))
        return folder

    return made


def _only_deliveries(engine: Engine) -> None:
    """What else is waiting in the outbox is done."""
    with engine.begin() as conn:
        conn.execute(update(outbox).where(outbox.c.done_at.is_(None)).values(done_at=outbox.c.created_at))


def _done(engine: Engine) -> bool:
    with engine.connect() as conn:
        outcomes = list(conn.execute(select(subscription_event.c.outcome)).scalars())
        assert conn.execute(select(subscription.c.key)).all()
    return bool(outcomes) and all(one == "told" for one in outcomes)


# The wire -------------------------------------------------------------------------------------------


def entry(url: str, private: bool = False) -> Subscriber:
    return Subscriber(url, Ods("RDV"), "for a test", private)


ADDRESSES = [
    ("93.184.216.34", "engine.example", False, True),
    ("10.0.0.7", "engine.example", False, False),
    ("10.0.0.7", "engine.example", True, True),
    ("127.0.0.1", "engine.example", True, False),
    ("127.0.0.1", "127.0.0.1", False, True),
    ("::1", "localhost", False, True),
    ("169.254.169.254", "engine.example", True, False),
    ("fe80::1%eth0", "engine.example", True, False),
    ("::ffff:127.0.0.1", "engine.example", True, False),
    ("::ffff:10.0.0.7", "engine.example", False, False),
    ("fd00::7", "engine.example", True, True),
    ("0.0.0.0", "engine.example", True, False),
    ("224.0.0.1", "engine.example", True, False),
    ("100.64.0.1", "engine.example", False, False),
]


@pytest.mark.parametrize(("number", "host", "private", "goes"), ADDRESSES)
def test_only_to_public_addresses_and_to_private_ones_that_are_allowed(
    number: str, host: str, private: bool, goes: bool
) -> None:
    assert may_go(number, host, entry(f"https://{host}/", private)) is goes


def test_a_name_that_leads_to_this_machine_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, 443)) for number in ("93.184.216.34", "127.0.0.1")]
    monkeypatch.setattr(posting.socket, "getaddrinfo", lambda *_, **__: found)
    posted = post("https://engine.example/x", entry("https://engine.example/x"), b"{}", {})
    assert (posted.left, "private network" in posted.why) == (False, True)


def test_a_drip_of_bytes_is_cut_off_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "WHOLE", 0.5)
    ended = Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        dripping = Thread(target=_drip, args=(listening, ended), daemon=True)
        dripping.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/x"
        began = monotonic()
        posted = post(url, entry(url), b"{}", {})
        ended.set()
        dripping.join(10)
    assert (posted.why, posted.left) == ("it did not answer in time", True)
    assert monotonic() - began < 10


def _drip(listening: socket.socket, ended: Event) -> None:
    conn, _ = listening.accept()
    with conn:
        for byte in b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 400:
            if ended.wait(0.05):
                return
            conn.sendall(bytes([byte]))


ANSWERS = [
    (b"HTTP/1.1 204 No Content\r\n\r\n", ""),
    (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "it answered 302"),
    (b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", "it answered 410"),
    (b"no such thing\r\n\r\n", "the connection broke (RemoteProtocolError)"),
    (b"", "the connection broke (RemoteProtocolError)"),
]


@pytest.mark.parametrize(("said", "why"), ANSWERS, ids=[why or "taken" for _, why in ANSWERS])
def test_only_a_2xx_is_taken_for_an_answer(said: bytes, why: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        answering = Thread(target=_answer, args=(listening, said), daemon=True)
        answering.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/x"
        posted = post(url, entry(url), b"{}", {})
        answering.join(10)
    assert (posted.why, posted.left) == (why, True)


def _answer(listening: socket.socket, said: bytes) -> None:
    conn, _ = listening.accept()
    with conn:
        conn.recv(65_536)
        conn.sendall(said)


def test_where_nobody_listens_nothing_has_left() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/x"
    posted = post(url, entry(url), b"{}", {})
    assert (posted.why, posted.left) == ("it can't be reached", False)


def test_over_tls_only_a_certificate_that_is_trusted_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """What answers in clear, where https is listed, is told nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        answering = Thread(target=_answer, args=(listening, b"HTTP/1.1 200 OK\r\n\r\n"), daemon=True)
        answering.start()
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/x"
        posted = post(url, entry(url), b'{"secret": 1}', {})
        answering.join(10)
    assert posted.left is False
    assert posted.why
