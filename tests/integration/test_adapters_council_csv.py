"""Pulling a council's folder of CSV extracts: what comes, what stops it, and from where the next pull goes on."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fhir_adapters.registry import make
from fhir_adapters.source import Batch, Cursor, SourceFailed, SourceSettings

NOW = datetime(2025, 3, 1, tzinfo=UTC)
MAPPING = """
dates = ["DD/MM/YYYY"]

[table.people]
file = "people.csv"

[table.people.Patient]
id = "{PersonID}"
name = [ { family = "{Surname}" } ]
birthDate = "{Born | date}"

[table.alerts]
file = "alerts.csv"

[table.alerts.Flag]
id = "{AlertID}"
status = "active"
code = "{What | concept}"
subject = { reference = "{PersonID | reference people}" }

[table.workers]
file = "workers.csv"

[table.workers.Practitioner]
id = "{WorkerID}"
"""
FILES = {
    "people.csv": "PersonID,Surname,Born\n" + "".join(f"P{n},Name{n},0{n}/02/1950\n" for n in range(1, 6)),
    "alerts.csv": "AlertID,PersonID,What\nA1,P1,Dog\nA2,P5,Stairs\n",
    "workers.csv": "WorkerID\nW1\n",
}


@dataclass
class Council:
    folder: Path
    mapping: Path

    def write(self, name: str, text: str | bytes) -> None:
        """Writes the file a while after it was last written, whatever the file system's clock resolves."""
        path = self.folder / name
        before = path.stat().st_mtime_ns if path.exists() else 0
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        os.utime(path, ns=(before + 10**9, before + 10**9))

    def pull(self, cursor: Cursor | None = None, **options: Any) -> tuple[list[Batch], str]:
        """The batches, and the line of the failure that ended them."""
        settings = SourceSettings("council-a", "council_csv", "901", str(self.folder), options=self._options(options))
        batches: list[Batch] = []
        try:
            for batch in make(settings).pull(cursor, (), NOW):
                batches.append(batch)
        except SourceFailed as failed:
            return batches, failed.why
        return batches, ""

    def _options(self, more: dict[str, Any]) -> dict[str, Any]:
        return {"mapping": str(self.mapping), "batch_rows": 2} | more


@pytest.fixture
def council(tmp_path: Path) -> Council:
    (tmp_path / "extracts").mkdir()
    made = Council(tmp_path / "extracts", tmp_path / "council.toml")
    made.mapping.write_text(MAPPING)
    for name, text in FILES.items():
        made.write(name, text)
    return made


def ids(batches: Iterable[Batch]) -> list[str]:
    return [item.source_id for batch in batches for item in batch.items]


ALL = ["P1", "P2", "P3", "P4", "P5", "A1", "A2", "W1"]


def test_files_come_in_the_order_of_the_mapping_file_in_batches_of_rows(council: Council) -> None:
    batches, why = council.pull()
    assert (ids(batches), why) == (ALL, "")
    assert [(batch.done, batch.total) for batch in batches] == [(2, 8), (4, 8), (5, 8), (7, 8), (8, 8)]
    assert batches[3].items[0].body == {
        "resourceType": "Flag",
        "id": "A1",
        "status": "active",
        "code": {"text": "Dog"},
        "subject": {"reference": "Patient/P1"},
    }


@pytest.mark.parametrize("kept", [1, 2, 3, 4])
def test_a_pull_goes_on_from_any_batch_without_loss_or_duplication(council: Council, kept: int) -> None:
    first = council.pull()[0][:kept]
    rest, why = council.pull(first[-1].cursor)
    assert (ids(first) + ids(rest), why) == (ALL, "")


def test_unchanged_files_are_not_read_again_and_a_changed_one_is_alone(council: Council) -> None:
    cursor = council.pull()[0][-1].cursor
    assert council.pull(cursor) == ([], "")
    council.write("alerts.csv", FILES["alerts.csv"] + "A3,P2,Steps\n")
    assert ids(council.pull(cursor)[0]) == ["A1", "A2", "A3"]


