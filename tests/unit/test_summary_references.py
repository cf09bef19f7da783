"""References of a document hold within it, or say in words that what they named is not there."""

from __future__ import annotations

from typing import Any

import pytest

from carelink.cases.patient_summary_references import ELSEWHERE, named, settled

HER = "Patient/00000000-0000-0000-0000-000000000001"
SOURCES = "Patient/00000000-0000-0000-0000-000000000002"
DOCTOR = "Practitioner/00000000-0000-0000-0000-000000000003"
GONE = "Encounter/00000000-0000-0000-0000-000000000004"

# a reference -> what becomes of it
BECOMES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"reference": DOCTOR}, {"reference": DOCTOR}),
    ({"reference": f"{DOCTOR}/_history/2", "display": "Dr D"}, {"reference": DOCTOR, "display": "Dr D"}),
    ({"reference": SOURCES}, {"reference": HER}),
    ({"reference": GONE}, {"display": ELSEWHERE}),
    ({"reference": GONE, "display": "A stay"}, {"display": "A stay"}),
    ({"reference": GONE, "identifier": {"value": "7"}}, {"identifier": {"value": "7"}}),
    ({"reference": "https://elsewhere.example/Encounter/7"}, {"display": ELSEWHERE}),
    ({"reference": "urn:uuid:7"}, {"display": ELSEWHERE}),
    ({"reference": "#inside"}, {"reference": "#inside"}),
    ({"display": "Somebody"}, {"display": "Somebody"}),
]


@pytest.mark.parametrize(("said", "becomes"), BECOMES)
def test_each_reference_holds_or_is_words(said: dict[str, Any], becomes: dict[str, Any]) -> None:
    body = {"performer": [said], "component": [{"extension": [{"valueReference": said}]}]}
    made = settled(body, HER, {SOURCES}, {HER, DOCTOR})
    assert made == {"performer": [becomes], "component": [{"extension": [{"valueReference": becomes}]}]}


@pytest.mark.parametrize("element", ["subject", "patient", "for", "beneficiary"])
def test_whose_it_is_is_the_one_patient_whatever_the_source_called_them(element: str) -> None:
    unknown = "Patient/00000000-0000-0000-0000-00000000000f"
    assert settled({element: {"reference": unknown}}, HER, set(), {HER}) == {element: {"reference": HER}}


def test_what_is_named_is_found_at_any_depth_and_what_is_elsewhere_is_not() -> None:
    body = {"a": [{"b": {"reference": DOCTOR}}, {"reference": f"{GONE}/_history/1"}], "c": {"reference": "#x"}}
    assert sorted(named(body)) == sorted([DOCTOR, GONE])
