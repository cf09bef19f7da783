"""Who a person is, as the top of their page says it: nothing that is not known, nothing that must not be told."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from carelink.cases.banner import address, banner, deceased, nhs_number, order, practice, restricted, telephone
from carelink.ids import Ods, PersonKey, ResourceKey
from carelink.place import Place
from carelink.record.query import Row
from fhir_adapters import exact_json

NHS = "https://fhir.nhs.uk/Id/nhs-number"
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"
ME = PersonKey(UUID(int=1))


def row(now: datetime, source: str = "carelink", key: int = 9, **body: Any) -> Row:
    text = exact_json.dumps({"resourceType": "Patient", **body}).decode()
    return Row(ResourceKey(UUID(int=key)), "Patient", ME, 1, now, None, source, Ods("QDM"), "demographics", text)


def test_a_banner_is_made_of_the_golden_patient_whatever_the_sources_call_them(place: Place, now: datetime) -> None:
    councils = row(now, "council-a", 1, name=[{"text": "N. Harte"}], birthDate="1944")
    golden = row(now, name=[{"family": "Hart", "given": ["Nora"]}], birthDate="1944-05-06", gender="female")
    told = banner(ME, [councils, golden], place)
    assert told is not None
    assert (told.name, told.born, told.gender) == ("Nora Hart", "1944-05-06", "female")


def test_where_an_objection_hides_the_golden_patient_the_own_organisations_is_shown(
    place: Place, now: datetime
) -> None:
    told = banner(ME, [row(now, "hospital", 2, name=[{"text": "Nora Hart"}])], place)
    assert told is not None
    assert told.name == "Nora Hart"


def test_nobody_is_shown_to_whom_no_patient_is_visible(place: Place) -> None:
    assert banner(ME, [], place) is None


def test_what_is_not_known_is_said_to_be_so_or_left_empty(place: Place, now: datetime) -> None:
    told = banner(ME, [row(now)], place)
    assert told is not None
    assert told.name == "Name not known"
    assert (told.born, told.nhs_number, told.address, told.telephone, told.practice) == ("", "", "", "", "")
    assert (told.deceased, told.restricted) == ("", False)


DEATHS = [
    ({"deceasedDateTime": "2026-11-03T04:10:00+00:00"}, "2026-11-03", "with its day"),
    ({"deceasedDateTime": "2026-11"}, "2026-11", "as far as it is known"),
    ({"deceasedBoolean": True}, "yes", "without a date"),
    ({"deceasedBoolean": False}, "", "not at all"),
    ({}, "", "where nobody says so"),
]


@pytest.mark.parametrize(("body", "told", "why"), DEATHS, ids=[why for *_, why in DEATHS])
def test_a_death_is_told(body: dict[str, Any], told: str, why: str) -> None:
    assert deceased(body) == told


SECURITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"


@pytest.mark.parametrize(("code", "kept"), [("R", True), ("V", True), ("U", False), ("N", False)])
def test_a_person_is_restricted_by_the_label_that_pds_gives_them(code: str, kept: bool) -> None:
    assert restricted({"meta": {"security": [{"system": SECURITY, "code": code}]}}) is kept
    assert not restricted({})


ADDRESSES = [
    ([{"line": ["1 Mill Lane"], "city": "Dalemere", "postalCode": "DM1 4QT"}], "1 Mill Lane, Dalemere, DM1 4QT"),
    ([{"use": "temp", "line": ["Ward 7"]}, {"use": "home", "line": ["1 Mill Lane"]}], "1 Mill Lane"),
    ([{"use": "old", "line": ["2 Old Road"]}], ""),
    ([{"line": ["2 Old Road"], "period": {"end": "2020-01-01"}}, {"line": ["1 Mill Lane"]}], "1 Mill Lane"),
    ([{"text": "1 Mill Lane\nDalemere"}], "1 Mill Lane, Dalemere"),
    ([{"use": "home"}, {"use": "temp", "city": "Dalemere"}], "Dalemere"),
    ([], ""),
]


@pytest.mark.parametrize(("given", "line"), ADDRESSES, ids=[line or str(given) for given, line in ADDRESSES])
def test_the_address_is_the_one_where_they_live_now(given: list[dict[str, Any]], line: str) -> None:
    assert address(given) == line


def test_a_superseded_nhs_number_and_an_old_telephone_are_not_shown() -> None:
    numbers = [{"system": NHS, "use": "old", "value": "9990000026"}, {"system": NHS, "value": "9990000018"}]
    assert nhs_number({"identifier": numbers}) == "9990000018"
    assert nhs_number({"identifier": numbers[:1]}) == ""
    numbers = [
        {"system": "email", "value": "nora@example.com"},
        {"system": "phone", "use": "old", "value": "01632 960001"},
        {"system": "phone", "value": "01632 960002"},
    ]
    assert telephone({"telecom": numbers}) == "01632 960002"


def test_the_practice_is_called_as_the_place_calls_it_else_as_the_source_does(place: Place) -> None:
    def at(ods: str, display: str) -> dict[str, Any]:
        return {"generalPractitioner": [{"identifier": {"system": ODS, "value": ods}, "display": display}]}

    assert practice(at("P81001", "RIVERSIDE SURG"), place) == "Riverside Surgery"
    assert practice(at("Z99999", "Elsewhere Surgery"), place) == "Elsewhere Surgery"
    assert practice({}, place) == ""


def test_lists_are_sorted_by_the_family_name_in_use() -> None:
    assert order({"name": [{"family": "de la Cruz", "given": ["Maria"]}]}) == ("de la cruz", "maria")
    assert order({"name": [{"use": "old", "family": "Abel"}, {"use": "official", "family": "Young"}]})[0] == "young"
    assert order({"name": [{"text": "Maria Young"}]})[0] == "young"
    assert order({}) == ("",)
