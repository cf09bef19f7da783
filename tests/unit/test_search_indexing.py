"""What of a resource is indexed, and when it happened: from tables, for whatever a source sends."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from carelink.record.indexing import clinical, fold, index
from carelink.record.parameters import ALIASES, PARAMETERS, Kind, of_type
from fhir_adapters import exact_json

# type, body, when it happened (UTC), why
MOMENTS = [
    ("Condition", {"onsetDateTime": "2019-05-07"}, "2019-05-06T23:00:00+00:00", "a day in summer starts an hour early"),
    ("Condition", {"onsetDateTime": "2019-01-07"}, "2019-01-07T00:00:00+00:00", "a day in winter"),
    ("Condition", {"onsetDateTime": "2019"}, "2019-01-01T00:00:00+00:00", "the start of the year"),
    ("Condition", {"onsetDateTime": "2019-05"}, "2019-04-30T23:00:00+00:00", "the start of the month"),
    ("Condition", {"onsetPeriod": {"start": "2019"}, "recordedDate": "2020"}, "2019-01-01T00:00:00+00:00", "a period"),
    ("Condition", {"recordedDate": "2020-02-29"}, "2020-02-29T00:00:00+00:00", "recorded, where no onset is said"),
    (
        "Condition",
        {"onsetDateTime": "2019-13", "recordedDate": "2020"},
        "2020-01-01T00:00:00+00:00",
        "the next that is one",
    ),
    ("Condition", {"onsetString": "as a child"}, None, "words are no date"),
    ("Encounter", {"period": {"start": "2026-11-24T09:15:00Z"}}, "2026-11-24T09:15:00+00:00", "to the minute"),
    ("Encounter", {"period": {"end": "2026-11-24"}}, None, "an end alone does not say when it began"),
    (
        "Observation",
        {"effectiveDateTime": "2026-10-25T01:30:00+01:00"},
        "2026-10-25T00:30:00+00:00",
        "the clock change",
    ),
    ("Observation", {"effectivePeriod": {"start": "2026"}}, "2026-01-01T00:00:00+00:00", "a period"),
    ("Observation", {"issued": "2026-01-01T10:00:00Z"}, "2026-01-01T10:00:00+00:00", "issued, as the last resort"),
    ("Task", {"authoredOn": "2026-01-01T10:00:00"}, "2026-01-01T10:00:00+00:00", "no zone is Europe/London"),
    ("EpisodeOfCare", {"period": {"start": "2026-06-01"}}, "2026-05-31T23:00:00+00:00", "a package from its start"),
    ("Patient", {"birthDate": "1950"}, None, "a person does not happen"),
]


@pytest.mark.parametrize(("type_", "body", "when", "why"), MOMENTS, ids=[why for *_, why in MOMENTS])
def test_when_something_happened(type_: str, body: dict[str, Any], when: str | None, why: str) -> None:
    found = clinical(type_, body)
    assert (found.isoformat() if found else None) == when


FOLDED = [
    ("O’Neill", "oneill"),
    ("O'NEILL", "oneill"),
    ("  Smith-Jones ", "smith jones"),
    ("Zoë", "zoe"),
    ("Straße", "strasse"),
    ("Ní Bhriain", "ni bhriain"),
    ("St. John", "st john"),
]


@pytest.mark.parametrize(("said", "kept"), FOLDED)
def test_names_are_compared_without_case_accents_and_punctuation(said: str, kept: str) -> None:
    assert fold(said) == kept


def test_every_shape_of_token_is_read() -> None:
    body = {
        "identifier": [{"system": "urn:a", "value": "1"}, {"value": "2"}, {"system": "urn:empty"}],
        "gender": "female",
        "telecom": [{"system": "phone", "value": "01632 960001"}],
    }
    assert index("Patient", body).tokens == [
        (1, "urn:a", "1"),
        (1, None, "2"),
        (6, None, "female"),
        (8, "phone", "01632 960001"),
    ]


def test_all_codings_of_a_concept_are_found_each_once() -> None:
    coding = {"system": "http://snomed.info/sct", "code": "73211009"}
    body = {"code": {"coding": [coding, coding, {"system": "urn:read2", "code": "C10.."}], "text": "Diabetes"}}
    assert index("Condition", body).tokens == [
        (100, "http://snomed.info/sct", "73211009"),
        (100, "urn:read2", "C10.."),
    ]


def test_a_reference_is_indexed_by_our_id_or_as_it_was_written() -> None:
    ours = "5f0c6b1e-8c43-5d0e-9a53-3c1f5b1f7a10"
    assert index("Condition", {"encounter": {"reference": f"Encounter/{ours}"}}).references == [(120, ours, None)]
    assert index("Condition", {"encounter": {"reference": "https://example.org/Encounter/1"}}).references == [
        (120, None, "https://example.org/Encounter/1")
    ]
    assert index("Condition", {"encounter": {"identifier": {"value": "1"}}}).references == []


def test_numbers_are_kept_exactly_and_those_that_no_index_holds_are_left_out() -> None:
    def numbers(text: str) -> list[str]:
        body = exact_json.loads('{"valueQuantity":{"value":' + text + ',"code":"mmol/L"}}')
        return [str(value) for _, value, _ in index("Observation", body).numbers]

    assert [numbers(text) for text in ("7.10", "-0.0", "12", "1E+5")] == [["7.10"], ["-0.0"], ["12"], ["1E+5"]]
    assert numbers("1E+400000") == []


def test_numbers_and_codes_of_parameters_mean_one_thing() -> None:
    assert max(Counter(one.number for one in PARAMETERS).values()) == 1
    assert max(Counter(one.code for one in PARAMETERS).values()) == 1
    assert all(of_type("Patient")[meant].kind is Kind.TOKEN for meant, _ in ALIASES.values())


def test_whatever_tells_where_somebody_is_is_marked_so() -> None:
    assert {one.code for one in PARAMETERS if one.locating} == {"address-postalcode", "telecom"}
