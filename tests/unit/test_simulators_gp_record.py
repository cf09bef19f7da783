"""The generated GP Connect records: STU3 in the shapes of the two systems, odd only where those are odd."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest
from fhir.resources.STU3 import get_fhir_model_class

from fhir_adapters import exact_json
from fhir_adapters.simulators import cast
from fhir_adapters.simulators.believing import is_tpp
from fhir_adapters.simulators.gp_record import record
from fhir_adapters.simulators.people import Belief
from fhir_adapters.simulators.population import Population, people

TPP_ID = re.compile(r"^[0-9a-f]{16}(_[0-9a-f]{16})?$")
EMIS_ID = re.compile(r"^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}(-[A-Z]+)?$")


@pytest.fixture(scope="module")
def population() -> Population:
    return people(1, 60)


def entries(population: Population, belief: Belief) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in record(population, belief)["entry"]]


def of_system(population: Population, tpp: bool) -> list[Belief]:
    return [one for one in population.gp if is_tpp(one.person) is tpp]


def text_of(resource: dict[str, Any]) -> Any:
    """As a client reads it: plain JSON."""
    return json.loads(exact_json.dumps(resource))


def with_valid_ids(text: str) -> str:
    """TPP's ids with a dash for the underscore that FHIR does not allow."""
    return re.sub(r"([0-9a-f]{16})_([0-9a-f]{16})", r"\1-\2", text)


def test_half_of_the_records_have_the_shape_of_each_system(population: Population):
    assert 15 < len(of_system(population, tpp=True)) < len(population.gp) - 15


@pytest.mark.parametrize("tpp", [False, True])
def test_every_entry_is_valid_stu3_but_for_the_ids_of_tpp(population: Population, tpp: bool):
    for belief in of_system(population, tpp):
        for one in entries(population, belief):
            text = exact_json.dumps(one).decode()
            body = json.loads(with_valid_ids(text) if tpp else text)
            get_fhir_model_class(body["resourceType"]).model_validate(body)


def test_ids_have_the_form_of_their_system(population: Population):
    for belief in population.gp:
        form = TPP_ID if is_tpp(belief.person) else EMIS_ID
        for one in entries(population, belief):
            if one["resourceType"] != "List":
                assert form.match(one["id"]), one["id"]


def test_tpp_ids_of_clinical_entries_are_not_valid_fhir_ids(population: Population):
    belief = of_system(population, tpp=True)[0]
    observation = next(one for one in entries(population, belief) if one["resourceType"] == "Encounter")
    assert "_" in observation["id"]


def test_a_record_is_a_collection_without_full_urls_narrative_or_last_updated(population: Population):
    for belief in population.gp[:20]:
        bundle = record(population, belief)
        assert bundle["type"] == "collection"
        assert all(set(entry) == {"resource"} for entry in bundle["entry"])
        assert not any("text" in one for one in entries(population, belief))
        assert not any("lastUpdated" in one["meta"] for one in entries(population, belief))


def test_every_reference_leads_to_an_entry_of_the_record(population: Population):
    for belief in population.gp:
        found = entries(population, belief)
        present = {f"{one['resourceType']}/{one.get('id')}" for one in found}
        told = re.findall(r'"reference":"([^"#]+)"', exact_json.dumps(found).decode())
        assert set(told) <= present


def test_dates_have_an_offset_and_never_a_z(population: Population):
    for belief in population.gp[:20]:
        text = exact_json.dumps(record(population, belief)).decode()
        times = re.findall(r'"(\d{4}-\d\d-\d\dT[^"]+)"', text)
        assert times
        assert all(re.search(r"[+-]\d\d:\d\d$", one) for one in times)


def test_emis_marks_the_chosen_coding_and_tpp_never_does(population: Population):
    for tpp in (False, True):
        text = exact_json.dumps(record(population, of_system(population, tpp)[0])).decode()
        assert ("userSelected" in text) is not tpp


def test_tpp_reports_what_came_from_a_laboratory_and_emis_does_not(population: Population):
    for tpp in (False, True):
        reports = [
            one
            for belief in of_system(population, tpp)
            for one in entries(population, belief)
            if one["resourceType"] == "DiagnosticReport"
        ]
        assert bool(reports) is tpp
        assert all(one["result"] for one in reports)


def test_an_ended_allergy_is_listed_by_emis_and_contained_by_tpp():
    population = people(1, 400)
    for tpp in (False, True):
        lists = [
            one
            for belief in of_system(population, tpp)
            for one in entries(population, belief)
            if one.get("title") == "Ended allergies" and "entry" in one
        ]
        assert lists
        assert all(("contained" in one) is tpp for one in lists)


def test_decimals_keep_their_noughts(population: Population):
    texts = {
        str(one["valueQuantity"]["value"])
        for belief in population.gp
        for one in entries(population, belief)
        if one["resourceType"] == "Observation" and "valueQuantity" in one
    }
    assert any(text.endswith(".0") for text in texts)
    belief = population.gp[0]
    again = exact_json.dumps(exact_json.loads(exact_json.dumps(record(population, belief))))
    assert again == exact_json.dumps(record(population, belief))


def test_a_medicine_is_a_statement_a_plan_and_a_product(population: Population):
    for belief in population.gp[:30]:
        kinds = Counter(one["resourceType"] for one in entries(population, belief))
        assert kinds["MedicationStatement"] == kinds["MedicationRequest"] == kinds["Medication"]


def test_the_record_of_the_rich_case_is_long_and_the_usual_one_is_not(population: Population):
    rich = next(one for one in population.gp if one.person == cast.ON_WARD_NOW)
    usual = [len(entries(population, one)) for one in population.gp if not one.person.part]
    assert len(entries(population, rich)) > 120
    assert 20 < sum(usual) / len(usual) < 60


def test_the_same_person_has_the_same_record_every_time(population: Population):
    assert record(population, population.gp[3]) == record(people(1, 60), population.gp[3])


def test_days_later_some_records_have_more_in_them_and_nothing_else_differs(population: Population):
    later = population.moved_on(10)
    grown = 0
    for belief in population.gp:
        before = {one["id"]: one for one in entries(population, belief) if "id" in one}
        after = {one["id"]: one for one in entries(later, belief) if "id" in one}
        assert {key: after[key] for key in before} == before
        grown += len(after) > len(before)
    assert 0 < grown < len(population.gp) / 2
