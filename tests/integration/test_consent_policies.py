"""Every place pack that decisions were made by is kept whole, and can be decided by again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from command_builders import in_this_process
from conftest import ROOT
from sqlalchemy import Connection, Engine, select
from structlog.testing import capture_logs

from carelink import logs, wsgi
from carelink.consent import policies
from carelink.consent.policies import note, policy_at
from carelink.db.engine import engine_for
from carelink.db.tables import audit_event, policy
from carelink.errors import Invalid
from carelink.place import Place
from carelink.place_loader import load

DAY = timedelta(days=1)
EXAMPLE = ROOT / "config" / "places" / "example"
Edit = Callable[..., Place]


@pytest.fixture
def edited(tmp_path: Path) -> Edit:
    """The example pack with one text of one of its files for another."""
    folder = tmp_path / "example"
    shutil.copytree(EXAMPLE, folder)

    def edit(file: str, was: str, now: str) -> Place:
        said = (folder / file).read_text("utf-8")
        assert was in said
        (folder / file).write_text(said.replace(was, now, 1), "utf-8")
        return load(folder)

    return edit


def told(conn: Connection) -> list[tuple[str | None, dict[str, object]]]:
    t = audit_event.c
    asked = select(t.user, t.detail).where(t.action == "policy-change").order_by(t.id)
    return [(row.user, row.detail) for row in conn.execute(asked)]


def test_a_pack_is_kept_once_until_it_changes(conn: Connection, now: datetime, edited: Edit) -> None:
    place = edited("relationships.toml", "grace_days = 28", "grace_days = 28")
    assert note(conn, place, now, "ada")
    assert not note(conn, place, now + DAY, "ada")
    assert note(conn, edited("relationships.toml", "grace_days = 28", "grace_days = 7"), now + 2 * DAY, "bob")
    assert [(one.since, one.changed_by, one.name) for one in policies.kept(conn)] == [
        (now + 2 * DAY, "bob", "example"),
        (now, "ada", "example"),
    ]


def test_a_change_back_is_a_change(conn: Connection, now: datetime, place: Place, edited: Edit) -> None:
    changed = edited("relationships.toml", "grace_days = 28", "grace_days = 7")
    assert [note(conn, one, now + turn * DAY, "ada") for turn, one in enumerate((place, changed, place))] == [True] * 3
    newest, _, oldest = policies.kept(conn)
    assert newest.hash == oldest.hash


def test_the_audit_has_who_and_which_files_and_nothing_of_what_they_say(
    conn: Connection, now: datetime, edited: Edit
) -> None:
    first = edited("relationships.toml", "grace_days = 28", "grace_days = 28")
    note(conn, first, now, "operator:ada")
    note(conn, edited("staff.toml", "Sam Okafor", "Samuel Okafor"), now + DAY, "operator:bob")
    (_, before), (who, after) = told(conn)
    assert who == "operator:bob"
    assert (after["was"], after["files"]) == (before["hash"], ["staff.toml"])
    assert {"staff.toml", "labels.toml", "agreements.toml"} <= set(before["files"])  # type: ignore[call-overload]
    assert set(after) == {"hash", "was", "files"}


def test_the_policy_of_a_time_is_the_place_that_was_decided_by_then(
    conn: Connection, now: datetime, edited: Edit
) -> None:
    first = edited("relationships.toml", "grace_days = 28", "grace_days = 28")
    note(conn, first, now, "ada")
    second = edited("labels.toml", 'category = "safeguarding"', 'category = "legal"')
    note(conn, second, now + DAY, "ada")
    for at, expected in ((now, first), (now + DAY - timedelta(microseconds=1), first), (now + DAY, second)):
        assert decides(policy_at(conn, at)) == decides(expected)
    assert first.labels != second.labels


def decides(place: Place) -> Place:
    """What of a place decides: all but where its files stand."""
    sources = tuple(replace(one, options={}) for one in place.sources)
    return replace(place, folder=Path("."), sources=sources)


def test_both_packs_that_ship_come_back_as_they_are(conn: Connection, now: datetime) -> None:
    for turn, name in enumerate(("example", "saltmarsh")):
        mine = load(EXAMPLE.parent / name)
        note(conn, mine, now + turn * DAY, "ada")
        assert decides(policy_at(conn, now + turn * DAY)) == decides(mine)


def test_a_pack_is_rebuilt_once_and_asked_many_times(conn: Connection, now: datetime, place: Place) -> None:
    note(conn, place, now, "ada")
    assert policy_at(conn, now) is policy_at(conn, now + DAY)


def test_what_was_decided_by_before_the_first_pack_is_not_guessed(
    conn: Connection, now: datetime, place: Place
) -> None:
    with pytest.raises(Invalid, match="is not known yet: run `carelink db upgrade`"):
        policy_at(conn, now)
    note(conn, place, now, "ada")
    with pytest.raises(Invalid, match=r"at: is before 24 November 2026 12:00 UTC"):
        policy_at(conn, now - DAY)


def test_a_kind_of_file_that_packs_did_not_have_then_is_empty() -> None:
    files = policies.files_of(EXAMPLE)
    without = policies.rebuilt("example", {name: said for name, said in files.items() if name != "retention.toml"})
    assert without.staff == load(EXAMPLE).staff


def test_a_pack_that_can_not_be_read_any_more_says_which_file_and_line() -> None:
    files = policies.files_of(EXAMPLE) | {"agreements.toml": "[[agreement]]\nid = 1\n"}
    with pytest.raises(Invalid, match=r"example/agreements.toml:2"):
        policies.rebuilt("example", files)


def test_what_is_no_pack_is_not_kept(conn: Connection, now: datetime, place: Place, tmp_path: Path) -> None:
    assert not note(conn, replace(place, folder=tmp_path), now, "ada")
    assert conn.execute(select(policy.c.id)).all() == []


def test_what_is_no_text_and_what_is_hidden_does_not_stop_it(conn: Connection, now: datetime, edited: Edit) -> None:
    place = edited("place.toml", "service_name", "service_name")
    (place.folder / ".editor").write_bytes(b"x")
    (place.folder / "logo.png").write_bytes(b"\x00\xff")
    assert note(conn, place, now, "ada")
    kept = conn.execute(select(policy.c.files)).scalar_one()
    assert "logo.png" in kept
    assert ".editor" not in kept


# Where it is kept ---------------------------------------------------------------------------------------


def test_bringing_the_database_up_to_date_keeps_the_pack(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with in_this_process(database_url, monkeypatch, capsys) as carelink:
        assert carelink("db", "upgrade").code == 0
        assert carelink("db", "upgrade").code == 0
    with engine.connect() as conn:
        [one] = policies.kept(conn)
        [(who, _)] = told(conn)
    assert one.name == "example"
    assert (who or "").startswith("operator:")


def test_the_start_of_the_web_application_keeps_the_pack(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARELINK_DATABASE_URL", database_url)
    monkeypatch.setenv("CARELINK_SECRET_KEY", "k" * 32)
    monkeypatch.setattr(logs, "to_stderr", lambda level: None)  # the log of the tests' own process stays as it is
    wsgi.create()
    wsgi.create()
    with engine.connect() as conn:
        assert [one.changed_by for one in policies.kept(conn)] == ["start of the web application"]


def test_a_process_starts_where_the_database_is_away_and_says_what_keeps_the_pack(place: Place, now: datetime) -> None:
    away = engine_for("postgresql+psycopg://nobody@127.0.0.1:1/nowhere")
    with capture_logs() as said:
        policies.note_start(away, place, now, "start of a worker")
    assert [one["log_level"] for one in said] == ["warning"]
    assert "carelink db upgrade" in said[0]["event"]
