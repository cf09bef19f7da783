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
        (1, "urn:a", "1", None),
        (1, None, "2", None),
        (6, None, "female", None),
        (8, "phone", "01632 960001", None),
        (15, None, "false", None),
    ]


def test_all_codings_of_a_concept_are_found_each_once() -> None:
    coding = {"system": "http://snomed.info/sct", "code": "73211009"}
    body = {"code": {"coding": [coding, coding, {"system": "urn:read2", "code": "C10.."}], "text": "Diabetes"}}
    assert index("Condition", body).tokens == [
        (100, "http://snomed.info/sct", "73211009", None),
        (100, "urn:read2", "C10..", None),
    ]


OURS = "5f0c6b1e-8c43-5d0e-9a53-3c1f5b1f7a10"
ABROAD = "https://example.org/fhir/Encounter/1"
REFERENCES: list[tuple[str, dict[str, Any], list[tuple[Any, ...]]]] = [
    ("ours", {"reference": f"Encounter/{OURS}"}, [(120, OURS, None, "Encounter", None)]),
    (
        "a version of ours",
        {"reference": f"Encounter/{OURS}/_history/2"},
        [(120, OURS, f"Encounter/{OURS}/_history/2", "Encounter", None)],
    ),
    ("of another server", {"reference": ABROAD}, [(120, None, ABROAD, "Encounter", None)]),
    ("an id that is not ours", {"reference": "Encounter/1"}, [(120, None, "Encounter/1", None, None)]),
    (
        "of which the type is said",
        {"reference": "urn:x:1", "type": "Encounter"},
        [(120, None, "urn:x:1", "Encounter", None)],
    ),
    ("contained", {"reference": "#e"}, [(120, None, "#e", None, None)]),
    ("an identifier alone", {"identifier": {"system": "urn:v", "value": "1"}}, []),
]


@pytest.mark.parametrize(("what", "reference", "rows"), REFERENCES, ids=[what for what, *_ in REFERENCES])
def test_a_reference_is_indexed_by_our_id_or_as_it_was_written(
    what: str, reference: dict[str, Any], rows: list[tuple[Any, ...]]
) -> None:
    assert index("Condition", {"encounter": reference}).references == rows


def test_an_identifier_in_a_reference_is_a_token_of_it() -> None:
    body = {"encounter": {"reference": f"Encounter/{OURS}", "identifier": {"system": "urn:v", "value": "1"}}}
    assert index("Condition", body).tokens == [(120, "urn:v", "1", None)]


def test_a_reference_to_one_type_alone_passes_the_others_by() -> None:
    actors = [{"actor": {"reference": f"{type_}/{OURS}"}} for type_ in ("PractitionerRole", "Location", "Practitioner")]
    rows = index("Appointment", {"participant": actors}).references
    by_code = {code: of_type("Appointment")[code].number for code in ("actor", "location", "practitioner")}
    assert [row[3] for row in rows if row[0] == by_code["actor"]] == ["PractitionerRole", "Location", "Practitioner"]
    assert [row[3] for row in rows if row[0] == by_code["location"]] == ["Location"]
    assert [row[3] for row in rows if row[0] == by_code["practitioner"]] == ["Practitioner"]


def test_a_canonical_is_found_with_and_without_its_version() -> None:
    number = of_type("QuestionnaireResponse")["questionnaire"].number
    url = "https://example.org/Questionnaire/falls"
    assert index("QuestionnaireResponse", {"questionnaire": f"{url}|2"}).references == [
        (number, None, url, None, None),
        (number, None, f"{url}|2", None, None),
    ]
    assert index("QuestionnaireResponse", {"questionnaire": url}).references == [(number, None, url, None, None)]


