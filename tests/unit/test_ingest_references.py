"""References become ours where they are the source's own, and stay as they are where they mean the same everywhere."""

from __future__ import annotations

from typing import Any

import pytest

from carelink.ids import resource_key
from carelink.record.references import patient_of, rewritten, unnamed

OURS = f"Patient/{resource_key('hospital', 'ns', 'Patient', 'p1')}"
REWRITTEN = [
    ("Patient/p1", OURS, "the source's own"),
    ("Patient/p1/_history/3", OURS, "one version of it"),
    ("#a", "#a", "contained"),
    ("https://example.org/fhir/Patient/p1", "https://example.org/fhir/Patient/p1", "absolute"),
    ("urn:uuid:6f9619ff-8b86-d011-b42d-00c04fc964ff", "urn:uuid:6f9619ff-8b86-d011-b42d-00c04fc964ff", "a URN"),
    ("Patient?identifier=1", "Patient?identifier=1", "a search"),
    ("", "", "nothing"),
]


@pytest.mark.parametrize(("said", "becomes", "why"), REWRITTEN, ids=[why for *_, why in REWRITTEN])
def test_a_reference_is_rewritten(said: str, becomes: str, why: str) -> None:
    body = {"subject": {"reference": said, "type": "Patient"}}
    assert rewritten(body, "hospital", "ns") == {"subject": {"reference": becomes, "type": "Patient"}}


def test_references_are_rewritten_at_any_depth_and_the_body_that_came_is_untouched() -> None:
    body: dict[str, Any] = {"a": [{"b": {"reference": "Patient/p1"}}, {"c": 1}], "d": {"identifier": {"value": "1"}}}
    assert rewritten(body, "hospital", "ns") == {
        "a": [{"b": {"reference": OURS}}, {"c": 1}],
        "d": {"identifier": {"value": "1"}},
    }
    assert body["a"][0]["b"]["reference"] == "Patient/p1"
    untouched = {"d": {"identifier": {"value": "1"}}}
    assert rewritten(untouched, "hospital", "ns") is untouched


def test_the_same_id_means_another_resource_in_another_source_namespace_and_type() -> None:
    places = [("hospital", "ns"), ("gp", "ns"), ("hospital", "other")]
    keys = {
        rewritten({"reference": f"{type_}/1"}, *place)["reference"] for type_ in ("Task", "Flag") for place in places
    }
    assert len(keys) == 6


ABOUT = [
    ("Condition", {"subject": {"reference": "Patient/1"}}, "1", "subject"),
    ("AllergyIntolerance", {"patient": {"reference": "Patient/1"}}, "1", "patient"),
    ("Task", {"for": {"reference": "Patient/1"}}, "1", "for"),
    ("Coverage", {"beneficiary": {"reference": "Patient/1"}}, "1", "beneficiary"),
    ("Patient", {"id": "1"}, "1", "itself"),
    (
        "Appointment",
        {"participant": [{"actor": {"reference": "Location/2"}}, {"actor": {"reference": "Patient/1"}}]},
        "1",
        "a participant",
    ),
    ("Condition", {"subject": {"reference": "Group/1"}}, None, "a group is nobody"),
    ("Condition", {"subject": {"identifier": {"value": "9990000018"}}}, None, "a number is no Patient yet"),
    ("Condition", {"subject": "Patient/1"}, None, "what is no reference"),
    ("Organization", {"name": "Patient/1"}, None, "a directory"),
]


@pytest.mark.parametrize(("type_", "body", "whom", "why"), ABOUT, ids=[why for *_, why in ABOUT])
def test_whom_a_resource_is_about(type_: str, body: dict[str, Any], whom: str | None, why: str) -> None:
    assert patient_of(type_, body) == whom


NAMES = [
    ("Condition/c1", False, "a problem"),
    ("Condition/c1/_history/2", False, "one version of a problem"),
    ("https://elsewhere.example/fhir/Condition/c1", False, "a problem elsewhere"),
    ("Observation/o1", False, "a result"),
    ("RelatedPerson/r1", False, "who told it"),
    ("CarePlan/p1", False, "a plan"),
    ("Practitioner/d1", True, "a doctor"),
    ("Organization/o1", True, "a hospital"),
    ("https://elsewhere.example/fhir/Location/l1", True, "a ward elsewhere"),
    ("Medication/m1", True, "a medicine: without its name it is a danger"),
    ("Patient/p1", False, "the person: a name that they had before may be restricted by law"),
    ("#a", True, "what is in the same resource"),
    ("urn:uuid:6f9619ff-8b86-d011-b42d-00c04fc964ff", True, "what nobody can tell the type of"),
]


@pytest.mark.parametrize(("reference", "kept", "what"), NAMES, ids=[what for *_, what in NAMES])
def test_the_name_beside_a_reference_stays_only_where_nothing_is_kept_back_by_it(
    reference: str, kept: bool, what: str
) -> None:
    body = {"reasonReference": [{"display": "HIV infection", "reference": reference, "type": "X"}]}
    for made in (rewritten(body, "hospital", "ns"), unnamed(body)):
        assert ("display" in made["reasonReference"][0]) is kept
        assert made["reasonReference"][0]["type"] == "X"
    assert body["reasonReference"][0]["display"] == "HIV infection", "what came is untouched"


def test_the_name_of_what_is_not_referred_to_is_the_items_own_and_stays() -> None:
    """A reason in words is what the item itself says; rules and hints are for that."""
    body = {"reasonReference": [{"display": "HIV infection", "identifier": {"value": "1"}}], "code": {"display": "x"}}
    assert unnamed(body) is body
    assert rewritten(body, "hospital", "ns") is body


def test_a_name_goes_with_whatever_extends_it() -> None:
    body = {"a": {"reference": "Condition/1", "display": "HIV", "_display": {"extension": []}}}
    assert unnamed(body) == {"a": {"reference": "Condition/1"}}
