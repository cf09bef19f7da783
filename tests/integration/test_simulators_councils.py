"""The two simulated councils: a folder of CSV extracts, and a JSON API in pages, as their README promises."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from fhir_adapters import exact_json
from fhir_adapters.simulators import cast, council_a, council_b, social
from fhir_adapters.simulators.council_b import CouncilB
from fhir_adapters.simulators.council_b_rows import ENDPOINTS
from fhir_adapters.simulators.demo_keys import SECRETS
from fhir_adapters.simulators.population import Population, people

README = Path(council_a.__file__).with_name("README.md").read_text("utf-8")
KEY = {"X-Api-Key": SECRETS["council-b"]}
CLD_STATUS = {"Planned", "Active", "Suspended", "Ended"}

Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def population() -> Population:
    return people(1, 200)


@pytest.fixture(scope="module")
def extracts(population: Population, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Rows]:
    folder = tmp_path_factory.mktemp("northdale")
    council_a.write(population, folder)
    return read(folder)


def read(folder: Path) -> dict[str, Rows]:
    found = {}
    for path in folder.iterdir():
        with path.open(encoding="utf-8", newline="") as file:
            found[path.stem] = list(csv.DictReader(file))
    return found


@pytest.fixture(scope="module")
def api(population: Population) -> Iterator[CouncilB]:
    running = council_b.serve(population)
    yield running
    running.close()


def every(api: CouncilB, endpoint: str, **params: str) -> list[dict[str, Any]]:
    found, url = [], str(httpx.URL(f"{api.url}/{endpoint}", params=params))
    while url:
        page = exact_json.loads(httpx.get(url, headers=KEY).content)
        found += page["items"]
        url = page["next"]
    return found


@pytest.mark.parametrize("name", council_a.COLUMNS)
def test_the_readme_tells_the_columns_of_each_extract(extracts: dict[str, Rows], name: str):
    told = re.search(rf"^\| `{name}\.csv` \| (.+) \|$", README, re.MULTILINE)
    assert told
    assert list(extracts[name][0]) == told[1].split(", ")


def test_every_row_refers_to_people_and_workers_that_are_there(extracts: dict[str, Rows]):
    known_people = {row["PersonID"] for row in extracts["people"]}
    known_workers = {row["WorkerID"] for row in extracts["workers"]} | {""}
    services = {row["ServiceID"] for row in extracts["services"]}
    for name, rows in extracts.items():
        for row in rows:
            assert row.get("PersonID", next(iter(known_people))) in known_people, name
            assert row.get("WorkerID", "") in known_workers, name
            assert name != "reviews" or row["ServiceID"] in services


def test_ids_are_unique_in_each_extract(extracts: dict[str, Rows]):
    for name, rows in extracts.items():
        ids = [next(iter(row.values())) for row in rows]
        assert len(set(ids)) == len(ids), name


def test_dates_are_written_day_month_year(extracts: dict[str, Rows]):
    for rows in extracts.values():
        for row in rows:
            for column, text in row.items():
                if "Date" in column and column != "LastUpdated" and text:
                    assert datetime.strptime(text, "%d/%m/%Y")  # noqa: DTZ007


def test_a_person_stands_as_the_council_believes(extracts: dict[str, Rows], population: Population):
    rows = {row["PersonID"]: row for row in extracts["people"]}
    assert rows.keys() == {one.id for one in population.council_a}
    for one in population.council_a:
        row = rows[one.id]
        assert row["NHSNumber"].replace(" ", "") == one.nhs_number
        assert row["NHSNumberStatus"] == (("Verified" if one.verified else "Unverified") if one.nhs_number else "")
        assert (row["Forename"], row["Surname"]) == (one.given[0], one.family)
        assert row["DateOfBirth"] == one.born.strftime("%d/%m/%Y")
        assert row["Postcode"] == one.address.postcode


def test_services_use_the_words_of_client_level_data(extracts: dict[str, Rows]):
    assert {row["ServiceType"] for row in extracts["services"]} <= {row[0] for row in social.SERVICES}
    assert {row["Status"] for row in extracts["services"]} <= CLD_STATUS
    assert all(re.fullmatch(r"(\d+\.\d\d)?", row["UnitsPerWeek"]) for row in extracts["services"])


def test_sams_people_are_allocated_to_w001(extracts: dict[str, Rows], population: Population):
    by_id = {one.id: one.person for one in population.council_a}
    allocated = {by_id[row["PersonID"]] for row in extracts["allocations"] if row["WorkerID"] == "W001"}
    assert allocated == set(cast.CASELOAD_OF_SAM)


def test_power_of_attorney_stands_as_alert_and_at_the_daughter(extracts: dict[str, Rows], population: Population):
    id_ = next(one.id for one in population.council_a if one.person == cast.LEGAL_AUTHORITY)
    assert [row["AlertType"] for row in extracts["alerts"] if row["PersonID"] == id_] == ["Legal"]
    (daughter,) = (row for row in extracts["involved"] if row["PersonID"] == id_)
    assert (daughter["Relationship"], daughter["LegalAuthority"]) == ("Daughter", "LPA health and welfare")


def test_writing_again_touches_no_file(population: Population, tmp_path: Path):
    council_a.write(population, tmp_path)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    council_a.write(people(1, 200), tmp_path)
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_days_later_only_people_and_assessments_have_changed(population: Population, tmp_path: Path):
    council_a.write(population, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    council_a.write(population.moved_on(5), tmp_path)
    changed = {path.name for path in tmp_path.iterdir() if path.read_bytes() != before[path.name]}
    assert changed == {"people.csv", "assessments.csv"}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_readme_tells_the_fields_of_each_endpoint(api: CouncilB, endpoint: str):
    told = re.search(rf"^\| `{endpoint}` \| \{{(.+)\}} \|$", README, re.MULTILINE)
    assert told
    for row in every(api, endpoint):
        assert all(re.search(rf"\b{field}\b", told[1]) for field in row)


def test_all_pages_together_are_all_rows_once(api: CouncilB, population: Population):
    rows = every(api, "clients", page_size="17")
    assert [row["id"] for row in rows] == [row["id"] for row in every(api, "clients", page_size="500")]
    assert {str(row["id"]) for row in rows} == {one.id for one in population.council_b}
    assert [row["updated_at"] for row in rows] == sorted(row["updated_at"] for row in rows)


def test_a_page_says_how_many_there_are_and_where_the_next_is(api: CouncilB):
    page = httpx.get(f"{api.url}/services?page=2&page_size=5", headers=KEY).json()
    assert (page["page"], page["page_size"], len(page["items"])) == (2, 5, 5)
    assert page["total"] == len(every(api, "services"))
    assert page["next"].endswith("page=3&page_size=5")


def test_only_what_changed_at_or_after_an_instant_comes(api: CouncilB):
    rows = every(api, "services")
    since = rows[len(rows) // 2]["updated_at"]
    found = every(api, "services", updated_since=since, page_size="3")
    assert [row["id"] for row in found] == [row["id"] for row in rows if row["updated_at"] >= since]


def test_amounts_keep_their_noughts(api: CouncilB):
    hours = {str(row["hours_per_week"]) for row in every(api, "services") if row["hours_per_week"] is not None}
    assert "14.00" in hours


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/clients", {}, 401),
        ("/clients", {"X-Api-Key": "no"}, 401),
        ("/nothing", KEY, 404),
        ("/clients?page=x", KEY, 400),
    ],
)
def test_a_wrong_question_is_refused(api: CouncilB, path: str, headers: dict[str, str], status: int):
    assert httpx.get(f"{api.url}{path}", headers=headers).status_code == status


def test_days_later_the_news_are_found_by_asking_since_the_last_time(population: Population):
    running = council_b.serve(population)
    try:
        last = every(running, "assessments")[-1]["updated_at"]
        before = len(every(running, "assessments"))
        running.change(population.moved_on(10))
        news = every(running, "assessments", updated_since=last)
        assert len(every(running, "assessments")) - before == len([row for row in news if row["state"] == "new"]) > 0
    finally:
        running.close()