def test_a_file_written_again_with_the_same_content_brings_no_rows(council: Council) -> None:
    cursor = council.pull()[0][-1].cursor
    council.write("people.csv", FILES["people.csv"])
    (batch,), _ = council.pull(cursor)
    assert batch.items == ()
    assert council.pull(batch.cursor) == ([], "")


def test_a_file_that_changed_half_way_is_read_from_its_start(council: Council) -> None:
    first = council.pull()[0][:1]
    council.write("people.csv", FILES["people.csv"].replace("Name1", "Name9"))
    assert ids(council.pull(first[-1].cursor)[0]) == ALL


def test_another_mapping_reads_everything_again(council: Council) -> None:
    cursor = council.pull()[0][-1].cursor
    council.mapping.write_text(MAPPING + '\n[codes.new]\nvalues = { A = "a" }\n')
    assert ids(council.pull(cursor)[0]) == ALL


LINE_3 = b"P1,A,01/02/1950\nP2,M\xfcller,01/02/1950\n"
HEAD = b"PersonID,Surname,Born\n"

# people.csv | the line that stops it
WRONG_FILES = [
    (b"PersonID,Surname\nP1,A\n", "people.csv: line 1: column Born is missing"),
    (b"", "people.csv: line 1: column Born, PersonID, Surname is missing"),
    (b"PersonID,Surname,Born,Surname\n", "people.csv: line 1: column Surname is there twice"),
    (
        HEAD + LINE_3,
        "people.csv: line 3 (byte 42 of the file): is not utf-8; `encoding` of the mapping file can say another",
    ),
    (
        HEAD + b'P1,A,01/02/1950\nP2,"half a file',
        "people.csv: line 3: the quotes of the row that begins here are wrong (unexpected end of data)",
    ),
]


@pytest.mark.parametrize(("people", "line"), WRONG_FILES, ids=[line for _, line in WRONG_FILES])
def test_a_wrong_file_stops_itself_and_what_refers_to_it_before_a_row_of_it_is_used(
    council: Council, people: bytes, line: str
) -> None:
    council.write("people.csv", people)
    batches, why = council.pull()
    assert ids(batches) == ["W1"]
    assert why == f"{line}; alerts.csv: not read, as it refers to what could not be"
    council.write("people.csv", FILES["people.csv"])
    assert ids(council.pull(batches[-1].cursor)[0]) == ALL[:-1]


def test_a_file_that_is_not_there_is_named(council: Council) -> None:
    (council.folder / "workers.csv").unlink()
    batches, why = council.pull()
    assert (ids(batches), why) == (ALL[:-1], "workers.csv: is not there")
    council.mapping.write_text(MAPPING.replace('file = "workers.csv"', 'file = "workers.csv"\nmay_be_missing = true'))
    assert council.pull()[1] == ""


def test_a_folder_that_is_not_there_is_said(council: Council) -> None:
    council.folder = council.folder / "none"
    assert council.pull() == ([], "the folder of its extracts is not there")


def test_a_declared_encoding_is_used_and_a_byte_order_mark_is_no_column(council: Council) -> None:
    council.write("people.csv", b"\xef\xbb\xbf" + HEAD + "P1,Müller,01/02/1950\n".encode())
    assert council.pull()[0][0].items[0].body["name"] == [{"family": "Müller"}]
    council.mapping.write_text('encoding = "windows-1252"\n' + MAPPING)
    council.write("people.csv", HEAD + "P1,Müller,01/02/1950\n".encode("windows-1252"))
    assert council.pull()[0][0].items[0].body["name"] == [{"family": "Müller"}]


