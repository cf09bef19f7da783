"""As it was and what if, as a lead and as whoever runs commands gets them: in words, with keys, kept in the audit."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from command_builders import Carelink, in_this_process
from conftest import ROOT
from flask import Flask
from flask.testing import FlaskClient
from html_reading import Element, read, wrongs
from ingest_builders import take
from page_builders import objection, page, signed_in
from sqlalchemy import Engine, select

from carelink.cases import rehearsal
from carelink.cases.rehearsal import Report
from carelink.consent import policies
from carelink.db.tables import audit_event
from carelink.db.tables import rehearsal as rehearsals
from carelink.ids import PersonKey
from carelink.place import Place
from carelink.place_loader import load

IRIS, SAM = "iris.lang", "sam.okafor"
NUMBER = "9990000018"
EXAMPLE = ROOT / "config" / "places" / "example"
HOUR = timedelta(hours=1)
NAMES = ("Nora", "Hart", NUMBER, "Mill Lane")


@pytest.fixture
def iris(app: Flask, now: datetime) -> FlaskClient:
    """The information governance lead, who may view as others too."""
    return signed_in(app, IRIS, now)


@pytest.fixture
def kept(changed: Engine, place: Place, now: datetime) -> Engine:
    """Nora's database, in which it is known since two hours by which pack it is decided."""
    with changed.begin() as conn:
        policies.note(conn, place, now - 2 * HOUR, "test")
    return changed


@pytest.fixture
def less(tmp_path: Path) -> Path:
    """The example pack, in which councils share no packages of care."""
    folder = tmp_path / "less"
    shutil.copytree(EXAMPLE, folder)
    said = (folder / "agreements.toml").read_text("utf-8")
    (folder / "agreements.toml").write_text(said.replace('"services", "assessments"', '"assessments"'), "utf-8")
    return folder


def post(browser: FlaskClient, **form: str) -> Any:
    token = read(browser.get("/as-it-was").text).all("input", name="csrf_token")[0].attributes["value"]
    return browser.post("/as-it-was", data={"csrf_token": token, **form})


def asked(browser: FlaskClient, status: int = 200, **form: str) -> Element:
    filled = {"worker": SAM, "person": NUMBER, "day": "2026-11-24", "time": "12:00"} | form
    answer = post(browser, **filled)
    assert answer.status_code == status, read(answer.text).text
    return read(answer.text)


def test_the_menu_leads_to_the_ways_to_ask(iris: FlaskClient) -> None:
    [entry] = [
        one for one in page(iris, "/quarantine").one("nav", aria_label="Main").all("a") if one.text == "Who sees what"
    ]
    told = page(iris, entry.attributes["href"]).one("main")
    assert [(one.text, one.attributes["href"]) for one in told.all("a")] == [
        ("Why, and why not", "/explain"),
        ("Look as somebody else", "/view-as"),
        ("As it was", "/as-it-was"),
        ("What if", "/what-if"),
    ]


# As it was ----------------------------------------------------------------------------------------------


def test_the_page_tells_the_rule_for_each_kind_and_what_could_be_seen(
    iris: FlaskClient, known: PersonKey, kept: Engine
) -> None:
    told = asked(iris).one("section", aria_labelledby="answer")
    assert told.one("h2").text == "What Sam Okafor could see on 24 November 2026, 12:00"
    rules = [one.text for one in told.one("ul", class_="app-rules").all("li")]
    assert rules[0].startswith("Asked as Sam Okafor, social-worker at 901, purpose CAREMGT")
    assert "Relationship caseload: sam.okafor (holds for the requester)" in rules
    decided, shown = told.all("table")
    rows = {row.one("th").text: [cell.text for cell in row.all("td")] for row in decided.one("tbody").all("tr")}
    assert rows["Medicines (1) Riverside Surgery"][0] == "Yes"
    seen, why = rows["Problems (1) ETH Dale Valley Hospitals NHS Trust"]
    assert (seen, why.endswith("L5-sensitive: ETH")) == ("No", True)
    assert "Medicine Ramipril 5mg capsules" in shown.text
    assert "Alcohol" not in told.text
    assert wrongs(asked(iris)) == []


