"""`carelink demo`: what it says, that it keeps its children up, and that nothing of it is left however it ends."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import httpx
import psutil
import pytest
from conftest import NOW, absent
from demo_runs import Demo, children, demo, left_in, of, ports
from processes import free_port, listens, run, until
from rich.console import Console

from carelink.demo.figures import Figures, tell
from carelink.place import Place
from carelink.record.source_state import Standing

SOURCES = ("Northdale Council", "Southmere Council", "Hospital", "National demographics (PDS)", "GP record")
SIGN_INS = ("Social worker", "Ward nurse", "Care manager", "Information governance lead", "The person")


KEPT = {
    "audit.key",
    "cohort.txt",
    "demo.json",
    "lock",
    "logs",
    "people.json",
    "postgres",
    "sources",
    "ward-system.secret",
}


@dataclass(frozen=True)
class First:
    """A folder after a first start that SIGTERM ended, what that printed, and where it listened."""

    data: Path
    printed: str
    listened: frozenset[int]


def figures(printed: str) -> list[str]:
    return re.findall(r"^(?:People|Resources|Links|Quarantined) .*$", printed, re.MULTILINE)


@pytest.fixture(scope="module")
def first() -> Iterator[First]:
    folder = Path(tempfile.mkdtemp(prefix="carelink-demo-"))  # where PostgreSQL's own user may go
    with demo(folder / "data", "--port", str(free_port())) as started:
        started.wait_for("Ctrl-C ends it")
        listened = ports(children(started.process.pid))
        assert started.ends(signal.SIGTERM) == 0
    yield First(folder / "data", started.output.read_text(), frozenset(listened))
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def no_redis(tmp_path: Path) -> str:
    """A PATH on which everything is but a redis-server."""
    for folder in reversed(os.environ["PATH"].split(os.pathsep)):
        for file in Path(folder).glob("*"):
            (tmp_path / file.name).unlink(missing_ok=True)
            (tmp_path / file.name).symlink_to(file)
    (tmp_path / "redis-server").unlink(missing_ok=True)
    return str(tmp_path)


def nothing_is_left(data: Path, listened: set[int]) -> None:
    until(lambda: of(data) == [], "everything that knows of the folder ends", 20)
    assert left_in(data) == []
    assert [port for port in listened if listens(port)] == []


def test_the_first_start_says_what_it_did_and_who_can_sign_in(first: First) -> None:
    printed = first.printed
    for source in SOURCES:
        assert re.search(rf"{re.escape(source)} .* [\d,]+ resources, \d+ quarantined", printed), source
    assert re.search(r"^People +\d\d$", printed, re.MULTILINE)
    assert re.search(r"^Resources +[\d,]{3,}$", printed, re.MULTILINE)
    assert re.search(r"^Links +\d+ by founder, \d+ by nhs-number, .*\d+ for a human to decide$", printed, re.MULTILINE)
    assert re.search(r"^Quarantined +\d+$", printed, re.MULTILINE)
    assert re.search(r"^Seconds +\d+$", printed, re.MULTILINE)
    assert all(f" {who}" in printed for who in SIGN_INS)
    assert re.search(r"^CareLink is at http://127\.0\.0\.1:\d+$", printed, re.MULTILINE)
    assert "Traceback" not in printed


def test_what_was_quarantined_is_told_with_its_reasons_and_a_source_that_failed_with_its_own(place: Place) -> None:
    standings = {entry.name: Standing(entry.name, "good", NOW) for entry in place.sources}
    standings["hospital"] = Standing("hospital", "failing", None, NOW, "no answer in 5 s")
    rows = (("gp", "List", "has another NHS number", 3), ("hospital", "Encounter", "says nobody", 1))
    written = StringIO()
    tell(Console(file=written, width=100), place, Figures(2, 12, {"founder": 2}, 0, rows, standings), 3.4)
    lines = [line.split() for line in written.getvalue().splitlines()]
    assert ["Quarantined", "4"] in lines
    assert ["3", "x", "List", "of", "gp:", "has", "another", "NHS", "number"] in lines
    assert ["Hospital", "could", "not", "be", "pulled", "to", "its", "end:", "no", "answer", "in", "5", "s"] in lines


def test_a_start_that_ended_left_only_its_data_that_nobody_else_can_read(first: First) -> None:
    nothing_is_left(first.data, set(first.listened))
    assert {file.name for file in first.data.iterdir()} == KEPT
    secret = [first.data / name for name in ("demo.json", "ward-system.secret")]
    assert [file.name for file in secret if file.stat().st_mode & 0o077] == []


@pytest.fixture(scope="module")
def again(first: First) -> Iterator[Demo]:
    """A second start on the same data, while it runs."""
    with demo(first.data, "--port", str(free_port())) as started:
        started.wait_for("Ctrl-C ends it")
        yield started


def test_a_second_start_finds_everything_again_and_answers(first: First, again: Demo) -> None:
    printed = again.output.read_text()
    assert "Everything was pulled by an earlier start" in printed
    assert figures(printed) == figures(first.printed)
    assert "Sign in" in httpx.get(address(again)).text
    away = httpx.get(f"{address(again)}/sign-in", follow_redirects=True)
    assert "Who are you in this demonstration?" in away.text
    assert "Sam Okafor" in away.text


REFUSED = [
    (["--seed", "2"], "holds 15 people of seed 1; ask for those, or for another --data"),
    ([], "another demo runs on it; end that, or ask for another --data"),
    (["--port", "{taken}"], "--port: {taken} is taken by another program; leave --port out to use the next free one"),
]


@pytest.mark.parametrize(("more", "words"), REFUSED)
def test_what_cannot_be_is_one_clear_line(first: First, again: Demo, more: list[str], words: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        told = [one.format(taken=port) for one in more]
        refused = run("demo", "--people", "15", "--data", str(first.data), *told)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.count("\n") == 1
    assert refused.stderr.startswith("carelink: ")
    assert words.format(taken=port) in refused.stderr


def test_a_command_beside_it_works_on_the_running_demo(first: First, again: Demo) -> None:
    done = run("pull", "council-a", "--data", str(first.data))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("council-a: 0 stored")


FALLEN = [
    ("web", "gunicorn"),
    ("relay", "carelink.cli relay"),
    ("worker-1", "carelink.cli worker"),
    ("redis", "redis-server"),
    ("sign-in", "carelink.identity.dev_provider"),
    ("sources", "fhir_adapters.simulators"),
    ("postgres", "carelink.demo.database"),
]


@pytest.mark.rq
def test_children_that_are_killed_are_started_again_and_ctrl_c_ends_them_all(first: First, again: Demo) -> None:
    if not shutil.which("redis-server"):
        absent("a redis-server")
    for _, word in FALLEN:
        again.child(word).kill()
    for name, _ in FALLEN:
        again.wait_for(f"{name} had ended and was started again")
    until(lambda: answers(f"{address(again)}/healthz"), "the page answers again")
    until(lambda: answers(f"{address(again)}/sign-in"), "one can sign in again")
    done = run("pull", "council-b", "--data", str(first.data))
    assert (done.returncode, done.stdout) == (0, "council-b: 0 stored, 0 unchanged, 0 quarantined\n")
    everyone = children(again.process.pid)
    listened = ports(everyone)
    assert len(listened) >= 6
    assert again.ends(signal.SIGINT) == 0
    assert [one for one in everyone if one.is_running() and one.status() != psutil.STATUS_ZOMBIE] == []
    nothing_is_left(first.data, listened)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, follow_redirects=True).status_code == 200
    except httpx.TransportError:
        return False


def test_without_redis_it_says_so_the_database_comes_back_and_nothing_is_left_even_when_it_is_killed(
    first: First, no_redis: str
) -> None:
    with demo(first.data, "--port", str(free_port()), path=no_redis) as started:
        started.wait_for("Ctrl-C ends it")
        assert started.said("There is no redis-server here: one worker does the jobs straight from the outbox")
        assert [one.name() for one in children(started.process.pid) if "redis" in one.name()] == []
        started.child("carelink.cli", "worker")
        psutil.Process(server_of(first.data)).kill()
        started.wait_for("postgres had ended and was started again")
        until(lambda: answers(f"{address(started)}/healthz"), "the page reaches the database again")
        listened = ports(children(started.process.pid))
        started.process.kill()
        started.process.wait()
    until(lambda: of(first.data) == [], "everything that knows of the folder ends", 20)
    assert [port for port in listened if listens(port)] == []
    done = run("pull", "council-a", "--data", str(first.data))
    told = "council-a: 0 stored, 0 unchanged, 0 quarantined; stopped: the folder of its extracts is not there\n"
    assert (done.returncode, done.stdout) == (1, told), "the database can be used, and its sources are known to be gone"


def server_of(data: Path) -> int:
    return int((data / "postgres" / "postmaster.pid").read_text().split()[0])


def address(started: Demo) -> str:
    return str(re.search(r"CareLink is at (\S+)", started.output.read_text())[1])
