"""`carelink audit …` and the worker's minute: what is told, the exit codes, and what somebody outside can check alone."""

from __future__ import annotations

import shutil
import stat
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from audit_builders import KEY, happen, sealed
from command_builders import Carelink, Told, in_this_process
from conftest import NOW, absent
from processes import command, free_port, redis_server, until
from sqlalchemy import Engine, select
from structlog.testing import capture_logs

from carelink.audit import seal, seals
from carelink.audit.keys import SigningKey
from carelink.audit.settled import settled
from carelink.db.tables import audit_event, audit_seal, outbox
from carelink.demo.environment import Folder
from carelink.jobs import redis_queue, sealing
from carelink.jobs.relay import Relay
from carelink.jobs.shop import Shop
from carelink.jobs.worker import step
from carelink.place import Place
from carelink.record import source_state
from carelink.settings import Settings

WITH_KEY = {"CARELINK_AUDIT_KEY": KEY.text}
MINUTE = timedelta(minutes=1)


@pytest.fixture
def carelink(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Carelink]:
    monkeypatch.delenv("CARELINK_AUDIT_KEY", raising=False)
    with in_this_process(database_url, monkeypatch, capsys) as runner:
        yield runner


def trail(engine: Engine, number: int) -> None:
    with engine.begin() as conn:
        happen(conn, number)


# The commands ---------------------------------------------------------------------------------------


def test_sealing_says_how_much_and_the_newest_seal_and_then_that_nothing_waits(
    carelink: Carelink, engine: Engine
) -> None:
    trail(engine, 7)
    told = carelink("audit", "seal", **WITH_KEY)
    with engine.connect() as conn:
        newest = seals.newest(conn)
    assert newest is not None
    assert (told.code, told.err) == (0, "")
    assert told.out == f"sealed: 7 events in 1 blocks; newest seal: 1:{newest.hash.hex()}\n"
    assert carelink("audit", "seal", **WITH_KEY) == Told(0, "Nothing waits to be sealed\n", "")


def test_a_good_trail_ends_with_0_and_says_how_much_was_verified_and_how_much_waits(
    carelink: Carelink, engine: Engine
) -> None:
    trail(engine, 7)
    newest = sealed(engine).newest
    assert newest is not None
    told = carelink("audit", "verify", **WITH_KEY)
    assert (told.code, told.err) == (0, "")
    assert told.lines == [
        "as they were sealed: 7 events in 2 blocks",
        "waiting to be sealed: 2 events, the first since 2026-11-24 12:00:00 UTC",
        f"newest seal: {newest.anchor}",
    ]
    assert carelink("audit", "verify", "--expect", newest.anchor, **WITH_KEY) == told


def test_what_is_wrong_is_a_line_each_with_block_and_event_and_ends_with_1(carelink: Carelink, engine: Engine) -> None:
    trail(engine, 7)
    sealed(engine)
    with engine.begin() as conn:
        conn.execute(audit_event.update().where(audit_event.c.id == 2).values(user="somebody.else"))
        conn.execute(audit_event.delete().where(audit_event.c.id == 6))
        conn.execute(audit_seal.update().where(audit_seal.c.number == 2).values(signature=b""))
    told = carelink("audit", "verify", **WITH_KEY)
    assert (told.code, told.err) == (1, "")
    assert told.lines[:5] == [
        "block 1: event 2 was changed after it was sealed",
        "block 2: the signature is wrong",
        "block 2: event 6 is gone",
        "wrong: 3",
        "as they were sealed: 0 events in 0 blocks",
    ]


def test_a_seal_that_was_noted_outside_and_is_not_there_ends_with_1(carelink: Carelink, engine: Engine) -> None:
    trail(engine, 3)
    sealed(engine)
    told = carelink("audit", "verify", "--expect", f"4:{'0' * 64}", **WITH_KEY)
    assert (told.code, told.lines[0]) == (1, "block 4: is expected, and is not there")


def test_what_is_no_key_and_no_seal_is_one_line(carelink: Carelink, tmp_path: Path) -> None:
    assert carelink("audit", "seal").is_one_line("CARELINK_AUDIT_KEY: must be an Ed25519 key in base64")
    assert carelink("audit", "verify").is_one_line("CARELINK_AUDIT_KEY: must be set, or --key name a file")
    assert carelink("audit", "key", CARELINK_AUDIT_KEY="secret?").is_one_line("must be an Ed25519 key in base64")
    for anchor in ("4", "4:", "x:00", f"-1:{'0' * 64}", f"4:{'0' * 63}g"):
        assert carelink("audit", "verify", "--expect", anchor, **WITH_KEY).is_one_line("must be NUMBER:HASH")
    file = tmp_path / "key.pem"
    file.write_text("no key")
    assert carelink("audit", "verify", "--key", str(file)).is_one_line("key.pem: is not a public key in PEM")


def test_where_a_transaction_does_not_end_sealing_says_which(
    carelink: Carelink, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seal, "settled", lambda engine, patience: settled(engine, 0))
    with engine.connect() as slow:
        happen(slow, 1)
        told = carelink("audit", "seal", **WITH_KEY)
    assert told.is_one_line("Nothing was sealed: transactions that add events don't end; server processes ")


def test_a_new_key_is_one_that_can_be_set(carelink: Carelink) -> None:
    line, fingerprint = carelink("audit", "new-key").lines
    name, _, text = line.partition("=")
    assert name == "CARELINK_AUDIT_KEY"
    assert fingerprint == f"fingerprint: {SigningKey.read(text).public.fingerprint}"
    assert carelink("audit", "new-key").lines[0] != line


