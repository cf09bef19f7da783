"""What a mapping file can say, and what a row becomes by it."""

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from fhir_adapters import exact_json
from fhir_adapters.mapping import Mapped, MappingWrong, load


def mapped(folder: Path, patient: str, cells: dict[str, str], top: str = "") -> Mapped:
    """The row {ID: P1, cells...} by the rule whose elements are `patient`."""
    path = folder / "m.toml"
    path.write_text(
        f'{dedent(top)}\n[table.people]\nfile = "p.csv"\n[table.people.Patient]\nid = "{{ID}}"\n{dedent(patient)}'
    )
    return load(path).tables[0].map({"ID": "P1"} | cells, "p.csv:2", "raw")


def body(folder: Path, patient: str, cells: dict[str, str], top: str = "") -> Any:
    made = mapped(folder, patient, cells, top)
    assert made.rejected is None
    (item,) = made.items
    elements = {name: one for name, one in item.body.items() if name not in ("resourceType", "id")}
    return exact_json.dumps(elements).decode()


SEX = '[codes.sex]\nvalues = { M = "male", F = "female" }\n'
SPOKEN = """
[codes.spoken]
system = "urn:ietf:bcp:47"
values = { Welsh = { code = "cy", display = "Cymraeg" }, Odd = { code = "x", system = "urn:other" } }
"""

# what is meant | what the mapping file says | the row | the resource
SAID = [
    ("a constant", "active = true", {}, '{"active":true}'),
    ("a column", 'gender = "{Sex}"', {"Sex": " male "}, '{"gender":"male"}'),
    ("an empty column leaves its element out", 'gender = "{Sex}"', {"Sex": "  "}, "{}"),
    ("a template", 'name = [{ text = "{A} {B}" }]', {"A": "Ann", "B": "Lee"}, '{"name":[{"text":"Ann Lee"}]}'),
    ("half a template", 'name = [{ text = "{A} {B}" }]', {"A": "", "B": "Lee"}, '{"name":[{"text":"Lee"}]}'),
    (
        "constants without their column are left out",
        'identifier = [{ system = "urn:a", value = "{A}" }, { system = "urn:b", value = "{B}" }]',
        {"A": "", "B": "2"},
        '{"identifier":[{"system":"urn:b","value":"2"}]}',
    ),
    (
        "however deep they stand",
        'maritalStatus = { coding = [{ system = "urn:a", code = "{A}" }], text = "{T}" }',
        {"A": "", "T": ""},
        "{}",
    ),
    (
        "in lists of parts too",
        'extension = [{ url = "urn:key", extension = [{ url = "type", valueCode = "x" }, { url = "v", valueString = "{A}" }] }]',
        {"A": ""},
        "{}",
    ),
    (
        "but what stands for itself stays",
        'maritalStatus = { text = "known" }\nidentifier = [{ system = "urn:a", value = "1" }, { value = "{A}" }]',
        {"A": ""},
        '{"identifier":[{"system":"urn:a","value":"1"}],"maritalStatus":{"text":"known"}}',
    ),
    ("a date", 'birthDate = "{D | date DD/MM/YYYY}"', {"D": "03/02/1950"}, '{"birthDate":"1950-02-03"}'),
    ("a month", 'birthDate = "{D | date MM/YYYY}"', {"D": "02/1950"}, '{"birthDate":"1950-02"}'),
    ("a named month", 'birthDate = "{D | date D-Mon-YYYY}"', {"D": "3-FEB-1950"}, '{"birthDate":"1950-02-03"}'),
    (
        "a time in summer",
        'deceasedDateTime = "{D | datetime DD/MM/YYYY HH:mm}"',
        {"D": "01/07/2024 09:30"},
        '{"deceasedDateTime":"2024-07-01T09:30:00+01:00"}',
    ),
    (
        "a time in winter",
        'deceasedDateTime = "{D | datetime}"',
        {"D": "2024-01-01T09:30:00"},
        '{"deceasedDateTime":"2024-01-01T09:30:00+00:00"}',
    ),
    (
        "a time with an offset of its own",
        'deceasedDateTime = "{D | datetime}"',
        {"D": "2024-07-01T09:30:00Z"},
        '{"deceasedDateTime":"2024-07-01T09:30:00+00:00"}',
    ),
    (
        "a date where there is no time",
        'deceasedDateTime = "{D | datetime}"',
        {"D": "2024"},
        '{"deceasedDateTime":"2024"}',
    ),
    ("a whole number", 'multipleBirthInteger = "{N | integer}"', {"N": "2"}, '{"multipleBirthInteger":2}'),
    ("yes or no", 'active = "{Y | boolean}"', {"Y": "N"}, '{"active":false}'),
    ("a code, in any case", 'gender = "{S | code sex}"', {"S": "f"}, '{"gender":"female"}'),
    (
        "a concept keeps the source's word",
        'communication = [{ language = "{L | concept spoken}" }]',
        {"L": "welsh"},
        '{"communication":[{"language":{"coding":[{"code":"cy","display":"Cymraeg","system":"urn:ietf:bcp:47"}],'
        '"text":"welsh"}}]}',
    ),
    (
        "and stays as text where the map does not know it",
        'communication = [{ language = "{L | concept spoken}" }]',
        {"L": "Klingon"},
        '{"communication":[{"language":{"text":"Klingon"}}]}',
    ),
    (
        "a coding may have its own system",
        'meta = { tag = ["{L | coding spoken}"] }',
        {"L": "Odd"},
        '{"meta":{"tag":[{"code":"x","system":"urn:other"}]}}',
    ),
    (
        "an extension with an amount of money",
        'extension = [{ url = "urn:cost", valueMoney = { value = "{C | money}", currency = "GBP" } }]',
        {"C": "£1,250.50"},
        '{"extension":[{"url":"urn:cost","valueMoney":{"currency":"GBP","value":1250.50}}]}',
    ),
    ("decimals keep their text", 'extension = [{ url = "u", valueDecimal = "{C | decimal}" }]', {"C": "7.00"}, None),
    (
        "a part under a condition",
        'meta.security = [{ when = { R = ["Y", "YES"] }, system = "urn:c", code = "R" }]',
        {"R": "yes"},
        '{"meta":{"security":[{"code":"R","system":"urn:c"}]}}',
    ),
    (
        "nor does what is around it stay",
        'extension = [{ url = "urn:r", valueCodeableConcept = { when = { R = "Y" }, text = "yes" } }]',
        {"R": "N"},
        "{}",
    ),
    ("that does not hold", 'meta.security = [{ when = { R = "Y" }, system = "urn:c", code = "R" }]', {"R": "N"}, "{}"),
    (
        "whatever, but not empty, unless",
        'photo = [{ when = { A = "*" }, unless = { B = "no" }, title = "t" }]',
        {"A": "x", "B": "yes"},
        '{"photo":[{"title":"t"}]}',
    ),
    (
        "a value that others choose",
        'gender = { choose = [{ when = { A = "*" }, be = "{S}" }, { when = { B = "y" }, be = "other" }, { be = "unknown" }] }',
        {"A": "x", "S": "", "B": "Y"},
        '{"gender":"other"}',
    ),
    ("white space taken out", 'gender = "{S | nospace | lower}"', {"S": "MA LE"}, '{"gender":"male"}'),
]