def test_a_bad_cell_keeps_its_row_as_rejected_with_file_line_and_column(council: Council) -> None:
    rows = 'P1,"two\nlines",01/02/1950\nP2,B,31/02/1950\nP3,C\n,D,01/02/1950\nP5,E,01/02/1950\n'
    council.write("people.csv", HEAD + rows.encode())
    batches, why = council.pull(batch_rows=9)
    assert (ids(batches)[:2], why) == (["P1", "P5"], "")
    rejected = [(bad.source_id, bad.reasons[0].place, bad.reasons[0].why) for bad in batches[0].rejected]
    assert rejected == [
        ("P2", "people.csv:4:Born", "is a day or a time that does not exist"),
        ("people.csv:5", "people.csv:5", "has 2 cells, the header has 3"),
        ("people.csv:6:PersonID", "people.csv:6:PersonID", "is empty, and the id is made of it"),
    ]
    assert batches[0].rejected[0].raw == '{"Born":"31/02/1950","PersonID":"P2","Surname":"B"}'


# what the mapping says of rows with one id | surnames that come | lines that are rejected
DUPLICATES = [
    ("last", ["B", "C"], []),
    ("first", ["A", "B"], []),
    ("reject", ["A", "B"], ["its id is that of line 2"]),
]


@pytest.mark.parametrize(("rule", "surnames", "rejected"), DUPLICATES, ids=[rule for rule, _, _ in DUPLICATES])
def test_of_rows_with_the_same_id_the_mapping_says_which_counts(
    council: Council, rule: str, surnames: list[str], rejected: list[str]
) -> None:
    text = MAPPING.replace('file = "people.csv"', f'file = "people.csv"\nduplicates = "{rule}"')
    council.mapping.write_text(text)
    council.write("people.csv", HEAD + b"P1,A,01/02/1950\nP2,B,01/02/1950\n\nP1,C,01/02/1950\n")
    batches, _ = council.pull(batch_rows=9)
    assert [item.body["name"][0]["family"] for item in batches[0].items] == surnames
    assert [bad.reasons[0].why for bad in batches[0].rejected] == rejected


def test_a_file_that_changes_while_it_is_read_is_not_taken_for_whole(council: Council) -> None:
    settings = SourceSettings("council-a", "council_csv", "901", str(council.folder), options=council._options({}))
    pulling = make(settings).pull(None, (), NOW)
    first = [next(pulling)]
    with (council.folder / "people.csv").open("a") as file:
        file.write("P6,Name6,06/02/1950\n")
    with pytest.raises(SourceFailed, match=r"people\.csv: changed while it was read"):
        first.extend(pulling)
    assert "P6" in ids(council.pull(first[-1].cursor)[0])


def told(batches: list[Batch]) -> dict[str, set[str]]:
    """File -> the ids that it tells in full."""
    return {part.name: {id_ for _, id_ in part.ids} for batch in batches for part in batch.whole}


def test_the_last_batch_of_each_file_tells_that_it_was_all(council: Council) -> None:
    batches, _ = council.pull(batch_rows=2)
    assert told(batches) == {
        "people.csv": {"P1", "P2", "P3", "P4", "P5"},
        "alerts.csv": {"A1", "A2"},
        "workers.csv": {"W1"},
    }
    assert [bool(batch.whole) for batch in batches] == [False, False, True, True, True]


def test_a_pull_that_goes_on_tells_also_what_came_before(council: Council) -> None:
    first, _ = council.pull(batch_rows=2)
    batches, _ = council.pull(first[0].cursor, batch_rows=2)
    assert told(batches)["people.csv"] == {"P1", "P2", "P3", "P4", "P5"}


def test_a_row_with_a_wrong_cell_is_still_told(council: Council) -> None:
    council.write("people.csv", FILES["people.csv"].replace("03/02/1950", "33/02/1950"))
    assert "P3" in told(council.pull()[0])["people.csv"]


@pytest.mark.parametrize("row", ["P6,Name6\n", ",Name6,06/02/1950\n"])
def test_a_file_with_a_row_that_could_be_anybodys_tells_no_whole(council: Council, row: str) -> None:
    council.write("people.csv", FILES["people.csv"] + row)
    assert "people.csv" not in told(council.pull()[0])


def test_an_empty_file_tells_no_whole(council: Council) -> None:
    council.write("alerts.csv", "AlertID,PersonID,What\n")
    assert "alerts.csv" not in told(council.pull()[0])