def test_who_has_only_the_public_key_verifies_and_nobody_else_s_key_will_do(
    carelink: Carelink, engine: Engine, tmp_path: Path
) -> None:
    trail(engine, 3)
    sealed(engine)
    mine, other = tmp_path / "mine.pem", tmp_path / "other.pem"
    mine.write_text(carelink("audit", "key", **WITH_KEY).out)
    other.write_text(SigningKey.new().public.pem)
    assert carelink("audit", "verify", "--key", str(mine)).code == 0
    assert carelink("audit", "verify", "--key", str(mine), "--key", str(other)).code == 0
    told = carelink("audit", "verify", "--key", str(other))
    assert (told.code, told.lines[0]) == (1, "block 1: signed by a key that is not known, as all blocks after it")


def test_openssl_alone_checks_a_seal(engine: Engine, tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        absent("openssl")
    trail(engine, 3)
    newest = sealed(engine).newest
    assert newest is not None
    for name, content in (
        ("said", newest.block.said),
        ("signature", newest.signature),
        ("key", KEY.public.pem.encode()),
    ):
        (tmp_path / name).write_bytes(content)
    check = [openssl, "pkeyutl", "-verify", "-pubin", "-inkey", "key", "-rawin", "-in", "said", "-sigfile", "signature"]
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "said").write_bytes(newest.block.said.replace(b"count 3", b"count 2"))
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, check=False).returncode != 0


# The worker -----------------------------------------------------------------------------------------


def asked_for(engine: Engine) -> list[tuple[datetime, datetime | None]]:
    with engine.connect() as conn:
        t = outbox.c
        rows = conn.execute(select(t.due_at, t.done_at).where(t.kind == sealing.KIND).order_by(t.id)).all()
    return [(row.due_at, row.done_at) for row in rows]


def shop_at(engine: Engine, place: Place, now: datetime, key: str = KEY.text) -> Shop:
    """No pull is due there."""
    with engine.begin() as conn:
        for entry in place.sources:
            source_state.started(conn, entry.name, now + timedelta(hours=1))
    return Shop(engine, place, Settings(audit_key=key), lambda: now)


def test_a_worker_seals_once_a_minute(engine: Engine, place: Place) -> None:
    trail(engine, 3)
    assert step(shop_at(engine, place, NOW)) is False
    assert asked_for(engine) == [(NOW + MINUTE, None)]
    assert [step(shop_at(engine, place, NOW + MINUTE)) for _ in range(3)] == [True, False, False]
    assert asked_for(engine) == [(NOW + MINUTE, NOW + MINUTE), (NOW + 2 * MINUTE, None)]
    with engine.connect() as conn:
        newest = seals.newest(conn)
    assert newest is not None
    assert (newest.block.count, newest.block.sealed_at) == (3, NOW + MINUTE)


def test_without_a_key_nothing_is_asked_for_and_the_start_says_so(engine: Engine, place: Place) -> None:
    shop = shop_at(engine, place, NOW, key="")
    assert step(shop) is False
    assert asked_for(engine) == []
    with capture_logs() as said:
        sealing.check(shop.settings)
    assert [(one["log_level"], one["event"]) for one in said] == [("warning", "the audit is not sealed")]


def test_a_worker_with_what_is_no_key_does_not_start(carelink: Carelink) -> None:
    assert carelink("worker", CARELINK_AUDIT_KEY="x").is_one_line("must be an Ed25519 key in base64")


def test_the_newest_seal_goes_to_the_log_and_so_outside_the_database(engine: Engine, place: Place) -> None:
    trail(engine, 3)
    shop = shop_at(engine, place, NOW)
    with capture_logs() as said:
        sealing.work(shop, {})
        sealing.work(shop, {})
    with engine.connect() as conn:
        newest = seals.newest(conn)
    assert newest is not None
    assert [one for one in said if one["event"] == "audit sealed"] == [
        {"event": "audit sealed", "log_level": "info", "seal": newest.anchor, "events": 3}
    ]


def test_who_is_waited_for_goes_to_the_log(engine: Engine, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seal, "settled", lambda engine, patience: settled(engine, 0))
    with engine.connect() as slow, capture_logs() as said:
        happen(slow, 1)
        sealing.work(shop_at(engine, place, NOW), {})
    assert [one["event"] for one in said] == ["sealing of the audit waits for transactions that don't end"]


@pytest.mark.rq
def test_over_redis_it_is_done_once_a_minute_too(
    engine: Engine, database_url: str, place: Place, tmp_path: Path
) -> None:
    port = free_port()
    shop = shop_at(engine, place, NOW)
    trail(engine, 3)
    with redis_server(tmp_path, port):
        relay = Relay(shop, redis_queue.connect(f"redis://127.0.0.1:{port}/0"))
        assert relay.step() == 0
        assert asked_for(engine) == [(NOW + MINUTE, None)]
        later = Relay(shop_at(engine, place, NOW + MINUTE), relay.redis, relay.carrier)
        assert later.step() == 1
        told = {"CARELINK_DATABASE_URL": database_url, "CARELINK_REDIS_URL": f"redis://127.0.0.1:{port}/0"}
        with command("worker", **told, **WITH_KEY):
            until(lambda: asked_for(engine)[0][1] is not None, "the worker has sealed")
    with engine.connect() as conn:
        assert seals.newest(conn) is not None


# The demo -------------------------------------------------------------------------------------------


def test_the_demo_makes_a_key_once_that_only_its_owner_can_read(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "demo")
    assert folder.sealing() == {}
    folder.open_for(5, 1)
    key = folder.sealing()["CARELINK_AUDIT_KEY"]
    assert SigningKey.read(key).text == key
    assert stat.S_IMODE((folder.path / "audit.key").stat().st_mode) == 0o600
    folder.open_for(5, 1)
    assert folder.sealing()["CARELINK_AUDIT_KEY"] == key