@pytest.mark.parametrize(("patient", "cells", "expected"), [row[1:] for row in SAID], ids=[row[0] for row in SAID])
def test_a_mapping_file_says(tmp_path: Path, patient: str, cells: dict[str, str], expected: str | None) -> None:
    made = body(tmp_path, patient, cells, SEX + SPOKEN)
    assert made == (expected or '{"extension":[{"url":"u","valueDecimal":7.00}]}')


# what stands in the cell | what is made of it | why that can't be
BAD_CELLS = [
    ("31/02/1950", "D | date DD/MM/YYYY", "is a day or a time that does not exist"),
    ("1950-02-01", "D | date DD/MM/YYYY", "is no date of the form DD/MM/YYYY"),
    ("01/02/0195", "D | date DD/MM/YYYY", "lies before 1850"),
    ("01-Foo-1950", "D | date DD-Mon-YYYY", "names no month"),
    ("2024-01-01T25:00", "D | datetime", "is a day or a time that does not exist"),
    ("1,5", "D | decimal", "is no decimal number"),
    ("1e5", "D | decimal", "is no decimal number"),
    ("12 pounds", "D | money", "is no amount of money"),
    ("1.5", "D | integer", "is no whole number"),
    ("perhaps", "D | boolean", "is neither yes nor no"),
    ("X", "D | code sex", "is not in the code map 'sex'"),
    ("X", "D | coding sex", "is not in the code map 'sex'"),
]