UCUM = "http://unitsofmeasure.org"
# what -> a Quantity and its like, from what to what it goes; its unit as the row has it
AMOUNTS = [
    ("a number", '{"value":7.10}', ("7.10", "7.10"), (None, None, None)),
    ("one below nothing", '{"value":-0.0}', ("-0.0", "-0.0"), (None, None, None)),
    ("a whole one", '{"value":12}', ("12", "12"), (None, None, None)),
    ("a large one", '{"value":1E+5}', ("1E+5", "1E+5"), (None, None, None)),
    ("less than", '{"value":5,"comparator":"<"}', ("-Infinity", "5"), (None, None, None)),
    ("at least", '{"value":5,"comparator":">="}', ("5", "Infinity"), (None, None, None)),
    ("with a unit", '{"value":5,"unit":"mg per l","code":"mg/L","system":"' + UCUM + '"}', ("5", "5"), (UCUM, "mg/L", "mg per l")),
    ("whose unit is its code", '{"value":5,"unit":"mg","code":"mg"}', ("5", "5"), (None, "mg", None)),
    ("whose unit is but written", '{"value":5,"unit":"puffs"}', ("5", "5"), (None, None, "puffs")),
    ("a range", '{"low":{"value":5,"code":"a"},"high":{"value":9,"code":"a"}}', ("5", "9"), (None, "a", None)),
    ("a range without end", '{"low":{"value":5,"code":"a"}}', ("5", "Infinity"), (None, "a", None)),
    ("samples", '{"origin":{"value":100,"code":"mV"},"factor":0.5,"data":"2 -4 E 6"}', ("98.0", "103.0"), (None, "mV", None)),
]  # fmt: skip


@pytest.mark.parametrize(("what", "said", "ends", "unit"), AMOUNTS, ids=[what for what, *_ in AMOUNTS])
def test_what_is_measured_is_kept_exactly_with_its_unit(
    what: str, said: str, ends: tuple[str, str], unit: tuple[str | None, ...]
) -> None:
    ((_, low, high, *rest),) = index("Observation", exact_json.loads('{"valueQuantity":' + said + "}")).numbers
    assert (str(low), str(high)) == ends
    assert tuple(rest) == (*unit, None)


@pytest.mark.parametrize("said", ['{"value":1E+400000}', "{}", '{"unit":"mg"}', '{"origin":{"value":1},"data":"E U"}'])
def test_what_no_index_can_hold_is_left_out(said: str) -> None:
    assert index("Observation", exact_json.loads('{"valueQuantity":' + said + "}")).numbers == []


def test_the_whole_of_a_name_and_of_an_address_is_searched_and_an_exact_text_is_kept() -> None:
    name = {"family": "O’Neill", "given": ["Zoë", "mary"], "prefix": ["Dr"], "text": "Dr Zoë O’Neill"}
    address = {"line": ["1 High St."], "city": "Yarm", "postalCode": "TS15 9AA", "use": "home"}
    strings = index("Patient", {"name": [name], "address": [address]}).strings
    number = {code: one.number for code, one in of_type("Patient").items()}
    assert [row[1:] for row in strings if row[0] == number["name"]] == [
        ("oneill", "O’Neill"),
        ("zoe", "Zoë"),
        ("mary", None),
        ("dr", "Dr"),
        ("dr zoe oneill", "Dr Zoë O’Neill"),
    ]
    assert [row[1:] for row in strings if row[0] == number["given"]] == [("zoe", "Zoë"), ("mary", None)]
    assert [row[1] for row in strings if row[0] == number["address"]] == ["1 high st", "yarm", "ts15 9aa"]
    assert [row[1:] for row in strings if row[0] == number["address-postalcode"]] == [("ts159aa", "TS15 9AA")]


def test_what_people_read_of_a_code_is_one_row_beside_it() -> None:
    coding = {"system": "http://snomed.info/sct", "code": "73211009", "display": "Diabetes mellitus (disorder)"}
    made = index("Condition", {"code": {"coding": [coding], "text": "Sugar diabetes"}})
    assert made.strings == [(100, "sugar diabetes\ndiabetes mellitus (disorder)", None)]
    same = {"coding": [{**coding, "display": "Asthma"}], "text": "ASTHMA"}
    assert index("Condition", {"code": same}).strings == [(100, "asthma", None)]
    assert index("Condition", {"code": {"text": "Falls"}}).tokens == []


