"""What is wrong with a place pack is said with file and line, and the packs that ship are right."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from carelink.consent import sensitivity
from carelink.errors import Invalid
from carelink.identity import requesters
from carelink.place_loader import OWN_ROLE, check, load
from carelink.place_schemas import LEVELS, SENSITIVITIES
from carelink.record import comparison

PLACES = Path(__file__).resolve().parents[2] / "config" / "places"


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PLACES / "example", tmp_path / "example"))


def line_with(path: Path, text: str, nth: int = 1) -> int:
    numbers = [number for number, line in enumerate(path.read_text().splitlines(), 1) if text in line]
    return numbers[nth - 1]


@pytest.mark.parametrize("name", sorted(folder.name for folder in PLACES.iterdir() if folder.is_dir()))
def test_every_pack_that_ships_has_nothing_wrong_with_it(name: str) -> None:
    assert check(PLACES / name) == []


def test_a_loaded_place_knows_its_people_and_their_sources_in_order(pack: Path) -> None:
    place = load(pack)
    assert place.staff["sam.okafor"].organisation == "901"
    assert [source.order for source in place.sources] == sorted(source.order for source in place.sources)
    assert Path(place.source("council-a").options["mapping"]).is_file()


# file, text to replace, what with, the line (the one that holds this text afterwards), words of the complaint
MISTAKES = [
    ("staff.toml", 'organisation = "902"', 'organisation = "999"', 'organisation = "999"', "nothing in this pack"),
    ("staff.toml", 'role = "nurse"', 'role = "nurze"', 'role = "nurze"', "nothing in this pack is called 'nurze'"),
    ("staff.toml", 'purposes = ["HOPERAT"]', 'purposes = ["FUN"]', 'purposes = ["FUN"]', "Must be one of"),
    ("sources.toml", "order = 2", 'order = "second"', 'order = "second"', "Not a valid integer"),
    ("sources.toml", "every_minutes = 15", "every_minutes = 0", "every_minutes = 0", "must be 1 or more"),
    ("sources.toml", "order = 3", "ordre = 3", "ordre = 3", "Unknown field"),
    (
        "sources.toml",
        "council-b.toml",
        "council-z.toml",
        "council-z.toml",
        "there is no file 'mappings/council-z.toml'",
    ),
    ("mappings/council-a.toml", "| date}", "| dete}", "| dete}", "dete"),
    (
        "mappings/council-b.toml",
        "codes/alert.csv",
        "codes/alarm.csv",
        "codes/alarm.csv",
        "codes/alarm.csv is not there",
    ),
    ("agreements.toml", 'recipient = "council"', 'recipient = "konzil"', 'recipient = "konzil"', "'konzil'"),
    ("organisations.toml", 'ods = "902"', 'ods = "901"', 'ods = "901"', "is there twice"),
    ("organisations.toml", 'type = "icb"', 'type = "ring"', None, "must have the type `icb`"),
    ("sources.toml", 'kind = "pds"', 'kind = "pdq"', 'kind = "pdq"', "Must be one of"),
    ("sources.toml", 'kind = "pds"', 'kind = "pds"\nclients_push = true', "clients_push = true", "clients can't push"),
    ("agreements.toml", 'sensitivities = ["MH"]', 'sensitivities = ["MHX"]', '"MHX"', "'MHX'"),
    ("labels.toml", 'sensitivities = ["HIV"]', 'sensitivities = ["AIDS"]', '"AIDS"', "'AIDS'"),
    ("linking.toml", "near = 6.0 ", "nearly = 6.0 ", "[weights.birth_date]", "gives no weight for near"),
    ("linking.toml", "[weights.gender]", "[weights.shoe_size]", "[weights.shoe_size]", "is not compared"),
    ("staff.toml", 'id = "person"', 'id = "themselves"', None, "there is no role 'person'"),
    ("consent.toml", 'reviewer = "ig-lead"', 'reviewer = "gp"', 'reviewer = "gp"', "needs `review-break-glass`"),
    ("systems.toml", "http://127.0.0.1:8477", "http://engine.example", "http://engine.example", "must be https"),
    ("systems.toml", "8477/notifications", "8477/notifications?to=x", "?to=x", "without a name, a query"),
    ("systems.toml", 'role = "nurse"', 'role = "person"', 'role = "person"', "nothing in this pack is called 'person'"),
    ("systems.toml", "keys/dale-valley-epr.json", "keys/lost.json", "keys/lost.json", "no JSON Web Key Set"),
    ("systems.toml", 'jwks = "keys/dale-valley-epr.json"', "", None, "give either `jwks` or `jwks_url`"),
    ("place.toml", 'place_name = "Dalemere"', "", None, "Missing data"),
    ("place.toml", 'service_name = "CareLink"', "service_name = CareLink", "service_name = CareLink", "is not TOML"),
]


@pytest.mark.parametrize(("name", "old", "new", "marker", "words"), MISTAKES)
def test_a_mistake_is_told_with_its_file_and_line(
    pack: Path, name: str, old: str, new: str, marker: str | None, words: str
) -> None:
    path = pack / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    told = [problem for problem in check(pack) if problem.file == name and words in problem.why]
    assert told, check(pack)
    if marker:
        lines = [number for number, line in enumerate(path.read_text().splitlines(), 1) if marker in line]
        assert told[0].line in lines


def test_all_mistakes_are_told_at_once(pack: Path) -> None:
    for name in ("labels.toml", "linking.toml"):
        (pack / name).unlink()
    assert [problem.file for problem in check(pack)] == ["labels.toml", "linking.toml"]


def test_a_file_that_is_not_utf_8_says_at_which_byte(pack: Path) -> None:
    (pack / "place.toml").write_bytes(b'service_name = "Caf\xe9"')
    assert "is not UTF-8 (byte 19)" in str(check(pack)[0])


def test_loading_a_wrong_pack_stops_with_one_line_that_names_the_place(pack: Path) -> None:
    path = pack / "staff.toml"
    path.write_text(path.read_text().replace('role = "gp"', 'role = "doctor"'))
    with pytest.raises(Invalid) as stopped:
        load(pack)
    assert stopped.value.place == f"example/staff.toml:{line_with(path, 'doctor')}"
    assert "\n" not in str(stopped.value)


def test_a_pack_may_say_just_the_words_that_the_record_understands() -> None:
    assert set(SENSITIVITIES) == set(sensitivity.NAMES)
    assert dict(comparison.LEVELS) == LEVELS
    assert OWN_ROLE == requesters.PERSON