@pytest.mark.parametrize(("cell", "rule", "why"), BAD_CELLS, ids=[f"{row[1]}-{row[0]}" for row in BAD_CELLS])
def test_a_bad_cell_rejects_its_row_and_names_file_line_and_column(
    tmp_path: Path, cell: str, rule: str, why: str
) -> None:
    made = mapped(tmp_path, f'gender = "{{{rule}}}"\nbirthDate = "{{E | date}}"', {"D": cell, "E": "soon"}, SEX)
    assert made.items == ()
    assert made.rejected is not None
    assert (made.rejected.type, made.rejected.source_id, made.rejected.raw) == ("Patient", "P1", "raw")
    reasons = [(reason.place, reason.why) for reason in made.rejected.reasons]
    assert reasons == [("p.csv:2:D", why), ("p.csv:2:E", "is no date of the form ISO")]


def test_an_id_that_could_not_be_referred_to_is_a_bad_cell(tmp_path: Path) -> None:
    made = mapped(tmp_path, "", {"ID": "a/b c"})
    assert made.rejected is not None
    assert made.rejected.reasons[0].place == "p.csv:2:ID"


def test_texts_that_mean_nothing_are_nothing(tmp_path: Path) -> None:
    assert body(tmp_path, 'gender = "{S}"', {"S": "NULL"}, 'blank = ["NULL"]') == "{}"


def test_a_code_map_can_be_a_csv_file_beside_the_mapping(tmp_path: Path) -> None:
    (tmp_path / "sex.csv").write_text("value,code\nWoman,female\n")
    assert (
        body(tmp_path, 'gender = "{S | code s}"', {"S": "woman"}, '[codes.s]\nfile = "sex.csv"')
        == '{"gender":"female"}'
    )


