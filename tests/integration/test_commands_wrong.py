"""A wrong setting, pack or command line, and a database that is not there: one line that says what, exit 2."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from command_builders import URL, Carelink, Told, in_this_process
from conftest import ROOT
from processes import free_port, run

PLACES = ROOT / "config" / "places"


@pytest.fixture
def carelink(
    database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Carelink]:
    with in_this_process(database_url, monkeypatch, capsys) as runner:
        yield runner


WRONG_SETTINGS = [
    ("CARELINK_SESSION_MINUTES", "soon"),
    ("CARELINK_SESSION_MINUTES", "0"),
    ("CARELINK_PLACE", "/no/such/place"),
    ("CARELINK_DATABASE_URL", "mysql://somewhere"),
    ("CARELINK_REDIS_URL", "http://somewhere"),
    ("CARELINK_COHORT", "/no/such/file"),
    ("CARELINK_WEB_WORKERS", "many"),
    ("CARELINK_COOKIE_SECURE", "perhaps"),
    ("CARELINK_NOW", "yesterday"),
    ("CARELINK_NOW", "2026-11-24T12:00:00"),
]


@pytest.mark.parametrize(("name", "value"), WRONG_SETTINGS)
def test_a_wrong_setting_is_one_line_that_names_its_key(carelink: Carelink, name: str, value: str) -> None:
    assert carelink("pull", "council-a", **{name: value}).is_one_line(f"carelink: {name}: ")


@pytest.mark.parametrize(
    ("command", "name", "value"),
    [
        (("worker",), "CARELINK_REDIS_URL", "http://somewhere"),
        (("relay",), "CARELINK_PLACE", "/no/such/place"),
        (("demo", "--once", "--data", "{folder}"), "CARELINK_WEB_WORKERS", "many"),
        (("demo", "--once", "--data", "{folder}"), "CARELINK_PLACE", "/no/such/place"),
    ],
)
def test_a_process_with_a_wrong_setting_does_not_start(
    database_url: str, tmp_path: Path, command: tuple[str, ...], name: str, value: str
) -> None:
    folder = tmp_path / "demo"
    done = run(*(word.format(folder=folder) for word in command), **{URL: database_url, name: value})
    assert Told(done.returncode, done.stdout, done.stderr).is_one_line(f"carelink: {name}: ")
    assert not folder.exists(), "nothing was made"


def test_a_wrong_pack_is_one_line_that_names_file_and_line(carelink: Carelink, tmp_path: Path) -> None:
    pack = Path(shutil.copytree(PLACES / "example", tmp_path / "wrong"))
    (pack / "sources.toml").write_text((pack / "sources.toml").read_text().replace("order = 2", 'order = "two"'))
    told = carelink("pull", "--all", CARELINK_PLACE=str(pack))
    assert told.is_one_line("carelink: wrong/sources.toml:")
    assert "Not a valid integer" in told.err


def test_a_cohort_that_is_wrong_is_one_line_that_names_its_line(carelink: Carelink, tmp_path: Path) -> None:
    cohort = tmp_path / "cohort.txt"
    cohort.write_text("9990000018\nNora Hart\n")
    told = carelink("pull", "pds", CARELINK_COHORT=str(cohort))
    assert told.is_one_line("carelink: cohort.txt:2: must start with an NHS number of ten digits")


UNREACHABLE = [
    ("postgresql://127.0.0.1:{port}/carelink", "the database: "),
    ("postgresql://carelink:a-secret@127.0.0.1:{port}/carelink", "the database: "),
]


@pytest.mark.parametrize(("url", "words"), UNREACHABLE)
def test_a_database_that_is_not_there_is_one_line_without_the_password(
    carelink: Carelink, url: str, words: str
) -> None:
    told = carelink("pull", "council-a", CARELINK_DATABASE_URL=url.format(port=free_port()))
    assert told.is_one_line(words)
    assert "a-secret" not in told.err


def test_without_a_database_or_a_demo_it_says_what_to_set(
    carelink: Carelink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = carelink("links", "list", "--data", str(tmp_path), CARELINK_DATABASE_URL="")
    assert told.is_one_line("CARELINK_DATABASE_URL: is not set, and there is no demo in ")


@pytest.mark.parametrize("arguments", [("dance",), ("pull", "--loud"), ("links", "decide", "one", "same")])
def test_a_command_that_there_is_not_is_one_line(carelink: Carelink, arguments: tuple[str, ...]) -> None:
    told = carelink(*arguments)
    assert (told.code, told.out, told.err.count("\n")) == (2, "", 1)


def test_a_fault_of_ours_is_one_line_too_and_tells_nothing_of_anybody(
    carelink: Carelink, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(*_: object) -> datetime:
        raise RuntimeError("Nora Hart, born 1944")

    monkeypatch.setattr("carelink.commands.questions", faulty)
    told = carelink("links", "list")
    assert told.is_one_line("carelink: a fault in CareLink (RuntimeError); CARELINK_TRACE=1 shows where")
    assert "Nora" not in told.err
