"""What is read out of a Patient to be compared: tables of what sources write and what it comes to."""

from __future__ import annotations

from typing import Any

import pytest

from carelink.record import traits_fold as fold
from carelink.record.traits import traits
from carelink.record.traits_nicknames import nicknames
from carelink.record.traits_sounds import sounds

NUMBER = "9990000018"
OLDER = "9990000026"
STATUS = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"


def number(value: str, code: str = "", url: str = STATUS, **more: Any) -> dict[str, Any]:
    extension = [{"url": url, "valueCodeableConcept": {"coding": [{"code": code}]}}] if code else []
    return {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": value, "extension": extension, **more}


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("O'Brien", "obrien"),
        ("O’Brien", "obrien"),
        ("Smith-Jones", "smith jones"),
        ("  MÜLLER ", "muller"),
        ("Łukasz", "lukasz"),
        ("St. John", "st john"),
        ("Siân", "sian"),
        ("Unknown", ""),
        ("Baby", ""),
    ],
)
def test_names_are_folded(written: str, folded: str) -> None:
    assert fold.name(written) == folded


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("ne1 1aa", "NE11AA"),
        ("LS16AE", "LS16AE"),
        ("ZZ99 3VZ", ""),  # no fixed abode
        ("not known", ""),
    ],
)
def test_postcodes_are_folded(written: str, folded: str) -> None:
    assert fold.postcode(written) == folded


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("+44 (0)1632 960001", "01632960001"),
        ("0044 1632 960001", "01632960001"),
        ("01632 960 001 ext 12", "01632960001"),
        ("07700 900123", "07700900123"),
        ("n/a", ""),
        ("00000 000000", ""),
    ],
)
def test_telephones_come_to_national_digits(written: str, folded: str) -> None:
    assert fold.telephone(written) == folded


def test_an_address_is_its_first_two_lines_with_common_words_in_full() -> None:
    patient = {"address": [{"line": ["12 High St.", "Kirkby", "Northdale"], "postalCode": "NE1 1AA"}]}
    assert traits(patient).address == "12 high street kirkby"


def test_the_home_address_counts_before_a_temporary_one() -> None:
    patient = {
        "address": [
            {"use": "temp", "line": ["Ward 4"], "postalCode": "LS1 6AE"},
            {"use": "old", "line": ["9 Old Rd"], "postalCode": "LS1 6AF"},
            {"use": "home", "line": ["1 New Rd"], "postalCode": "NE1 1AA"},
        ]
    }
    assert traits(patient).postcode == "NE11AA"


@pytest.mark.parametrize(
    ("identifiers", "current", "verified", "former"),
    [
        ([number(NUMBER, "01")], NUMBER, True, ()),
        ([number(NUMBER, "number-present-and-verified")], NUMBER, True, ()),
        (
            [number(NUMBER, "01", "https://fhir.nhs.uk/StructureDefinition/Extension-GPC-NHSNumberVerificationStatus")],
            NUMBER,
            True,
            (),
        ),
        ([number(NUMBER, "02")], NUMBER, False, ()),
        ([number(NUMBER)], NUMBER, False, ()),
        ([number("999 000 0018")], NUMBER, False, ()),
        ([number("9990000019")], "", False, ()),  # the check digit is wrong
        ([number(OLDER, "01", use="old"), number(NUMBER, "01")], NUMBER, True, (OLDER,)),
        ([number(OLDER, "01", period={"end": "2020-01-01"}), number(NUMBER)], NUMBER, False, (OLDER,)),
        ([number(NUMBER), number(OLDER, "01")], OLDER, True, ()),
        ([{"system": "https://dalevalley.example/mrn", "value": NUMBER}], "", False, ()),
    ],
)
def test_nhs_numbers_with_their_status(
    identifiers: list[dict[str, Any]], current: str, verified: bool, former: tuple[str, ...]
) -> None:
    found = traits({"identifier": identifiers})
    assert (found.nhs_number, found.nhs_verified, found.nhs_former) == (current, verified, former)


def test_a_source_that_answers_by_nhs_number_has_verified_it() -> None:
    assert traits({"identifier": [number(NUMBER)]}, verified=True).nhs_verified
    assert not traits({}, verified=True).nhs_verified


def test_other_names_follow_the_current_one() -> None:
    patient = {
        "name": [
            {"use": "old", "family": "Smith", "given": ["Elizabeth"]},
            {"use": "nickname", "given": ["Liz"]},
            {"use": "official", "family": "Jones", "given": ["Elizabeth", "Ann"]},
        ]
    }
    found = traits(patient)
    assert found.family == "jones|smith"
    assert found.given == "elizabeth ann|liz|elizabeth"
    assert found.sounds == sounds("jones")


@pytest.mark.parametrize("written", ["1900-01-01", "1961-4-3", "", "unknown"])
def test_a_birth_date_that_stands_for_none_is_not_known(written: str) -> None:
    assert traits({"birthDate": written}).birth_date == ""


@pytest.mark.parametrize("written", ["1961-04-03", "1961-04", "1961"])
def test_a_birth_date_may_be_partial(written: str) -> None:
    assert traits({"birthDate": written}).birth_date == written


def test_a_mobile_number_is_taken_before_a_landline_and_none_from_work() -> None:
    patient = {
        "telecom": [
            {"system": "phone", "use": "work", "value": "07700 900999"},
            {"system": "phone", "use": "home", "value": "01632 960001"},
            {"system": "phone", "use": "mobile", "value": "07700 900123"},
            {"system": "email", "value": "a@example.com"},
        ]
    }
    assert traits(patient).telephone == "07700900123"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("smith", "smyth"),
        ("wright", "rite"),
        ("macdonald", "mcdonald"),
        ("phillips", "filips"),
        ("carr", "karr"),
        ("evans", "ivans"),
        ("clarke", "clark"),
        ("thompson", "thomson"),
        ("knight", "night"),
    ],
)
def test_names_that_sound_alike_share_a_key(one: str, other: str) -> None:
    assert sounds(one) == sounds(other) != ""


@pytest.mark.parametrize(("one", "other"), [("smith", "jones"), ("taylor", "walker"), ("brown", "davies")])
def test_names_that_sound_different_do_not(one: str, other: str) -> None:
    assert sounds(one) != sounds(other)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("liz", "elizabeth", True),
        ("bob", "robert", True),
        ("peggy", "margaret", True),
        ("muhammad", "mohammed", True),
        ("christopher", "christine", False),
        ("daniel", "danielle", False),
        ("thomas", "james", False),
    ],
)
def test_nicknames(one: str, other: str, same: bool) -> None:
    assert nicknames(one, other) is nicknames(other, one) is same