def test_one_row_becomes_several_resources_that_refer_to_each_other(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text(
        dedent("""
        [table.people]
        file = "p.csv"
        [table.people.Patient]
        id = "{ID}"

        [table.requests]
        file = "r.csv"
        [table.requests.ServiceRequest]
        id = "{Req}"
        status = "active"
        intent = "order"
        subject = { reference = "{ID | reference people}" }
        [table.requests.Task]
        id = "task-{Req}"
        status = "requested"
        intent = "order"
        focus = { reference = "{Req | reference requests.ServiceRequest}" }
        [table.requests."Task late"]
        id = "late-{Req}"
        when = { Late = "Y" }
        status = "requested"
        intent = "order"
        basedOn = [ { reference = "{Req | reference requests.Task}" } ]
        """)
    )
    people, requests = load(path).tables
    assert requests.refers_to == {"people"}
    assert (people.required, requests.required) == ({"ID"}, {"ID", "Req", "Late"})
    items = requests.map({"Req": "7", "ID": "P1", "Late": "y"}, "r.csv:2", "").items
    assert [(item.type, item.source_id) for item in items] == [
        ("ServiceRequest", "7"),
        ("Task", "task-7"),
        ("Task", "late-7"),
    ]
    assert items[0].body["subject"] == {"reference": "Patient/P1"}
    assert items[1].body["focus"] == {"reference": "ServiceRequest/7"}
    assert items[2].body["basedOn"] == [{"reference": "Task/task-7"}]
    assert len(requests.map({"Req": "7", "ID": "P1", "Late": ""}, "r.csv:2", "").items) == 2


# what is wrong in the file | the line that is said
MISTAKES = [
    ("x = [", "m.toml: is not TOML"),
    ("", "m.toml: table: needs at least one [table.NAME]"),
    ("tables = 1\n[table.a]\nfile='f'\n[table.a.Patient]\nid='{I}'", "m.toml:1: tables: is not known; known are"),
    ("[table.a]\n[table.a.Patient]\nid='{I}'", "m.toml:1: table.a: needs either `file`"),
    ("[table.a]\nfile='f'", "m.toml:1: table.a: needs a resource, such as [table.a.Patient]"),
    ("[table.a]\nfile='f'\nfoo=1\n[table.a.Patient]\nid='{I}'", "m.toml:3: table.a.foo: is not known here"),
    ("[table.a]\nfile='f'\n[table.a.Patience]\nid='{I}'", "m.toml:3: table.a.Patience: Patience is no type of FHIR R4"),
    (
        "[table.a]\nfile='f'\n[table.a.Patient]\nid='x'",
        "m.toml:4: table.a.Patient.id: must be made of at least one column",
    ),
]

# an element of a Patient in line 5 | what is said of it
WRONG_ELEMENTS = [
    ("brithDate = '{B}'", "brithDate: is no element of FHIR R4 Patient"),
    ("name = [{ famly = '{B}' }]", "name[0].famly: is no element of FHIR R4 HumanName"),
    ("name = { family = '{B}' }", "name: must be a list, in [ ]"),
    ("gender = ['{B}']", "gender: must be one value, not a list"),
    ("gender = '{B'", "gender: '{B': a brace has no partner"),
    ("gender = '{}'", "gender: braces need the name of a column"),
    ("gender = '{B | dat}'", "gender: 'dat' is no conversion; known are boolean, code"),
    ("gender = '{B | code sex}'", "gender: there is no code map [codes.sex]"),
    ("birthDate = '{B | date DD/MM}'", "birthDate: 'DD/MM' is no form of a date"),
    ("birthDate = 1950-02-03", "birthDate: a date must stand in quotes"),
    (
        "contact = [{ organization = { reference = '{B | reference b}' } }]",
        "no row 'b' to refer to; there are a, a.Patient",
    ),
    ("gender = { choose = 'x' }", "gender.choose: must be a list such as"),
    ("gender = { choose = [{ be = ['x'] }] }", "gender: must be one value, not a list"),
    ("name = [{ when = 'B', family = '{B}' }]", 'name[0].when: must be { Column = "word" }'),
    ("name = [{ when = { B = 1 }, family = '{B}' }]", "name[0].when.B: must be words in quotes"),
]
PATIENT = "[table.a]\nfile='f'\n[table.a.Patient]\nid='{I}'\n"
MISTAKES += [(PATIENT + element, why) for element, why in WRONG_ELEMENTS]

# a setting in line 1 | what is said of it
WRONG_SETTINGS = [
    ("dates = ['DD/MM/YY']", "m.toml:1: dates: 'DD/MM/YY' is no form of a date"),
    ("dates = 'ISO'", "m.toml:1: dates: must be a list of texts"),
    ("timezone = 'Dalemere'", "m.toml:1: timezone: is not known"),
    ("encoding = 'utf-9'", "m.toml:1: encoding: 'utf-9' is not known"),
    ("encoding = 'utf-16'", "m.toml:1: encoding: 'utf-16' is not known or has no single-byte line end"),
    ("separator = ';;'", "m.toml:1: separator: must be one character"),
    ("codes.s = {}", "m.toml:1: codes.s: needs `values` or a `file`"),
    ("codes.s.values = { A = 1 }", "m.toml:1: codes.s.values.A: must be a code in quotes"),
    ("codes.s.file = 'none.csv'", "m.toml:1: codes.s.file: none.csv is not there"),
    ("api.pages = 1", "m.toml:1: api.pages: is not known here; known are rows, total"),
    ("api.first_page = 'one'", "m.toml:1: api.first_page: must be like 1"),
    ("api.since = 'changed'", "m.toml:1: api.since: `since` and `updated` need each other"),
]
MISTAKES += [(f"{setting}\n{PATIENT}", why) for setting, why in WRONG_SETTINGS]


@pytest.mark.parametrize(("text", "why"), MISTAKES, ids=[why for _, why in MISTAKES])
def test_a_mistake_in_a_mapping_file_names_file_line_and_key(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "m.toml"
    path.write_text(text)
    with pytest.raises(MappingWrong) as wrong:
        load(path)
    assert why in str(wrong.value)
    assert str(wrong.value).startswith("m.toml:")
    if text.startswith(PATIENT):
        assert wrong.value.problems[0].line == 5


def test_all_mistakes_are_said_at_once_in_the_order_of_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text(PATIENT + "brithDate = '{B}'\ngender = '{B | dat}'\n[table.b]\n")
    with pytest.raises(MappingWrong, match=r"m\.toml:5: .* \(and 3 more\)") as wrong:
        load(path)
    assert [problem.line for problem in wrong.value.problems] == [5, 6, 7, 7]


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(MappingWrong, match=r"none\.toml: can't be read: No such file"):
        load(tmp_path / "none.toml")


def test_the_first_example_of_the_documentation_works(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs" / "mapping.md").read_text()
    header, row = re.findall(r"^    (P.*)$", text, re.MULTILINE)
    path = tmp_path / "northdale.toml"
    path.write_text(re.findall(r"```toml\n(.*?)```", text, re.DOTALL)[0])
    cells = dict(zip(header.split(","), row.split(","), strict=True))
    (patient,) = load(path).tables[0].map(cells, "people.csv:2", row).items
    assert patient.body == {
        "resourceType": "Patient",
        "id": "P100",
        "name": [{"use": "official", "family": "Archer", "given": ["Ann"]}],
        "birthDate": "1950-02-03",
        "gender": "female",
        "identifier": [
            {"system": "https://northdale.example/person", "value": "P100"},
            {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": "9990000018"},
        ],
    }
