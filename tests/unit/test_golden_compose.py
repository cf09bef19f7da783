"""The golden Patient: what survives, from whom, and what a restricted person's may not hold."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from carelink.ids import Ods, PersonKey, ResourceKey
from carelink.place import Organisation, Place, Survivorship
from carelink.record.golden import ELEMENT_SOURCE, compose, is_deceased, replaced
from carelink.record.survivorship import SourceRecord, survivors
from carelink.record.validation import check
from fhir_adapters.exact_json import loads

NHS = "https://fhir.nhs.uk/Id/nhs-number"
HOME = Organisation(Ods("QDM"), "Dalemere Integrated Care Board", "icb")
PERSON = PersonKey(UUID(int=7))
R = {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}


def record(number: int, source: str, day: int = 1, **body: Any) -> SourceRecord:
    return SourceRecord(
        ResourceKey(UUID(int=number)),
        source,
        {"resourceType": "Patient", "id": str(UUID(int=number)), **body},
        datetime(2026, 11, day, tzinfo=UTC),
    )


def golden(place: Place, *records: SourceRecord) -> dict[str, Any]:
    return compose(PERSON, records, place.survivorship, HOME)


def sources(element: Any) -> list[str]:
    return [one["valueString"] for one in element["extension"] if one["url"] == ELEMENT_SOURCE]


def test_each_element_comes_from_the_source_that_the_place_trusts_most_and_names_it(place: Place) -> None:
    found = golden(
        place,
        record(1, "council-a", name=[{"family": "Smyth"}], birthDate="1950-03-05", gender="male"),
        record(2, "pds", name=[{"id": "123", "family": "Smith"}], birthDate="1950-03-04"),
    )
    assert found["name"][0]["family"] == "Smith"
    assert "id" not in found["name"][0]
    assert sources(found["name"][0]) == ["pds"]
    assert (found["birthDate"], sources(found["_birthDate"])) == ("1950-03-04", ["pds"])
    assert (found["gender"], sources(found["_gender"])) == ("male", ["council-a"])


def test_an_element_says_since_when(place: Place) -> None:
    found = golden(place, record(1, "pds", day=3, gender="male"))
    assert found["_gender"]["extension"][1]["valueDateTime"] == "2026-11-03T00:00:00+00:00"


def test_the_newest_of_two_records_of_one_source_counts(place: Place) -> None:
    older = record(1, "council-a", day=1, address=[{"postalCode": "LS1 6AE"}])
    newer = record(2, "council-a", day=2, address=[{"postalCode": "NE1 1AA"}])
    assert [one["postalCode"] for one in golden(place, older, newer)["address"]] == ["NE1 1AA"]


def test_the_nhs_number_is_shown_once_and_a_verified_one_first(place: Place) -> None:
    status = {
        "url": "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus",
        "valueCodeableConcept": {"coding": [{"code": "01"}]},
    }
    found = golden(
        place,
        record(1, "gp", identifier=[{"system": NHS, "value": "9990000018"}]),
        record(
            2,
            "hospital",
            identifier=[
                {"system": NHS, "value": "9990000026", "extension": [status]},
                {"system": "https://dalevalley.example/mrn", "value": "H1"},
            ],
        ),
    )
    assert [(one["system"], one["value"]) for one in found["identifier"]] == [
        (NHS, "9990000026"),
        ("https://dalevalley.example/mrn", "H1"),
    ]


def test_a_superseded_nhs_number_is_not_the_one_that_is_shown(place: Place) -> None:
    old, new = {"system": NHS, "value": "9990000018", "use": "old"}, {"system": NHS, "value": "9990000026"}
    assert [one["value"] for one in golden(place, record(1, "pds", identifier=[old, new]))["identifier"]] == [
        "9990000026"
    ]
    assert "identifier" not in golden(place, record(1, "pds", identifier=[old]))


def test_a_telephone_number_is_shown_once_however_it_is_written(place: Place) -> None:
    found = golden(
        place,
        record(1, "pds", telecom=[{"system": "phone", "value": "+44 1632 960001"}]),
        record(
            2,
            "gp",
            telecom=[{"system": "phone", "value": "01632 960001"}, {"system": "email", "value": "a@example.com"}],
        ),
    )
    assert [(one["value"], sources(one)) for one in found["telecom"]] == [
        ("+44 1632 960001", ["pds"]),
        ("a@example.com", ["gp"]),
    ]


def test_the_golden_record_points_at_every_source_patient(place: Place) -> None:
    found = golden(place, record(2, "pds"), record(1, "gp"))
    assert [(one["other"]["reference"], one["type"]) for one in found["link"]] == [
        (f"Patient/{UUID(int=1)}", "seealso"),
        (f"Patient/{UUID(int=2)}", "seealso"),
    ]


def test_the_order_of_the_records_makes_no_difference(place: Place) -> None:
    records = [
        record(1, "pds", name=[{"family": "Smith"}], telecom=[{"system": "phone", "value": "01632 960001"}]),
        record(2, "gp", name=[{"family": "Smyth"}], telecom=[{"system": "phone", "value": "01632 960002"}]),
        record(3, "gp", name=[{"family": "Smithe"}], gender="male"),
    ]
    assert golden(place, *records) == golden(place, *reversed(records))


@pytest.mark.parametrize(
    ("statements", "element", "deceased"),
    [
        ({"pds": {"deceasedDateTime": "2026-10-01"}, "gp": {"deceasedBoolean": False}}, "deceasedDateTime", True),
        ({"pds": {"deceasedBoolean": False}, "gp": {"deceasedBoolean": True}}, "deceasedBoolean", False),
        ({"hospital": {"deceasedBoolean": True}}, "deceasedBoolean", True),
        ({"hospital": {}}, "", False),
    ],
)
def test_pds_is_heard_first_about_a_death(
    statements: dict[str, dict[str, Any]], element: str, deceased: bool, place: Place
) -> None:
    found = golden(place, *(record(n, source, **said) for n, (source, said) in enumerate(statements.items())))
    assert [key for key in found if key.startswith("deceased")] == ([element] if element else [])
    assert is_deceased(found) is deceased


def test_a_restricted_person_has_no_address_telecom_or_practice_from_any_source(place: Place) -> None:
    where = {
        "address": [{"postalCode": "NE1 1AA"}],
        "telecom": [{"system": "phone", "value": "01632 960001"}],
        "generalPractitioner": [{"identifier": {"value": "P81001"}}],
        "contact": [
            {"name": {"family": "Smith"}, "telecom": [{"value": "01632 960001"}], "address": {"postalCode": "NE1 1AA"}}
        ],
    }
    found = golden(place, record(1, "council-a", **where), record(2, "pds", meta=R, name=[{"family": "Smith"}]))
    assert found["meta"]["security"][0]["code"] == "R"
    assert not {"address", "telecom", "generalPractitioner"} & set(found)
    assert found["contact"][0]["name"] == {"family": "Smith"}
    assert "NE1 1AA" not in str(found)
    assert "960001" not in str(found)


def test_composing_leaves_what_the_sources_said_as_it_was(place: Place) -> None:
    said = record(1, "council-a", contact=[{"name": {"family": "Smith"}, "telecom": [{"value": "01632 960001"}]}])
    golden(place, said, record(2, "pds", meta=R))
    assert said.body["contact"][0]["telecom"] == [{"value": "01632 960001"}]


def test_ethnicity_tells_its_source_on_its_value(place: Place) -> None:
    """FHIR: an extension has a value or extensions, never both (ext-1)."""
    ethnicity = {
        "url": "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-EthnicCategory",
        "valueCodeableConcept": {"coding": [{"code": "A"}]},
    }
    (found,) = golden(place, record(1, "gp", extension=[ethnicity, {"url": "other"}]))["extension"]
    assert "extension" not in found
    assert sources(found["valueCodeableConcept"]) == ["gp"]


def test_the_golden_record_of_a_merged_person_points_at_the_other() -> None:
    found = replaced(PERSON, PersonKey(UUID(int=8)))
    assert found["active"] is False
    assert found["link"] == [{"other": {"reference": f"Patient/{UUID(int=8)}"}, "type": "replaced-by"}]


def test_a_source_that_a_row_does_not_name_is_not_heard() -> None:
    rules = (Survivorship("gender", ("pds",)),)
    assert "gender" not in compose(PERSON, [record(1, "gp", gender="male")], rules, HOME)


def test_a_star_stands_for_the_sources_that_a_row_does_not_name() -> None:
    rule = Survivorship("gender", ("*", "pds"))
    found = survivors(rule, [(record(1, "pds"), "male"), (record(2, "gp"), "female")])
    assert [one.value for one in found] == ["female"]


def test_the_golden_record_of_a_published_pds_patient_is_valid_fhir(place: Place, shared_examples: Path) -> None:
    said = loads((shared_examples / "pds" / "Patient.json").read_bytes())
    found = golden(place, SourceRecord(ResourceKey(UUID(int=1)), "pds", said, datetime(2026, 11, 1, tzinfo=UTC)))
    checked = check("Patient", found)
    assert (checked.problems, checked.repairs) == ((), ())
    assert sources(found["address"][0]) == ["pds"]
    assert is_deceased(found)
