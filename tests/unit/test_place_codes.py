"""Code sets of a place pack: what is wrong with one is told with its line and column, and no spoilt code gets in."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from conftest import ROOT

from carelink.place_codes import is_snomed, parse, read
from carelink.place_loader import check, load

SNOMED = "http://snomed.info/sct"
PACKS = sorted((ROOT / "config" / "places").iterdir())
SETS = sorted((ROOT / "config" / "places").glob("*/codes/*.csv"))
HEAD = "system,code,meaning\n"
GOOD = f"{SNOMED},66590003,Alcohol dependence\n"


def test_a_code_set_gives_its_codes_with_their_systems() -> None:
    found = parse("system,code,meaning,parent\n" + f"{SNOMED},66590003,Alcohol dependence,\nhttp://x, A ,Letter,\n")
    assert found.codes == {(SNOMED, "66590003"), ("http://x", "A")}
    assert found.wrong == ()


WRONG = [
    ("code,meaning\n66590003,x\n", (1, "system", "this column is missing")),
    ("system,code,meaning,colour\n", (1, "colour", "unknown column; known are system, code, meaning, parent")),
    ("system,code,code,meaning\n", (1, "code", "is there twice")),
    (HEAD, (1, "", "has no codes")),
    ("", (1, "system", "this column is missing")),
    (HEAD + GOOD + f"{SNOMED},,nothing\n", (3, "code", "must not be empty")),
    (HEAD + f"{SNOMED},66590003,\n", (2, "meaning", "must not be empty")),
    (HEAD + ",66590003,x\n", (2, "system", "must not be empty")),
    (HEAD + GOOD + GOOD, (3, "code", "'66590003' is there twice")),
    (HEAD + f"{SNOMED},66590004,x\n", (2, "code", "'66590004' is no SNOMED CT identifier: its check digit is wrong")),
    (HEAD + f"{SNOMED},1.15E+15,x\n", (2, "code", "'1.15E+15' is no SNOMED CT identifier: its check digit is wrong")),
    (HEAD + f"{SNOMED},66590003,x,y\n", (2, "", "has more cells than there are columns")),
    (
        "system,code,meaning,parent\n" + f"{SNOMED},66590003,x,15167005\n",
        (2, "parent", "no code of this set is '15167005'"),
    ),
]


@pytest.mark.parametrize(("text", "wrong"), WRONG, ids=[wrong[2] for _, wrong in WRONG])
def test_what_is_wrong_is_told_with_its_line_and_column(text: str, wrong: tuple[int, str, str]) -> None:
    assert wrong in parse(text).wrong


def test_the_same_code_of_two_systems_is_no_double() -> None:
    assert parse(HEAD + GOOD + "http://x,66590003,Something else\n").wrong == ()


@pytest.mark.parametrize("code", ["66590003", "86406008", "900000000000207008", "10231000132102"])
def test_a_published_identifier_passes_its_check_digit(code: str) -> None:
    assert is_snomed(code)


def test_every_single_slip_of_a_digit_and_every_swap_of_two_neighbours_is_found() -> None:
    code = "66590003"
    slips = {code[:at] + digit + code[at + 1 :] for at in range(len(code)) for digit in "0123456789"} - {code}
    swaps = {code[:at] + code[at + 1] + code[at] + code[at + 2 :] for at in range(len(code) - 1)} - {code}
    assert [one for one in slips | swaps if is_snomed(one)] == []


@pytest.mark.parametrize("code", ["", "0", "12345", "066590003", "6659000３", "6" * 19, "E66590003"])
def test_what_is_no_number_of_six_to_eighteen_digits_is_no_identifier(code: str) -> None:
    assert not is_snomed(code)


@pytest.mark.parametrize("path", SETS, ids=[f"{path.parts[-3]}/{path.name}" for path in SETS])
def test_the_code_sets_that_ship_have_nothing_wrong_and_are_in_order(path: Path) -> None:
    assert read(path).wrong == ()
    rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
    snomed = [int(row["code"]) for row in rows if row["system"] == SNOMED]
    assert snomed == sorted(snomed)


@pytest.mark.parametrize("pack", PACKS, ids=[pack.name for pack in PACKS])
def test_every_code_set_of_a_pack_is_named_by_a_rule(pack: Path) -> None:
    named = {name for rule in load(pack).labels for name in rule.code_sets}
    assert named == {f"codes/{path.name}" for path in pack.glob("codes/*")}


# A code, and the label that the pack `example` puts on it.
PUBLISHED = [
    ("407374003", "LEGAL", "gender recognition"),
    ("52637005", "LEGAL", "assisted conception"),
    ("86406008", "HIV", "HIV infection"),
    ("76272004", "STD", "syphilis"),
    ("57797005", "SEX", "termination of pregnancy"),
    ("66590003", "ETH", "alcohol dependence"),
    ("191816009", "ETH", "drug dependence"),
    ("706893006", "SDV", "victim of intimate partner abuse"),
]


@pytest.mark.parametrize(("code", "sensitivity", "what"), PUBLISHED, ids=[what for *_, what in PUBLISHED])
def test_the_example_place_labels_what_is_published_as_sensitive(code: str, sensitivity: str, what: str) -> None:
    rules = load(ROOT / "config" / "places" / "example").labels
    assert {name for rule in rules if (SNOMED, code) in rule.codes for name in rule.sensitivities} == {sensitivity}


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A copy of the example's pack with one code set of its own."""
    folder = tmp_path / "example"
    (folder / "codes").mkdir(parents=True)
    for path in (ROOT / "config" / "places" / "example").rglob("*"):
        if path.is_file():
            copy = folder / path.relative_to(ROOT / "config" / "places" / "example")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    return folder


def test_the_check_of_a_pack_names_the_file_and_line_of_a_wrong_code_set(pack: Path) -> None:
    path = pack / "codes" / "domestic-abuse.csv"
    path.write_text(path.read_text() + f"{SNOMED},706893006,again\n")
    [problem] = check(pack)
    assert str(problem) == "codes/domestic-abuse.csv:5: code: '706893006' is there twice"


def test_a_code_set_that_is_not_there_is_told(pack: Path) -> None:
    (pack / "codes" / "hiv.csv").unlink()
    assert [str(one) for one in check(pack)] == ["codes/hiv.csv:1: the place pack has no such file"]


RULES = [
    ('id = "x"\nbecause = "y"', "gives neither a category nor sensitivities"),
    ('id = "x"\nbecause = "y"\ncategory = "documents"\ntext = ["word"]', "a hint is for sensitivities"),
    ('id = "x"\nbecause = "y"\nsensitivities = ["HIV"]\ncode_sets = ["../hiv.csv"]', "must be codes/NAME.csv"),
    ('id = "x"\nbecause = "y"\nsensitivities = ["HIV"]\ntext = [""]', "must not be empty"),
    ('id = "x"\nbecause = "y"\nsensitivities = ["HIV"]\ndocuments = [["http://loinc.org"]]', "must be [system, code]"),
]


@pytest.mark.parametrize(("rule", "why"), RULES, ids=[why for _, why in RULES])
def test_a_wrong_rule_is_told(pack: Path, rule: str, why: str) -> None:
    path = pack / "labels.toml"
    path.write_text(f"{path.read_text()}\n[[label]]\n{rule}\n")
    assert [one.file for one in check(pack) if why in one.why] == ["labels.toml"], check(pack)