def test_a_lead_who_may_not_view_as_others_reads_no_titles(
    iris: FlaskClient, known: PersonKey, kept: Engine, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("carelink.cases.looking_back.MAY_VIEW_AS", "something that nobody may")
    told = asked(iris).one("section", aria_labelledby="answer")
    assert "Ramipril" not in told.text
    assert "Medicine" in told.all("table")[1].text


def test_the_past_is_not_what_came_after(
    app: Flask, known: PersonKey, kept: Engine, place: Place, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with kept.begin() as conn:
        take(conn, place, [objection()], now + HOUR)
    monkeypatch.setenv("CARELINK_NOW", (now + 3 * HOUR).isoformat())
    iris = signed_in(app, IRIS, now + 3 * HOUR)
    before, after = (asked(iris, time=time).one("section", aria_labelledby="answer") for time in ("12:30", "14:30"))
    assert "Medicine" in before.text
    assert "L7-objection" not in before.text
    assert "Ramipril" not in after.text
    assert "L7-objection: consent …" in after.text


def test_who_asked_is_in_the_audit_with_the_time_that_was_asked_about(
    iris: FlaskClient, known: PersonKey, kept: Engine
) -> None:
    asked(iris)
    with kept.connect() as conn:
        t = audit_event.c
        row = conn.execute(select(audit_event).where(t.action == "explain").order_by(t.id.desc()).limit(1)).one()
    assert (row.user, row.role, row.person) == (IRIS, "ig-lead", known)
    assert row.detail["view_of"] == SAM
    assert datetime.fromisoformat(row.detail["as_it_was"]) == datetime.fromisoformat("2026-11-24T12:00:00+00:00")
    assert not any(name in json.dumps(row.detail) for name in NAMES)


WRONG = [
    ({"worker": ""}, "Choose a worker from the list"),
    ({"worker": "nobody"}, "the place pack of then names nobody of that id"),
    ({"person": "Nora Hart"}, "must be the key of a person, or an NHS number"),
    ({"person": "9990000999"}, "Nobody of that NHS number"),
    ({"day": "yesterday"}, "must be a date and a time"),
    ({"day": ""}, "must be a date and a time"),
    ({"day": "2027-01-01"}, "must not be in the future"),
    ({"day": "2020-01-01"}, "is before 24 November 2026 10:00 UTC, when the first place pack was kept"),
]


@pytest.mark.parametrize(("form", "words"), WRONG, ids=[words for _, words in WRONG])
def test_what_can_not_be_asked_is_said_at_the_top(
    iris: FlaskClient, known: PersonKey, kept: Engine, form: dict[str, str], words: str
) -> None:
    told = asked(iris, 400, **form)
    assert words in told.one("div", class_="nhsuk-error-summary").text
    assert wrongs(told) == []


@pytest.mark.parametrize("path", ["/who-sees-what", "/as-it-was", "/what-if", "/what-if/1"])
def test_the_pages_are_for_those_who_may_explain(sam: FlaskClient, known: PersonKey, path: str) -> None:
    assert sam.get(path).status_code == 403


# What if ------------------------------------------------------------------------------------------------


def tried(engine: Engine, place: Place, folder: Path, now: datetime) -> Report:
    with engine.begin() as conn:
        return rehearsal.what_if(conn, place, load(folder), now, "operator:ada")


def test_what_was_tried_has_a_page_with_counts_and_keys(
    iris: FlaskClient, known: PersonKey, kept: Engine, place: Place, less: Path, now: datetime
) -> None:
    report = tried(kept, place, less, now)
    listed = page(iris, "/what-if")
    [link] = listed.one("table").all("a")
    told = page(iris, link.attributes["href"])
    assert "Files that differ: agreements.toml." in told.text
    rows = [row.text for row in told.one("tbody").all("tr")]
    assert any(row.startswith("No longer sees it Ward nurse, Dale Valley Hospitals NHS Trust") for row in rows)
    assert str(known) in told.text
    assert not any(name in told.text for name in NAMES)
    assert len(rows) == len(report.rows)
    assert wrongs(listed) == []
    assert wrongs(told) == []


def test_a_pack_that_is_the_same_changes_nobodys_view(
    iris: FlaskClient, known: PersonKey, kept: Engine, place: Place, now: datetime
) -> None:
    report = tried(kept, place, EXAMPLE, now)
    assert (report.rows, report.files) == ((), ())
    assert report.people >= 1
    assert "Nobody would see more or less" in page(iris, "/what-if").text


def test_nothing_was_tried_yet(iris: FlaskClient, known: PersonKey, kept: Engine) -> None:
    assert "No place pack has been tried yet" in page(iris, "/what-if").text
    assert iris.get("/what-if/1").status_code == 404


def test_trying_is_audited_and_changes_nothing_of_the_record(
    known: PersonKey, kept: Engine, place: Place, less: Path, now: datetime
) -> None:
    with kept.connect() as conn:
        before = conn.execute(select(policies.policy.c.id)).all()
    tried(kept, place, less, now)
    with kept.connect() as conn:
        row = conn.execute(select(audit_event).where(audit_event.c.action == "what-if")).one()
        assert conn.execute(select(policies.policy.c.id)).all() == before
    assert (row.user, row.detail["files"]) == ("operator:ada", ["agreements.toml"])
    assert row.detail["hash"] != row.detail["tried"]


def test_a_report_is_kept_as_it_was_made(
    known: PersonKey, kept: Engine, place: Place, less: Path, now: datetime
) -> None:
    report = tried(kept, place, less, now)
    with kept.connect() as conn:
        assert Report.read(conn.execute(select(rehearsals.c.report)).scalar_one()) == report


# The commands -------------------------------------------------------------------------------------------


@pytest.fixture
def carelink(
    kept: Engine, known: PersonKey, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Carelink]:
    with in_this_process(kept.url.render_as_string(hide_password=False), monkeypatch, capsys) as runner:
        yield runner


def test_as_it_was_prints_the_rule_for_each_kind(carelink: Carelink, known: PersonKey) -> None:
    told = carelink("as-it-was", "--user", SAM, "--person", NUMBER, "--at", "2026-11-24 12:00")
    assert told.code == 0
    assert told.lines[0].startswith("Asked as Sam Okafor, social-worker at 901")
    assert told.lines == carelink("as-it-was", "--user", SAM, "--person", str(known), "--at", "2026-11-24T12:00Z").lines
    assert not any(name in told.out for name in ("Nora", NUMBER, "Ramipril"))
    items = carelink("as-it-was", "--user", SAM, "--person", NUMBER, "--at", "2026-11-24 12:00", "--items").lines
    shown = [line for line in items if re.fullmatch(r"[A-Za-z]+/[0-9a-f-]{36} version \d+: L8-[a-z-]+", line)]
    assert items == [*told.lines, *shown]
    assert any(line.startswith("MedicationStatement/") for line in shown)


@pytest.mark.parametrize(
    ("at", "words"), [("soon", "--at: must be a date"), ("2030-01-01", "at: must not be"), ("2020", "--at: must be")]
)
def test_a_time_that_is_none_is_one_line(carelink: Carelink, at: str, words: str) -> None:
    assert carelink("as-it-was", "--user", SAM, "--person", NUMBER, "--at", at).is_one_line(words)


def test_what_if_prints_a_table_and_writes_a_report(
    carelink: Carelink, less: Path, tmp_path: Path, known: PersonKey
) -> None:
    for file in (tmp_path / "report.html", tmp_path / "report.json"):
        told = carelink("what-if", str(less), "--report", str(file))
        assert told.code == 0
        assert told.lines[0].startswith("Tried less (agreements.toml differs) on ")
        assert re.search(r"no longer sees it +Ward nurse +Dale Valley Hospitals NHS Trust", told.out)
        written = file.read_text("utf-8")
        assert str(known) in written
        assert not any(name in written + told.out for name in NAMES)
    assert Report.read(json.loads((tmp_path / "report.json").read_text())).files == ("agreements.toml",)
    assert "Ward nurse" in read((tmp_path / "report.html").read_text("utf-8").partition("\n")[2]).text


def test_what_if_says_one_line_for_a_pack_that_is_wrong_and_for_another_kind_of_file(
    carelink: Carelink, less: Path, tmp_path: Path
) -> None:
    assert carelink("what-if", str(less), "--report", str(tmp_path / "r.pdf")).is_one_line("must end in .html or .json")
    (less / "agreements.toml").write_text("[[agreement]]\n", "utf-8")
    assert carelink("what-if", str(less)).is_one_line("less/agreements.toml:1")
