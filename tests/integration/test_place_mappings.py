"""The mapping files of the packs that ship: every row of the councils becomes valid FHIR with nothing left behind."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from carelink.cases.reaching import source_settings
from carelink.consent.relationships import derive
from carelink.ids import PersonKey
from carelink.place import Place
from carelink.place_loader import load
from carelink.record.validation import check
from fhir_adapters import registry
from fhir_adapters.simulators import council_a, council_b
from fhir_adapters.simulators.council_b_rows import rows
from fhir_adapters.simulators.demo_keys import SECRETS
from fhir_adapters.simulators.population import Population, people
from fhir_adapters.source import Item

PLACES = Path(__file__).resolve().parents[2] / "config" / "places"
# What a row of each table becomes.
MADE = {
    "workers": ["Practitioner"],
    "people": ["Patient", "Condition", "Observation"],
    "clients": ["Patient", "Condition", "Observation"],
    "allocations": ["CareTeam"],
    "requests": ["ServiceRequest", "Task"],
    "assessments": ["Task"],
    "reviews": ["Task"],
    "services": ["EpisodeOfCare"],
    "alerts": ["Flag"],
    "involved": ["RelatedPerson"],
    "contacts": ["RelatedPerson"],
}


@pytest.fixture(scope="module")
def population() -> Population:
    return people(1, 120)


def pulled(place: Place, source: str, url: str, secret: str, now: datetime) -> list[Item]:
    prefix = f"CARELINK_SOURCE_{source.upper().replace('-', '_')}"
    settings = source_settings(place.source(source), {f"{prefix}_URL": url, f"{prefix}_SECRET": secret})
    batches = list(registry.make(settings).pull(None, (), now))
    assert [one for batch in batches for one in batch.rejected] == []
    return [item for batch in batches for item in batch.items]


@pytest.fixture
def northdale(place: Place, population: Population, tmp_path: Path, now: datetime) -> list[Item]:
    council_a.write(population, tmp_path)
    return pulled(place, "council-a", str(tmp_path), "", now)


@pytest.fixture
def southmere(place: Place, population: Population, now: datetime) -> Iterator[list[Item]]:
    running = council_b.serve(population)
    yield pulled(place, "council-b", running.url, SECRETS["council-b"], now)
    running.close()


def of(items: list[Item], type_: str, id_: str) -> Any:
    return next(item.body for item in items if (item.type, item.source_id) == (type_, id_))


def faults(items: list[Item]) -> list[str]:
    """What a good mapping leaves no room for: problems and repairs."""
    checked = ((item, check(item.type, item.body)) for item in items)
    return [f"{item.type}/{item.source_id}: {found}" for item, one in checked if (found := one.problems or one.repairs)]


def test_every_row_of_northdales_extracts_becomes_valid_fhir(northdale: list[Item], tmp_path: Path) -> None:
    assert faults(northdale) == []
    made = Counter(item.type for item in northdale)
    expected: Counter[str] = Counter()
    for path in tmp_path.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as file:
            number = sum(1 for _ in csv.DictReader(file))
        expected.update({type_: number for type_ in MADE[path.stem] if type_ != "Observation"})
    assert made - Counter({"Observation": made["Observation"]}) == expected


def test_every_row_of_southmeres_answers_becomes_valid_fhir(southmere: list[Item], population: Population) -> None:
    assert faults(southmere) == []
    held = rows(population)
    expected: Counter[str] = Counter()
    for endpoint, found in held.items():
        expected.update({type_: len(found) for type_ in MADE[endpoint]})
    expected["CareTeam"] = sum(1 for row in held["clients"] if row["key_worker"])
    assert Counter(item.type for item in southmere) == expected


def test_references_lead_to_rows_that_came_too(northdale: list[Item], southmere: list[Item]) -> None:
    for items in (northdale, southmere):
        known = {f"{item.type}/{item.source_id}" for item in items}
        named = {found for item in items for found in references(item.body)}
        assert named
        assert named <= known


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(one := value.get("reference"), str):
            yield one
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_the_two_councils_say_the_same_thing_alike(northdale: list[Item], southmere: list[Item]) -> None:
    def codings(items: list[Item], type_: str, element: str) -> set[tuple[str, str]]:
        found = (one for item in items if item.type == type_ for one in (item.body.get(element),) if one)
        concepts = (one for value in found for one in (value if isinstance(value, list) else [value]))
        return {(code["system"], code["code"]) for one in concepts for code in one.get("coding", ())}

    for type_, element in (("Flag", "category"), ("EpisodeOfCare", "type"), ("RelatedPerson", "relationship")):
        shared = codings(northdale, type_, element) & codings(southmere, type_, element)
        assert shared, f"{type_}.{element}"
        assert (
            len({system for system, _ in codings(northdale, type_, element) | codings(southmere, type_, element)}) <= 3
        )


def test_an_alert_keeps_its_kind_its_words_and_who_raised_it(northdale: list[Item]) -> None:
    flag = of(northdale, "Flag", "FL-N100001-0")
    assert flag["status"] == "active"
    assert flag["category"][0]["coding"][0]["code"] == "falls"
    assert flag["code"]["text"].startswith("Three falls this year")
    assert flag["author"]["identifier"] == {"system": "https://northdale.example/worker", "value": "W001"}


def test_a_kind_of_alert_that_no_map_knows_is_still_an_alert(
    place: Place, population: Population, now: datetime, tmp_path: Path
) -> None:
    council_a.write(population, tmp_path)
    path = tmp_path / "alerts.csv"
    path.write_text(path.read_text("utf-8").replace(",Falls,", ",Bees,"), "utf-8")
    flags = [item.body for item in pulled(place, "council-a", str(tmp_path), "", now) if item.type == "Flag"]
    others = [flag for flag in flags if flag["category"][0]["coding"][0]["code"] == "other"]
    assert others
    assert all(flag["code"]["text"] for flag in others)


def test_costs_and_hours_keep_their_text(southmere: list[Item]) -> None:
    packages = [item.body for item in southmere if item.type == "EpisodeOfCare"]
    said = {str(one["valueDecimal"].text) for body in packages for one in body["extension"] if "valueDecimal" in one}
    assert "14.00" in said


SALTMARSH = {
    "staff.txt": "STAFF_NO;NAME\n77;Ada Moss\n",
    "people.txt": (
        "REF;NHS;FIRST;LAST;SEX;BORN;PHONE;ADDRESS;PC;WORKER\n"
        "A1;999 000 0018;Zoë;Marsh;W;03-Feb-1950;01632 960777;1 Quay Street;zz1 1aa;77\n"
        "A2;-;Ned;Fenn;M;02/1941;-;-;-;-\n"
    ),
    "happenings.txt": (
        "NO;KIND;REF;CODE;WORDS;STATE;SINCE;UNTIL\n"
        "1;W;A1;DOG;Two dogs in the yard;-;01-Mar-2026;-\n"
        "2;C;A1;-;Home care;OPEN;01-Jan-2026;-\n"
        "3;W;A2;BULL;A bull in the yard;-;01-Mar-2026;04-Apr-2026\n"
    ),
}


def test_the_second_place_reads_quite_another_extract_without_new_code(tmp_path: Path, now: datetime) -> None:
    for name, text in SALTMARSH.items():
        (tmp_path / name).write_text(text, "cp1252")
    items = pulled(load(PLACES / "saltmarsh"), "council", str(tmp_path), "", now)
    assert faults(items) == []
    assert Counter(item.type for item in items) == {
        "Practitioner": 1, "Patient": 2, "CareTeam": 1, "Flag": 2, "EpisodeOfCare": 1,
    }  # fmt: skip
    zoe, ned = of(items, "Patient", "A1"), of(items, "Patient", "A2")
    assert (zoe["name"][0]["given"], zoe["birthDate"], zoe["address"][0]["postalCode"]) == (
        ["Zoë"],
        "1950-02-03",
        "ZZ1 1AA",
    )
    assert (ned["birthDate"], "telecom" in ned, len(ned["identifier"])) == ("1941-02", False, 1)
    assert [
        (flag["status"], flag["code"]["text"])
        for flag in (of(items, "Flag", "warning-1"), of(items, "Flag", "warning-3"))
    ] == [
        ("active", "Two dogs in the yard"),
        ("inactive", "A bull in the yard"),
    ]


def test_who_is_allocated_to_a_whole_team_is_that_teams_though_pages_call_it_by_a_name(
    place: Place, northdale: list[Item]
) -> None:
    teams = [item.body for item in northdale if item.type == "CareTeam" and item.body["name"] == "Adults North team"]
    whole = [team for team in teams if not any("member" in one for one in team["participant"])]
    assert whole
    for team in whole:
        found = derive("CareTeam", team | {"status": "active"}, PersonKey(uuid4()), place)
        assert [(one.organisation, one.team, one.user) for one in found] == [("901", "adults-north", None)]