def test_an_identifier_is_also_found_by_the_type_of_its_number() -> None:
    kind = {"coding": [{"system": "urn:kinds", "code": "MR"}], "text": "Hospital number"}
    made = index("Patient", {"identifier": [{"system": "urn:a", "value": "7", "type": kind}]})
    assert made.tokens[:2] == [(1, "urn:a", "7", None), (-1, "urn:kinds|MR", "7", None)]
    assert made.strings == [(1, "hospital number", None)]


def test_alike_elements_are_numbered_where_a_composite_needs_it() -> None:
    def component(code: str, value: int) -> dict[str, Any]:
        return {"code": {"coding": [{"code": code}]}, "valueQuantity": {"value": value}}

    made = index(
        "Observation", {"code": {"coding": [{"code": "bp"}]}, "component": [component("s", 120), component("d", 80)]}
    )
    assert [(row[2], row[3]) for row in made.tokens] == [("bp", None), ("s", 1), ("d", 2)]
    assert [(int(row[1]), row[-1]) for row in made.numbers] == [(120, 1), (80, 2)]


DIED = [
    ({}, "false"),
    ({"deceasedBoolean": False}, "false"),
    ({"deceasedBoolean": True}, "true"),
    ({"deceasedDateTime": "2026"}, "true"),
]


@pytest.mark.parametrize(("body", "said"), DIED)
def test_a_patient_has_died_or_not_whatever_is_said(body: dict[str, Any], said: str) -> None:
    number = of_type("Patient")["deceased"].number
    assert [row for row in index("Patient", body).tokens if row[0] == number] == [(number, None, said, None)]


TIMINGS: list[tuple[dict[str, Any], tuple[str, str] | None]] = [
    ({"event": ["2026-01-05", "2026-01-02"]}, ("2026-01-02", "2026-01-06")),
    ({"repeat": {"boundsPeriod": {"start": "2026-01-05", "end": "2026-01-07"}}}, ("2026-01-05", "2026-01-08")),
    ({"repeat": {"frequency": 2}}, None),
]


@pytest.mark.parametrize(("timing", "ends"), TIMINGS)
def test_a_timing_goes_from_its_first_event_to_its_last(timing: dict[str, Any], ends: tuple[str, str] | None) -> None:
    found = [
        (low.date().isoformat(), high.date().isoformat())
        for _, low, high in index("Observation", {"effectiveTiming": timing}).dates
    ]
    assert found == ([ends] if ends else [])


def test_a_number_and_a_code_of_a_type_mean_one_parameter() -> None:
    assert max(Counter(one.number for one in PARAMETERS).values()) == 1
    assert max(Counter((type_, one.code) for one in PARAMETERS for type_ in one.paths).values()) == 1
    numbers = {one.number for one in PARAMETERS}
    assert all(number in numbers for one in PARAMETERS for number in one.of)
    assert all(of_type("Patient")[meant].kind is Kind.TOKEN for meant, _ in ALIASES.values())


# As they were first given, by what pages and older rows of the index ask.
GIVEN = {
    "identifier": 1,
    "name": 2,
    "family": 3,
    "given": 4,
    "birthdate": 5,
    "gender": 6,
    "telecom": 8,
    "address-postalcode": 7,
}


def test_a_number_once_given_stays() -> None:
    assert {code: of_type("Patient")[code].number for code in GIVEN} == GIVEN
    assert [of_type("Observation")[code].number for code in ("code", "category", "status", "date")] == [
        100,
        102,
        103,
        110,
    ]
    assert of_type("Observation")["value-quantity"].number == 130
