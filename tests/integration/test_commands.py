"""Every `carelink` command: what it prints, its exit code, and one line for whatever is wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from command_builders import Carelink, Told, in_this_process
from conftest import NOW, ROOT
from ingest_builders import key, observation, patient, person_of, take
from page_builders import identified
from sqlalchemy import Engine, select

from carelink.db import sync
from carelink.db.embedded import Embedded
from carelink.db.engine import engine_for
from carelink.db.tables import audit_event
from carelink.ids import PersonKey
from carelink.place import Place
from fhir_adapters.simulators import council_a
from fhir_adapters.simulators.population import people

EXTRACTS = "CARELINK_SOURCE_COUNCIL_A_URL"
NUMBER = "9990000018"
PLACES = ROOT / "config" / "places"


@pytest.fixture(scope="module")
def database(postgres: Embedded, place: Place) -> Iterator[str]:
    """A database that knows the place, Nora Hart and a neighbour who may be she."""
    url = postgres.database("commands", template="template_carelink")
    engine = engine_for(url)
    with engine.begin() as conn:
        sync.sync(conn, place)
        take(conn, place, [patient("p1", **identified(NUMBER, "Hart", "Nora", "1944-05-06"))], NOW)
        take(conn, place, [patient("n1", **_nearly_nora())], NOW, "council-b")
        take(conn, place, [observation("of nobody", "p9")], NOW)
    engine.dispose()
    yield url
    postgres.drop("commands")


def _nearly_nora() -> dict[str, object]:
    """Nearly the same name, the same birth date, no number, another address: a question for a human."""
    return {"identifier": None, "name": [{"family": "Harte", "given": ["Nora"]}], "birthDate": "1944-05-06"}


@pytest.fixture
def known(database: str) -> Iterator[Engine]:
    made = engine_for(database)
    yield made
    made.dispose()


@pytest.fixture
def carelink(database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Carelink]:
    with in_this_process(database, monkeypatch, capsys) as runner:
        yield runner


@pytest.fixture
def extracts(tmp_path: Path) -> Path:
    """A folder of extracts of Northdale Council."""
    council_a.write(people(5, 20, date(2026, 11, 23)), tmp_path / "extracts")
    return tmp_path / "extracts"


def newest(engine: Engine) -> tuple[str, str]:
    with engine.connect() as conn:
        row = conn.execute(select(audit_event).order_by(audit_event.c.id.desc()).limit(1)).one()
    return row.action, row.user


# db -------------------------------------------------------------------------------------------------


def test_an_empty_database_is_brought_up_to_date_and_until_then_every_command_says_so(
    postgres: Embedded, carelink: Carelink
) -> None:
    empty = postgres.database("commands_empty")
    needs = "the database is not at the newest schema: run `carelink db upgrade`"
    assert carelink("links", "list", CARELINK_DATABASE_URL=empty).is_one_line(needs)
    for _ in range(2):
        done = carelink("db", "upgrade", CARELINK_DATABASE_URL=empty)
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("The database is at 00")
        assert done.out.endswith("; Dalemere is in it\n")
    assert carelink("links", "list", CARELINK_DATABASE_URL=empty) == Told(0, "", "")
    postgres.drop("commands_empty")


# pull -----------------------------------------------------------------------------------------------


def test_pulling_says_what_it_did_a_line_a_source(
    carelink: Carelink, extracts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(EXTRACTS, str(extracts))
    first = carelink("pull", "council-a")
    assert (first.code, first.err) == (0, "")
    assert first.lines[0].startswith("council-a: ")
    assert " stored, 0 unchanged, 0 quarantined" in first.lines[0]
    assert carelink("pull", "council-a").out == "council-a: 0 stored, 0 unchanged, 0 quarantined\n"
    every = carelink("pull", "--all")
    assert (every.code, every.err, len(every.lines)) == (1, "", 5)
    assert every.lines[0] == "council-a: 0 stored, 0 unchanged, 0 quarantined"
    assert [line.split(": ")[0] for line in every.lines] == ["council-a", "council-b", "hospital", "pds", "gp"]
    assert all("; stopped: " in line for line in every.lines[1:])


def test_a_fault_in_the_pull_of_one_source_does_not_keep_the_others_from_being_pulled(
    carelink: Carelink, extracts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(EXTRACTS, str(extracts))
    monkeypatch.setattr("fhir_adapters.council_csv.source.CouncilCsv.pull", lambda *_: 1 / 0)
    every = carelink("pull", "--all")
    assert (every.code, len(every.lines)) == (1, 5)
    assert every.lines[0].endswith("; stopped: a fault in CareLink (ZeroDivisionError)")
    assert carelink("pull", "council-a").is_one_line("a fault in CareLink (ZeroDivisionError); CARELINK_TRACE=1 shows")


def test_a_pull_of_nothing_or_of_what_is_not_there_is_one_line(carelink: Carelink) -> None:
    assert carelink("pull").is_one_line("needs the name of a source, or --all")
    assert carelink("pull", "council-a", "--all").is_one_line("needs the name of a source, or --all")
    assert carelink("pull", "council-z").is_one_line("There is no source 'council-z'; there are council-a, council-b")


def _without_born(text: bytes) -> bytes:
    return text.replace(b",DateOfBirth,", b",Born,", 1)


WRONG_FILES = [
    (_without_born, "people.csv: line 1: column DateOfBirth is missing"),
    (lambda text: text.replace(b"Northdale", b"Northd\xe4le", 1), "of the file): is not utf-8"),
    (lambda text: b"", "people.csv: line 1: column "),
]


@pytest.mark.parametrize(("spoil", "words"), WRONG_FILES, ids=["a missing column", "another encoding", "empty"])
def test_a_wrong_extract_stops_its_pull_with_file_line_and_column(
    carelink: Carelink, extracts: Path, spoil: Callable[[bytes], bytes], words: str
) -> None:
    file = extracts / "people.csv"
    file.write_bytes(spoil(file.read_bytes()))
    told = carelink("pull", "council-a", **{EXTRACTS: str(extracts)})
    assert (told.code, len(told.lines), told.err) == (1, 1, "")
    assert "; stopped: people.csv: line " in told.out
    assert words in told.out


def test_a_bad_date_is_told_with_file_line_and_column_and_the_other_rows_are_stored(
    carelink: Carelink, extracts: Path
) -> None:
    rows = (extracts / "people.csv").read_text().splitlines()
    row = rows[2].split(",")
    row[rows[0].split(",").index("DateOfBirth")] = "31/02/1950"
    (extracts / "people.csv").write_text("\n".join([*rows[:2], ",".join(row), *rows[3:]]) + "\n")
    told = carelink("pull", "council-a", **{EXTRACTS: str(extracts)})
    assert told.code == 0
    assert int(told.out.split(" quarantined")[0].split()[-1]) >= 1
    waiting = carelink("quarantine", "list").lines
    (line,) = [one for one in waiting if "DateOfBirth" in one]
    assert ": people.csv:3:DateOfBirth: is a day or a time that does not exist" in line


# place ----------------------------------------------------------------------------------------------


def test_a_pack_is_checked_with_file_and_line(carelink: Carelink, tmp_path: Path) -> None:
    assert carelink("place", "check", str(PLACES / "example")) == Told(0, "example: nothing wrong\n", "")
    pack = Path(shutil.copytree(PLACES / "example", tmp_path / "wrong"))
    staff = pack / "staff.toml"
    staff.write_text(staff.read_text().replace('role = "nurse"', 'role = "nurze"', 1))
    told = carelink("place", "check", str(pack))
    at = next(number for number, line in enumerate(staff.read_text().splitlines(), 1) if "nurze" in line)
    assert (told.code, told.err) == (1, "")
    assert told.lines[0].startswith(f"staff.toml:{at}: ")
    assert told.lines[-1] == "wrong: 1 wrong"
    assert carelink("place", "check", str(tmp_path / "none")).is_one_line("does not exist")


# quarantine -----------------------------------------------------------------------------------------


def test_what_waits_is_listed_with_its_reason_and_tried_again(carelink: Carelink, known: Engine, place: Place) -> None:
    listed = [line for line in carelink("quarantine", "list").lines if " hospital " in line]
    assert len(listed) == 1
    assert "hospital Observation of nobody: " in listed[0]
    assert "the person that it is about is not here yet" in listed[0]
    assert carelink("quarantine", "replay", "hospital").out == "hospital: 0 stored, 1 still in quarantine\n"
    with known.begin() as conn:
        take(conn, place, [patient("p9")], NOW)
    assert carelink("quarantine", "replay", "hospital").out == "hospital: 1 stored, 0 still in quarantine\n"
    every = carelink("quarantine", "replay")
    assert [line.split(":")[0] for line in every.lines] == ["council-a", "council-b", "hospital", "pds", "gp"]
    assert not [line for line in carelink("quarantine", "list").lines if " hospital " in line]
    assert carelink("quarantine", "replay", "council-z").is_one_line("There is no source 'council-z'")


# links ----------------------------------------------------------------------------------------------


def test_a_link_is_asked_about_decided_and_undone(carelink: Carelink, known: Engine) -> None:
    neighbour = key(patient("n1"), "council-b")
    with known.connect() as conn:
        nora, alone = person_of(conn, patient("p1")), person_of(conn, patient("n1"), "council-b")
    assert alone != nora
    (question,) = [line for line in carelink("links", "list").lines if str(neighbour) in line]
    number, _, rest = question.partition(": ")
    assert rest.startswith(f"Patient {neighbour} and person {nora}: weight ")
    assert "Hart" not in question
    told = carelink("links", "decide", number, "same")
    assert told == Told(0, f"Decided: same; the record is of person {nora}\n", "")
    assert newest(known)[1].startswith("operator:")
    assert carelink("links", "decide", number, "same") == told, "the same answer twice is one answer"
    assert carelink("links", "decide", number, "different").out.endswith(f" person {alone}\n"), "a mind may change"
    assert carelink("links", "decide", number, "same") == told
    assert carelink("links", "decide", number, "perhaps").is_one_line("'perhaps' is not one of")
    assert carelink("links", "decide", "4711", "same").code == 2
    undone = carelink("links", "undo", str(neighbour), "--why", "another Nora Hart")
    assert (undone.code, undone.out.startswith("Undone; the record is of person ")) == (0, True)
    assert PersonKey(UUID(undone.out.split()[-1])) != nora
    assert carelink("links", "undo", str(neighbour)).is_one_line("--why")
    nobody = carelink("links", "undo", str(uuid4()), "--why", "a mistake")
    assert (nobody.code, nobody.err.count("\n")) == (2, 1)


# explain --------------------------------------------------------------------------------------------


def test_what_a_worker_sees_is_explained_with_the_rules_and_who_asked_is_kept(
    carelink: Carelink, known: Engine
) -> None:
    told = carelink("explain", "--user", "sam.okafor", "--person", "999 000 0018")
    assert (told.code, told.err) == (0, "")
    assert len(told.lines) > 2
    assert newest(known)[0] == "explain"
    with known.connect() as conn:
        person = person_of(conn, patient("p1"))
    assert carelink("explain", "--user", "sam.okafor", "--person", str(person)).out == told.out
    assert carelink("explain", "--user", "nobody", "--person", NUMBER).is_one_line("does not know this sign-in")
    assert carelink("explain", "--user", "sam.okafor", "--person", "Nora").is_one_line("--person: must be the key")
    assert carelink("explain", "--user", "sam.okafor", "--person", "1111111111").is_one_line(
        "Nobody of that NHS number"
    )
    assert carelink("explain", "--user", "sam.okafor", "--person", NUMBER, "--purpose", "FUN").is_one_line(
        "may not ask for this purpose"
    )
